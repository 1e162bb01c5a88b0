"""The models and their limits, by region (section 1 of the service's specification; prices are no affair of the wire).

Pure. Published figures differ by page and date; these are those of the region's own table, and `Service` takes others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

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
