"""The frames of `PROTOCOL.md`: a body of type, seq and payload with CRC-16/IBM-3740, encoded with COBS. Pure.

COBS is a dozen lines of our own; decision 0003 says why.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator

MOST_PAYLOAD = 120
_MOST_WIRE = MOST_PAYLOAD + 5
"""Length of the longest frame without its final zero: payload, type, seq, CRC and one COBS code."""


def encode_frame(body: bytes) -> bytes:
    """The bytes on the wire for type, seq and payload, with the final zero. Raises ValueError if it is too long."""
    if len(body) > MOST_PAYLOAD + 2:
        raise ValueError(f"a payload has at most {MOST_PAYLOAD} bytes, not {len(body) - 2}")
    return cobs_encode(body + crc16(body).to_bytes(2, "little")) + b"\0"


class Receiver:
    """Extracts the bodies of valid frames (without their CRC) from a stream of bytes that may hold anything."""

    def __init__(self) -> None:
        self._wire = bytearray()
        self._too_long = False
        self.bad_frames = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take the next bytes and yield the bodies of the valid frames that end in them."""
        *ended, rest = data.split(b"\0")
        for part in ended:
            self._keep(part)
            wire, too_long = bytes(self._wire), self._too_long
            self._wire.clear()
            self._too_long = False
            body = None if too_long else _body_if_valid(wire)
            if body is not None:
                yield body
            elif wire:
                self.bad_frames += 1
        self._keep(rest)

    def _keep(self, part: bytes) -> None:
        self._wire += part[: _MOST_WIRE + 1 - len(self._wire)]
        self._too_long = len(self._wire) > _MOST_WIRE


def crc16(data: bytes) -> int:
    """The CRC-16/IBM-3740 of `data`."""
    return binascii.crc_hqx(data, 0xFFFF)


def cobs_encode(data: bytes) -> bytes:
    """Encode fewer than 254 bytes with COBS, so that they contain no zero."""
    return b"".join(bytes((len(part) + 1,)) + part for part in data.split(b"\0"))


def cobs_decode(wire: bytes) -> bytes | None:
    """Decode COBS; None if `wire` is not valid."""
    parts, at = [], 0
    while at < len(wire):
        code = wire[at]
        part = wire[at + 1 : at + code]
        if code == 0 or len(part) != code - 1:
            return None
        parts.append(part)
        at += code
    return b"\0".join(parts)


def _body_if_valid(wire: bytes) -> bytes | None:
    data = cobs_decode(wire)
    if data is None or len(data) < 4 or crc16(data[:-2]) != int.from_bytes(data[-2:], "little"):
        return None
    return data[:-2]
