"""The OpenAI-compatible chat route on the wire, as the character service really speaks it: bytes in, events out.

Pure. `request_body` makes what is sent; `AnswerParser` reads what comes back, streamed or in one piece, cut at any
byte. It never raises: what is not an answer ends in one `Broken` event. The content type is never trusted, because the
service frames errors as a stream under `application/json`. Sections in comments are those of the specification of
the service that the tests replay. What refusals mean stands in `refusals`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

LONGEST_LINE = 1 << 20
"""Bytes. One event of a real answer has about 300."""


@dataclass(frozen=True, slots=True)
class Delta:
    """The next piece of an answer."""

    index: int
    """Which answer, where several were asked for."""

    text: str
    """Never empty, and always text that UTF-8 can hold."""


@dataclass(frozen=True, slots=True)
class Finished:
    """One answer is whole (`stop`) or was cut by `max_tokens` (`length`)."""

    index: int
    reason: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that the request cost."""

    prompt: int
    completion: int
    cached: int
    """The part of the prompt that was found in the cache."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The service says no, before the answer or in the middle of it."""

    code: str
    """The catalogue's code; empty where none was given."""

    message: str
    """The service's own words. They may quote what was said: not for the log."""


@dataclass(frozen=True, slots=True)
class Broken:
    """What came is no answer, or stopped before its end. Nothing follows."""

    why: str


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing follows."""


Event = Delta | Finished | Usage | Refused | Broken | Done


def request_body(
    model: str,
    messages: Sequence[Mapping[str, str]],
    *,
    logit_bias: Mapping[str, int] | None = None,
    max_tokens: int | None = None,
    temperature: float | None = None,
    stream: bool = True,
) -> dict[str, Any]:
    """The JSON object of `POST {base}/chat/completions`; what is None or empty is left out."""
    body: dict[str, Any] = {"model": model, "messages": list(messages)}
    if stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    if max_tokens is not None:
        body["max_tokens"] = max_tokens
    if temperature is not None:
        body["temperature"] = temperature
    if logit_bias:
        body["logit_bias"] = dict(logit_bias)
    return body


class AnswerParser:
    """Reads one answer. `feed` it bytes as they come, then `close` it."""

    def __init__(self) -> None:
        self._line = bytearray()
        self._data: list[bytes] = []
        self._data_size = 0
        self._bare: bytearray | None = None
        """The whole body, once it turns out to be plain JSON."""
        self._started = False
        self._after_cr = False
        self._finished = False
        self._ended = False

    def feed(self, data: bytes) -> list[Event]:
        """Take the next bytes; return what they complete."""
        return self._until_end(self._feed(data))

    def close(self) -> list[Event]:
        """No more bytes will come. The last event is a `Done`, `Refused` or `Broken` if none came before."""
        return self._until_end(self._close())

    def _until_end(self, events: Iterator[Event]) -> list[Event]:
        """Stop for good at the first event that nothing can follow."""
        out: list[Event] = []
        while not self._ended and (event := next(events, None)) is not None:
            out.append(event)
            self._finished |= isinstance(event, Finished)
            self._ended = isinstance(event, Refused | Broken | Done)
        return out

    def _feed(self, data: bytes) -> Iterator[Event]:
        if not data:
            return
        if self._bare is not None:
            yield from self._gather(data)
            return
        # A line ends with LF, CR or CRLF; a CRLF may be cut in two.
        if self._after_cr and data[:1] == b"\n":
            data = data[1:]
            self._after_cr = False
            if not data:
                return
        self._after_cr = data[-1:] == b"\r"
        lines = data.splitlines(keepends=True)
        for number, piece in enumerate(lines):
            self._line += piece
            if len(self._line) > LONGEST_LINE:
                yield Broken("a line without end")
                return
            if not self._started and self._begins():
                rest = b"".join([bytes(self._line), *lines[number + 1 :]])
                self._bare = bytearray()
                yield from self._gather(rest)
                return
            if piece[-1:] in (b"\n", b"\r"):
                line = bytes(self._line).rstrip(b"\r\n")
                self._line.clear()
                yield from self._take_line(line)

    def _begins(self) -> bool:
        """Whether what has come so far is the beginning of plain JSON rather than of a stream."""
        begin = bytes(self._line).removeprefix(b"\xef\xbb\xbf").lstrip()
        if begin and not b"\xef\xbb\xbf".startswith(begin):
            self._started = True
        return begin[:1] == b"{"

    def _gather(self, data: bytes) -> Iterator[Event]:
        assert self._bare is not None
        self._bare += data
        if len(self._bare) > LONGEST_LINE:
            yield Broken("an answer without end")

    def _take_line(self, line: bytes) -> Iterator[Event]:
        """Section 4.2, and the rules of server-sent events: comments, other fields, several lines of data."""
        line = line.removeprefix(b"\xef\xbb\xbf")
        if not line:
            yield from self._dispatch()
            return
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" "))
            self._data_size += len(line)
            if self._data_size > LONGEST_LINE:
                yield Broken("an event without end")

    def _dispatch(self) -> Iterator[Event]:
        data = b"\n".join(self._data).strip()
        self._data.clear()
        self._data_size = 0
        if data == b"[DONE]":
            yield Done()
        elif data:
            yield from _read(data)

    def _close(self) -> Iterator[Event]:
        if self._bare is not None:
            yield from _read(bytes(self._bare))
        else:
            # Neither the last line nor the last event need an end of their own.
            yield from self._take_line(bytes(self._line))
            yield from self._dispatch()
        # `_until_end` has noted meanwhile whether an answer was finished: `[DONE]` may be missing.
        yield Done() if self._finished else Broken("it stopped before the end of the answer")


def parse_answer(body: bytes) -> list[Event]:
    """A whole body at once: a plain answer, a plain error, or either of them framed as a stream."""
    parser = AnswerParser()
    return parser.feed(body) + parser.close()


def parse_refusal(status: int, body: bytes) -> Refused:
    """The error of a response whose HTTP status is not 200; where the body holds none, the code is `http_<status>`."""
    refusals = (event for event in parse_answer(body) if isinstance(event, Refused))
    found = next(refusals, Refused("", ""))
    return found if found.code else Refused(f"http_{status}", found.message)


def _read(data: bytes) -> Iterator[Event]:
    """One JSON object of the wire: a chunk, a whole answer, or an error."""
    try:
        value = json.loads(data.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError):
        yield Broken("it is not JSON")
        return
    if not isinstance(value, dict):
        yield Broken("it is not a JSON object")
        return
    error = value.get("error")
    if error or ("choices" not in value and value.get("code") and "message" in value):
        yield _refused(error if isinstance(error, dict) else value, error)
        return
    choices = value.get("choices")
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, dict):
            yield from _read_choice(choice)
    usage = value.get("usage")
    if isinstance(usage, dict):
        yield _read_usage(usage)


def _read_choice(choice: Mapping[str, Any]) -> Iterator[Event]:
    index = _count(choice.get("index"))
    holder = choice.get("delta") or choice.get("message")
    text = holder.get("content") if isinstance(holder, dict) else None
    if isinstance(text, str) and text:
        yield Delta(index, _clean(text))
    reason = choice.get("finish_reason")
    if isinstance(reason, str) and reason not in ("", "null"):
        yield Finished(index, reason)


def _read_usage(usage: Mapping[str, Any]) -> Usage:
    """The cache count stood in two places over time, and in none before (section 5.1)."""
    details = usage.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else usage.get("cached_tokens")
    return Usage(_count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens")), _count(cached))


def _refused(holder: Mapping[str, Any], error: object) -> Refused:
    # Other servers put the HTTP status into `code`, as a number.
    codes = [code for code in (holder.get("code"), holder.get("type")) if isinstance(code, str)]
    # A code goes into sentences and logs, so it is held to what codes look like.
    code = re.sub(r"[^A-Za-z0-9_.-]", "", next(iter(codes), ""))[:64]
    message = holder.get("message") or error
    return Refused(code, _clean(message) if isinstance(message, str) else "")


def _count(value: object) -> int:
    return value if isinstance(value, int) and value >= 0 else 0


def _clean(text: str) -> str:
    """JSON escapes can hold halves of characters: join those that belong together, replace the others."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
