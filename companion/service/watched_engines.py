"""Engines and bodies under watch: whether a call into one is older than it may be.

A native call cannot be stopped. Its adapter gives it up after a time-out and raises `SpeechError`, but the thread may
be stuck for good, so that each later call would time out as well. An engine that ran out of its time is therefore
*suspected*: it is examined with a small call of its own as soon as nobody uses it, and counts as hung until a call of
either kind comes back. An engine that answers with an error, however often, does not hang.

The wrappers satisfy the ports and change nothing else. On the loop; times are seconds of the loop's clock.

Who keeps an eye on the engines: nobody, where files are played, or the watchdog of a running device.

The engines are wrapped as they are made, and each wrapper tells how long its calls take. On the loop.
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
"""What the loop may need to notice an adapter's own time-out."""
BODY_S = 5.0
"""How long a body may take to show a picture; a serial port that comes back needs none of it."""

T = TypeVar("T")


class Calls:
    """The calls into one engine. Itself a check for the watchdog."""

    def __init__(self, name: str, limit_s: float, now: Callable[[], float]) -> None:
        """`limit_s` is the time-out of a single call."""
        self._name = name
        self._limit_s = limit_s
        self._now = now
        self._under_way: dict[object, float] = {}
        self.suspected = False
        """Whether the last call that ended ran out of its time."""
        self._examined_in_vain = False

    async def through(self, call: Awaitable[T]) -> T:
        """Await a call and keep its time. Raises what it raises."""
        token, began = object(), self._now()
        self._under_way[token] = began
        try:
            answer = await call
        except CompanionError:
            self._judge(self._now() - began)
            raise
        except asyncio.CancelledError:
            # A turn that was given up says nothing of the engine, unless the engine had its time.
            if self._out_of_time(self._now() - began):
                self.suspected = True
            raise
        else:
            self._judge(0.0)
            return answer
        finally:
            del self._under_way[token]

    async def examine(self, call: Callable[[], Awaitable[object]]) -> None:
        """If it is suspected and unused, see whether it answers to `call`."""
        if not self.suspected or self._under_way:
            return
        answered = False
        try:
            with suppress(CompanionError):
                await self.through(call())
            answered = not self.suspected
        finally:
            # A cancelled examination got no answer in its time either.
            self._examined_in_vain = not answered

    def __call__(self) -> str | None:
        """The check."""
        oldest = max((self._now() - began for began in self._under_way.values()), default=0.0)
        # The first call may wait for the model to be loaded as long again.
        if oldest > 2 * self._limit_s + MARGIN_S:
            return f"{self._name} hangs: a call has been going on for {oldest:.0f} s"
        if self.suspected and self._examined_in_vain:
            return f"{self._name} hangs: it let {self._limit_s:g} s pass and does not answer to a trial either"
        return None

    def _judge(self, took: float) -> None:
        self.suspected = self._out_of_time(took)
        if not self.suspected:
            self._examined_in_vain = False

    def _out_of_time(self, took: float) -> bool:
        # A loop's timer may fire a trifle early.
        return took >= 0.95 * self._limit_s


class WatchedTranscriber:
    """A transcriber under watch. Satisfies `ports.Transcriber`."""

    def __init__(self, transcriber: Transcriber, calls: Calls) -> None:
        self.name = transcriber.name
        self._transcriber = transcriber
        self._calls = calls
        self._busy = False
        self._examination = asyncio.Lock()

    async def start(self) -> None:
        """See the port. Waits for an examination that is going on."""
        async with self._examination:
            self._busy = False
            await self._calls.through(self._transcriber.start())
            self._busy = True

    async def feed(self, pcm: bytes) -> str:
        """See the port."""
        return await self._calls.through(self._transcriber.feed(pcm))

    async def finish(self) -> Transcript:
        """See the port."""
        self._busy = False
        return await self._calls.through(self._transcriber.finish())

    async def cancel(self) -> None:
        """See the port."""
        self._busy = False
        await self._transcriber.cancel()

    async def close(self) -> None:
        """See the port."""
        await self._transcriber.close()

    async def examine(self) -> None:
        """If it is suspected to hang and nobody uses it, begin an utterance and drop it."""
        async with self._examination:
            if not self._busy:
                await self._calls.examine(self._try)

    async def _try(self) -> None:
        try:
            await self._transcriber.start()
        finally:
            await self._transcriber.cancel()


class WatchedSynthesizer:
    """A voice under watch. Satisfies `ports.Synthesizer`."""

    def __init__(self, synthesizer: Synthesizer, calls: Calls) -> None:
        self.name = synthesizer.name
        self.rate = synthesizer.rate
        self._synthesizer = synthesizer
        self._calls = calls

    async def synthesize(self, text: str) -> SynthesizedSpeech:
        """See the port."""
        return await self._calls.through(self._synthesizer.synthesize(text))

    async def close(self) -> None:
        """See the port."""
        await self._synthesizer.close()

    async def examine(self) -> None:
        """If it is suspected to hang, let it synthesize one letter, which nobody hears."""
        await self._calls.examine(self._try)

    async def _try(self) -> None:
        if not (await self._synthesizer.synthesize("a")).pcm:
            raise SpeechError("the voice made no sound of a letter")


class WatchedBody:
    """A body under watch. Satisfies `ports.Body`."""

    def __init__(self, body: Body, calls: Calls) -> None:
        self._body = body
        self._calls = calls

    async def show(self, frame: BodyFrame) -> None:
        """See the port."""
        await self._calls.through(self._body.show(frame))

    async def close(self) -> None:
        """See the port."""
        await self._body.close()


class EngineWatch:
    """Watches the engines of one device. A voice that was left for another persona's is watched no more."""

    def __init__(self, device: Device, now: Callable[[], float]) -> None:
        """`now`: seconds of the loop's clock."""
        self._device = device
        self._now = now
        self._calls: dict[str, Calls] = {}
        self._examinations: dict[str, Callable[[], Awaitable[None]]] = {}

    def transcriber(self, engine: Transcriber) -> Transcriber:
        """The transcriber, under watch."""
        calls = self._watched("transcriber", engine.name, self._device.ears.transcriber.timeout_s)
        watched = WatchedTranscriber(engine, calls)
        self._examinations["transcriber"] = watched.examine
        return watched

    def synthesizer(self, engine: Synthesizer) -> Synthesizer:
        """The voice, under watch."""
        watched = WatchedSynthesizer(engine, self._watched("voice", engine.name, self._device.voice.timeout_s))
        self._examinations["voice"] = watched.examine
        return watched

    def body(self, body: Body) -> Body:
        """The body, under watch."""
        return WatchedBody(body, self._watched(f"body {len(self._calls)}", "the body", BODY_S))

    def complaint(self) -> str | None:
        """Why an engine is not alive; a check of the watchdog."""
        return next((sentence for calls in self._calls.values() if (sentence := calls()) is not None), None)

    async def examine(self) -> None:
        """Try those that are suspected to hang."""
        for examine in tuple(self._examinations.values()):
            await examine()

    def _watched(self, place: str, name: str, limit_s: float) -> Calls:
        calls = self._calls[place] = Calls(name, limit_s, self._now)
        return calls
