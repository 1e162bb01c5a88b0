"""The floor: whether an answer may be heard.

An answer is made while the person may still be speaking. It waits for the floor before its first sound, loses it for a
moment when somebody seems to speak, and is withdrawn when they really go on: then it was never given, and nobody
remembers it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Floor:
    """Of one answer. Runs on the event loop's thread."""

    def __init__(self, *, given: bool = False, on_filler: Callable[[], None] = lambda: None) -> None:
        """`on_filler` is called before the character says something though the answer is not there yet."""
        self.on_filler = on_filler
        self._may_speak = asyncio.Event()
        self.was_given = False
        """Whether the person had finished: from then on this is the answer."""
        self.withdrawn = False
        """Whether the person went on after all: it counts as never asked for."""
        self.dropped = 0
        """How many answers were made ahead and dropped before this one."""
        self._undecided: list[Callable[[], None]] = []
        if given:
            self.give()

    @property
    def counts(self) -> bool:
        """Whether the answer may be remembered."""
        return self.was_given and not self.withdrawn

    def give(self) -> None:
        """The person has finished: speak."""
        self.was_given = True
        self._may_speak.set()
        self._decide()

    def hold(self) -> None:
        """Somebody may be speaking: say nothing until the floor is given again."""
        self._may_speak.clear()

    def withdraw(self) -> None:
        """The answer is not wanted: the person said more."""
        self.withdrawn = True
        self._decide()

    def when_decided(self, tell: Callable[[], None]) -> None:
        """Call `tell` once it is known whether the floor is given: now, where it is known."""
        self._undecided.append(tell)
        if self.was_given or self.withdrawn:
            self._decide()

    async def wait(self) -> None:
        """Return when it is this answer's turn."""
        await self._may_speak.wait()

    def _decide(self) -> None:
        undecided, self._undecided = self._undecided, []
        for tell in undecided:
            tell()
