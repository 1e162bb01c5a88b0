"""One scripted answer as the model's tokens, limited as the request asks, and the usage that is billed for it.

Pure. The usage has the shapes of the two routes (sections 4, 5 and 6 of the service's specification).
"""

from __future__ import annotations

import codecs
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from companion.emulator.request import Parameters
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
