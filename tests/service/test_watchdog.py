"""The watchdog: a device that cannot hear anybody is not fed; one that could is, whatever it does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from companion.errors import SpeechError
from companion.events import BodyFrame, SynthesizedSpeech, Transcript
from companion.service.watchdog import (
    AWAY_S,
    BUSY_S,
    DEAF_S,
    FEEDS_PER_TIMEOUT,
    SILENT_S,
    BlockedCallCheck,
    ProgressCheck,
    TroubleCheck,
    Watchdog,
    failing_checks,
)
from companion.service.watched_engines import CallMonitor, WatchedBody, WatchedSynthesizer, WatchedTranscriber
from tests.support.doubles import ScriptedVoice, pass_time

LIMIT_S = 6.0
PATIENCE_S = 20.0

pytestmark = pytest.mark.looptime


def now() -> float:
    return asyncio.get_running_loop().time()


@asynccontextmanager
async def watched(watchdog: Watchdog) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(watchdog.run())
        yield
        task.cancel()


class Manager:
    """A service manager that kills when it was not told for `PATIENCE_S`."""

    def __init__(self) -> None:
        self.fed_at: list[float] = []

    def feed(self) -> None:
        self.fed_at.append(now())

    def would_kill(self) -> bool:
        return now() - (self.fed_at[-1] if self.fed_at else 0.0) > PATIENCE_S


class Ears:
    """Takes sound in, until something happens to it."""

    def __init__(self) -> None:
        self.position = 0
        self.away = False
        self.hears = True

    async def run(self) -> None:
        while True:
            await asyncio.sleep(1)
            if self.hears and not self.away:
                self.position += 16_000

    def check(self) -> ProgressCheck:
        return ProgressCheck(lambda: self.position, now, away=lambda: self.away)


@asynccontextmanager
async def listening(ears: Ears, manager: Manager) -> AsyncIterator[Watchdog]:
    watchdog = Watchdog({"ears": ears.check()}, manager.feed, PATIENCE_S)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(ears.run()), group.create_task(watchdog.run())]
        yield watchdog
        for task in tasks:
            task.cancel()


async def test_a_device_that_hears_is_fed_in_good_time() -> None:
    manager = Manager()
    async with listening(Ears(), manager):
        await pass_time(900)
    gaps = [later - earlier for earlier, later in zip(manager.fed_at, manager.fed_at[1:], strict=False)]
    assert max(gaps) == pytest.approx(PATIENCE_S / FEEDS_PER_TIMEOUT)


async def test_silent_ears_are_not_fed_and_their_return_is() -> None:
    manager, ears = Manager(), Ears()
    async with listening(ears, manager) as watchdog:
        await pass_time(60)
        ears.hears = False
        await pass_time(SILENT_S - 1)
        assert watchdog.problems == ()
        await pass_time(PATIENCE_S + PATIENCE_S / FEEDS_PER_TIMEOUT + 1)
        assert manager.would_kill()
        assert watchdog.problems == ("ears: the microphone has been silent for 35 s",)
        ears.hears = True
        await pass_time(PATIENCE_S / FEEDS_PER_TIMEOUT)
        assert not manager.would_kill()
        assert watchdog.problems == ()


async def test_a_microphone_that_was_unplugged_is_waited_for_but_not_for_ever() -> None:
    manager, ears = Manager(), Ears()
    async with listening(ears, manager):
        await pass_time(10)
        ears.away = True
        await pass_time(AWAY_S - 10)
        assert not manager.would_kill()
        await pass_time(10 + PATIENCE_S + PATIENCE_S / FEEDS_PER_TIMEOUT)
        assert manager.would_kill()


async def test_a_sound_library_that_never_comes_back_is_not_waited_for() -> None:
    """Unlike a microphone that was unplugged: nothing that this process does will bring the thread back."""
    began: list[float | None] = [None]
    check = BlockedCallCheck("the sound card", lambda: began[0], now)
    await pass_time(1000)
    assert check() is None
    began[0] = now()
    await pass_time(BUSY_S)
    assert check() is None
    await pass_time(1)
    assert check() == "the sound card has not answered for 21 s"
    began[0] = None
    assert check() is None


async def test_a_device_that_never_heard_anything_is_not_fed_for_long() -> None:
    manager, ears = Manager(), Ears()
    ears.hears = False
    async with listening(ears, manager):
        await pass_time(SILENT_S + PATIENCE_S + PATIENCE_S)
        assert manager.would_kill()


async def test_one_complaint_is_enough_and_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    manager = Manager()
    wrong: list[str | None] = [None]
    checks: dict[str, Callable[[], str | None]] = {"a": lambda: None, "b": lambda: wrong[0]}
    assert failing_checks(checks) == {}
    async with watched(Watchdog(checks, manager.feed, PATIENCE_S)):
        await pass_time(12)
        wrong[0] = "it hangs"
        assert failing_checks(checks) == {"b": "it hangs"}
        fed = len(manager.fed_at)
        with caplog.at_level(logging.WARNING):
            await pass_time(300)
        assert len(manager.fed_at) == fed
        wrong[0] = None
        await pass_time(6)
        assert len(manager.fed_at) > fed
    assert [one.message for one in caplog.records] == ["The watchdog is not fed: b: it hangs.", "Alive again: b."]


async def test_a_hanging_probe_does_not_hold_up_the_watchdog() -> None:
    manager = Manager()

    async def hang() -> None:
        await asyncio.Event().wait()

    async with watched(Watchdog({}, manager.feed, PATIENCE_S, [hang])):
        await pass_time(100)
        assert not manager.would_kill()


class Native:
    """A transcriber whose thread may stop for good: then its adapter's time-out ends each call."""

    name = "native"

    def __init__(self) -> None:
        self.stuck = False
        self.slow_s = 0.0
        self.begun = False
        self.log: list[str] = []

    async def start(self) -> None:
        await self._call("start")
        self.begun = True

    async def feed(self, pcm: bytes) -> str:
        assert self.begun, "sound before an utterance was begun"
        await self._call(f"feed {len(pcm)}")
        return "hello"

    async def finish(self) -> Transcript:
        await self._call("finish")
        self.begun = False
        return Transcript("hello")

    async def cancel(self) -> None:
        self.begun = False

    async def close(self) -> None:
        self.log.append("close")

    async def _call(self, what: str) -> None:
        self.log.append(what)
        await asyncio.sleep(LIMIT_S if self.stuck else self.slow_s)
        if self.stuck:
            raise SpeechError("took too long")


