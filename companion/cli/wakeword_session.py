"""The talk in which somebody teaches a unit their voice: it asks, listens, checks what it heard, and asks again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import numpy as np

from companion.config.device import EndpointSettings
from companion.config.word_file import WordFile
from companion.ears.endpointing import Endpointer, Framer, SpeechEnded
from companion.ears.wake_custom.embeddings import Networks
from companion.ears.wake_custom.enrolment import check
from companion.ears.wake_custom.recordings import Finder, Found, Samples, fault
from companion.errors import CompanionError, DeviceError
from companion.events import EAR_RATE, SAMPLE_BYTES, AudioFrame, NobodySpoke
from companion.languages.language import EnrolmentLines
from companion.ports import SpeechDetector

LEAST_GOOD = 5
"""Recordings without which nothing is learnt."""
MOST_FAULTS = 6
"""How often it asks again, in all."""
PATIENCE_S = 6.0
"""How long it waits for somebody to speak."""
_MARGIN = round(0.5 * EAR_RATE)
"""Samples kept before and after what was said: the room, above which the word is found."""


class Ears:
    """The microphone while it is asked about single utterances. Sound that nobody asked for is dropped."""

    def __init__(self, detector: SpeechDetector, settings: EndpointSettings) -> None:
        self._detector = detector
        self._framer = Framer(detector.frame_samples)
        self._endpointer = Endpointer(settings)
        self._wanted: asyncio.Future[Samples] | None = None
        self._room: tuple[asyncio.Future[Samples], int] | None = None
        self._pcm = bytearray()
        self._begin: int | None = None

    async def listen(self, frames: AsyncIterator[AudioFrame]) -> None:
        """Take all sound until cancelled. Raises `DeviceError`, also where the sound ends."""
        async for frame in frames:
            for piece in self._framer.frames(frame):
                if self._wanted is not None:
                    self._hear_utterance(piece, self._wanted)
                elif self._room is not None:
                    self._hear_room(piece, *self._room)
        raise DeviceError("the microphone gives no more sound; nothing was changed")

    async def utterance(self) -> Samples:
        """What is said next, with a little of the room around it; empty where nobody speaks."""
        self._pcm.clear()
        self._begin = None
        self._wanted = asyncio.get_running_loop().create_future()
        try:
            return await self._wanted
        finally:
            self._wanted = None

    async def room(self, seconds: float) -> Samples:
        """So much sound."""
        self._pcm.clear()
        self._room = (asyncio.get_running_loop().create_future(), round(seconds * EAR_RATE) * SAMPLE_BYTES)
        try:
            return await self._room[0]
        finally:
            self._room = None

    def forget(self) -> None:
        """Drop the sound that is kept."""
        self._pcm.clear()

    def _hear_room(self, piece: AudioFrame, wanted: asyncio.Future[Samples], length: int) -> None:
        self._pcm += piece.pcm
        if len(self._pcm) >= length and not wanted.done():
            wanted.set_result(np.frombuffer(bytes(self._pcm), np.int16))

    def _hear_utterance(self, piece: AudioFrame, wanted: asyncio.Future[Samples]) -> None:
        if wanted.done():
            return
        if self._begin is None:
            self._begin = piece.start
            self._detector.reset()
            self._endpointer.begin(piece.start, PATIENCE_S)
        self._pcm += piece.pcm
        decision = self._endpointer.feed(piece, self._detector.probability(piece.pcm))
        if isinstance(decision, NobodySpoke):
            wanted.set_result(np.zeros(0, np.int16))
        elif isinstance(decision, SpeechEnded):
            samples = np.frombuffer(bytes(self._pcm), np.int16)
            start, end = decision.start - self._begin - _MARGIN, decision.end - self._begin + _MARGIN
            wanted.set_result(samples[max(0, start) : end])


async def ask_for_recordings(
    word: WordFile,
    times: int,
    *,
    networks: Networks,
    lines: EnrolmentLines,
    say: Callable[[str], Awaitable[None]],
    ears: Ears,
    listening: Callable[[bool], None] = lambda _: None,
    tell: Callable[[str], None] = lambda _: None,
) -> list[Samples]:
    """So many good recordings of the word, or at least `LEAST_GOOD`.

    `say` speaks and returns when it has been heard; `listening` shows that it is the person's turn; `tell` is for the
    terminal. Raises `CompanionError` where too few come, after having said so.
    """
    head = check(word, word.phrase)
    finder = Finder(head, networks, word.card.seconds)
    good: list[Samples] = []
    found: list[Found] = []
    faults = 0
    await say(lines.begin.format(phrase=word.phrase))
    line = lines.first
    while len(good) < times and faults <= MOST_FAULTS:
        await say(line)
        listening(True)
        samples = await ears.utterance()
        listening(False)
        one = await asyncio.to_thread(finder.find, samples)
        wrong = fault(samples, one, word.arrays["word"], found)
        if wrong is None and one is not None:
            good.append(samples)
            found.append(one)
            line = lines.again[(len(good) - 1) % len(lines.again)]
            tell(f"{len(good)} of {times}")
        else:
            faults += 1
            line = getattr(lines, wrong or "nothing")
            tell(f"not taken: {_REASONS[wrong or 'nothing']}")
    if len(good) < LEAST_GOOD:
        await say(lines.failed)
        raise CompanionError(
            f"Only {len(good)} of {times} recordings were good, and {LEAST_GOOD} are needed; nothing was changed. "
            "Call from one or two metres away, in a quiet room; `companion doctor` tests the microphone."
        )
    return good


_REASONS = {
    "nothing": "nothing was heard",
    "quiet": "too quiet",
    "loud": "too loud, the microphone cuts it off",
    "different": "it does not sound like the others",
}
