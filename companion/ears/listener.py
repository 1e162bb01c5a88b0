"""From sound to what was said: the one place where wake word, voice activity and transcriber meet.

The conversation says what is listened for (`listen_for`); the listener never decides that by itself. Frames are pulled
from the microphone one by one, cut to the detector's size, and each is worked through before the next is pulled, so a
file in place of the card gives the same result each time. Wake word and detector run inline (each a tenth of a
millisecond); the transcriber is awaited, and sound that arrives meanwhile waits in the microphone's queue.

What listening costs: the wake word runs on every frame unless nothing is listened for; the detector and the transcriber
only while words are listened for. A wake word among words ends them without an answer: they begin anew behind it.

Positions are samples at `EAR_RATE`. One task, no threads.

What the listener listens for; the conversation decides.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

from companion.config.device import EarsSettings
from companion.ears.endpointing import LOOK_BACK, Endpointer, Framer, SpeechEnded, after_wake_word
from companion.events import (
    EAR_RATE,
    SAMPLE_BYTES,
    AudioFrame,
    Control,
    Hearing,
    NobodySpoke,
    Partial,
    SpeechStarted,
    Utterance,
    WakeHeard,
)
from companion.ports import Microphone, SpeechDetector, Transcriber, WakeWord


@dataclass(frozen=True, slots=True)
class Attention:
    """What is listened for: `Attention.NOTHING`, `Attention.WAKE` or `Attention.WORDS(nobody_s)`."""

    kind: Literal["nothing", "wake", "words"]
    nobody_s: float = math.inf
    """Words only: seconds of sound without speech after which `NobodySpoke` comes."""

    NOTHING: ClassVar[Attention]
    """Muted: sound is dropped at once, neither kept nor examined."""

    WAKE: ClassVar[Attention]
    """The wake word and the button: at rest, and while an answer is made or said (barge-in)."""

    @classmethod
    def WORDS(cls, nobody_s: float = math.inf) -> Attention:
        """An utterance. After it, or after `NobodySpoke`, the next one is listened for in the same way."""
        return cls("words", nobody_s)


Attention.NOTHING = Attention("nothing")
Attention.WAKE = Attention("wake")


FRAMES_A_PIECE = 4
"""Frames that go to the transcriber at once: 128 ms, small enough for streaming, large enough to be cheap."""

BUTTON_LOOK_BACK = round(0.25 * EAR_RATE)
"""Samples before the button's press that still belong to the words: people press while they begin to speak."""

_WOKEN_FOR = EAR_RATE
"""Samples after a wake within which asking for words counts as the answer to it."""


