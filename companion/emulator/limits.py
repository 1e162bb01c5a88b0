"""The models by region with their token limits, and the account's rate limits for each model.

Pure; seconds are those of any monotonic clock. From section 1 of the service's specification. Published figures differ
by page and date; these are from each region's own table. The rate limits (section 1.1) are 2 requests a second, 120 a
minute and 500,000 tokens a minute. There is no `Retry-After`, and no header says how much is left.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from companion.emulator.errors import QUOTA, RATE, Refusal


@dataclass(frozen=True, slots=True)
class Limits:
    """The rate limits of one model."""

    requests_per_second: int = 2
    requests_per_minute: int = 120
    tokens_per_minute: int = 500_000


class RateLimits:
    """Counts requests and tokens of the last minute, by model."""

    def __init__(self, limits: Limits | None) -> None:
        """`limits` None admits everything."""
        self._limits = limits
        self._requests: dict[str, deque[float]] = {}
        self._tokens: dict[str, deque[tuple[float, int]]] = {}

    def admit(self, model: str, now: float) -> Refusal | None:
        """Count a request that comes now and return None, or return why it is refused."""
        if self._limits is None:
            return None
        requests = self._requests.setdefault(model, deque())
        tokens = self._tokens.setdefault(model, deque())
        while requests and requests[0] <= now - 60:
            requests.popleft()
        while tokens and tokens[0][0] <= now - 60:
            tokens.popleft()
        lately = sum(1 for at in requests if at > now - 1)
        if lately >= self._limits.requests_per_second or len(requests) >= self._limits.requests_per_minute:
            return Refusal(RATE)
        if sum(count for _, count in tokens) >= self._limits.tokens_per_minute:
            return Refusal(QUOTA)
        requests.append(now)
        return None

    def count_tokens(self, model: str, tokens: int, now: float) -> None:
        """Count the tokens, input and output, of an admitted request."""
        if self._limits is not None:
            self._tokens.setdefault(model, deque()).append((now, tokens))

    def clear(self) -> None:
        """Forget all counts."""
        self._requests.clear()
        self._tokens.clear()


Region = Literal["international", "china"]


@dataclass(frozen=True, slots=True)
class Model:
    """One model. All figures are in tokens."""

    name: str
    max_input: int
    max_output: int
    """The largest `max_tokens`."""
    default_output: int
    """The limit where `max_tokens` is not given."""


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
"""A model that is sold in one region only is listed in both: an emulator should not fail because of that."""
