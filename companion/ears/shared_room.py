"""A listener that shares its room with other units: of those that hear a wake word, the one that heard it best answers.

It stands before the conversation: a wake word that a neighbour heard better does not reach it. The wait for the claims
of the others, at most `PATIENCE_S`, loses no sound: that waits in the microphone's queue, and what is said right after
the wake word counts from the word on.

Where a better claim comes later, the unit that listens already falls silent (`Control("yield")`), as long as nothing
was heard of its answer. The button asks nobody. A unit in a talk asks nobody either, but tells the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

from companion.ears.listener import Listener
from companion.ears.neighbour_link import NeighbourLink
from companion.ears.neighbours import PATIENCE_S
from companion.events import Control, Hearing, State, WakeHeard

_SILENT = (State.LISTENING, State.THINKING)
"""The states after a wake in which nothing was heard of an answer."""


class SharedRoomListener(Listener):
    """Yields what a `Listener` yields, but for the wake words that are another unit's."""

    def share(
        self,
        link: NeighbourLink,
        state: Callable[[], State | None],
        is_own_affair: Callable[[WakeHeard], bool] = lambda _: False,
        on_yield: Callable[[str, str], None] = lambda _word, _why: None,
    ) -> None:
        """Ask the units behind `link` from now on; call it once, before `hear`.

        `state` is that of the conversation, `is_own_affair` whether a wake word does not concern the others: it does
        nothing now. `on_yield` is told the word that is left to a neighbour, and why: `heard_better`, `in_talk` (with
        somebody) or `late`.
        """
        self._link, self._state, self._is_own_affair, self._on_yield = link, state, is_own_affair, on_yield
        self._claimed = ""
        """The word of the last claim."""
        self._news: asyncio.Event | None = None
        """Set by whatever ends the wait for better claims."""
        link.on_rival = self._rival_came

    def inject(self, heard: Control | WakeHeard) -> None:
        """See `Listener.inject`. Whoever presses a button is not kept waiting, and what they woke stays awake."""
        super().inject(heard)
        if isinstance(heard, WakeHeard) or heard.action in ("mute", "stop"):
            self._link.forget()
            if self._news is not None:
                self._news.set()

    async def hear(self) -> AsyncIterator[Hearing]:
        """See `Listener.hear`."""
        async for heard in super().hear():
            match heard:
                case WakeHeard() if heard.sound and not self._is_own_affair(heard):
                    if await self._is_anothers(heard):
                        continue
                case Control(action="yield"):
                    if self._state() not in _SILENT:
                        continue
                    self._yielded("late")
                    # What waits until nobody speaks needs to wait no longer.
                    self.inject(Control("say"))
            yield heard

    async def _is_anothers(self, wake: WakeHeard) -> bool:
        """Claim the word; whether it is left to a neighbour."""
        in_talk = self._state() is not State.IDLE
        self._claimed, self._news = wake.word, asyncio.Event()
        self._link.claim(wake.word, wake.sound, in_talk=in_talk)
        if not in_talk and self._link.rival is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE_S):
                    await self._news.wait()
        self._news = None
        if self._attention.kind == "nothing":
            # Muted meanwhile: nothing may be heard any more.
            return True
        rival = self._link.rival
        if rival is not None:
            self._link.forget()
            self._yielded("in_talk" if rival.in_talk else "heard_better")
        return rival is not None

    def _yielded(self, why: str) -> None:
        self._link.wakes_yielded += 1
        self._on_yield(self._claimed, why)

    def _rival_came(self) -> None:
        if self._news is not None:
            self._news.set()
        else:
            self._link.forget()
            # By then the conversation has reacted to the wake word, and its state tells whether it is too late.
            self.inject(Control("yield"))
