"""Personas, one after the other: each with its mind and voices lives in a task until the next has taken over.

A task each, because what is opened in one task must be closed in it. All on the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from companion.errors import CompanionError
from companion.persona import Persona
from companion.ports import Synthesizer
from companion.talk import Talk

Make = Callable[[Persona, Synthesizer | None], AbstractAsyncContextManager[Talk]]
"""What a persona needs, open as long as this is entered; the voice is given where it was made before."""


class Lives:
    """The lives of one device's personas."""

    def __init__(self, make: Make, group: asyncio.TaskGroup) -> None:
        self._make = make
        self._group = group
        self._over: dict[Talk, asyncio.Event] = {}

    async def begin(self, persona: Persona, voice: Synthesizer | None = None) -> Talk:
        """Open everything for a persona. Raises what is wrong with it; then nothing is left open."""
        ready: asyncio.Future[Talk] = asyncio.get_running_loop().create_future()
        self._group.create_task(self._live(persona, voice, ready))
        return await ready

    def end(self, talk: Talk | None = None) -> None:
        """Close what belongs to this one, or to all."""
        for one, over in self._over.items():
            if talk is None or one is talk:
                over.set()

    async def _live(self, persona: Persona, voice: Synthesizer | None, ready: asyncio.Future[Talk]) -> None:
        try:
            async with self._make(persona, voice) as talk:
                over = self._over[talk] = asyncio.Event()
                if ready.cancelled():
                    return
                ready.set_result(talk)
                try:
                    await over.wait()
                finally:
                    del self._over[talk]
        except CompanionError as error:
            if ready.done():
                raise
            ready.set_exception(error)
