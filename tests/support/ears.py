"""Ears with scripted engines: a listener between a microphone that plays a list and a transcriber that has a script.

Sound says where it is: each sample's value is its position, in units of 32 samples, so a double (and a test) can tell
which sound it was given. All lengths are in samples or in frames of `FRAME` of them.
"""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

from companion.config.device import Device
from companion.ears.attention import Attention
from companion.ears.endpointing import Endpointer, SpeechPaused
from companion.ears.listener import Listener
from companion.errors import CompanionError
from companion.events import (
    AudioFrame,
    FirstSign,
    Hearing,
    LikelyUtterance,
    NobodySpoke,
    NoWords,
    Partial,
    SpeechResumed,
    Transcript,
    Utterance,
    WakeHeard,
)
from tests.support.synthetic_user import RATE

FRAME = 512
MOST_HEARD = 10_000
"""More than any test has to hear."""
SILENCE_FRAMES = 22
"""0.7 s are 21.9 frames of 32 ms."""
PAUSE_FRAMES = 5
"""0.15 s are 4.7 of them."""


def sound(start: int, end: int) -> AudioFrame:
    """Sound from one position to another."""
    return AudioFrame(array("h", [at // 32 for at in range(start, end)]).tobytes(), start)


def first_of(pcm: bytes) -> int:
    """Position of the first sample, to 32 samples."""
    return array("h", pcm[:2])[0] * 32


class Tape:
    """Stands for the microphone: plays a list. An error in it is raised, and ends that opening; a function is called.

    Opened again, it goes on where it stopped.
    """

    def __init__(self, *pieces: AudioFrame | CompanionError | Callable[[], None]) -> None:
        self._left = list(pieces)
        self.openings = 0

    async def frames(self) -> AsyncIterator[AudioFrame]:
        self.openings += 1
        while self._left:
            piece = self._left.pop(0)
            if isinstance(piece, AudioFrame):
                yield piece
            elif isinstance(piece, CompanionError):
                raise piece
            else:
                piece()

    async def close(self) -> None:
        pass


class WordAt:
    """Stands for the wake word's engine: hears its word in the frames that hold these positions.

    Refuses frames of another size. `examined` are the beginnings of those that it was given since `reset`,
    `over_answer` of those in which stop words are live.
    """

    words = ("okay_nabu",)

    def __init__(self, *positions: int, suspected: tuple[int, int] = (0, 0)) -> None:
        """It suspects the word in frames that begin within the span `suspected`."""
        self._positions = positions
        self._suspected = suspected
        self.suspects = False
        self.examined: list[int] = []
        self.over_answer: list[int] = []

    def detect(self, frame: AudioFrame, *, speaking: bool = False) -> str | None:
        assert len(frame.pcm) == FRAME * 2
        self.suspects = self._suspected[0] <= frame.start < self._suspected[1]
        self.examined.append(frame.start)
        self.over_answer += [frame.start] * speaking
        return "okay_nabu" if any(frame.start <= at < frame.end for at in self._positions) else None

    def reset(self) -> None:
        self.examined.clear()


class VoiceAt:
    """Stands for the speech detector: finds speech in frames that begin within these spans of positions.

    Refuses frames of another size.
    """

    frame_samples = FRAME

    def __init__(self, *spans: tuple[int, int]) -> None:
        self._spans = spans
        self.calls = 0

    def probability(self, pcm: bytes) -> float:
        assert len(pcm) == FRAME * 2
        self.calls += 1
        return 0.9 if any(first <= first_of(pcm) < last for first, last in self._spans) else 0.1

    def reset(self) -> None:
        pass


class Scribe:
    """Stands for the transcriber: answers from a script, one entry an utterance; an error in it is raised at `finish`.

    Refuses calls out of order, and pieces of more than 0.2 s. `utterances` is the sound that it was given.
    """

    name = "scribe"

    def __init__(self, *texts: str | CompanionError, takes_s: float = 0.0) -> None:
        self._texts = list(texts)
        self._takes_s = takes_s
        self._busy = False
        self.utterances: list[bytes] = []
        self.cancelled = 0
        self.finishing: Callable[[], None] = lambda: None

    async def start(self) -> None:
        assert not self._busy
        self._busy = True
        self.utterances.append(b"")

    async def feed(self, pcm: bytes) -> str:
        assert self._busy
        assert 0 < len(pcm) <= 0.2 * RATE * 2
        self.utterances[-1] += pcm
        # One word for each half second heard.
        return " ".join(["word"] * (len(self.utterances[-1]) // RATE))

    async def finish(self) -> Transcript:
        assert self._busy
        self.finishing()
        await asyncio.sleep(self._takes_s)
        text = self._texts.pop(0)
        if isinstance(text, CompanionError):
            raise text
        self._busy = False
        return Transcript(text, 0.9)

    async def cancel(self) -> None:
        assert self._busy
        self._busy = False
        self.cancelled += 1

    async def close(self) -> None:
        pass


def device(**ears: Any) -> Device:
    """A device file with this `[ears]` table."""
    return Device.model_validate({"persona": "bear.toml", "ears": ears})


def listener(tape: Tape, voice: VoiceAt, scribe: Scribe, word: WordAt | None = None, **endpoint: Any) -> Listener:
    """A listener with these doubles; `endpoint` are settings of `[ears.endpoint]`."""
    return Listener(tape, word, voice, scribe, device(endpoint=endpoint).ears)


def whole(end_frame: int, size: int = FRAME, first_frame: int = 0) -> list[AudioFrame]:
    """Sound up to a frame of 32 ms, in pieces of `size` samples."""
    end = end_frame * FRAME
    return [sound(at, min(at + size, end)) for at in range(first_frame * FRAME, end, size)]


async def everything(ears: Listener, react: Callable[[Hearing], Attention | None] = lambda _: None) -> list[Hearing]:
    """All that is heard until the sound ends, but for first signs (tests/ears/test_first_signs.py).

    After each, `react` may say what to listen for from there on.
    """
    heard = []
    async for hearing in ears.hear():
        if isinstance(hearing, FirstSign):
            continue
        heard.append(hearing)
        assert len(heard) < MOST_HEARD, "it never ends"
        attention = react(hearing)
        if attention is not None:
            ears.listen_for(attention)
    return heard


def as_a_conversation(hearing: Hearing) -> Attention | None:
    """React as the conversation does: words behind a wake word, then the wake word again."""
    match hearing:
        case WakeHeard():
            return Attention.WORDS(5.0)
        case Utterance() | NobodySpoke():
            return Attention.WAKE
    return None


def frames_decided(endpointer: Endpointer, frames: Iterable[tuple[bytes, float]]) -> list[Any]:
    """All that an endpointer decides on frames from position 0 on, each with how likely it holds speech."""
    made = [endpointer.feed(AudioFrame(pcm, at * FRAME), one) for at, (pcm, one) in enumerate(frames)]
    return without_pauses(made)


def without_pauses(decisions: Iterable[Any]) -> list[Any]:
    """What an endpointer decides, without what may still be taken back."""
    return [one for one in decisions if one is not None and type(one) not in (SpeechPaused, SpeechResumed)]


def without_partials(heard: Iterable[Hearing]) -> list[Hearing]:
    """What is heard, without the guesses on the way."""
    return [
        hearing for hearing in heard if not isinstance(hearing, Partial | LikelyUtterance | SpeechResumed | NoWords)
    ]


def voiced(first_frame: int, end_frame: int) -> tuple[int, int]:
    """A span for `VoiceAt`, in frames."""
    return (first_frame * FRAME, end_frame * FRAME)
