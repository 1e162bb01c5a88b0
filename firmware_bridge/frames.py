"""Frames of `PROTOCOL.md`: COBS and CRC-16/IBM-3740 around a body of type, seq and payload. Pure.

COBS is our own dozen lines: decision 0003 says why.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator

MOST_PAYLOAD = 120
_MOST_WIRE = MOST_PAYLOAD + 5
"""Bytes of the longest frame without its zero: type, seq, crc and one COBS code."""


def frame(body: bytes) -> bytes:
    """The wire's bytes for a type, seq and payload, the closing zero included. Raises ValueError for a long one."""
    if len(body) > MOST_PAYLOAD + 2:
        raise ValueError(f"a payload has at most {MOST_PAYLOAD} bytes, not {len(body) - 2}")
    return stuffed(body + crc16(body).to_bytes(2, "little")) + b"\0"


class Receiver:
    """Cuts a stream of bytes, however bad, into the bodies of its good frames (without their CRC)."""

    def __init__(self) -> None:
        self._wire = bytearray()
        self._too_long = False
        self.bad_frames = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The bodies of the frames that end in `data`."""
        *ended, rest = data.split(b"\0")
        for part in ended:
            self._keep(part)
            wire, too_long = bytes(self._wire), self._too_long
            self._wire.clear()
            self._too_long = False
            body = None if too_long else _checked(wire)
            if body is not None:
                yield body
            elif wire:
                self.bad_frames += 1
        self._keep(rest)

    def _keep(self, part: bytes) -> None:
        self._wire += part[: _MOST_WIRE + 1 - len(self._wire)]
        self._too_long = len(self._wire) > _MOST_WIRE


def crc16(data: bytes) -> int:
    """CRC-16/IBM-3740."""
    return binascii.crc_hqx(data, 0xFFFF)


def stuffed(data: bytes) -> bytes:
    """COBS of fewer than 254 bytes: free of zeros."""
    return b"".join(bytes((len(part) + 1,)) + part for part in data.split(b"\0"))


def unstuffed(wire: bytes) -> bytes | None:
    """What `stuffed` was given, or None for what it never makes."""
    parts, at = [], 0
    while at < len(wire):
        code = wire[at]
        part = wire[at + 1 : at + code]
        if code == 0 or len(part) != code - 1:
            return None
        parts.append(part)
        at += code
    return b"\0".join(parts)


def _checked(wire: bytes) -> bytes | None:
    data = unstuffed(wire)
    if data is None or len(data) < 4 or crc16(data[:-2]) != int.from_bytes(data[-2:], "little"):
        return None
    return data[:-2]
