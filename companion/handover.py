"""A new character takes over from the one that speaks now, as soon as nobody speaks."""

from __future__ import annotations

import asyncio

from companion.dialogue import Dialogue


class Handover:
    """At most one waits; a later one takes its place."""

    def __init__(self) -> None:
        self._next: tuple[Dialogue, asyncio.Future[Dialogue]] | None = None

    def request(self, dialogue: Dialogue) -> asyncio.Future[Dialogue]:
        """Let this one take over. The future is the one that spoke before, once that has happened."""
        previous: asyncio.Future[Dialogue] = asyncio.get_running_loop().create_future()
        self._next = dialogue, previous
        return previous

    def take(self, present: Dialogue) -> Dialogue:
        """The one that speaks from here on: the one that waits, else the present one."""
        if self._next is None:
            return present
        (dialogue, previous), self._next = self._next, None
        if not previous.done():
            previous.set_result(present)
        return dialogue
