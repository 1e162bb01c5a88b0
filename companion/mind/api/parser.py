"""The chat protocol of the character service on both of its routes, streamed or in one piece: bytes in, events out.

Pure. `encode_request` makes what is sent. `AnswerParser` reads what comes back, cut at any byte; it never raises: what
is no answer ends in one `Broken` event. Gateways put keep-alives and half objects between the chunks, so what is no
JSON object is skipped, and once every answer has its finish reason nothing can make a failure of it. Each JSON object
is read by its own shape, because gateways answer one route in the manner of the other. Framing is in `sse`, the routes
are in `routes`, and `errors` explains refusals. Sections in comments are those of the service's specification that the
tests replay.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from companion.mind.api.messages import (
    Broken,
    Chunk,
    Delta,
    Done,
    Event,
    Finished,
    Message,
    Piece,
    Protocol,
    Refused,
    Request,
    ServiceMemory,
    ServiceMemoryUsage,
    Thought,
    Usage,
    join_surrogates,
)
from companion.mind.api.other_routes import read_other
from companion.mind.api.routes import ROUTES, RepetitionFilter
from companion.mind.api.sse import LONGEST_LINE, Frame, FrameReader

__all__ = [
    "LONGEST_ANSWER",
    "LONGEST_LINE",
    "AnswerParser",
    "Broken",
    "Delta",
    "Done",
    "EncodedRequest",
    "Event",
    "Finished",
    "Message",
    "Protocol",
    "Refused",
    "Request",
    "ServiceMemory",
    "ServiceMemoryUsage",
    "Thought",
    "Usage",
    "encode_request",
    "parse_answer",
    "parse_refusal",
]

LONGEST_ANSWER = 1 << 18
"""Characters of all answers together, where the request does not limit them."""

_CHARACTERS_A_TOKEN = 20
"""No text has more, not even one of long words and blanks; common text has two to five."""
_LEAST = 2000
"""Characters that are always read."""

_LONGEST_LIST = 4000
_SHORTEST_REPETITION = 4
"""Characters: "no no" may be meant."""
_SENTENCE_END = re.compile(r"[.!?…。！？][^\w,;:，；：、(（*]*\Z")
"""A mark that ends a sentence, perhaps with closing marks and emoji behind it."""
_HALF = re.compile("[\ud800-\udbff]\\Z")
_ENVELOPES = ("response", "data", "result")
_EMPTY = "it is empty"
_MOST_LINES = 1000
"""Of an event that is not one JSON object, this many are read, each as an object of its own."""


@dataclass(frozen=True, slots=True)
class EncodedRequest:
    """A request as it is sent."""

    path: str
    """Below the route's base address."""

    headers: dict[str, str]
    """Those that belong to this request; the connection adds those of all."""

    body: bytes
    """JSON in UTF-8."""

    answers: int = 1
    """How many were asked for."""

    longest: int = LONGEST_ANSWER
    """Characters; a longer answer ends there."""


def encode_request(protocol: Protocol, request: Request) -> EncodedRequest:
    """The request as it goes out on this route. Halves of surrogate pairs are joined or replaced."""
    route = ROUTES[protocol]
    text = json.dumps(route.body(request), ensure_ascii=False, separators=(",", ":"))
    longest = max(_LEAST, (request.max_tokens or LONGEST_ANSWER) * request.n * _CHARACTERS_A_TOKEN)
    return EncodedRequest(
        route.path,
        route.headers(request),
        join_surrogates(text).encode(),
        request.n,
        min(longest, LONGEST_ANSWER),
    )


