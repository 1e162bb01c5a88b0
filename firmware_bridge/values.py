"""The values of `PROTOCOL.md`: kinds of channels, and the three bytes of a position or colour. Pure."""

from __future__ import annotations

import struct
from enum import IntEnum

VERSION = 2
OLDEST_VERSION = 1
"""A device of this version is served too: the messages are the same (`PROTOCOL.md`, "Versions")."""


class MalformedMessage(ValueError):
    """A payload that does not match its message type."""


class Kind(IntEnum):
    """The kind of a channel."""

    LIGHT = 1
    SERVO = 2
    MOTOR = 3
    MOUTH = 4


def position(value: int) -> bytes:
    """Three bytes for a servo (tenths of a degree), motor or mouth (thousandths). Raises ValueError beyond 16 bits."""
    if not -0x8000 <= value <= 0x7FFF:
        raise ValueError(f"{value} does not fit in 16 bits")
    return struct.pack("<hx", value)


def colour(red: int, green: int, blue: int) -> bytes:
    """Three bytes for a light. Raises ValueError outside 0 to 255."""
    return bytes((red, green, blue))


def position_of(value: bytes) -> int:
    """The number in the three bytes of a servo, motor or mouth."""
    return int.from_bytes(value[:2], "little", signed=True)
