"""The lines that a character says by itself. Those of one kind take turns, so that none wears out. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence

from companion.config.persona import SpokenLines

NEXT_BEST = {
    "busy": ("offline",),
    "denied": ("offline",),
    "unpaid": ("offline",),
    "change_subject": ("failed",),
    "spent": ("goodbye", "offline"),
}
"""Kind of line -> the kinds that stand in for it, in order, where the persona has none."""


class OwnLines:
    """The lines that a persona says without the service."""

    def __init__(self, lines: SpokenLines, others: Mapping[str, Sequence[str]] | None = None) -> None:
        """`others` are lines of further kinds, or of a kind for which the persona has none."""
        self._lines: dict[str, Iterator[str]] = {}
        of_persona = {name: getattr(lines, name) for name in SpokenLines.model_fields}
        for name, said in [*(others or {}).items(), *of_persona.items()]:
            if said:
                self._lines[name] = itertools.cycle(said)

    def next(self, name: str) -> str:
        """The next line of this kind; empty where there is none and nothing stands in for it."""
        for kind in (name, *NEXT_BEST.get(name, ())):
            if kind in self._lines:
                return next(self._lines[kind])
        return ""
