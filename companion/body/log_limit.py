"""Keeps a kind of log line rare, however often a body gives reason for it. Pure."""

from __future__ import annotations

import logging
from collections.abc import Callable

log = logging.getLogger("companion")

SELDOM_S = 60.0


class LogLimit:
    """Logs a sentence at most once every `SELDOM_S`; the next time it says how often it was left out."""

    def __init__(self, now: Callable[[], float]) -> None:
        """`now` is a clock, in seconds, that does not run backwards."""
        self._now = now
        self._logged_at: dict[str, float] = {}
        self._left_out: dict[str, int] = {}

    def log(self, level: int, sentence: str, *values: object) -> None:
        """Log `sentence % values`. Sentences that differ only in their values are of one kind."""
        now = self._now()
        if now - self._logged_at.get(sentence, -SELDOM_S) < SELDOM_S:
            self._left_out[sentence] = self._left_out.get(sentence, 0) + 1
            return
        self._logged_at[sentence] = now
        left_out = self._left_out.pop(sentence, 0)
        if left_out:
            said = sentence % values if values else sentence
            log.log(level, "%s (and %d times more since the last such line)", said, left_out)
        else:
            log.log(level, sentence, *values)