class Listener:
    """Yields what is heard. Begins with `Attention.WAKE`."""

    position: int
    """Up to where sound has come in."""

    def __init__(
        self,
        microphone: Microphone,
        wake_word: WakeWord | None,
        detector: SpeechDetector,
        transcriber: Transcriber,
        settings: EarsSettings,
    ) -> None:
        self._microphone = microphone
        self._wake_word = wake_word
        self._detector = detector
        self._transcriber = transcriber
        self._endpointer = Endpointer(settings.endpoint)
        self._preroll = round(settings.endpoint.preroll_s * EAR_RATE)
        kept = self._preroll + LOOK_BACK + FRAMES_A_PIECE * detector.frame_samples
        self._past: deque[AudioFrame] = deque(maxlen=math.ceil(kept / detector.frame_samples))
        self._framer = Framer(detector.frame_samples)
        self.position = 0
        self._source: AsyncIterator[AudioFrame] | None = None
        self._attention = Attention.WAKE
        self._attention_is_new = True
        self._interjected: deque[Control | WakeHeard] = deque()
        self._woken: _Woken | None = None
        """The last `WakeHeard`, until the words behind it are listened for."""
        self._floor = 0
        """Sound before this position does not belong to the person who is listened to."""
        self._transcribing = False
        self._untranscribed: deque[bytes] = deque()
        self._partial = ""

    def listen_for(self, what: Attention) -> None:
        """Change what is listened for, from the next frame on. Words begun under an earlier call are dropped.

        Asking for the wake word again while it is listened for changes nothing. `Attention.WORDS` in answer to a
        `WakeHeard` takes in what was said right behind the wake word; else it begins with the next frame, so that
        the device's own voice is not taken for the person's.
        """
        if what.kind == "wake" and self._attention.kind == "wake":
            return
        if what.kind == "nothing":
            self._past.clear()
            self._framer.drop()
            if self._wake_word is not None:
                self._wake_word.reset()
        if what.kind != "words":
            self._woken = None
        self._attention = what
        self._attention_is_new = True

    def interject(self, heard: Control | WakeHeard) -> None:
        """Let `hear()` yield this before the next sound, even when muted. Call it on the loop's thread.

        After a `WakeHeard` (the button) the words may have begun shortly before it.
        """
        self._interjected.append(heard)

    def heard_button(self) -> None:
        """The push-to-talk button went down."""
        self.interject(WakeHeard("button", self.position))

    async def hear(self) -> AsyncIterator[Hearing]:
        """Listen until the microphone has no more sound (a file), then end the utterance that is going on, if any.

        Raises `SpeechError` (transcriber) and `DeviceError` (microphone). Both drop the words that were being heard;
        call again to go on: the microphone stays open after the first and is opened anew after the second.
        """
        self._attention_is_new = True
        try:
            # Before the microphone is opened too: while it is away the switches must work.
            for interjected in self._interjections():
                yield interjected
            while (sound := await self._next()) is not None:
                for interjected in self._interjections():
                    yield interjected
                if sound.start < self.position:
                    # Positions began anew: the microphone was opened again.
                    self._past.clear()
                    self._woken = None
                    self._attention_is_new = True
                self.position = sound.end
                if self._attention.kind == "nothing":
                    await self._drop_words()
                    continue
                for frame in self._framer.frames(sound):
                    async for hearing in self._examine(frame):
                        yield hearing
            if self._transcribing and not self._attention_is_new:
                ended = self._endpointer.cut_off(self.position)
                if ended is not None and (utterance := await self._transcribe(ended)) is not None:
                    yield utterance
        finally:
            await self._drop_words()

    def _interjections(self) -> Iterator[Control | WakeHeard]:
        while self._interjected:
            interjected = self._interjected.popleft()
            if isinstance(interjected, WakeHeard):
                began = interjected.at - BUTTON_LOOK_BACK
                self._woken = _Woken(began, began)
            yield interjected

    async def _next(self) -> AudioFrame | None:
        """The next piece of sound; None at its end."""
        source = self._microphone.frames() if self._source is None else self._source
        # Only a source that answered is kept: one that raised, or whose answer was cancelled, is finished.
        self._source = None
        sound = await anext(source, None)
        if sound is not None:
            self._source = source
        return sound

    async def _examine(self, frame: AudioFrame) -> AsyncIterator[Hearing]:
        """One frame, under what is listened for at this moment."""
        if self._attention.kind == "nothing":
            return
        if self._attention_is_new:
            await self._drop_words()
            self._attention_is_new = False
            if self._attention.kind == "words":
                async for hearing in self._begin_words(frame.start):
                    yield hearing
                if self._attention_is_new:
                    return
        self._past.append(frame)
        if self._wake_word is not None and self._wake_word.heard(frame):
            before = b"".join(past.pcm for past in self._past)
            self._woken = _Woken(frame.end - after_wake_word(before), frame.end)
            # Words that are being listened for begin anew behind it, whatever the conversation makes of this.
            self._attention_is_new = True
            yield WakeHeard(self._wake_word.word, frame.end)
        elif self._attention.kind == "words":
            async for hearing in self._hear_words(frame):
                yield hearing

    async def _begin_words(self, at: int) -> AsyncIterator[Hearing]:
        """Listen for words from position `at` on, and from the wake word's end if there was one just now."""
        woken = self._woken
        self._woken = None
        if woken is None or at - woken.at > _WOKEN_FOR:
            woken = _Woken(at, at)
        self._floor = woken.words_from
        self._detector.reset()
        self._endpointer.begin(at, self._attention.nobody_s, ignored_until=woken.at)
        for past in [past for past in self._past if past.end > self._floor]:
            async for hearing in self._hear_words(past):
                yield hearing
            if self._attention_is_new:
                return

    async def _hear_words(self, frame: AudioFrame) -> AsyncIterator[Hearing]:
        decision = self._endpointer.feed(frame, self._detector.probability(frame.pcm))
        if self._transcribing:
            self._untranscribed.append(frame.pcm)
        if isinstance(decision, SpeechStarted):
            self._untranscribed.extend(self._sound_between(decision.at - self._preroll, frame.end))
            yield decision
            if self._attention_is_new:
                return
            await self._transcriber.start()
            self._transcribing = True
        elif isinstance(decision, SpeechEnded):
            utterance = await self._transcribe(decision)
            # Another task may have turned the attention away while the words were being found.
            if self._attention_is_new:
                return
            self._floor = decision.end
            if utterance is not None:
                self._endpointer.begin(decision.decided, self._attention.nobody_s)
                yield utterance
            elif (nobody := self._endpointer.resume(decision.decided)) is not None:
                self._endpointer.begin(nobody.at, self._attention.nobody_s)
                yield nobody
            return
        elif isinstance(decision, NobodySpoke):
            self._endpointer.begin(decision.at, self._attention.nobody_s)
            yield decision
        while len(self._untranscribed) >= FRAMES_A_PIECE and not self._attention_is_new:
            text = await self._feed(FRAMES_A_PIECE)
            if text and text != self._partial:
                self._partial = text
                yield Partial(text, frame.end - len(self._untranscribed) * self._detector.frame_samples)

    def _sound_between(self, start: int, end: int) -> list[bytes]:
        start = max(start, self._floor)
        return [
            past.pcm[max(0, start - past.start) * SAMPLE_BYTES :]
            for past in self._past
            if past.end > start and past.end <= end
        ]

    async def _feed(self, frames: int) -> str:
        piece = b"".join(self._untranscribed.popleft() for _ in range(frames))
        return await self._transcriber.feed(piece)

    async def _transcribe(self, ended: SpeechEnded) -> Utterance | None:
        """The words of the utterance that has just ended; None if there are none."""
        time = asyncio.get_running_loop().time
        decided = time()
        while self._untranscribed:
            await self._feed(min(FRAMES_A_PIECE, len(self._untranscribed)))
        transcript = await self._transcriber.finish()
        self._transcribing = False
        self._partial = ""
        text = transcript.text.strip()
        if not text:
            return None
        took = (time() - decided) * 1000
        return Utterance(text, transcript.confidence, ended.start, ended.end, ended.decided, took)

    async def _drop_words(self) -> None:
        self._untranscribed.clear()
        self._partial = ""
        if self._transcribing:
            self._transcribing = False
            await self._transcriber.cancel()


@dataclass(frozen=True, slots=True)
class _Woken:
    words_from: int
    """Where the words behind the wake word begin."""

    at: int
    """Where it was recognised: voice before this may still be the wake word's."""