@asynccontextmanager
async def transcribing() -> AsyncIterator[tuple[Native, WatchedTranscriber, Manager]]:
    manager, native = Manager(), Native()
    calls = CallMonitor("the transcriber", LIMIT_S, now)
    transcriber = WatchedTranscriber(native, calls)
    async with watched(Watchdog({"t": calls}, manager.feed, PATIENCE_S, [transcriber.probe])):
        yield native, transcriber, manager


async def fails_to_answer(transcriber: WatchedTranscriber) -> None:
    with pytest.raises(SpeechError):
        await transcriber.start()
    await transcriber.cancel()


async def test_a_transcriber_under_watch_does_what_it_did() -> None:
    async with transcribing() as (native, transcriber, manager):
        await transcriber.start()
        assert await transcriber.feed(b"1234") == "hello"
        assert await transcriber.finish() == Transcript("hello")
        await pass_time(100)
        assert native.log == ["start", "feed 4", "finish"], "nothing is examined that is not suspected"
        assert not manager.would_kill()
        await transcriber.close()


async def test_a_hung_engine_is_not_fed() -> None:
    async with transcribing() as (native, transcriber, manager):
        await pass_time(30)
        native.stuck = True
        await fails_to_answer(transcriber)
        await pass_time(PATIENCE_S + 3 * PATIENCE_S / FEEDS_PER_TIMEOUT)
        assert manager.would_kill()


async def test_an_engine_that_was_slow_once_is_forgiven() -> None:
    """A swapping board, a slow card: the thread comes back, and no restart would have helped."""
    async with transcribing() as (native, transcriber, manager):
        native.stuck = True
        await fails_to_answer(transcriber)
        native.stuck = False
        await pass_time(600)
        assert not manager.would_kill()
        assert native.log.count("start") == 2, "examined once, and then left alone"


async def test_a_probe_never_disturbs_an_utterance() -> None:
    async with transcribing() as (native, transcriber, manager):
        native.stuck = True
        await fails_to_answer(transcriber)
        native.stuck, native.slow_s = False, 3.0
        await pass_time(PATIENCE_S / FEEDS_PER_TIMEOUT - LIMIT_S % (PATIENCE_S / FEEDS_PER_TIMEOUT) + 1)
        await transcriber.start()
        assert await transcriber.feed(b"12") == "hello"
        await pass_time(30)
        assert await transcriber.feed(b"34") == "hello"
        assert await transcriber.finish() == Transcript("hello")
        assert not manager.would_kill()


