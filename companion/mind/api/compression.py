"""Bodies that some proxies compress though nothing compressed was asked for: gzip and deflate.

Pure. What comes out is handed over in small pieces and is bounded, because a small lie would unpack into a flood.
"""

from __future__ import annotations

import zlib
from typing import Protocol

MOST = 4 << 20
"""Bytes that a response may unpack to. A long answer has about a third of that."""
PIECE = 1 << 16

_GZIP = b"\x1f\x8b"
_ZLIB = (b"x\x01", b"x\x5e", b"x\x9c", b"x\xda")
_ZSTANDARD = b"\x28\xb5\x2f\xfd"
_ANY_HEADER, _NO_HEADER = 47, -15


class UnreadableBody(Exception):
    """The body cannot be unpacked; the text says why, as the end of a sentence."""


class Decoder(Protocol):
    """Takes the bytes of a body as they come."""

    def feed(self, data: bytes) -> None:
        """Take the next bytes. Raises `UnreadableBody`."""

    def read(self) -> bytes:
        """The next piece of what was meant; empty where more has to come. Raises `UnreadableBody`."""


def decoder(encoding: str) -> Decoder:
    """The decoder for a `Content-Encoding`. Raises `UnreadableBody` for one that is not known."""
    names = [name for part in encoding.lower().split(",") if (name := part.strip()) not in ("", "identity", "none")]
    if names in (["gzip"], ["x-gzip"], ["deflate"]):
        return _Inflating()
    if names:
        raise UnreadableBody(f"it is compressed ({', '.join(names)[:40]}), which was not asked for: check the proxy")
    return _Plain()


class _Plain:
    """Passes everything on, unless it turns out to be compressed without a label."""

    def __init__(self) -> None:
        self._begin = b""
        self._waiting = b""
        self._inner: _Inflating | None = None
        self._is_plain = False

    def feed(self, data: bytes) -> None:
        if self._inner is not None:
            self._inner.feed(data)
        elif self._is_plain:
            self._waiting += data
        else:
            self._begin += data
            if self._begin.startswith((_GZIP, *_ZLIB)):
                self._inner = _Inflating()
                self._inner.feed(self._begin)
            elif self._begin.startswith(_ZSTANDARD):
                raise UnreadableBody("it is compressed (zstd), which was not asked for: check the proxy")
            elif not any(sign.startswith(self._begin) for sign in (_GZIP, *_ZLIB, _ZSTANDARD)):
                self._is_plain = True
                self._waiting = self._begin

    def read(self) -> bytes:
        if self._inner is not None:
            return self._inner.read()
        piece, self._waiting = self._waiting, b""
        return piece


class _Inflating:
    """Unpacks gzip, zlib, and deflate without a header."""

    def __init__(self) -> None:
        self._packed = b""
        self._length = 0
        self._unpacker: zlib._Decompress | None = None

    def feed(self, data: bytes) -> None:
        self._packed += data
        if self._unpacker is None and len(self._packed) > 1:
            is_zlib = self._packed[0] & 15 == 8 and int.from_bytes(self._packed[:2]) % 31 == 0
            has_header = is_zlib or self._packed.startswith(_GZIP)
            self._unpacker = zlib.decompressobj(_ANY_HEADER if has_header else _NO_HEADER)

    def read(self) -> bytes:
        if self._unpacker is None or not self._packed or self._unpacker.eof:
            return b""
        try:
            piece = self._unpacker.decompress(self._packed, PIECE)
        except zlib.error as error:
            raise UnreadableBody("its compression is damaged") from error
        self._packed = self._unpacker.unconsumed_tail
        self._length += len(piece)
        if self._length > MOST:
            raise UnreadableBody("it unpacks to far more than an answer")
        return piece
