"""The body's own task: from cues, states and the mouth to frames, at most 50 a second of audio time.

Nothing is computed while nothing moves: an idle device sleeps. A body that went away is noted once and asked again with
each frame; speech goes on (its adapter reconnects).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from companion.errors import DeviceError
from companion.events import BodyFrame, Cue
from companion.journal import Journal
from companion.ports import Body, Clock

FRAME_S = 0.02


class Performer(Protocol):
    """The pure part, `companion.body.performer`: what the body should look like at a time."""

    def state(self, name: str, t: float) -> None: ...
    def cue(self, cue: Cue, t: float) -> None: ...
    def mouth(self, opening: float) -> None: ...
    def relax(self, t: float) -> None: ...
    def frame(self, t: float) -> BodyFrame: ...
    def next_change(self, t: float) -> float | None: ...


class Animator:
    """Plays what it is told on every body. All methods but `run` return at once."""

    def __init__(self, performer: Performer, bodies: Sequence[Body], clock: Clock, journal: Journal) -> None:
        self._performer = performer
        self._bodies = bodies
        self._clock = clock
        self._journal = journal
        self._moved = asyncio.Event()
        self._gone: set[Body] = set()

    def state(self, name: str) -> None:
        """Show a state of the conversation."""
        self._performer.state(name, self._clock.now())
        self._moved.set()

    def cue(self, cue: Cue) -> None:
        """Act a cue, from now on."""
        self._performer.cue(cue, self._clock.now())
        self._moved.set()

    def mouth(self, opening: float) -> None:
        """Open the mouth, 0 to 1."""
        self._performer.mouth(opening)
        self._moved.set()

    def relax(self) -> None:
        """End all gestures along a ramp."""
        self._performer.mouth(0.0)
        self._performer.relax(self._clock.now())
        self._moved.set()

    async def run(self) -> None:
        """Draw frames until cancelled."""
        shown: BodyFrame | None = None
        while True:
            self._moved.clear()
            now = self._clock.now()
            frame = self._performer.frame(now)
            if frame != shown:
                await self._show(frame)
                shown = frame
            if self._performer.next_change(now) is None:
                await self._moved.wait()
            else:
                await self._clock.sleep(FRAME_S)

    async def _show(self, frame: BodyFrame) -> None:
        self._journal.note(
            "body",
            lights={name: list(colour) for name, colour in frame.lights.items()},
            positions={name: round(value, 3) for name, value in frame.positions.items()},
        )
        for body in self._bodies:
            try:
                await body.show(frame)
            except DeviceError as error:
                if body not in self._gone:
                    self._gone.add(body)
                    self._journal.note("error", code=error.code, sentence=str(error))
            else:
                self._gone.discard(body)
