"""One scripted answer, limited as the request asks, with the usage that is billed for it, and how both are sent.

Pure. The usage and the responses have the shapes of the two routes (sections 4, 5 and 6 of the service's
specification).
"""

from __future__ import annotations

import codecs
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from companion.emulator.errors import Refusal
from companion.emulator.request import ChatRequest, Parameters
from companion.emulator.tokens import Token, Tokenizer

_TOKENS_A_CHUNK = (1, 2, 3, 2)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of an answer, as it is streamed."""

    text: str
    tokens: int
    """Number of tokens of the answer so far."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer."""

    text: str
    tokens: int
    reason: str
    """`stop`, or `length` where `max_tokens` or a bias of 100 ended it."""
    chunks: tuple[Chunk, ...]


def make_answer(
    tokens: Tokenizer, text: str, asked: Parameters, *, endless: bool = False, splits: bool = False
) -> Answer:
    """The answer that a model would write. `endless`: it never stops by itself. `splits`: see `encode_avoiding`."""
    written: Iterable[Token] = tokens.generate(text, asked.bias, splits=splits)
    if forced := _forced(tokens, asked):
        written = itertools.cycle(forced)
    elif endless and written:
        written = itertools.chain(written, itertools.cycle(tokens.generate(f" {text}", asked.bias) or written))
    taken = list(itertools.islice(written, asked.max_tokens + 1))
    reason = "stop"
    if len(taken) > asked.max_tokens:
        reason = "length"
        taken.pop()
    if (end := _stopped_at(taken, asked.stop_tokens)) is not None:
        taken, reason = taken[:end], "stop"
    texts = list(_decoded(taken))
    whole = "".join(texts)
    cuts = [(at, at + len(stop)) for stop in asked.stop_texts if (at := whole.find(stop)) >= 0]
    count = len(taken)
    if cuts:
        cut, end = min(cuts)
        count = next(at for at, length in enumerate(itertools.accumulate(map(len, texts)), 1) if length >= end)
        whole, reason = whole[:cut], "stop"
    return Answer(whole, count, reason, tuple(_chunks(texts, len(whole))))


def _forced(tokens: Tokenizer, asked: Parameters) -> list[Token]:
    """The tokens with a bias of 100, which exclude all others."""
    forced = sorted(token for token, weight in asked.bias.items() if weight == 100)
    return [(token, text) for token in forced if (text := tokens.text_of(token)) is not None]


def _stopped_at(taken: Sequence[Token], stops: Sequence[Sequence[int]]) -> int | None:
    ids = [token for token, _ in taken]
    return min((at for stop in stops for at in range(len(ids)) if ids[at : at + len(stop)] == list(stop)), default=None)


def _decoded(taken: Sequence[Token]) -> Iterator[str]:
    """The text that each token completes. An incomplete character at the end is dropped."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    return (decoder.decode(piece) for _, piece in taken)


def _chunks(texts: Sequence[str], length: int) -> Iterator[Chunk]:
    """The text up to `length` characters, a few tokens at a time."""
    done = at = 0
    sizes = itertools.cycle(_TOKENS_A_CHUNK)
    while done < length:
        end = min(at + next(sizes), len(texts))
        part = "".join(texts[at:end])[: length - done]
        at, done = end, done + len(part)
        if part:
            yield Chunk(part, at)


CacheShape = Literal["details", "flat", "none"]
"""Where the cached tokens are reported: in today's place, in that of September 2025, or nowhere, as before that."""


@dataclass(frozen=True, slots=True)
class Usage:
    """The token counts of a request."""

    prompt: int
    cached: int
    memory: Mapping[str, Any]
    """Details that long-term memory adds."""
    shape: CacheShape = "details"

    def openai(self, completion: int) -> dict[str, Any]:
        """For the OpenAI-compatible route."""
        named = {"prompt_tokens": self.prompt, "completion_tokens": completion}
        return {**named, "total_tokens": self.prompt + completion, **self._details()}

    def dashscope(self, output: int) -> dict[str, Any]:
        """For the DashScope route."""
        named = {"total_tokens": self.prompt + output, "output_tokens": output, "input_tokens": self.prompt}
        return {**named, **self._details()}

    def _details(self) -> dict[str, Any]:
        if self.shape == "details":
            return {"prompt_tokens_details": {"cached_tokens": self.cached, **self.memory}}
        return {"cached_tokens": self.cached} if self.shape == "flat" else {}


DONE = b"data: [DONE]\n\n"
OPENAI_STREAM = "text/event-stream"
DASHSCOPE_STREAM = "text/event-stream;charset=UTF-8"

RUNNING = "null"
"""The finish reason of an unfinished answer: a string, not JSON's null."""


