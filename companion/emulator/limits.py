"""The account's limits, for each model: 2 requests a second, 120 a minute, 500,000 tokens a minute.

Pure; seconds are those of any clock that does not go back. Section 1.1 of the service's specification. There is no
`Retry-After` and no header that tells how much is left.

The models and their limits, by region (section 1 of the service's specification; prices are no affair of the wire).

Pure. Published figures differ by page and date; these are those of the region's own table, and `Service` takes others.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from companion.emulator.errors import QUOTA, RATE, Refusal


@dataclass(frozen=True, slots=True)
class Limits:
    """What one model allows."""

    a_second: int = 2
    a_minute: int = 120
    tokens_a_minute: int = 500_000


class RateLimits:
    """Counts what was let in."""

    def __init__(self, limits: Limits | None) -> None:
        """None: everything is let in."""
        self._limits = limits
        self._requests: dict[str, deque[float]] = {}
        self._tokens: dict[str, deque[tuple[float, int]]] = {}

    def refusal(self, model: str, now: float) -> Refusal | None:
        """Why a request that comes now is not let in; a request that is let in is counted."""
        if self._limits is None:
            return None
        requests = self._requests.setdefault(model, deque())
        tokens = self._tokens.setdefault(model, deque())
        while requests and requests[0] <= now - 60:
            requests.popleft()
        while tokens and tokens[0][0] <= now - 60:
            tokens.popleft()
        lately = sum(1 for at in requests if at > now - 1)
        if lately >= self._limits.a_second or len(requests) >= self._limits.a_minute:
            return Refusal(RATE)
        if sum(count for _, count in tokens) >= self._limits.tokens_a_minute:
            return Refusal(QUOTA)
        requests.append(now)
        return None

    def spent(self, model: str, tokens: int, now: float) -> None:
        """A request that was let in has cost so many tokens, input and output."""
        if self._limits is not None:
            self._tokens.setdefault(model, deque()).append((now, tokens))

    def forget(self) -> None:
        """Begin anew."""
        self._requests.clear()
        self._tokens.clear()


Region = Literal["international", "china"]


@dataclass(frozen=True, slots=True)
class Model:
    """One model. All figures are tokens."""

    name: str
    longest_input: int
    most_output: int
    """What `max_tokens` may ask for."""
    usual_output: int
    """The most that comes where `max_tokens` is not given."""


_JAPANESE = Model("qwen-plus-character-ja", 7_680, 512, 512)
_LONG = Model("qwen-flash-character-2026-02-26", 262_144, 32_768, 4_096)

MODELS: Mapping[Region, tuple[Model, ...]] = {
    "international": (
        Model("qwen-plus-character", 30_000, 4_000, 4_000),
        Model("qwen-flash-character", 8_000, 4_096, 4_096),
        _JAPANESE,
        _LONG,
    ),
    "china": (
        Model("qwen-plus-character", 32_000, 4_096, 4_096),
        Model("qwen-flash-character", 8_000, 4_096, 4_096),
        _JAPANESE,
        _LONG,
    ),
}
"""Where a model is sold in one region only, the other lists it too: a stand-in should not fail over that."""
