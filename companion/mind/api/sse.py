"""The framing of an answer: server-sent events, bare JSON, or JSON line by line. Bytes in, frames out, cut at any byte.

Pure. The content type is never trusted, because the service frames errors as a stream under `application/json` and
sends bare JSON where a stream was asked for (sections 4.3 and 5.3): the first byte that is not white space decides.
Sizes are in bytes and bounded; it never raises.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from companion.mind.api.messages import Broken

LONGEST_LINE = 1 << 20
"""Bytes of one line, one event or one bare object. One event of a real answer has about 300."""

_BOM = b"\xef\xbb\xbf"
_STATUS = re.compile(rb":\s*HTTP_STATUS/(\d{3})\s*$")
"""A comment of the DashScope route that carries the logical status."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One event of the stream, or the whole of a bare body."""

    data: bytes
    event: str = ""
    """The event's name: `result` and `error` on the DashScope route, mostly nothing on the other."""

    status: int | None = None


class FrameReader:
    """Cuts one response into frames. Nothing may be fed after `close`, nor after a `Broken`."""

    def __init__(self) -> None:
        self._rest = b""
        """What has come before the first byte that decides what it is."""
        self._line = bytearray()
        """The beginning of a line whose end has not come."""
        self._after_cr = False
        self._bare: bytearray | None = None
        """The whole body, once it turns out to be plain JSON."""
        self._is_lines: bool | None = None
        """Whether each line of the bare body is an object of its own; None before the end of the first."""
        self._objects = 0
        """How many lines were objects."""
        self._started = False
        self._data: list[bytes] = []
        self._size = 0
        self._event = ""
        self._status: int | None = None

    @property
    def is_bare(self) -> bool:
        """Whether it is plain JSON, whose own end is the end of the answer, or a web page."""
        return self._bare is not None and self._objects < 2

    def feed(self, data: bytes) -> Iterator[Frame | Broken]:
        """Take the next bytes; yield what they complete."""
        if self._bare is None and not self._started:
            data = self._begin(data)
        if self._bare is not None:
            self._bare += data
            yield from self._bare_lines()
            if len(self._bare) > LONGEST_LINE:
                yield Broken("an answer without end")
            return
        if not data:
            return
        # A line ends with LF, CR or CRLF; a CRLF may be cut in two.
        if self._after_cr and data.startswith(b"\n"):
            data = data[1:]
        self._after_cr = data.endswith(b"\r")
        for piece in data.splitlines(keepends=True):
            self._line += piece
            if piece.endswith((b"\n", b"\r")):
                line, self._line = bytes(self._line), bytearray()
                yield from self._take(line.rstrip(b"\r\n"))
        if len(self._line) > LONGEST_LINE:
            yield Broken("a line without end")

    def close(self) -> Iterator[Frame | Broken]:
        """No more bytes will come. Neither the last line nor the last event need an end of their own."""
        if self._bare is not None:
            if self._bare or not self._is_lines:
                yield Frame(bytes(self._bare))
            return
        yield from self._take(bytes(self._line))
        # Where it is cut off within an event, that one is passed on too, though it has no data.
        yield from self._dispatch(cut=bool(self._line or self._event))

    def _bare_lines(self) -> Iterator[Frame]:
        """What is whole of a bare body that comes line by line."""
        if self._bare is None or self._is_lines is False or b"\n" not in self._bare:
            return
        *lines, rest = self._bare.split(b"\n")
        if self._is_lines is None:
            self._is_lines = _is_object(bytes(lines[0]))
        if self._is_lines:
            self._bare = rest
            frames = [Frame(bytes(line.strip())) for line in lines if line.strip()]
            self._objects += len(frames)
            yield from frames

    def _begin(self, data: bytes) -> bytes:
        """See from the first bytes what it is; return what is to be read as that."""
        content = (self._rest + data).lstrip().removeprefix(_BOM).lstrip()
        if not content or _BOM.startswith(content):
            self._rest = content
            return b""
        self._rest = b""
        self._started = True
        if content[:1] in (b"{", b"[", b"<"):
            self._bare = bytearray()
        return content

    def _take(self, line: bytes) -> Iterator[Frame | Broken]:
        """One line: comments, `data`, and the fields beside it."""
        if not line:
            yield from self._dispatch()
            return
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        while name == b"data" and value.startswith(b"data:"):
            # A gateway has framed what was framed already.
            value = value[5:].lstrip(b" ")
        match name:
            case b"data":
                self._data.append(value)
                self._size += len(line)
            case b"error":
                # llama.cpp names the field so where an answer fails midway.
                self._data.append(value)
                self._size += len(line)
                self._event = "error"
            case b"event":
                self._event = value[:64].decode("ascii", "replace").strip()
            case b"":
                if found := _STATUS.match(line):
                    self._status = int(found[1])
        if self._size > LONGEST_LINE:
            yield Broken("an event without end")

    def _dispatch(self, *, cut: bool = False) -> Iterator[Frame]:
        frame = Frame(b"\n".join(self._data).strip(), self._event, self._status)
        self._data.clear()
        self._size, self._event, self._status = 0, "", None
        if frame.data or frame.event == "error" or cut or (frame.status or 0) >= 400:
            yield frame


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False
