"""Values of `PROTOCOL.md`: what a channel is, and the three bytes that say where it shall be. Pure."""

from __future__ import annotations

import struct
from enum import IntEnum

VERSION = 1


class MalformedMessage(ValueError):
    """A payload that is not what its type promises."""


class Kind(IntEnum):
    """What a channel is."""

    LIGHT = 1
    SERVO = 2
    MOTOR = 3
    MOUTH = 4


def position(value: int) -> bytes:
    """Three bytes of a servo (tenths of a degree), motor or mouth (thousandths). Raises ValueError beyond 16 bits."""
    if not -0x8000 <= value <= 0x7FFF:
        raise ValueError(f"{value} does not fit in 16 bits")
    return struct.pack("<hx", value)


def colour(red: int, green: int, blue: int) -> bytes:
    """Three bytes of a light. Raises ValueError outside of 0 to 255."""
    return bytes((red, green, blue))


def position_of(value: bytes) -> int:
    """The number in a servo's, motor's or mouth's three bytes."""
    return int.from_bytes(value[:2], "little", signed=True)
