"""Serial ports: by path, by USB id, or a socket. The only file that imports pyserial.

Names: a path (`/dev/ttyACM0`), `usb:2341:0043` (vendor and product, hexadecimal; a serial number may follow after
another colon), or `socket://host:port`. Blocking, for a thread of its own; Linux and other systems with `select`.
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
    """A port cannot be opened or went away. The message is one sentence for a person."""


class Port:
    """An open port. Raises `PortError` when it cannot be opened, and from all methods when it goes away."""

    def __init__(self, name: str, baud: int) -> None:
        self.name = name
        path = path_of(name)
        try:
            self._serial = serial.serial_for_url(path, baud, timeout=0, write_timeout=WRITE_TIMEOUT_S, exclusive=None)
        except (serial.SerialException, OSError, ValueError) as error:
            raise PortError(f"{name}: the body's port cannot be opened: {_plain(error)}") from error

    def wait(self, timeout: float, *others: int) -> None:
        """Return when bytes came, one of the file descriptors `others` can be read, or after `timeout` seconds."""
        try:
            select.select([self._serial.fileno(), *others], [], [], max(timeout, 0.0))
        except (serial.SerialException, OSError, ValueError) as error:
            raise self._gone(error) from error

    def read(self) -> bytes:
        """The bytes that came; empty where there are none."""
        data = bytearray()
        try:
            # A socket says that one byte waits, whatever does; a serial port says how many.
            while len(data) < _READ_SIZE and (waiting := self._serial.in_waiting):
                data += self._serial.read(waiting)
        except (serial.SerialException, OSError) as error:
            raise self._gone(error) from error
        return bytes(data)

    def write(self, data: bytes) -> None:
        """Write all of it."""
        try:
            self._serial.write(data)
        except (serial.SerialException, OSError) as error:
            raise self._gone(error) from error

    def close(self) -> None:
        """Close the port; again is harmless."""
        try:
            self._serial.close()
        except (serial.SerialException, OSError) as error:
            raise self._gone(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.close()
        except PortError:
            # What matters was said by the error that ended its use; a port that is gone need not be closed.
            return

    def _gone(self, error: Exception) -> PortError:
        return PortError(f"{self.name}: the body's port went away: {_plain(error)}")


def path_of(name: str) -> str:
    """The path or address behind a port's name. Raises `PortError` where no such USB device is plugged in."""
    usb = _USB.fullmatch(name)
    if usb is None:
        return name
    vendor, product, number = int(usb[1], 16), int(usb[2], 16), usb[3]
    for one in list_ports.comports():
        if (one.vid, one.pid) == (vendor, product) and number in (None, one.serial_number):
            return str(one.device)
    raise PortError(f"{name}: no such USB device is plugged in; list them with: python -m serial.tools.list_ports -v")


def _plain(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
