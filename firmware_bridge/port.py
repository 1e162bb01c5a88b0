"""Serial ports, named by path, USB id or socket address. The only file that imports pyserial.

A name is a path (`/dev/ttyACM0`), `usb:2341:0043` (vendor and product in hexadecimal, optionally followed by a colon
and a serial number), or `socket://host:port`. Calls block, so use a port in a thread of its own. It works on Linux and
other systems on which `select` accepts file descriptors.
"""

from __future__ import annotations

import re
import select
from types import TracebackType
from typing import Self

import serial  # type: ignore[import-untyped]  # pyserial has no types
from serial.tools import list_ports  # type: ignore[import-untyped]

WRITE_TIMEOUT_S = 0.5
_READ_SIZE = 4096
_USB = re.compile(r"usb:([0-9a-fA-F]{1,4}):([0-9a-fA-F]{1,4})(?::(.+))?")


class PortError(Exception):
    """A port cannot be opened or went away. The message is a sentence for users."""


class Port:
    """An open port. Raises `PortError` if it cannot be opened, and from every method once it has gone away."""

    def __init__(self, name: str, baud: int) -> None:
        self.name = name
        path = resolve_port(name)
        options = {"timeout": 0, "write_timeout": WRITE_TIMEOUT_S, "exclusive": None}
        try:
            self._serial = serial.serial_for_url(path, baud, do_not_open=True, **options)
            try:
                self._serial.open()
            except (serial.SerialException, OSError):
                _close(self._serial)
                raise
        except (serial.SerialException, OSError, ValueError) as error:
            raise PortError(f"{name}: the body's port cannot be opened: {_error_text(error)}") from error

    def wait(self, timeout: float, *others: int) -> None:
        """Wait until bytes arrive or a file descriptor of `others` is readable, for at most `timeout` seconds."""
        try:
            select.select([self._serial.fileno(), *others], [], [], max(timeout, 0.0))
        except (serial.SerialException, OSError, ValueError) as error:
            raise self._gone_error(error) from error

    def read(self) -> bytes:
        """The bytes that have arrived; empty if there are none."""
        data = bytearray()
        try:
            # A socket always reports one waiting byte, however many there are; a serial port reports the number.
            while len(data) < _READ_SIZE and (waiting := self._serial.in_waiting):
                data += self._serial.read(waiting)
        except (serial.SerialException, OSError) as error:
            raise self._gone_error(error) from error
        return bytes(data)

    def write(self, data: bytes) -> None:
        """Write all of it."""
        try:
            self._serial.write(data)
        except (serial.SerialException, OSError) as error:
            raise self._gone_error(error) from error

    def close(self) -> None:
        """Close the port. Closing it again is harmless."""
        try:
            _close(self._serial)
        except (serial.SerialException, OSError) as error:
            raise self._gone_error(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.close()
        except PortError:
            # The error that ended its use is the one that matters; a port that is gone need not be closed.
            return

    def _gone_error(self, error: Exception) -> PortError:
        return PortError(f"{self.name}: the body's port went away: {_error_text(error)}")


def resolve_port(name: str) -> str:
    """The path or address for a port's name. Raises `PortError` if no such USB device is plugged in."""
    usb = _USB.fullmatch(name)
    if usb is None:
        return name
    vendor, product, number = int(usb[1], 16), int(usb[2], 16), usb[3]
    for one in list_ports.comports():
        if (one.vid, one.pid) == (vendor, product) and number in (None, one.serial_number):
            return str(one.device)
    raise PortError(f"{name}: no such USB device is plugged in; list them with: python -m serial.tools.list_ports -v")


def _close(opened: serial.SerialBase) -> None:
    """Close a port, also one that opened only in part: pyserial leaves the socket of a peer that has gone open."""
    left = getattr(opened, "_socket", None)
    try:
        opened.close()
    finally:
        if left is not None:
            left.close()


def _error_text(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
