"""What the benches share: percentiles, and rows of them."""

from __future__ import annotations

import statistics
from collections.abc import Sequence


def percentile(values: Sequence[float], share: float) -> float:
    """The value at this share (0 to 1) of the ranked ones."""
    ranked = sorted(values)
    return ranked[round(share * (len(ranked) - 1))]


def summary(values: Sequence[float]) -> dict[str, float]:
    """Median, 90th percentile, least and most, and how many there were; empty where there are none."""
    if not values:
        return {}
    return {
        "median": round(statistics.median(values), 1),
        "p90": round(percentile(values, 0.9), 1),
        "min": round(min(values), 1),
        "max": round(max(values), 1),
        "n": len(values),
    }


def row(name: str, values: Sequence[float]) -> str:
    """One row of a table, in the values' own unit."""
    if not values:
        return f"{name:48s} (none)"
    told = summary(values)
    spread = "  ".join(f"{key} {told[key]:6.0f}" for key in ("median", "p90", "min", "max"))
    return f"{name:48s} {spread}  n {len(values)}"
