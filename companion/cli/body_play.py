"""Playing one emotion, gesture or state by itself, for `companion body play`.

It uses the same performer, limits and animator as a conversation. On real outputs it runs in real time; for printed
frames it runs on a clock that jumps to the next event (`SteppedClock`). All on the event loop; no threads.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from companion.animator import Animator
from companion.body.choreography import ALL_LIGHTS, STATES, Choreography, IdleEpisode, Performance, Routine
from companion.body.performer import Performer
from companion.body.simulated import SimulatedBody
from companion.config.body import BodySettings
from companion.errors import DeviceError
from companion.event_log import EventLog
from companion.events import EMOTIONS, GESTURES, BodyFrame, Cue
from companion.ports import Body, Clock

Kind = Literal["emotion", "gesture", "state", "idle"]

SETTLES_S = 1.0
"""Time before and after a cue for the body to reach its rest pose."""
STATE_S = 5.0
"""How long a state is shown by default."""
LIFE_S = 30.0
"""The same for a waiting state with idle life."""
LONGEST_S = 600.0
_WAITING_STATES = ("idle", "listening", "follow_up")
_LOOK_S = 0.1
_SETTLE_ROUNDS = 10


@dataclass(frozen=True)
class Entry:
    """An entry of the choreography, and which of its channels the device has."""

    kind: Kind
    name: str
    shown: tuple[str, ...]
    """The channels that take part."""
    missing: tuple[str, ...]
    """Channels that the entry uses and the device lacks."""


def entries(choreography: Choreography, settings: BodySettings) -> Iterator[Entry]:
    """Everything that the device can show, in the order of the vocabulary."""
    kinds: tuple[tuple[Kind, dict[str, Routine] | dict[str, IdleEpisode], Sequence[str]], ...] = (
        ("emotion", choreography.emotion, EMOTIONS),
        ("gesture", choreography.gesture, GESTURES),
        ("state", choreography.state, STATES),
        ("idle", choreography.idle, tuple(choreography.idle)),
    )
    for kind, routines, names in kinds:
        for name in names:
            performances = routines[name].performances()
            named = list(dict.fromkeys(channel for one in performances for channel in _channels_of(one, settings)))
            here = tuple(one for one in named if one in settings.channels)
            yield Entry(kind, name, here, tuple(one for one in named if one not in settings.channels))


def _channels_of(way: Performance, settings: BodySettings) -> Iterator[str]:
    """The channels that a routine uses; all lights of the device where it addresses all."""
    if way.light is not None or ALL_LIGHTS in way.brightness:
        yield from (name for name, one in settings.channels.items() if one.kind == "light")
    yield from way.lights
    yield from (name for name in way.brightness if name != ALL_LIGHTS)
    yield from way.move


async def play_entry(
    entry: Entry,
    choreography: Choreography,
    settings: BodySettings,
    bodies: Sequence[Body],
    clock: Clock,
    *,
    intensity: float = 1.0,
    seconds: float | None = None,
    seed: int = 0,
    on_start: Callable[[], None] = lambda: None,
) -> None:
    """Show an emotion, gesture or state for `seconds`, or for its own duration, and return to rest.

    `on_start` is called when the body is at rest and the cue begins. Raises `DeviceError` when a body fails.
    """
    alive = entry.kind == "state" and settings.idle_life
    lively = alive and entry.name in _WAITING_STATES
    performer = Performer(choreography, settings.channels, seed=seed, idle_life=alive, current_ma=settings.current_ma)
    watched = [_FailureKeeper(body) for body in bodies]
    animator = Animator(performer, watched, clock, EventLog(clock))
    async with asyncio.TaskGroup() as group:
        running = group.create_task(animator.run())
        await clock.sleep(SETTLES_S)
        on_start()
        if entry.kind == "state":
            animator.show_state(entry.name)
            await clock.sleep(seconds or (LIFE_S if lively else STATE_S))
        else:
            emotion, gesture = (entry.name, None) if entry.kind == "emotion" else (None, entry.name)
            animator.play_cue(Cue(emotion, gesture, intensity, 0, "tag"))
            end = clock.now() + (seconds or LONGEST_S)
            await clock.sleep(_LOOK_S)
            while clock.now() < end - 1e-6 and not performer.at_rest(clock.now()):
                await clock.sleep(min(_LOOK_S, end - clock.now()))
        animator.relax()
        animator.show_state("idle")
        await clock.sleep(SETTLES_S)
        running.cancel()
    for one in watched:
        if one.failure is not None:
            raise one.failure


class _FailureKeeper:
    """Keeps the first failure of a body. In a conversation it would only be logged; this command shows nothing else."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self.failure: DeviceError | None = None

    async def show(self, frame: BodyFrame) -> None:
        try:
            await self._body.show(frame)
        except DeviceError as error:
            self.failure = self.failure or error
            raise

    async def close(self) -> None:
        await self._body.close()


class SteppedClock:
    """A clock without real time: when all tasks sleep, it jumps to the end of the first sleep. See `ports.Clock`."""

    def __init__(self) -> None:
        self._now = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    def now(self) -> float:
        """See `ports.Clock.now`."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """See `ports.Clock.sleep`."""
        due: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + max(seconds, 0.0), next(self._order), due))
        await due

    async def run_to_completion(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work`, which must only wait on this clock."""
        async with asyncio.TaskGroup() as group:
            task = group.create_task(work)
            while not task.done():
                for _ in range(_SETTLE_ROUNDS):
                    await asyncio.sleep(0)
                self._jump()

    def _jump(self) -> None:
        """Advance to the next sleeper's time."""
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        if self._sleepers:
            at, _, due = heapq.heappop(self._sleepers)
            self._now = max(self._now, at)
            due.set_result(None)


class FrameWriter(SimulatedBody):
    """A simulated body that passes every frame on with its time, once started."""

    def __init__(self, settings: BodySettings, clock: Clock, write: Callable[[float, BodyFrame], None]) -> None:
        super().__init__(settings.channels)
        self._clock = clock
        self._write = write
        self._start: float | None = None

    def start(self) -> None:
        """Pass on the present frame, and all later ones with their time since now, in seconds."""
        self._start = self._clock.now()
        self._write(0.0, self.frame)

    async def show(self, frame: BodyFrame) -> None:
        """See `SimulatedBody.show`."""
        await super().show(frame)
        if self._start is not None:
            self._write(self._clock.now() - self._start, frame)
