"""The body's own task: from cues, states and the mouth to frames, at most 50 a second of audio time.

Nothing is computed while nothing moves: an idle device sleeps until the performer says that something begins. A cue
that comes while the body rests is shown at once, one that comes amid motion within a frame; while a voice speaks, its
ticks (`mouth`) set the beat of the frames, so that both do not wait for each other. A body that went away is noted once
and asked again with each frame; speech goes on (its adapter reconnects).
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from companion.errors import DeviceError
from companion.event_log import EventLog
from companion.events import BodyFrame, Cue
from companion.ports import Body, Clock

FRAME_S = 0.02

_NEARLY_S = 0.001
"""Clocks tick more coarsely than they count."""

_BEAT_S = 3 * FRAME_S
"""A voice that has not ticked for this long sets the beat no more."""

_WAITS_FOR_VOICE_S = FRAME_S
"""How much later than its time a frame may be for the voice's next tick, which may be put off to meet a cue."""

_ASK_BRIGHTNESS_S = 60.0

RESTS_WITHIN_S = 0.5
"""The longest that `come_to_rest` takes: the process that stops has 1.5 s for everything."""

_STILL_S = 0.08
"""What has not moved for so long has arrived."""


class Performer(Protocol):
    """The pure part, `companion.body.performer`: what the body should look like at a time."""

    def state(self, name: str, t: float) -> None: ...
    def cue(self, cue: Cue, t: float) -> None: ...
    def mouth(self, opening: float) -> None: ...
    def relax(self, t: float) -> None: ...
    def lock(self, reason: str) -> None: ...
    def unlock(self, reason: str) -> None: ...
    def dim(self, share: float) -> None: ...
    def spotlight(self, lights: Iterable[str]) -> None: ...
    def frame(self, t: float) -> BodyFrame: ...
    def next_change(self, t: float) -> float | None: ...


class Animator:
    """Plays what it is told on every body. All methods but `run` return at once."""

    def __init__(
        self,
        performer: Performer,
        bodies: Sequence[Body],
        clock: Clock,
        event_log: EventLog,
        brightness: Callable[[], float] | None = None,
    ) -> None:
        """`brightness` tells, whenever it is asked, the share of their brightness that the lights should have now."""
        self._performer = performer
        self._bodies = bodies
        self._clock = clock
        self._event_log = event_log
        self._brightness = brightness
        self._moved = asyncio.Event()
        self._gone: set[Body] = set()
        self._ticked = -math.inf
        self._shown: BodyFrame | None = None
        self.trouble = ""
        """What a body that went away said last; empty while all are there."""

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
        self._ticked = self._clock.now()
        self._moved.set()

    def relax(self) -> None:
        """End all gestures along a ramp."""
        self._performer.mouth(0.0)
        self._performer.relax(self._clock.now())
        self._moved.set()

    def lock(self, reason: str) -> None:
        """Move nothing until this reason, and every other, is taken back by `unlock`. Lights live on."""
        self._performer.lock(reason)
        self._moved.set()

    def unlock(self, reason: str) -> None:
        """Take a reason back."""
        self._performer.unlock(reason)
        self._moved.set()

    def spotlight(self, lights: Iterable[str]) -> None:
        """Show what follows on these lights only; on all where none of them is there."""
        self._performer.spotlight(lights)

    async def come_to_rest(self) -> None:
        """Take everything that moves to its neutral pose along a ramp, for good, before the bodies are closed.

        Returns when it stands there, after `RESTS_WITHIN_S` at the latest. `run` must go on meanwhile.
        """
        self._performer.mouth(0.0)
        self.lock("stopping")
        now = moved = self._clock.now()
        end, seen = now + RESTS_WITHIN_S, self._shown
        while now < end and now - moved < _STILL_S:
            await self._clock.sleep(FRAME_S)
            now = self._clock.now()
            if seen is None or self._shown is None or seen.positions != self._shown.positions:
                moved, seen = now, self._shown

    async def run(self) -> None:
        """Draw frames until cancelled."""
        drawn = asked = -math.inf
        while True:
            now = self._clock.now()
            early = drawn + FRAME_S - now
            if early > _NEARLY_S:
                await self._clock.sleep(early)
                continue
            if self._brightness is not None and now - asked >= _ASK_BRIGHTNESS_S:
                self._performer.dim(self._brightness())
                asked = now
            self._moved.clear()
            drawn = now
            frame = self._performer.frame(now)
            if frame != self._shown:
                await self._show(frame)
                self._shown = frame
            await self._until_next(drawn)

    async def _until_next(self, drawn: float) -> None:
        """Return when the next frame is due."""
        wait = self._performer.next_change(drawn)
        if self._brightness is not None:
            wait = min(_ASK_BRIGHTNESS_S if wait is None else wait, _ASK_BRIGHTNESS_S)
        if wait is None:
            await self._moved.wait()
            return
        wait = max(wait, FRAME_S)
        if drawn - self._ticked < _BEAT_S:
            wait += _WAITS_FOR_VOICE_S
        elif wait <= FRAME_S:
            # Motion without a voice: a frame is never long, and this is the cheaper sleep.
            await self._clock.sleep(wait)
            return
        async with asyncio.TaskGroup() as group:
            alarm = group.create_task(self._alarm(drawn + wait - self._clock.now()))
            await self._moved.wait()
            alarm.cancel()

    async def _alarm(self, seconds: float) -> None:
        await self._clock.sleep(seconds)
        self._moved.set()

    async def _show(self, frame: BodyFrame) -> None:
        self._event_log.record(
            "body",
            lights={name: list(colour) for name, colour in frame.lights.items()},
            positions={name: round(value, 3) for name, value in frame.positions.items()},
        )
        for body in self._bodies:
            try:
                await body.show(frame)
            except DeviceError as error:
                self.trouble = str(error)
                if body not in self._gone:
                    self._gone.add(body)
                    self._event_log.record("error", code=error.code, sentence=str(error))
            else:
                self._gone.discard(body)
        if not self._gone:
            self.trouble = ""
