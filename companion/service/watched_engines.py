"""Engines and bodies that the watchdog monitors: wrappers that measure how long each call into one takes.

A native call cannot be stopped. Its adapter gives up after a time-out and raises `SpeechError`, but the thread may be
stuck for good, so that every later call would time out too. An engine that exceeded its time is therefore *suspected*:
it is probed with a small call as soon as it is unused, and counts as hung until some call returns. An engine that
answers with an error, however often, does not hang.

The wrappers satisfy the ports and change nothing else. `EngineWatch` wraps the engines of a running device as they are
built. On the loop; times are seconds of the loop's clock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from companion.config.device import Device
from companion.errors import CompanionError, SpeechError
from companion.events import BodyFrame, SynthesizedSpeech, Transcript
from companion.ports import Body, Synthesizer, Transcriber

MARGIN_S = 1.0
"""Time that the loop may need to notice an adapter's own time-out."""
BODY_S = 5.0
"""Longest time for a body to show a frame. Reopening a serial port does not count towards it."""

T = TypeVar("T")


class CallMonitor:
    """Times the calls into one engine. An instance is a check for the watchdog."""

    def __init__(self, name: str, limit_s: float, now: Callable[[], float]) -> None:
        """`limit_s` is the time-out of a single call."""
        self._name = name
        self._limit_s = limit_s
        self._now = now
        self._under_way: dict[object, float] = {}
        self.suspected = False
        """Whether the last call that ended exceeded its time."""
        self._probe_failed = False

    async def track(self, call: Awaitable[T]) -> T:
        """Await a call and measure its time. Raises what the call raises."""
        token, began = object(), self._now()
        self._under_way[token] = began
        try:
            answer = await call
        except CompanionError:
            self._record(self._now() - began)
            raise
        except asyncio.CancelledError:
            # A cancelled turn says nothing about the engine, unless the engine's time was already over.
            if self._out_of_time(self._now() - began):
                self.suspected = True
            raise
        else:
            self._record(0.0)
            return answer
        finally:
            del self._under_way[token]

    async def probe(self, call: Callable[[], Awaitable[object]]) -> None:
        """If the engine is suspected and unused, find out whether it answers to `call`."""
        if not self.suspected or self._under_way:
            return
        answered = False
        try:
            with suppress(CompanionError):
                await self.track(call())
            answered = not self.suspected
        finally:
            # A cancelled probe got no answer in time either.
            self._probe_failed = not answered

    def __call__(self) -> str | None:
        """The check."""
        oldest = max((self._now() - began for began in self._under_way.values()), default=0.0)
        # The first call may wait just as long for the model to load.
        if oldest > 2 * self._limit_s + MARGIN_S:
            return f"{self._name} hangs: a call has been going on for {oldest:.0f} s"
        if self.suspected and self._probe_failed:
            return f"{self._name} hangs: it let {self._limit_s:g} s pass and does not answer to a trial either"
        return None

    def _record(self, took: float) -> None:
        self.suspected = self._out_of_time(took)
        if not self.suspected:
            self._probe_failed = False

    def _out_of_time(self, took: float) -> bool:
        # A timer of the loop may fire slightly early.
        return took >= 0.95 * self._limit_s


class WatchedTranscriber:
    """A monitored transcriber. Satisfies `ports.Transcriber`."""

    def __init__(self, transcriber: Transcriber, calls: CallMonitor) -> None:
        self.name = transcriber.name
        self._transcriber = transcriber
        self._calls = calls
        self._busy = False
        self._probing = asyncio.Lock()

    async def start(self) -> None:
        """See the port. Waits for a running probe."""
        async with self._probing:
            self._busy = False
            await self._calls.track(self._transcriber.start())
            self._busy = True

    async def feed(self, pcm: bytes) -> str:
        """See the port."""
        return await self._calls.track(self._transcriber.feed(pcm))

    async def finish(self) -> Transcript:
        """See the port."""
        self._busy = False
        return await self._calls.track(self._transcriber.finish())

    async def cancel(self) -> None:
        """See the port."""
        self._busy = False
        await self._transcriber.cancel()

    async def close(self) -> None:
        """See the port."""
        await self._transcriber.close()

    async def probe(self) -> None:
        """If it is suspected to hang and unused, start an utterance and cancel it."""
        async with self._probing:
            if not self._busy:
                await self._calls.probe(self._probe_call)

    async def _probe_call(self) -> None:
        try:
            await self._transcriber.start()
        finally:
            await self._transcriber.cancel()


class WatchedSynthesizer:
    """A monitored synthesizer. Satisfies `ports.Synthesizer`."""

    def __init__(self, synthesizer: Synthesizer, calls: CallMonitor) -> None:
        self.name = synthesizer.name
        self.rate = synthesizer.rate
        self._synthesizer = synthesizer
        self._calls = calls

    async def synthesize(self, text: str) -> SynthesizedSpeech:
        """See the port."""
        return await self._calls.track(self._synthesizer.synthesize(text))

    async def close(self) -> None:
        """See the port."""
        await self._synthesizer.close()

    async def probe(self) -> None:
        """If it is suspected to hang, synthesize one letter, which is not played."""
        await self._calls.probe(self._probe_call)

    async def _probe_call(self) -> None:
        if not (await self._synthesizer.synthesize("a")).pcm:
            raise SpeechError("the voice made no sound of a letter")


class WatchedBody:
    """A monitored body. Satisfies `ports.Body`."""

    def __init__(self, body: Body, calls: CallMonitor) -> None:
        self._body = body
        self._calls = calls

    async def show(self, frame: BodyFrame) -> None:
        """See the port."""
        await self._calls.track(self._body.show(frame))

    async def close(self) -> None:
        """See the port."""
        await self._body.close()


class EngineWatch:
    """Monitors the engines of one device. A voice that was replaced by another persona's is no longer monitored."""

    def __init__(self, device: Device, now: Callable[[], float]) -> None:
        """`now`: seconds of the loop's clock."""
        self._device = device
        self._now = now
        self._calls: dict[str, CallMonitor] = {}
        self._probes: dict[str, Callable[[], Awaitable[None]]] = {}

    def transcriber(self, engine: Transcriber) -> Transcriber:
        """Wrap the transcriber."""
        calls = self._watched("transcriber", engine.name, self._device.ears.transcriber.timeout_s)
        watched = WatchedTranscriber(engine, calls)
        self._probes["transcriber"] = watched.probe
        return watched

    def synthesizer(self, engine: Synthesizer) -> Synthesizer:
        """Wrap the voice."""
        watched = WatchedSynthesizer(engine, self._watched("voice", engine.name, self._device.voice.timeout_s))
        self._probes["voice"] = watched.probe
        return watched

    def body(self, body: Body) -> Body:
        """Wrap the body."""
        return WatchedBody(body, self._watched(f"body {len(self._calls)}", "the body", BODY_S))

    def first_problem(self) -> str | None:
        """The first failing engine's sentence, or None. A check for the watchdog."""
        return next((sentence for calls in self._calls.values() if (sentence := calls()) is not None), None)

    async def probe(self) -> None:
        """Probe the engines that are suspected to hang."""
        for probe in tuple(self._probes.values()):
            await probe()

    def _watched(self, place: str, name: str, limit_s: float) -> CallMonitor:
        calls = self._calls[place] = CallMonitor(name, limit_s, self._now)
        return calls
