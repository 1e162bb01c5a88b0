"""The chat protocol of the character service, both routes of it, streamed or in one piece: bytes in, events out.

Pure. `encoded` makes what is sent; `AnswerParser` reads what comes back, cut at any byte. It never raises: what is not
an answer ends in one `Broken` event. Which shape an object of the wire has is seen from the object, because gateways
answer one route in the manner of the other. What refusals mean stands in `refusals`.

This is the front door: framing is in `chat_stream`, the routes in `openai_route` and `dashscope_route`. Sections in
comments are those of the specification of the service that the tests replay.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from companion.mind.api import dashscope_route, openai_route
from companion.mind.api.dashscope_route import Unrepeated
from companion.mind.api.messages import (
    Broken,
    Chunk,
    Delta,
    Done,
    Event,
    Finished,
    MemoryUse,
    Message,
    Piece,
    Protocol,
    Refused,
    Request,
    ServiceMemory,
    Usage,
    whole_text,
)
from companion.mind.api.sse import LONGEST_LINE, Frame, FrameReader

__all__ = [
    "LONGEST_ANSWER",
    "LONGEST_LINE",
    "AnswerParser",
    "Broken",
    "Delta",
    "Done",
    "Encoded",
    "Event",
    "Finished",
    "MemoryUse",
    "Message",
    "Protocol",
    "Refused",
    "Request",
    "ServiceMemory",
    "Usage",
    "encoded",
    "parse_answer",
    "parse_refusal",
]

LONGEST_ANSWER = 1 << 20
"""Characters. The longest that the service can give has about a tenth of that."""

_LONGEST_LIST = 4000

_READERS = {"openai": openai_route.read, "dashscope": dashscope_route.read}


@dataclass(frozen=True, slots=True)
class Encoded:
    """A request as it is sent."""

    path: str
    """Below the route's base address."""

    headers: dict[str, str]
    """Those that belong to this request; the connection adds those of all."""

    body: bytes
    """JSON in UTF-8."""


def encoded(protocol: Protocol, request: Request) -> Encoded:
    """The request on this route. Halves of characters are joined or replaced."""
    if protocol == "dashscope":
        path, headers, body = dashscope_route.PATH, dashscope_route.headers(request), dashscope_route.body(request)
    else:
        path, headers, body = openai_route.PATH, openai_route.headers(request), openai_route.body(request)
    return Encoded(path, headers, whole_text(json.dumps(body, ensure_ascii=False, separators=(",", ":"))).encode())


