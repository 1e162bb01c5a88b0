"""The listener: microphone, wake word, voice activity detection, endpointing and transcriber, combined.

The conversation decides what to listen for (`Listener.listen_for`, `Attention`); the listener never decides that by
itself. Frames are pulled from the microphone one by one and cut to the detector's size. Each is processed completely
before the next is pulled, so the same sound from a file gives the same result each time. Wake word and detector run
inline (0.1 ms each). The transcriber is awaited; sound that arrives meanwhile waits in the microphone's queue.

A pause makes an utterance likely over: its words are read at once (`LikelyUtterance`), while listening goes on. If the
person goes on too, what they say is transcribed as a further piece and joined to it; else the utterance ends when the
pause has lasted as long as its words ask for.

What listening costs: the wake word gets every frame unless the device is muted (in a quiet room `wake_gate` lets its
engine rest), the detector and the transcriber only while listening for words. A wake word during an utterance drops
the utterance, and a new one begins after it.

Positions are samples at `EAR_RATE`. One task, no threads.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace

from companion.config.device import EarsSettings
from companion.ears.attention import Attention
from companion.ears.endpointing import (
    WAKE_LOOK_BACK,
    Endpointer,
    Framer,
    SpeechEnded,
    SpeechPaused,
    Wake,
    samples_after_wake_word,
)
from companion.ears.first_signs import FirstSigns
from companion.ears.loudness import PersonLoudness
from companion.ears.others import Others
from companion.ears.others_speech import OthersSpeech
from companion.events import (
    EAR_RATE,
    SAMPLE_BYTES,
    AudioFrame,
    Control,
    Hearing,
    LikelyUtterance,
    NobodySpoke,
    NoWords,
    Partial,
    SpeechResumed,
    SpeechStarted,
    Utterance,
    WakeHeard,
)
from companion.languages.understood import joined
from companion.ports import Microphone, SpeechDetector, Transcriber, WakeWord

FRAMES_PER_FEED = 4
"""Frames passed to the transcriber at a time: 128 ms, small enough for streaming, large enough to be cheap."""

BUTTON_LOOK_BACK = round(0.25 * EAR_RATE)
"""Samples before a button press that still belong to the words: people press while they start to speak."""

_WAKE_VALID_FOR = EAR_RATE
"""Samples after a wake word within which `Attention.WORDS` counts as the reaction to it."""


class Listener:
    """Yields what is heard (`hear`). It starts with `Attention.WAKE`."""

    position: int
    """Position just after the last sound that came in."""

    def __init__(
        self,
        microphone: Microphone,
        wake_word: WakeWord | None,
        detector: SpeechDetector,
        transcriber: Transcriber,
        settings: EarsSettings,
        pause_after: Callable[[str], float] | None = None,
        is_person: Callable[[AudioFrame], bool] = lambda _: True,
        judge: Callable[[Utterance, float], Awaitable[float]] | None = None,
        is_speaking: Callable[[], bool] = lambda: False,
    ) -> None:
        """`pause_after`: seconds that the pause behind these words must last for them to be all. `judge`: the same by
        sound. `is_person`: whether a frame holds more than what the device itself says; asked of each, in order.
        `is_speaking`: whether an answer is made or said now; stop words are live then."""
        self._judge, self._is_speaking = judge, is_speaking
        self._pause_after = pause_after or (lambda _: settings.endpoint.silence_s)
        self._microphone, self._transcriber = microphone, transcriber
        self._wake_word, self._speech = wake_word, OthersSpeech(detector)
        self._endpointer, self._loudness = Endpointer(settings.endpoint), PersonLoudness()
        self._preroll = round(settings.endpoint.preroll_s * EAR_RATE)
        kept = self._preroll + WAKE_LOOK_BACK + FRAMES_PER_FEED * detector.frame_samples
        self._recent_frames: deque[AudioFrame] = deque(maxlen=math.ceil(kept / detector.frame_samples))
        self._others, self._framer = Others(is_person), Framer(detector.frame_samples)
        self._signs = FirstSigns(wake_word, self._others)
        self.position = 0
        self._source: AsyncIterator[AudioFrame] | None = None
        self._attention, self._attention_is_new = Attention.WAKE, True
        self._injected: deque[Control | WakeHeard] = deque()
        self._last_wake: Wake | None = None
        """The last wake word, until the listener starts to wait for the words after it."""
        self._words_from = 0
        """Sound before this position does not belong to the current utterance."""
        self._transcribing = False
        self._untranscribed: deque[bytes] = deque()
        self._partial = ""
        self._pieces = ""
        """The words of the current utterance before its last pause."""
        self._likely: Utterance | None = None
        """What was said up to the pause that lasts now."""

    def listen_for(self, what: Attention) -> None:
        """Change what to listen for, from the next frame on. An unfinished utterance is dropped.

        `Attention.WAKE` or `SPEECH` while already listening in that way changes nothing. `WORDS` in reaction to a
        `WakeHeard` includes what was said right after the wake word. Otherwise it starts with the next frame, so that
        the device's own voice is not mistaken for the person's.
        """
        if what == self._attention and what in (Attention.WAKE, Attention.SPEECH):
            return
        if what.kind == "nothing":
            self._recent_frames.clear()
            self._framer.drop()
            if self._wake_word is not None:
                self._wake_word.reset()
        if what.kind != "words" or what.over_answer:
            self._last_wake = None
        self._attention = what
        self._attention_is_new = True

    def inject(self, heard: Control | WakeHeard) -> None:
        """Let `hear()` yield this before the next sound, even when muted. Call it on the loop's thread."""
        self._injected.append(heard)

    def push_to_talk(self) -> None:
        """Handle a press of the push-to-talk button: the words may have started shortly before it."""
        self.inject(WakeHeard("button", self.position))

    async def hear(self) -> AsyncIterator[Hearing]:
        """Listen until the microphone has no more sound (a file), then finish the current utterance, if any.

        Raises `SpeechError` (transcriber) and `DeviceError` (microphone). Both drop the current utterance; call again
        to go on. The microphone stays open after the first and is reopened after the second.
        """
        self._attention_is_new = True
        try:
            # Also before the microphone is opened: buttons and switches must work while it is missing.
            for injected in self._take_injected():
                yield injected
            while (sound := await self._next_sound()) is not None:
                for injected in self._take_injected():
                    yield injected
                if sound.start < self.position:
                    # Positions start again from 0: the microphone was reopened.
                    self._recent_frames.clear()
                    self._others.clear()
                    self._last_wake = None
                    self._attention_is_new = True
                self.position = sound.end
                if self._attention.kind == "nothing":
                    await self._drop_words()
                    continue
                for frame in self._framer.frames(sound):
                    async for hearing in self._examine(frame):
                        yield hearing
            if not self._attention_is_new:
                ended = self._endpointer.end_of_sound(self.position)
                if ended is not None and (utterance := await self._words_of(ended)) is not None:
                    yield utterance
        finally:
            await self._drop_words()

    def _take_injected(self) -> Iterator[Control | WakeHeard]:
        while self._injected:
            injected = self._injected.popleft()
            if isinstance(injected, WakeHeard):
                began = injected.at - BUTTON_LOOK_BACK
                self._last_wake = Wake(began, began)
            yield injected

    async def _next_sound(self) -> AudioFrame | None:
        """The next piece of sound; None at its end."""
        source = self._microphone.frames() if self._source is None else self._source
        # Keep the generator only if it yielded: one that raised or was cancelled is finished.
        self._source = None
        sound = await anext(source, None)
        self._source = source if sound is not None else None
        return sound

    async def _examine(self, frame: AudioFrame) -> AsyncIterator[Hearing]:
        """Process one frame according to the present attention."""
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
        self._recent_frames.append(frame)
        self._others.hear(frame)
        # A stop word's own beginning may have ended the answer.
        over_answer = self._attention.over_answer or self._is_speaking()
        word = None if self._wake_word is None else self._wake_word.detect(frame, speaking=over_answer)
        if word is not None and self._others.said_wake(frame):
            before = b"".join(past.pcm for past in self._recent_frames)
            self._last_wake = Wake(frame.end - samples_after_wake_word(before), frame.end)
            # A current utterance starts again after the wake word, however the conversation reacts to it.
            self._attention_is_new = True
            yield WakeHeard(word, frame.end, before)
        elif self._attention.kind == "words":
            async for hearing in self._hear_words(frame):
                yield hearing
        if sign := self._signs.next(frame, speech=self._attention.over_answer and self._endpointer.may_begin):
            yield sign

    async def _begin_words(self, at: int) -> AsyncIterator[Hearing]:
        """Listen for words from position `at` on, or from the end of the wake word if there has just been one."""
        wake = self._last_wake
        self._last_wake = None
        if wake is None or at - wake.at > _WAKE_VALID_FOR:
            wake = Wake(at, at)
        if not (self._attention.as_before or self._attention.over_answer):
            self._loudness.forget()
        self._endpointer.least_energy = self._loudness.least_energy if self._attention.as_before else 0.0
        self._words_from = wake.words_from
        self._speech.reset()
        self._endpointer.begin(at, self._attention.no_speech_s, ignored_until=wake.at)
        for past in list(self._recent_frames):
            if past.end <= self._words_from:
                self._endpointer.hear_room(past)
                continue
            async for hearing in self._hear_words(past):
                yield hearing
            if self._attention_is_new:
                return

    async def _hear_words(self, frame: AudioFrame) -> AsyncIterator[Hearing]:
        is_own = self._others.is_drowned(frame, speaking=self._endpointer.in_speech)
        decision = self._endpointer.feed(frame, self._speech.probability(frame, is_own=is_own))
        if self._transcribing:
            self._untranscribed.append(frame.pcm)
        match decision:
            case SpeechStarted() | SpeechResumed():
                if self._likely is not None:
                    self._pieces, self._likely = self._likely.text, None
                self._untranscribed.extend(self._sound_before(decision.at, frame.end))
                yield decision
                if self._attention_is_new:
                    return
                await self._transcriber.start()
                self._transcribing = True
            case SpeechEnded():
                async for hearing in self._end_words(decision):
                    yield hearing
                return
            case SpeechPaused():
                async for hearing in self._pause_words(decision):
                    yield hearing
                return
            case NobodySpoke():
                self._endpointer.begin(decision.at, self._attention.no_speech_s)
                yield decision
        while len(self._untranscribed) >= FRAMES_PER_FEED and not self._attention_is_new:
            text = await self._feed(FRAMES_PER_FEED)
            if text and text != self._partial:
                self._partial = text
                at = frame.end - len(self._untranscribed) * (frame.end - frame.start)
                yield Partial(joined(self._pieces, text), at)

    async def _pause_words(self, paused: SpeechPaused) -> AsyncIterator[Hearing]:
        likely = await self._words_of(paused)
        # Another task may have changed the attention while the transcriber was working.
        if self._attention_is_new:
            return
        if likely is None:
            async for hearing in self._heard_no_words(paused.decided):
                yield hearing
            return
        self._likely = likely
        pause_s = self._pause_after(likely.text)
        self._endpointer.wait_for(pause_s)
        yield LikelyUtterance(likely)
        if self._judge is not None and not self._attention_is_new:
            self._endpointer.wait_for(await self._judge(likely, pause_s))

    async def _end_words(self, ended: SpeechEnded) -> AsyncIterator[Hearing]:
        utterance = await self._words_of(ended)
        if self._attention_is_new:
            return
        self._pieces, self._likely = "", None
        if utterance is None:
            async for hearing in self._heard_no_words(ended.decided):
                yield hearing
            return
        self._loudness.hear(ended.energy)
        self._endpointer.begin(ended.decided, self._attention.no_speech_s)
        yield replace(utterance, ended=ended.decided)

    async def _heard_no_words(self, at: int) -> AsyncIterator[Hearing]:
        nobody = self._endpointer.resume(at)
        yield NoWords(at)
        if nobody is not None and not self._attention_is_new:
            self._endpointer.begin(at, self._attention.no_speech_s)
            yield nobody

    def _sound_before(self, speech: int, end: int) -> list[bytes]:
        start = max(speech - self._others.preroll(speech, self._preroll), self._words_from)
        return [
            past.pcm[max(0, start - past.start) * SAMPLE_BYTES :]
            for past in self._recent_frames
            if past.end > start and past.end <= end
        ]

    async def _feed(self, frames: int) -> str:
        piece = b"".join(self._untranscribed.popleft() for _ in range(frames))
        return await self._transcriber.feed(piece)

    async def _words_of(self, paused: SpeechPaused) -> Utterance | None:
        """The utterance up to this pause, or None if there are no words in it."""
        if not self._transcribing:
            return self._likely
        time = asyncio.get_running_loop().time
        decided = time()
        while self._untranscribed:
            await self._feed(min(FRAMES_PER_FEED, len(self._untranscribed)))
        transcript = await self._transcriber.finish()
        self._transcribing = False
        self._partial = ""
        text = joined(self._pieces, transcript.text.strip())
        if not text:
            return None
        self._words_from = paused.decided
        took = (time() - decided) * 1000
        return Utterance(text, transcript.confidence, paused.start, paused.end, paused.decided, took)

    async def _drop_words(self) -> None:
        self._untranscribed.clear()
        self._partial = self._pieces = ""
        self._likely = None
        if self._transcribing:
            self._transcribing = False
            await self._transcriber.cancel()