class AnswerParser:
    """Reads one answer. `feed` it bytes as they come, then `close` it."""

    def __init__(
        self, protocol: Protocol = "openai", answers: int | None = None, longest: int = LONGEST_ANSWER
    ) -> None:
        """`protocol` is the route that the request went to; the shape of the other is read too.

        Where one answer was asked for, everything belongs to it, whatever index the server gives it. `answers` may be
        unknown. More than `longest` characters are not read.
        """
        own = ROUTES[protocol]
        self._readers = (read_other, own.read, *(route.read for route in ROUTES.values() if route is not own))
        self._frames = FrameReader()
        self._filters: dict[int, RepetitionFilter] = {}
        self._halves: dict[int, str] = {}
        self._begun: set[int] = set()
        self._finished: set[int] = set()
        self._answers = answers
        self._longest = longest
        self._length = 0
        self._texts: dict[int, list[str]] = {}
        self.has_unknown_form = False
        """Whether there was content in a form that is not known."""
        self._unreadable = False
        """Whether the latest event is no JSON object."""
        self._why_nothing = _EMPTY
        """What came where no answer began."""
        self._ended = False
        self._usage: Usage | None = None

    @property
    def usage(self) -> Usage | None:
        """The latest token counts, for answers that nobody reads to the end."""
        return self._usage

    @property
    def is_whole(self) -> bool:
        """Whether every answer that began has given its finish reason: only usage can still follow."""
        return bool(self._finished) and self._begun <= self._finished

    def feed(self, data: bytes) -> list[Event]:
        """Take the next bytes; return the events that they complete."""
        if data and self._why_nothing == _EMPTY:
            self._why_nothing = "there is no answer in it"
        return self._until_end(self._frames.feed(data))

    def close(self) -> list[Event]:
        """No more bytes will come. The last event is a `Done`, `Refused` or `Broken` if none came before."""
        events = self._until_end(self._frames.close())
        if self._ended:
            return events
        events += self._held_back()
        return events + self._end(self._end_of_response())

    def _end_of_response(self) -> Done | Broken:
        """What it means that the response ends here, where nothing in it said so: `[DONE]` may be missing."""
        if self.is_whole or (self._frames.is_bare and self._begun):
            return Done()
        if not self._begun:
            return Broken(self._why_nothing)
        # Some gateways send no finish reason either.
        if (
            self._texts
            and not self._unreadable
            and all(_SENTENCE_END.search(self._text(one)[-200:]) for one in self._texts)
        ):
            return Done()
        return Broken("it stopped before the end of the answer")

    def _until_end(self, frames: Iterable[Frame | Broken]) -> list[Event]:
        """Events up to the first one that ends the answer."""
        out: list[Event] = []
        if self._ended:
            return out
        for frame in frames:
            for event in (frame,) if isinstance(frame, Broken) else self._read(frame):
                if isinstance(event, Refused | Broken | Done):
                    return out + self._end(Done() if self.is_whole else event)
                out.append(event)
        return out

    def _end(self, event: Refused | Broken | Done) -> list[Event]:
        """The text that was held back, the usage, and the event that ends the answer."""
        self._ended = True
        return [*self._held_back(), *([self._usage] if self._usage else []), event]

    def _held_back(self) -> list[Event]:
        held = {index: one.rest() for index, one in self._filters.items()}
        # Half a sign whose other half never came is shown as what it is.
        held |= dict.fromkeys(self._halves, "\ufffd")
        self._halves.clear()
        return [self._delta(index, text) for index, text in held.items() if text]

    def _read(self, frame: Frame) -> Iterator[Event]:
        """What one event of the stream says."""
        failed = frame.event == "error" or (frame.status or 0) >= 400
        whole = _objects(frame.data)
        # Some servers put no empty line between their events.
        lines = frame.data.splitlines()[:_MOST_LINES] if not whole else ()
        objects = [whole, *map(_objects, lines)]
        for data, values in zip((frame.data, *lines), objects, strict=True):
            if data == b"[DONE]":
                yield Done()
            for value in values:
                yield from self._read_object(value, frame.status, failed=failed)
        self._unreadable = not any(objects)
        if self._unreadable and frame.data:
            self._why_nothing = _why_unreadable(frame.data)
        if self._unreadable and failed:
            yield Refused("", "", frame.status)

    def _read_object(self, value: Mapping[str, Any], status: int | None, *, failed: bool) -> Iterator[Event]:
        """One JSON object of the wire: a chunk, a whole answer, or an error."""
        chunk = self._chunk(value)
        if chunk is None and not value.get("error"):
            # Some gateways put the answer into an envelope of their own.
            inside = next((one for name in _ENVELOPES if isinstance(one := value.get(name), dict)), {})
            if inside.get("error") or self._chunk(inside) is not None:
                value, chunk = inside, self._chunk(inside)
        if failed or _is_error(value, chunk):
            yield _refused(value, status)
        elif chunk is not None:
            self._usage = chunk.usage or self._usage
            for piece in chunk.pieces:
                yield from self._take(piece, may_repeat=chunk.may_repeat)
        elif not self._begun:
            self._why_nothing = "its form is not known"

    def _chunk(self, value: Mapping[str, Any]) -> Chunk | None:
        return next((chunk for read in self._readers if (chunk := read(value)) is not None), None)

    def _take(self, piece: Piece, *, may_repeat: bool) -> Iterator[Event]:
        index, text = 0 if self._answers == 1 else piece.index, piece.text
        self._begun.add(index)
        if not may_repeat and _HALF.search(text := self._halves.pop(index, "") + text):
            # The other half of the sign comes with the next piece.
            text, self._halves[index] = text[:-1], text[-1]
        text = join_surrogates(text)
        if may_repeat:
            text = self._filters.setdefault(index, RepetitionFilter()).take(text, last=piece.reason != "")
        if piece.has_thought:
            yield Thought()
        self.has_unknown_form |= piece.is_unknown
        if piece.reason and not may_repeat and len(text) >= _SHORTEST_REPETITION and self._text(index).endswith(text):
            # Some servers send the last piece, or everything, once more with the reason.
            text = ""
        if text := text[: self._longest - self._length]:
            yield self._delta(index, text)
        if self._length >= self._longest:
            yield Broken("an answer without end")
        elif piece.reason and index not in self._finished:
            self._finished.add(index)
            yield Finished(index, piece.reason)

    def _delta(self, index: int, text: str) -> Delta:
        self._length += len(text)
        self._texts.setdefault(index, []).append(text)
        return Delta(index, text)

    def _text(self, index: int) -> str:
        return "".join(self._texts.get(index, ()))