class AnswerParser:
    """Reads one answer. `feed` it bytes as they come, then `close` it."""

    def __init__(self, protocol: Protocol = "openai") -> None:
        """`protocol` is the route that was asked; the other's shape is read as well."""
        own = _READERS[protocol]
        self._readers = (own, *(read for read in _READERS.values() if read is not own))
        self._frames = FrameReader()
        self._unrepeated: dict[int, Unrepeated] = {}
        self._begun: set[int] = set()
        self._finished: set[int] = set()
        self._length = 0
        self._ended = False
        self._usage: Usage | None = None

    @property
    def usage(self) -> Usage | None:
        """The latest that is known of what this costs: for an answer that nobody waits to the end of."""
        return self._usage

    @property
    def whole(self) -> bool:
        """Whether every answer that was begun has told why it ended: then nothing but usage is still to come."""
        return bool(self._finished) and self._begun <= self._finished

    def feed(self, data: bytes) -> list[Event]:
        """Take the next bytes; return what they complete."""
        return self._until_end(self._frames.feed(data))

    def close(self) -> list[Event]:
        """No more bytes will come. The last event is a `Done`, `Refused` or `Broken` if none came before."""
        events = self._until_end(self._frames.close())
        # `[DONE]` may be missing, and the DashScope route has none.
        end = Done() if self.whole else Broken("it stopped before the end of the answer")
        return events if self._ended else events + self._end(end)

    def _until_end(self, frames: Iterable[Frame | Broken]) -> list[Event]:
        """Stop for good at the first event that nothing can follow."""
        out: list[Event] = []
        if self._ended:
            return out
        for frame in frames:
            for event in (frame,) if isinstance(frame, Broken) else self._read(frame):
                if isinstance(event, Refused | Broken | Done):
                    return out + self._end(event)
                out.append(event)
        return out

    def _end(self, event: Refused | Broken | Done) -> list[Event]:
        """What was held back, what it cost, and the end."""
        self._ended = True
        rest = [Delta(index, text) for index, one in self._unrepeated.items() if (text := one.rest())]
        return [*rest, *([self._usage] if self._usage else []), event]

    def _read(self, frame: Frame) -> Iterator[Event]:
        """One JSON object of the wire: a chunk, a whole answer, or an error."""
        if frame.data == b"[DONE]":
            yield Done()
            return
        failed = frame.event == "error" or (frame.status or 0) >= 400
        text = frame.data.decode("utf-8-sig", "replace")
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            yield Refused("", "", frame.status) if failed else Broken("it is not a JSON object")
            return
        chunk = next((chunk for read in self._readers if (chunk := read(value)) is not None), None)
        if failed or _is_error(value, chunk):
            yield _refused(value, frame.status, text)
        elif chunk is not None:
            self._usage = chunk.usage or self._usage
            for piece in chunk.pieces:
                yield from self._take(piece, may_repeat=chunk.may_repeat)

    def _take(self, piece: Piece, *, may_repeat: bool) -> Iterator[Event]:
        index, text = piece.index, piece.text
        self._begun.add(index)
        if may_repeat:
            text = self._unrepeated.setdefault(index, Unrepeated()).take(text, last=piece.reason != "")
        if text:
            self._length += len(text)
            yield Delta(index, text)
        if self._length > LONGEST_ANSWER:
            yield Broken("an answer without end")
        elif piece.reason and index not in self._finished:
            self._finished.add(index)
            yield Finished(index, piece.reason)


def parse_answer(body: bytes, protocol: Protocol = "openai") -> list[Event]:
    """A whole body at once: a plain answer, a plain error, or either of them framed as a stream."""
    parser = AnswerParser(protocol)
    return parser.feed(body) + parser.close()


def parse_refusal(status: int, body: bytes) -> Refused:
    """The error of a response whose HTTP status is not 200; where the body holds none, the code is `http_<status>`."""
    refusals = (event for event in parse_answer(body) if isinstance(event, Refused))
    found = next(refusals, Refused("", ""))
    return replace(found, code=found.code or f"http_{status}", status=status)


def _is_error(value: Mapping[str, Any], chunk: Chunk | None) -> bool:
    """Section 4.3 and 5.3: under `error`, or at the top level; elsewhere `detail` or `object: error`."""
    if value.get("error"):
        return True
    if chunk is not None and chunk.pieces:
        return False
    return bool((value.get("code") and "message" in value) or (chunk is None and value.get("detail")))


def _refused(value: Mapping[str, Any], status: int | None, raw: str) -> Refused:
    error = value.get("error")
    holder: Mapping[str, Any] = error if isinstance(error, dict) else value
    named = [holder.get("code"), holder.get("type")]
    # Other servers put the HTTP status into `code`, as a number.
    numbers = [code for code in named if isinstance(code, int) and 400 <= code < 600]
    message = holder.get("message") or error or value.get("detail")
    ids = [one.get(key) for key in ("request_id", "id") for one in (value, holder)]
    return Refused(
        # A code and an id go into sentences and logs, so they are held to what such things look like.
        _plain(named),
        # Some list what is wrong: then the whole of it is the message.
        whole_text(message) if isinstance(message, str) else raw[:_LONGEST_LIST] if isinstance(message, list) else "",
        status or next(iter(numbers), None),
        _plain(ids).removeprefix("chatcmpl-"),
    )


def _plain(values: Iterable[object]) -> str:
    """The first text among them, without what no code or id has, at most 64 characters of it."""
    text = next((value for value in values if isinstance(value, str) and value), "")
    return re.sub(r"[^A-Za-z0-9_.-]", "", text)[:64]
