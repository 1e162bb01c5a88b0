"""What the character says by itself, without the service: each kind of line in turn, so that none is worn out.

Pure. A persona need not have every kind: what is missing is said with the next best.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from companion.persona import SpokenLines

NEXT_BEST = {
    "busy": ("offline",),
    "denied": ("offline",),
    "unpaid": ("offline",),
    "change_subject": ("failed",),
    "spent": ("goodbye", "offline"),
}
"""Kind of line -> what is said where the persona has none of it."""


class OwnLines:
    """One persona's lines."""

    def __init__(self, lines: SpokenLines) -> None:
        self._lines: dict[str, Iterator[str]] = {}
        for name in SpokenLines.model_fields:
            if said := getattr(lines, name):
                self._lines[name] = itertools.cycle(said)

    def next(self, name: str) -> str:
        """The next line of this kind; empty where there is none and nothing stands for it."""
        for kind in (name, *NEXT_BEST.get(name, ())):
            if kind in self._lines:
                return next(self._lines[kind])
        return ""
