"""Requests to the character service and the events of its answers, on whichever of its two routes.

Pure. `Delta` and `Finished` come in any number and order, `Usage` at most once; `Refused`, `Broken` and `Done` end an
answer. Section 3 of the service's specification has the meaning and the limits of each value of a request.
`non_negative` and `join_surrogates` read single values, which may be anything: they never raise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

_LONGEST_WORDS = 4000
"""Characters of one text of a refusal."""


@dataclass(frozen=True, slots=True)
class Delta:
    """The next piece of an answer."""

    index: int
    """Which answer, where several were asked for."""

    text: str
    """Never empty, and always text that UTF-8 can hold."""


@dataclass(frozen=True, slots=True)
class Thought:
    """The model thinks before it answers: a sign of life, and nothing to be said."""


@dataclass(frozen=True, slots=True)
class Finished:
    """One answer is whole (`stop`), was cut by `max_tokens` (`length`) or withheld (`content_filter`). Once each."""

    index: int
    reason: str


@dataclass(frozen=True, slots=True)
class ServiceMemoryUsage:
    """What the service's own memory costs (section 6).

    The service reports a summary with the request after it was made, and repeats the figures until it makes the next
    one: the same figures twice in a row are one summary.
    """

    summary: int
    """Tokens of the summary that is in use; a part of the prompt."""

    prompt: int
    """Tokens that making it took, beside those of this request."""

    completion: int
    cached: int
    """The part of its prompt that was found in the cache."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of the whole request: once for each request, just before the event that ends the answer."""

    prompt: int
    completion: int
    """Of all answers together."""

    cached: int
    """The part of the prompt that was found in the cache."""

    memory: ServiceMemoryUsage | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The service says no, before the answer or in the middle of it. Nothing follows."""

    code: str
    """The catalogue's code; empty where none was given."""

    message: str
    """The service's own words. They may quote what was said: not for the log."""

    status: int | None = None
    """The HTTP status, or the one that a frame of the stream names; None where neither says."""

    request_id: str = ""
    """What the service's support asks for; empty where none was given."""

    field: str = ""
    """The field of the request that is at fault, where the error names one apart from its message."""

    def redacted(self, redact: Callable[[str], str]) -> Refused:
        """The same without what `redact` takes out of the service's words, which may repeat the key."""
        words: dict[str, Any] = {
            name: redact(text[:_LONGEST_WORDS]) for name, text in asdict(self).items() if isinstance(text, str)
        }
        return replace(self, **words)


@dataclass(frozen=True, slots=True)
class Broken:
    """What arrived is no answer, or stopped before its end. Nothing follows."""

    why: str


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing follows."""


Event = Delta | Thought | Finished | Usage | Refused | Broken | Done


@dataclass(frozen=True, slots=True)
class Piece:
    """What one JSON object says about one of the answers."""

    index: int
    text: str
    """New text, perhaps with halves of surrogate pairs; on a route that may repeat, perhaps preceded by all so far."""

    reason: str
    """Why this answer ends here; empty while it goes on."""

    has_thought: bool = False
    is_unknown: bool = False
    """It has content in a form that is not known."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """One JSON object that is no error."""

    pieces: tuple[Piece, ...]
    usage: Usage | None
    may_repeat: bool = False
    """Whether servers of the route may repeat the whole text so far in every frame."""


def non_negative(value: object) -> int:
    """A number of tokens, or an index; 0 for what cannot be one."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 53 else 0


def join_surrogates(text: str) -> str:
    """Join halves of surrogate pairs, which JSON escapes can hold, where they belong together; replace the others."""
    if text.isascii() or not _HALVES.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


_HALVES = re.compile("[\ud800-\udfff]")


Protocol = Literal["openai", "dashscope"]
"""The service's two routes."""

TokenLimit = Literal["max_tokens", "max_completion_tokens", ""]

Message = dict[str, Any]
"""`role`, `content`, and `partial: True` on a last one that the answer goes on with."""


@dataclass(frozen=True, slots=True)
class ServiceMemory:
    """The service's own long-term memory; only new messages are sent to it (section 6)."""

    profile: str
    """Who the character is: what the system message says otherwise."""

    entries: int
    """20 to 400: after this many messages the service makes a summary."""

    skip_save: tuple[str, ...] = ()
    """What is not kept of this round: `system`, `user`, `assistant`, `output`."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request, before it takes the shape of a route. None leaves a value to the service's default."""

    model: str
    messages: tuple[Message, ...]
    stream: bool = True
    n: int = 1
    seed: int | None = None
    max_tokens: int | None = None
    max_tokens_field: TokenLimit = "max_tokens"
    """How the server calls that; empty where it takes no such limit."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    repetition_penalty: float | None = None
    stop: tuple[str, ...] = ()
    """The answer ends before any of these."""

    other_speakers: tuple[str, ...] = ()
    """Names before lines that are not the character's: the answer ends before such a line."""

    extra: Mapping[str, Any] = field(default_factory=dict)
    """Further fields, which only this server knows."""

    logit_bias: Mapping[str, int] | None = None
    """Decimal token id to -100 ... 100."""

    memory: ServiceMemory | None = None
    include_usage: bool = True
    """Ask for the token counts of a stream: the OpenAI-compatible route gives none unasked, and some servers refuse."""

    def parameters(self) -> dict[str, Any]:
        """The values that have the same name on both routes."""
        values: dict[str, Any] = {
            "n": None if self.n == 1 else self.n,
            "seed": self.seed,
            **({self.max_tokens_field: self.max_tokens} if self.max_tokens_field else {}),
            "temperature": self.temperature,
            "top_p": self.top_p,
            "top_k": self.top_k,
            "presence_penalty": self.presence_penalty,
            "frequency_penalty": self.frequency_penalty,
            "repetition_penalty": self.repetition_penalty,
            "stop": list(self.stop) or None,
            "logit_bias": dict(self.logit_bias) if self.logit_bias else None,
            "character_options": _character_options(self.memory) if self.memory else None,
        }
        return {**self.extra, **{name: value for name, value in values.items() if value is not None}}


def _character_options(memory: ServiceMemory) -> dict[str, Any]:
    return {
        "profile": memory.profile,
        "memory": {
            "enable_long_term_memory": True,
            "memory_entries": memory.entries,
            "skip_save_types": list(memory.skip_save),
        },
    }
