"""The body's task: when frames are drawn, and what happens when a body goes away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest

from companion.animator import Animator
from companion.body.choreography import load_choreography
from companion.body.performer import Performer
from companion.body.timeline import Timeline
from companion.config.body import ChannelSettings
from companion.errors import DeviceError
from companion.events import BodyFrame, Cue, PlacedCue, SpeechChunk
from tests.support.doubles import LoopClock, RecordedEvents

pytestmark = pytest.mark.looptime

CHANNELS = {
    "glow": ChannelSettings(kind="light"),
    "head": ChannelSettings(kind="servo", low=-60, high=60),
    "wheels": ChannelSettings.model_validate({"kind": "motor"}),
    "mouth": ChannelSettings.model_validate({"kind": "mouth"}),
}
RATE = 10_000


class Watcher:
    """A body that notes when it was shown what, and may be gone."""

    def __init__(self) -> None:
        self.frames: list[tuple[float, BodyFrame]] = []
        self.gone = False
        self.asked = 0

    async def show(self, frame: BodyFrame) -> None:
        self.asked += 1
        if self.gone:
            raise DeviceError("The body is not there: plug it in.")
        self.frames.append((asyncio.get_running_loop().time(), frame))

    async def close(self) -> None:
        """Nothing to close."""


class Counting(Performer):
    """Counts how often it is asked for a frame."""

    asked = 0

    def frame(self, t: float) -> BodyFrame:
        self.asked += 1
        return super().frame(t)


class Stage:
    def __init__(self, *, idle_life: bool = False, brightness: Callable[[], float] | None = None) -> None:
        self.clock = LoopClock()
        self.notes = RecordedEvents(self.clock)
        self.body = Watcher()
        self.performer = Counting(load_choreography(None), CHANNELS, idle_life=idle_life)
        self.animator = Animator(self.performer, [self.body], self.clock, self.notes, brightness)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Stage]:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.animator.run())
            await asyncio.sleep(5)
            self.body.frames.clear()
            yield self
            task.cancel()


def cue(emotion: str | None = None, gesture: str | None = None) -> Cue:
    return Cue(emotion, gesture, 1.0, 0, "emoji")


async def test_a_resting_body_is_asked_for_nothing() -> None:
    async with Stage().running() as stage:
        before = stage.performer.asked
        await asyncio.sleep(3600)
        assert stage.performer.asked == before
        assert stage.body.frames == []


async def test_a_cue_to_a_resting_body_is_shown_at_once() -> None:
    async with Stage().running() as stage:
        now = asyncio.get_running_loop().time()
        stage.animator.play_cue(cue("happy", "wave"))
        await asyncio.sleep(0.03)
        assert stage.body.frames[0][0] == now


async def test_there_are_never_more_than_fifty_frames_a_second() -> None:
    async with Stage().running() as stage:
        for number in range(400):
            stage.animator.set_mouth((number % 7) / 7)
            if number % 50 == 0:
                stage.animator.play_cue(cue("excited", "dance"))
            await asyncio.sleep(0.0037)
        times = [time for time, _ in stage.body.frames]
        assert min(after - before for before, after in pairwise(times)) >= 0.019 - 1e-9
        assert len(times) > 40


@pytest.mark.parametrize("offset", [0.0, 0.003, 0.0095, 0.0149, 0.0199])
async def test_cues_of_a_voice_are_shown_with_their_sample_and_the_mouth_with_every_tick(offset: float) -> None:
    """As a turn animates: the timeline says when it should be asked again."""
    places = [round(RATE * (0.21 + 0.137 * number + offset)) for number in range(12)]
    emotions = ["happy", "sad"] * 6
    placed = tuple(PlacedCue(at, cue(name)) for at, name in zip(places, emotions, strict=True))
    timeline = Timeline()
    timeline.add(0, SpeechChunk(bytes(2 * 2 * RATE), RATE, "", placed, (0.2, 0.8) * 50))
    async with Stage().running() as stage:
        loop = asyncio.get_running_loop()
        began, acted = loop.time(), []
        while (position := round((loop.time() - began) * RATE)) < 2 * RATE:
            for one in timeline.due(position):
                stage.animator.play_cue(one)
                acted.append(loop.time() - began)
            stage.animator.set_mouth(timeline.mouth(position))
            await stage.clock.sleep(timeline.next_check_s(position, RATE))
        shown = [time - began for time, _ in stage.body.frames]
        for at, told in zip(places, acted, strict=True):
            assert at / RATE - 1e-9 <= told <= at / RATE + 0.001
            assert min(time - told for time in shown if time >= told) <= 0.002
        assert max(after - before for before, after in pairwise(shown)) <= 0.0421


async def test_idle_life_wakes_the_loop_now_and_then_and_sleeps_between() -> None:
    async with Stage(idle_life=True).running() as stage:
        before = stage.performer.asked
        await asyncio.sleep(600)
        assert 100 < stage.performer.asked - before < 600 * 8
        times = [time for time, _ in stage.body.frames]
        assert max(after - before for before, after in pairwise(times)) > 2


async def test_a_cue_ends_a_long_sleep() -> None:
    async with Stage(idle_life=True).running() as stage:
        await asyncio.sleep(100)
        now = asyncio.get_running_loop().time()
        stage.animator.play_cue(cue("angry"))
        await asyncio.sleep(0.3)
        times = [time for time, _ in stage.body.frames if time >= now]
        assert times[0] - now <= 0.02 + 1e-9
        assert len(times) > 8


async def test_a_body_that_went_away_is_noted_once_and_taken_back() -> None:
    async with Stage().running() as stage:
        stage.body.gone = True
        stage.animator.play_cue(cue("happy"))
        await asyncio.sleep(1)
        assert stage.body.asked > 10
        assert len(stage.notes.of("error")) == 1
        stage.body.gone = False
        await asyncio.sleep(1)
        assert stage.body.frames
        stage.body.gone = True
        await asyncio.sleep(1)
        assert len(stage.notes.of("error")) == 2


async def test_one_body_that_is_gone_does_not_stop_another() -> None:
    stage = Stage()
    lost = Watcher()
    lost.gone = True
    stage.animator = Animator(stage.performer, [lost, stage.body], stage.clock, stage.notes)
    async with stage.running():
        stage.animator.play_cue(cue("happy"))
        await asyncio.sleep(1)
        assert len(stage.body.frames) > 10


async def test_without_a_body_nothing_is_computed_and_it_stops_at_once() -> None:
    stage = Stage()
    stage.animator = Animator(stage.performer, [], stage.clock, stage.notes, lambda: 0.3)
    async with stage.running():
        stage.animator.play_cue(cue("happy", "wave"))
        stage.animator.set_mouth(0.5)
        await asyncio.sleep(100)
        began = asyncio.get_running_loop().time()
        await stage.animator.move_to_neutral()
        assert asyncio.get_running_loop().time() == began
    assert stage.performer.asked == 0
    assert stage.notes.of("body") == []


async def test_a_lock_stops_the_wheels_in_the_middle_of_a_dance() -> None:
    async with Stage().running() as stage:
        stage.animator.play_cue(cue(None, "dance"))
        await asyncio.sleep(0.6)
        assert stage.body.frames[-1][1].positions["wheels"] != 0.0
        stage.animator.lock("under_way")
        await asyncio.sleep(0.5)
        assert stage.body.frames[-1][1].positions == {"head": 0.0, "wheels": 0.0, "mouth": 0.0}
        stage.animator.unlock("under_way")
        stage.animator.play_cue(cue(None, "look_left"))
        await asyncio.sleep(0.6)
        assert stage.body.frames[-1][1].positions["head"] > 20


async def test_the_brightness_of_the_hour_is_asked_for_once_a_minute_also_at_rest() -> None:
    asked = []

    def brightness() -> float:
        asked.append(asyncio.get_running_loop().time())
        return 0.3 if asked[-1] > 1000 else 1.0

    async with Stage(brightness=brightness).running() as stage:
        stage.animator.show_state("speaking")
        await asyncio.sleep(500)
        day = stage.body.frames[-1][1].lights["glow"]
        await asyncio.sleep(1000)
        night = stage.body.frames[-1][1].lights["glow"]
    assert [round(0.3 * part) for part in day] == pytest.approx(night, abs=1)
    assert 20 <= len(asked) <= 27


async def test_barge_in_shuts_the_mouth_and_comes_to_rest() -> None:
    async with Stage().running() as stage:
        stage.animator.show_state("speaking")
        stage.animator.play_cue(cue("excited", "dance"))
        stage.animator.set_mouth(0.9)
        await asyncio.sleep(0.7)
        interrupted = asyncio.get_running_loop().time()
        stage.animator.relax()
        stage.animator.show_state("listening")
        await asyncio.sleep(2)
        last = stage.body.frames[-1][1].positions
        then = [frame for time, frame in stage.body.frames if time <= interrupted + 0.4][-1].positions
        assert last["mouth"] == 0.0
        assert then == pytest.approx(last, abs=0.3)


async def test_a_body_that_is_stopped_amid_motion_goes_to_neutral_along_a_ramp() -> None:
    async with Stage().running() as stage:
        stage.animator.show_state("speaking")
        stage.animator.play_cue(cue(gesture="look_left"))
        stage.animator.play_cue(cue("disgusted"))
        for _ in range(25):
            stage.animator.set_mouth(0.8)
            await asyncio.sleep(0.02)
        far = stage.body.frames[-1][1].positions
        assert abs(far["head"]) > 20
        began = asyncio.get_running_loop().time()
        await stage.animator.move_to_neutral()
        assert asyncio.get_running_loop().time() - began <= 0.5 + 1e-6
        assert stage.body.frames[-1][1].positions == {"head": 0.0, "wheels": 0.0, "mouth": 0.0}
        for (before_at, before), (at, after) in pairwise(stage.body.frames):
            allowed = CHANNELS["head"].fastest * (at - before_at) + 1e-6
            assert abs(after.positions["head"] - before.positions["head"]) <= allowed
        # For good: whatever is still said to it.
        stage.animator.play_cue(cue(gesture="look_right"))
        await asyncio.sleep(1)
        assert stage.body.frames[-1][1].positions["head"] == 0.0


async def test_a_body_that_rests_already_stops_soon() -> None:
    async with Stage().running() as stage:
        began = asyncio.get_running_loop().time()
        await stage.animator.move_to_neutral()
        assert asyncio.get_running_loop().time() - began <= 0.12