class OpenAiFrames:
    """One response of the OpenAI-compatible route, in one piece or as a stream."""

    def __init__(self, request: ChatRequest, usage: Usage, id_: str, created: int) -> None:
        """`id_` is the request's UUID, `created` seconds since 1970."""
        self._request = request
        self._usage = usage
        self._id = id_
        self._common = {
            "created": created,
            "system_fingerprint": None,
            "model": request.model.name,
            "id": f"chatcmpl-{id_}",
        }

    def whole(self, answers: Sequence[Answer]) -> dict[str, Any]:
        """The response in one piece."""
        choices = [
            {
                "message": {"content": answer.text, "role": "assistant"},
                "finish_reason": answer.reason,
                "index": index,
                "logprobs": None,
            }
            for index, answer in enumerate(answers)
        ]
        usage = self._usage.openai(sum(answer.tokens for answer in answers))
        return {"choices": choices, "object": "chat.completion", "usage": usage, **self._common}

    def events(self, answers: Sequence[Answer]) -> Iterator[bytes]:
        """The stream; the chunks of several answers alternate."""
        for index in range(len(answers)):
            yield self._chunk({"content": "", "role": "assistant"}, index, None)
        for row in itertools.zip_longest(*(answer.chunks for answer in answers)):
            for index, chunk in enumerate(row):
                if chunk is not None:
                    yield self._chunk({"content": chunk.text}, index, None)
        for index, answer in enumerate(answers):
            yield self._chunk({"content": ""}, index, answer.reason)
        if self._request.include_usage:
            usage = self._usage.openai(sum(answer.tokens for answer in answers))
            yield _openai_event({"choices": [], "object": "chat.completion.chunk", "usage": usage, **self._common})
        yield DONE

    def refusal(self, refusal: Refusal) -> bytes:
        """An error in the middle of a stream."""
        return openai_refusal(refusal, self._id)

    def _chunk(self, delta: Mapping[str, str], index: int, reason: str | None) -> bytes:
        choice = {"delta": delta, "index": index, "logprobs": None, "finish_reason": reason}
        return _openai_event({"choices": [choice], "object": "chat.completion.chunk", "usage": None, **self._common})


def openai_refusal(refusal: Refusal, id_: str) -> bytes:
    """An error framed as a stream."""
    return _openai_event(refusal.openai(id_))


def _openai_event(value: Mapping[str, Any]) -> bytes:
    """One event."""
    return b"data: " + json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


class DashScopeFrames:
    """One response of the DashScope route, in one piece or as a stream."""

    def __init__(self, request: ChatRequest, usage: Usage, id_: str, *, incremental: bool, numbered: bool) -> None:
        """`id_` is the request's UUID. `numbered`: choices have an `index`, as they do since 2025."""
        self._request = request
        self._usage = usage
        self._id = id_
        self._incremental = incremental
        self._numbered = numbered
        self._frames = itertools.count(1)

    def whole(self, answers: Sequence[Answer]) -> dict[str, Any]:
        """The response in one piece."""
        choices = [(index, answer.text, answer.reason) for index, answer in enumerate(answers)]
        return self._body(choices, sum(answer.tokens for answer in answers))

    def events(self, answers: Sequence[Answer]) -> Iterator[bytes]:
        """The stream. Every frame has the usage so far; the chunks of several answers alternate."""
        so_far = ["" for _ in answers]
        tokens = [0 for _ in answers]
        for row in itertools.zip_longest(*(answer.chunks for answer in answers)):
            for index, chunk in enumerate(row):
                if chunk is not None:
                    so_far[index] += chunk.text
                    tokens[index] = chunk.tokens
                    text = chunk.text if self._incremental else so_far[index]
                    yield self._event(self._body([(index, text, RUNNING)], sum(tokens)))
        for index, answer in enumerate(answers):
            text = "" if self._incremental else answer.text
            tokens[index] = answer.tokens
            yield self._event(self._body([(index, text, answer.reason)], sum(tokens)))

    def refusal(self, refusal: Refusal) -> bytes:
        """An error in the middle of a stream."""
        return dashscope_refusal(refusal, self._id, number=next(self._frames))

    def _body(self, choices: Sequence[tuple[int, str, str]], output_tokens: int) -> dict[str, Any]:
        output: dict[str, Any]
        if self._request.as_text:
            _, text, reason = choices[0]
            output = {"text": text, "finish_reason": reason}
        else:
            output = {"choices": [self._choice(*choice) for choice in choices]}
        return {"output": output, "usage": self._usage.dashscope(output_tokens), "request_id": self._id}

    def _choice(self, index: int, text: str, reason: str) -> dict[str, Any]:
        number = {"index": index} if self._numbered else {}
        return {"message": {"content": text, "role": "assistant"}, **number, "finish_reason": reason}

    def _event(self, body: Mapping[str, Any]) -> bytes:
        return _dashscope_event(next(self._frames), "result", 200, body)


def dashscope_refusal(refusal: Refusal, id_: str, *, number: int = 1, status: int | None = None) -> bytes:
    """An error framed as a stream."""
    return _dashscope_event(number, "error", status or refusal.status, refusal.dashscope(id_))


def _dashscope_event(number: int, event: str, status: int, body: Mapping[str, Any]) -> bytes:
    data = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return f"id:{number}\nevent:{event}\n:HTTP_STATUS/{status}\ndata:{data}\n\n".encode()
