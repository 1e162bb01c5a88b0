"""Fixtures of the firmware's tests."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.avr_firmware import AVR, needs


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("firmware")


@pytest.fixture(scope="module")
def image(built: Path) -> Path:
    """The firmware as `make firmware` builds it."""
    needs("avr-gcc", "make")
    subprocess.run(["make", "-s", "-C", str(AVR), f"BUILD={built}"], check=True, stdout=subprocess.DEVNULL)
    return built / "companion.elf"
