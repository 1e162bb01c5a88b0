"""Fixtures of the body's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import gpiozero
import pytest

from tests.support.mock_pins import OwnedPins, Pins, owned_pins


@pytest.fixture
def pins() -> Iterator[Pins]:
    """Mock pins in place of the board's own."""
    before, factory = gpiozero.Device.pin_factory, Pins()
    gpiozero.Device.pin_factory = factory
    yield factory
    factory.changed = lambda: None
    factory.reset()
    gpiozero.Device.pin_factory = before


@pytest.fixture
async def owned(tmp_path: Path) -> AsyncIterator[OwnedPins]:
    """Mock pins in the process that a body starts to own them."""
    async with owned_pins(tmp_path) as one:
        yield one
