"""One scripted answer as the model's tokens, cut as the request asks for. Pure.

What a request cost, in the shapes that the two routes give it (sections 4, 5 and 6 of the specification). Pure.
"""

from __future__ import annotations

import codecs
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from companion.emulator.parameters import Parameters
from companion.emulator.tokens import Token, Tokens

_TOKENS_A_CHUNK = (1, 2, 3, 2)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of an answer, as it is streamed."""

    text: str
    tokens: int
    """How many the answer has so far."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer."""

    text: str
    tokens: int
    reason: str
    """`stop`, or `length` where `max_tokens` or a bias of 100 ended it."""
    chunks: tuple[Chunk, ...]


def make_answer(tokens: Tokens, text: str, asked: Parameters, *, endless: bool = False, splits: bool = False) -> Answer:
    """The answer that a model would write. `endless`: it does not stop by itself. `splits`: see `bias`."""
    written: Iterable[Token] = tokens.write(text, asked.bias, splits=splits)
    if forced := _forced(tokens, asked):
        written = itertools.cycle(forced)
    elif endless and written:
        written = itertools.chain(written, itertools.cycle(tokens.write(f" {text}", asked.bias) or written))
    taken = list(itertools.islice(written, asked.most_tokens + 1))
    reason = "stop"
    if len(taken) > asked.most_tokens:
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


def _forced(tokens: Tokens, asked: Parameters) -> list[Token]:
    """The tokens with a bias of 100: nothing else can come."""
    forced = sorted(token for token, weight in asked.bias.items() if weight == 100)
    return [(token, text) for token in forced if (text := tokens.text_of(token)) is not None]


def _stopped_at(taken: Sequence[Token], stops: Sequence[Sequence[int]]) -> int | None:
    ids = [token for token, _ in taken]
    return min((at for stop in stops for at in range(len(ids)) if ids[at : at + len(stop)] == list(stop)), default=None)


def _decoded(taken: Sequence[Token]) -> Iterator[str]:
    """The text that each token completes. A character that the end cuts in two does not come."""
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
"""Where the cached tokens are told: today's place, that of September 2025, or nowhere as before."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens."""

    prompt: int
    cached: int
    memory: Mapping[str, Any]
    """What long-term memory adds to the details."""
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
