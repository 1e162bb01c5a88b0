"""The task that animates the body: cues, states and mouth openings in, at most 50 frames per second of audio time out.

Nothing is computed while nothing moves: an idle device sleeps until the performer says that something starts. A cue
that arrives while the body rests is shown at once; one that arrives during motion is shown within a frame. While a
voice speaks, its mouth updates (`set_mouth`) also trigger the frames, so the two timers do not wait for each other. A
body that goes away is logged once and still gets every frame; speech goes on. Adapters reconnect by themselves.
Without any body there are no frames.
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

_CLOCK_TOLERANCE_S = 0.001
"""A sleep may end this much early, because clocks tick more coarsely than they count."""

_VOICE_ACTIVE_S = 2.5 * FRAME_S
"""A voice that has not set the mouth for this long no longer triggers the frames. Two frames may lie between two of its
updates, because one may come late to coincide with a cue."""

_BRIGHTNESS_INTERVAL_S = 60.0

NEUTRAL_WITHIN_S = 0.5
"""The longest time that `move_to_neutral` takes: a stopping process has 1.5 s for everything."""

_AT_REST_S = 0.08
"""A body that has not moved for this long has reached its pose."""


class Performer(Protocol):
    """The pure part, `companion.body.performer`: what the body should look like at a time."""

    def show_state(self, name: str, t: float) -> None: ...
    def play_cue(self, cue: Cue, t: float) -> None: ...
    def set_mouth(self, opening: float) -> None: ...
    def relax(self, t: float) -> None: ...
    def lock(self, reason: str) -> None: ...
    def unlock(self, reason: str) -> None: ...
    def set_brightness(self, brightness: float) -> None: ...
    def spotlight(self, lights: Iterable[str]) -> None: ...
    def show_recording(self, recording: bool) -> None: ...
    def frame(self, t: float) -> BodyFrame: ...
    def next_change(self, t: float) -> float | None: ...


class Animator:
    """Shows states, cues and mouth openings on every body. Only `run` and `move_to_neutral` take time."""

    def __init__(
        self,
        performer: Performer,
        bodies: Sequence[Body],
        clock: Clock,
        event_log: EventLog,
        brightness: Callable[[], float] | None = None,
    ) -> None:
        """`brightness` returns the factor, 0 to 1, to which the lights should be dimmed now; asked once a minute."""
        self._performer = performer
        self._bodies = bodies
        self._clock = clock
        self._event_log = event_log
        self._brightness = brightness
        self._changed = asyncio.Event()
        self._failed: set[Body] = set()
        self._mouth_set_at = -math.inf
        self._silence: asyncio.Task[None] | None = None
        self._shown: BodyFrame | None = None
        self.last_error = ""
        """The last error of a body that went away; empty while all bodies are there."""

    def show_state(self, name: str) -> None:
        """Show a state of the conversation."""
        self._performer.show_state(name, self._clock.now())
        self._changed.set()

    def play_cue(self, cue: Cue) -> None:
        """Play a cue, starting now."""
        self._performer.play_cue(cue, self._clock.now())
        self._changed.set()

    def set_mouth(self, opening: float) -> None:
        """Open the mouth, from 0 (closed) to 1."""
        self._performer.set_mouth(opening)
        self._mouth_set_at = self._clock.now()
        self._changed.set()

    def relax(self) -> None:
        """End all gestures along a ramp and close the mouth."""
        self._performer.set_mouth(0.0)
        self._performer.relax(self._clock.now())
        self._changed.set()

    def lock(self, reason: str) -> None:
        """Move nothing until this reason and every other one are taken back by `unlock`. Lights go on."""
        self._performer.lock(reason)
        self._changed.set()

    def unlock(self, reason: str) -> None:
        """Take back a reason for the lock."""
        self._performer.unlock(reason)
        self._changed.set()

    def spotlight(self, lights: Iterable[str]) -> None:
        """Show cues and speech on these lights only, or on all if the device has none of them."""
        self._performer.spotlight(lights)

    def show_recording(self, recording: bool) -> None:
        """Show on every light, from now on, whether sound is recorded."""
        self._performer.show_recording(recording)
        self._changed.set()

    async def move_to_neutral(self) -> None:
        """Move everything to its neutral pose along a ramp and keep it there, before the bodies are closed.

        Returns when the pose is reached, or after `NEUTRAL_WITHIN_S`. `run` must go on meanwhile.
        """
        self._performer.set_mouth(0.0)
        self.lock("stopping")
        if not self._bodies:
            return
        now = moved = self._clock.now()
        end, seen = now + NEUTRAL_WITHIN_S, self._shown
        while now < end and now - moved < _AT_REST_S:
            await self._clock.sleep(FRAME_S)
            now = self._clock.now()
            if seen is None or self._shown is None or seen.positions != self._shown.positions:
                moved, seen = now, self._shown

    async def run(self) -> None:
        """Show frames until cancelled."""
        if not self._bodies:
            await asyncio.Event().wait()
        async with asyncio.TaskGroup() as self._group:
            await self._show_frames()

    async def _show_frames(self) -> None:
        drawn = brightness_set_at = -math.inf
        while True:
            now = self._clock.now()
            early = drawn + FRAME_S - now
            if early > _CLOCK_TOLERANCE_S:
                await self._clock.sleep(early)
                continue
            if self._brightness is not None and now - brightness_set_at >= _BRIGHTNESS_INTERVAL_S:
                self._performer.set_brightness(self._brightness())
                brightness_set_at = now
            self._changed.clear()
            drawn = now
            frame = self._performer.frame(now)
            if frame != self._shown:
                await self._show(frame)
                self._shown = frame
            await self._wait_for_next_frame(drawn)

    async def _wait_for_next_frame(self, drawn: float) -> None:
        """Return when the next frame is due."""
        if drawn - self._mouth_set_at < _VOICE_ACTIVE_S:
            if self._silence is None or self._silence.done():
                self._silence = self._group.create_task(self._note_silence())
            await self._changed.wait()
            return
        wait = self._performer.next_change(drawn)
        if self._brightness is not None:
            wait = min(_BRIGHTNESS_INTERVAL_S if wait is None else wait, _BRIGHTNESS_INTERVAL_S)
        if wait is None:
            await self._changed.wait()
            return
        if wait <= FRAME_S:
            # A frame is short, so nothing needs to interrupt it, and this sleep is cheaper.
            await self._clock.sleep(FRAME_S)
            return
        async with asyncio.TaskGroup() as group:
            alarm = group.create_task(self._alarm(drawn + wait - self._clock.now()))
            await self._changed.wait()
            alarm.cancel()

    async def _note_silence(self) -> None:
        """Go on with the frames when the voice no longer triggers them."""
        while (left := self._mouth_set_at + _VOICE_ACTIVE_S - self._clock.now()) > 0:
            await self._clock.sleep(left)
        self._changed.set()

    async def _alarm(self, seconds: float) -> None:
        await self._clock.sleep(seconds)
        self._changed.set()

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
                self.last_error = str(error)
                if body not in self._failed:
                    self._failed.add(body)
                    self._event_log.record("error", code=error.code, sentence=str(error))
            else:
                self._failed.discard(body)
        if not self._failed:
            self.last_error = ""
