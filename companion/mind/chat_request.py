"""What is asked of the character service, before it takes the shape of one of its routes.

Pure. Section 3 of the service's specification has the meaning and the limits of each value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Protocol = Literal["openai", "dashscope"]
"""The service's two routes."""

Message = dict[str, Any]
"""`role`, `content`, and `partial: True` on a last one that the answer goes on with."""


@dataclass(frozen=True, slots=True)
class ServiceMemory:
    """The service's own long-term memory, which only new messages are sent to (section 6)."""

    profile: str
    """Who the character is: what the system message says otherwise."""

    entries: int
    """20 to 400: after this many messages the service makes a summary."""

    skip_save: tuple[str, ...] = ()
    """What is not kept of this round: `system`, `user`, `assistant`, `output`."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request. What is None, and one answer, is left to the service's defaults."""

    model: str
    messages: tuple[Message, ...]
    stream: bool = True
    n: int = 1
    seed: int | None = None
    max_tokens: int | None = None
    temperature: float | None = None
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
            "max_tokens": self.max_tokens,
            "temperature": self.temperature,
            "logit_bias": dict(self.logit_bias) if self.logit_bias else None,
            "character_options": _character_options(self.memory) if self.memory else None,
        }
        return {name: value for name, value in values.items() if value is not None}


def _character_options(memory: ServiceMemory) -> dict[str, Any]:
    return {
        "profile": memory.profile,
        "memory": {
            "enable_long_term_memory": True,
            "memory_entries": memory.entries,
            "skip_save_types": list(memory.skip_save),
        },
    }
