"""Who keeps an eye on the engines: nobody, where files are played, or the watchdog of a running device.

The engines are wrapped as they are made, and each wrapper tells how long its calls take. On the loop.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from companion.config import Device
from companion.ports import Body, Synthesizer, Transcriber
from companion.service.watched_engines import BODY_S, Calls, WatchedBody, WatchedSynthesizer, WatchedTranscriber


class Watch(Protocol):
    """Hands back what it is given, under watch."""

    def transcriber(self, engine: Transcriber) -> Transcriber: ...
    def synthesizer(self, engine: Synthesizer) -> Synthesizer: ...
    def body(self, body: Body) -> Body: ...


class Unwatched:
    """Watches nothing."""

    def transcriber(self, engine: Transcriber) -> Transcriber:
        """The engine itself."""
        return engine

    def synthesizer(self, engine: Synthesizer) -> Synthesizer:
        """The engine itself."""
        return engine

    def body(self, body: Body) -> Body:
        """The body itself."""
        return body


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
