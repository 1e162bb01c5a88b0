"""The talk in which somebody teaches a unit their voice: it asks, listens, checks what it heard, and asks again.

`VoiceEnrolment` holds it in a running unit, `companion wakeword enroll` in one that is stopped. The sound stays in
memory, and only until it has been learnt.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

import numpy as np

from companion.config.device import EndpointSettings
from companion.config.wake import WakeWordSettings
from companion.config.word_file import WordFile
from companion.ears.endpointing import Endpointer, Framer, SpeechEnded
from companion.ears.wake_custom.embeddings import Networks
from companion.ears.wake_custom.enrolment import check, enrolled
from companion.ears.wake_custom.learnt import keep_learnt, read_learnt
from companion.ears.wake_custom.recordings import Finder, Found, Samples, fault
from companion.errors import CompanionError, DeviceError
from companion.events import EAR_RATE, SAMPLE_BYTES, AudioFrame, NobodySpoke, State
from companion.languages.language import EnrolmentLines
from companion.ports import Microphone, SpeechDetector
from companion.priority import step_back

log = logging.getLogger("companion")

TIMES = 10
"""How often it asks."""
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

    def hear(self, frame: AudioFrame) -> None:
        """Take the next sound."""
        for piece in self._framer.frames(frame):
            if self._wanted is not None:
                self._hear_utterance(piece, self._wanted)
            elif self._room is not None:
                self._hear_room(piece, *self._room)

    async def listen(self, frames: AsyncIterator[AudioFrame]) -> None:
        """Take all sound until cancelled. Raises `DeviceError`, also where the sound ends."""
        async for frame in frames:
            self.hear(frame)
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
    terminal. Raises `CompanionError` where too few come.
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


class VoiceEnrolment:
    """Lets the wake words of a running unit learn a voice. Its `teach` is one answer of the conversation."""

    def __init__(
        self,
        words: Iterable[WakeWordSettings],
        ears: Callable[[], Ears],
        networks: Callable[[], Networks],
        on_learnt: Callable[[str], None],
        on_error: Callable[[CompanionError], None] = lambda _: None,
    ) -> None:
        """`words`: those that can learn. `ears` and `networks` are made when a lesson begins.

        `on_learnt` is told the word whose file is new, `on_error` why nothing was learnt.
        """
        self._words = {one.name: one for one in words if one.role == "wake"}
        self._make_ears = ears
        self._make_networks = networks
        self._on_learnt = on_learnt
        self._on_error = on_error
        self._ears: Ears | None = None

    def tapped(self, microphone: Microphone) -> Microphone:
        """The microphone, with this listening too while a lesson lasts."""
        return _Tapped(microphone, self._hear)

    async def teach(
        self,
        woken_by: str,
        lines: EnrolmentLines,
        say: Callable[[str], Awaitable[None]],
        show: Callable[[State], None],
    ) -> None:
        """Ask, listen and learn, and say how it went. Nothing has changed where it is cancelled, or fails."""
        word = self._words.get(woken_by) or next(iter(self._words.values()), None)
        if word is None or word.file is None:
            await say(lines.no_word)
            return
        self._ears = self._make_ears()
        try:
            learnt = await self._learnt(word, self._ears, lines, say, show)
            await asyncio.to_thread(keep_learnt, word.file, learnt)
        except CompanionError as error:
            self._on_error(error)
            await say(lines.failed)
            return
        finally:
            self._ears = None
        log.info("%s has learnt how it is called, from %d recordings.", word.name, learnt.card.enrolled)
        self._on_learnt(word.name)
        await say(lines.done)

    async def _learnt(
        self,
        settings: WakeWordSettings,
        ears: Ears,
        lines: EnrolmentLines,
        say: Callable[[str], Awaitable[None]],
        show: Callable[[State], None],
    ) -> WordFile:
        assert settings.file is not None
        word = await asyncio.to_thread(read_learnt, settings.file)
        networks = await asyncio.to_thread(self._make_networks)

        def listening(is_listening: bool) -> None:
            show(State.LISTENING if is_listening else State.THINKING)

        recordings = await ask_for_recordings(
            *(word, TIMES), networks=networks, lines=lines, say=say, ears=ears, listening=listening, tell=log.debug
        )
        await say(lines.learning)
        show(State.THINKING)
        ended = threading.Event()

        def learn() -> WordFile:
            step_back()
            return enrolled(word, recordings, networks=networks, is_wanted=lambda: not ended.is_set())

        try:
            return await asyncio.to_thread(learn)
        finally:
            # A thread cannot be cancelled, and the process would wait for its end.
            ended.set()

    def _hear(self, frame: AudioFrame) -> None:
        if self._ears is not None:
            self._ears.hear(frame)


class _Tapped:
    """A microphone that somebody else listens to as well. Satisfies `companion.ports.Microphone`."""

    def __init__(self, microphone: Microphone, hear: Callable[[AudioFrame], None]) -> None:
        self._microphone = microphone
        self._hear = hear

    async def frames(self) -> AsyncIterator[AudioFrame]:
        """See `companion.ports.Microphone`."""
        async for frame in self._microphone.frames():
            self._hear(frame)
            yield frame

    def time_of(self, position: int) -> float:
        """See `companion.ports.Microphone`."""
        return self._microphone.time_of(position)

    async def close(self) -> None:
        """See `companion.ports.Microphone`."""
        await self._microphone.close()
