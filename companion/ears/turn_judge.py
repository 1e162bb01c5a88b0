"""What a model of the ends of turns adds to the pause that the words ask for.

The model is asked at each likely end of an utterance, with its last seconds of sound. It stands beside the words, not
above them: it makes the pause shorter or longer within bounds. It runs in a thread, and one that does not answer in
time is not waited for.
"""

from __future__ import annotations

import asyncio

from companion.events import EAR_RATE, SAMPLE_BYTES, Transcript, Utterance
from companion.ports import Transcriber, TurnModel

KEPT_S = 8
"""Seconds of an utterance that the model hears: the last ones."""
TIMEOUT_S = 0.3

SHORTEST_S = 0.35
LONGEST_S = 1.5
OVER = 0.9
"""From this probability on that the person has finished, the pause is halved ..."""
NOT_OVER = 0.3
"""... and up to this one it is doubled."""

_KEPT = KEPT_S * EAR_RATE * SAMPLE_BYTES


def adjusted(pause_s: float, probability: float) -> float:
    """The pause behind words that a model takes for the end of a turn with this probability."""
    if probability >= OVER:
        return min(pause_s, max(SHORTEST_S, pause_s / 2))
    if probability <= NOT_OVER:
        return max(pause_s, min(LONGEST_S, pause_s * 2))
    return pause_s


class TurnJudge:
    """Satisfies `ports.Transcriber`: passes everything on to it, and keeps the sound for the model."""

    def __init__(self, transcriber: Transcriber, model: TurnModel) -> None:
        self.name = transcriber.name
        self._transcriber = transcriber
        self._model = model
        self._piece = b""
        """Sound since the last pause."""
        self._before = b""
        self._start = -1

    async def start(self) -> None:
        """See `ports.Transcriber`."""
        self._piece = b""
        await self._transcriber.start()

    async def feed(self, pcm: bytes) -> str:
        """See `ports.Transcriber`."""
        self._piece = (self._piece + pcm)[-_KEPT:]
        return await self._transcriber.feed(pcm)

    async def finish(self) -> Transcript:
        """See `ports.Transcriber`."""
        return await self._transcriber.finish()

    async def cancel(self) -> None:
        """See `ports.Transcriber`."""
        self.forget()
        await self._transcriber.cancel()

    async def close(self) -> None:
        """See `ports.Transcriber`."""
        await self._transcriber.close()

    def forget(self) -> None:
        """Drop all sound: the device was muted."""
        self._piece = self._before = b""

    async def pause_after(self, likely: Utterance, pause_s: float) -> float:
        """Seconds that the pause behind this utterance must last, where its words ask for `pause_s`."""
        goes_on = likely.start == self._start
        sound = ((self._before if goes_on else b"") + self._piece)[-_KEPT:]
        self._start, self._before, self._piece = likely.start, sound, b""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                return adjusted(pause_s, await asyncio.to_thread(self._model.is_over, sound, likely.text))
        except TimeoutError:
            return pause_s