def parse_answer(body: bytes, protocol: Protocol = "openai") -> list[Event]:
    """A whole body at once: a plain answer, a plain error, or either of them framed as a stream."""
    parser = AnswerParser(protocol)
    return parser.feed(body) + parser.close()


def parse_refusal(status: int, body: bytes) -> Refused:
    """The error of a response whose HTTP status is not 200; where the body holds none, the code is `http_<status>`."""
    refusals = (event for event in parse_answer(body) if isinstance(event, Refused))
    found = next(refusals, Refused("", ""))
    return replace(found, code=found.code or f"http_{status}", status=status)


def _objects(data: bytes) -> list[dict[str, Any]]:
    """The JSON object, or those of a list; none where it is neither."""
    try:
        value = json.loads(data.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError):
        return []
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)]


def _why_unreadable(data: bytes) -> str:
    if data.startswith(b"<"):
        return "it is a web page; check character.base_url, and whether the network wants a sign-in"
    return "it is not a JSON object"


def _is_error(value: Mapping[str, Any], chunk: Chunk | None) -> bool:
    """Section 4.3 and 5.3: under `error`, or at the top level; elsewhere `detail` or `object: error`."""
    if value.get("error"):
        return True
    if chunk is not None and chunk.pieces:
        return False
    return bool(
        (value.get("code") and ("message" in value or "msg" in value)) or (chunk is None and value.get("detail"))
    )


def _refused(value: Mapping[str, Any], status: int | None) -> Refused:
    error = value.get("error")
    holder: Mapping[str, Any] = error if isinstance(error, dict) else value
    named = [holder.get("code"), holder.get("type")]
    # Other servers put the HTTP status into `code`, as a number.
    numbers = [code for code in named if isinstance(code, int) and 400 <= code < 600]
    message = holder.get("message") or holder.get("msg") or error or value.get("detail")
    text = join_surrogates(message) if isinstance(message, str) else ""
    if isinstance(message, list):
        # Some servers list what is wrong: then the whole body is the message.
        text = json.dumps(value, ensure_ascii=False)[:_LONGEST_LIST]
    ids = [one.get(key) for key in ("request_id", "id") for one in (value, holder)]
    return Refused(
        # A code and an id go into sentences and logs, so they are held to what such things look like.
        _plain(named),
        text,
        status or next(iter(numbers), None),
        _plain(ids).removeprefix("chatcmpl-"),
        param if isinstance(param := holder.get("param"), str) else "",
    )


def _plain(values: Iterable[object]) -> str:
    """The first text among them, without what no code or id has, at most 64 characters of it."""
    text = next((value for value in values if isinstance(value, str) and value), "")
    return re.sub(r"[^A-Za-z0-9_.-]", "", text)[:64]
