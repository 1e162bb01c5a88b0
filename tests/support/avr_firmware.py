"""Builds and runs the C firmware for tests."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

import firmware_bridge

ROOT = Path(firmware_bridge.__file__).parent


AVR = ROOT / "firmware" / "avr"


def needs(*programs: str) -> None:
    """Skip the test where one of these programs is missing."""
    missing = [one for one in programs if shutil.which(one) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} is not installed: make setup-dev")


class Program:
    """A test program that answers lines with lines."""

    def __init__(self, *command: str) -> None:
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def tell(self, line: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().rstrip("\n")

    def more(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().rstrip("\n")

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=10)
        self._process.stdout.close()