async def test_a_hanging_call_without_a_time_out_is_noticed() -> None:
    manager = Manager()
    calls = CallMonitor("the voice", LIMIT_S, now)
    voice = WatchedSynthesizer(ScriptedVoice(hangs=True), calls)
    async with watched(Watchdog({"v": calls}, manager.feed, PATIENCE_S, [voice.probe])), asyncio.TaskGroup() as group:
        call = group.create_task(voice.synthesize("hello"))
        await pass_time(2 * LIMIT_S + PATIENCE_S + 3 * PATIENCE_S / FEEDS_PER_TIMEOUT)
        assert manager.would_kill()
        call.cancel()


async def test_an_engine_that_answers_with_errors_does_not_hang() -> None:
    calls = CallMonitor("the voice", LIMIT_S, now)
    voice = WatchedSynthesizer(ScriptedVoice(failure=SpeechError("cannot say that")), calls)
    for _ in range(20):
        with pytest.raises(SpeechError):
            await voice.synthesize("hello")
    assert calls() is None


class SlowVoice(ScriptedVoice):
    """Runs out of its time, as often as a test says."""

    times = 1

    async def synthesize(self, text: str) -> SynthesizedSpeech:
        if self.times:
            self.times -= 1
            await asyncio.sleep(LIMIT_S)
            raise SpeechError("took too long")
        self.spoken.append(text)
        return SynthesizedSpeech(b"\1\0")


async def test_a_voice_that_ran_out_of_time_is_tried_with_a_letter() -> None:
    manager, inner = Manager(), SlowVoice()
    calls = CallMonitor("the voice", LIMIT_S, now)
    voice = WatchedSynthesizer(inner, calls)
    assert (voice.name, voice.rate) == (inner.name, inner.rate)
    async with watched(Watchdog({"v": calls}, manager.feed, PATIENCE_S, [voice.probe])):
        with pytest.raises(SpeechError):
            await voice.synthesize("A long sentence.")
        await pass_time(100)
        assert inner.spoken == ["a"]
        assert not manager.would_kill()


async def test_a_turn_that_was_given_up_makes_its_voice_suspect() -> None:
    """The turn's own patience may end before that of a voice without a time-out."""
    manager = Manager()
    calls = CallMonitor("the voice", LIMIT_S, now)
    voice = WatchedSynthesizer(ScriptedVoice(hangs=True), calls)
    async with watched(Watchdog({"v": calls}, manager.feed, PATIENCE_S, [voice.probe])):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(LIMIT_S + 1):
                await voice.synthesize("hello")
        await pass_time(PATIENCE_S + 3 * PATIENCE_S / FEEDS_PER_TIMEOUT)
        assert manager.would_kill()


async def test_barge_in_is_no_failure() -> None:
    calls = CallMonitor("the voice", LIMIT_S, now)
    voice = WatchedSynthesizer(ScriptedVoice(hangs=True), calls)
    async with asyncio.TaskGroup() as group:
        call = group.create_task(voice.synthesize("hello"))
        await pass_time(1)
        call.cancel()
    await pass_time(100)
    assert calls() is None


class Stuck:
    async def show(self, frame: BodyFrame) -> None:  # noqa: ARG002 - the port's signature
        await asyncio.Event().wait()

    async def close(self) -> None:
        pass


async def test_a_body_that_never_shows_its_picture_is_noticed() -> None:
    calls = CallMonitor("the body", 5.0, now)
    body = WatchedBody(Stuck(), calls)
    async with asyncio.TaskGroup() as group:
        call = group.create_task(body.show(BodyFrame({}, {})))
        await pass_time(12)
        assert calls() == "the body hangs: a call has been going on for 12 s"
        call.cancel()
    await body.close()


async def test_a_wake_word_that_cannot_be_heard_for_long_is_not_fed() -> None:
    manager, trouble = Manager(), ""
    watchdog = Watchdog({"wake word": TroubleCheck(lambda: trouble, now)}, manager.feed, PATIENCE_S)
    async with watched(watchdog):
        await pass_time(60)
        trouble = "alexa cannot be heard"
        await pass_time(DEAF_S - 1)
        trouble = ""
        await pass_time(60)
        assert not manager.would_kill(), "it was built anew in time"
        trouble = "alexa cannot be heard"
        await pass_time(DEAF_S + PATIENCE_S + PATIENCE_S / FEEDS_PER_TIMEOUT + 1)
        assert manager.would_kill()
        assert watchdog.problems == ("wake word: alexa cannot be heard",)
