"""The silence behind an answer after which the character goes on by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from companion.conversation_rules import ConversationRules
from companion.ports import Clock


class LongSilence:
    """Calls `on_long` when nobody has spoken for `continue_after_s`, so often as the rules allow."""

    def __init__(self, rules: ConversationRules, on_long: Callable[[], None]) -> None:
        self._rules = rules
        self._on_long = on_long
        self._waiting: asyncio.Task[None] | None = None
        self.continued = 0
        """How often the character has gone on since somebody spoke."""

    def begin(self, group: asyncio.TaskGroup, clock: Clock) -> None:
        """An answer is over; `group` holds the task that waits."""
        if self._rules.continue_after_s > 0 and self.continued < self._rules.continue_most:
            self._waiting = group.create_task(self._wait(clock))

    def end(self) -> None:
        """Somebody did something."""
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    async def _wait(self, clock: Clock) -> None:
        await clock.sleep(self._rules.continue_after_s)
        self._waiting = None
        self._on_long()
