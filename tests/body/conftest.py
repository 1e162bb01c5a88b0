"""Fixtures of the body's tests."""

from __future__ import annotations

from collections.abc import Iterator

import gpiozero
import pytest

from tests.support.mock_pins import Pins


@pytest.fixture
def pins() -> Iterator[Pins]:
    """Mock pins in place of the board's own."""
    before, factory = gpiozero.Device.pin_factory, Pins()
    gpiozero.Device.pin_factory = factory
    yield factory
    factory.changed = lambda: None
    factory.reset()
    gpiozero.Device.pin_factory = before
