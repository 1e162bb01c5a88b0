"""The ports: what the runtime needs from the outside, as Protocols.

An adapter satisfies one of them and translates the errors of its library into `companion.errors`. The test doubles in
`tests/support/doubles.py` satisfy them too. All methods are called on the event loop's thread. Those marked *short* run
inline and must return within 5 ms for 32 ms of sound; both built-in engines need a tenth of that on a desktop
processor.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Protocol

from companion.events import AudioFrame, BodyFrame, SynthesizedSpeech, Transcript
from companion.floor import Floor


class Clock(Protocol):
    """Audio time in seconds since the start. With files instead of a sound card it runs as fast as the work is done."""

    def now(self) -> float: ...

    async def sleep(self, seconds: float) -> None:
        """Return when `seconds` of audio time have passed."""


class Microphone(Protocol):
    """The source of sound."""

    def frames(self) -> AsyncIterator[AudioFrame]:
        """Open the device and yield its sound, 10 to 40 ms at a time, until it is closed or the file ends.

        Raises `DeviceError` if the device cannot be opened or goes away; calling it again tries again.
        """

    def time_of(self, position: int) -> float:
        """When this sample came in, in seconds of the clock of what is played (`companion.sound.played`)."""

    async def close(self) -> None: ...


class WakeWord(Protocol):
    """Detects wake words: all those of the device file that it hears (`WakeSettings.heard_by`).

    An engine may also have the attribute `suspects`: whether a word may have been said, before that is sure. Then an
    answer falls silent a moment earlier. It is read after `detect`, and should be wrong at most once in some minutes.
    """

    words: tuple[str, ...]
    """Their names, for events and logs."""

    def detect(self, frame: AudioFrame, *, speaking: bool = False) -> str | None:
        """Take the next frame. Returns the name of the word that ends in it, once for each time; else None. *Short.*

        `speaking`: whether the device itself speaks, is about to, or was interrupted by what is being said. Words whose
        role is `stop` are live only then.
        Raises `SpeechError`, or what its library raises, where it cannot hear any more, also where its results are no
        numbers; then it is dropped (with `close`, if it has that) and built anew.
        """

    def reset(self) -> None:
        """Forget the sound so far. Raises the same."""


class SpeechDetector(Protocol):
    """Voice activity detection."""

    frame_samples: int
    """The number of samples that `probability` takes."""

    def probability(self, pcm: bytes) -> float:
        """The probability, 0 to 1, that these samples hold speech. *Short.*"""

    def reset(self) -> None:
        """Forget the sound so far."""


class Transcriber(Protocol):
    """Speech to text, one utterance at a time: `start`, `feed` ..., then `finish` or `cancel`."""

    name: str

    async def start(self) -> None:
        """Begin an utterance, and load the model if that has not been done yet. Raises `SpeechError`."""

    async def feed(self, pcm: bytes) -> str:
        """Take 20 to 200 ms of sound at 16 kHz. Returns the words so far (may be empty). Raises `SpeechError`."""

    async def finish(self) -> Transcript:
        """End the utterance and return its words. Raises `SpeechError`."""

    async def cancel(self) -> None:
        """Drop the utterance."""

    async def close(self) -> None: ...


class TurnModel(Protocol):
    """Judges by sound and words whether a person who pauses has finished."""

    def is_over(self, pcm: bytes, words: str) -> float:
        """The probability, 0 to 1, that they have. `pcm`: the last 8 s at most of what they said, up to the pause.

        Called in a thread, one call at a time; an answer after more than 0.3 s is not waited for.
        """


class Character(Protocol):
    """The character: it answers what the person says."""

    async def prepare(self) -> None:
        """Open the connection, because somebody is about to speak. Does not raise if the service is unreachable."""

    def opening(self) -> str:
        """The first line of a session, or an empty text if something has been said already."""

    def speakers(self, said: str, addressed: str = "") -> tuple[str, ...]:
        """The names of those who answer this, in order: the persona's, or several in a group. Never empty.

        Whoever was `addressed` before answers alone where nobody is called by name.
        """

    def may_think_ahead(self, said: str) -> bool:
        """Whether `reply` may be asked for before the person has finished, though nobody may hear the answer."""

    @property
    def awaits_word(self) -> bool:
        """Whether what is said next is a person's secret word, and nobody else's business."""

    async def ask_speaker(self, said: str) -> str:
        """What is said to these words in place of an answer, to find out who speaks; empty where the character answers.

        Asked before `speakers` and `reply`, once it is sure that these are all the words.
        """

    def reply(self, said: str, speaker: str = "", floor: Floor | None = None) -> AsyncGenerator[str]:
        """Answer what the person said, as text deltas of any size. Nothing is remembered yet (see `remember`).

        What is asked for before the `floor` was given may never be heard: it costs as little as possible, and changes
        nothing.
        `speaker` is one of `speakers(said)`; when empty, the first. In a group each is asked after the answers before
        it have been remembered. Closing the generator closes the stream. Raises `CharacterError` if the first delta
        does not arrive in time, or if the stream breaks or stalls.
        """

    def rephrase(self) -> AsyncGenerator[str] | None:
        """The last answer in other words, or None if there was none. Errors as for `reply`."""

    def continue_speaking(self) -> AsyncGenerator[str]:
        """Go on speaking although nobody said anything. Errors as for `reply`."""

    @property
    def person(self) -> str:
        """The name of whoever speaks, as far as it is known; else empty."""

    @property
    def is_guest(self) -> bool:
        """Whether a guest speaks, of whom nothing is remembered."""

    def leave(self) -> None:
        """Whoever speaks has said goodbye."""

    def start_guest_session(self) -> None:
        """Remember nothing from now on, until somebody says who they are."""

    @property
    def learned_pause(self) -> float:
        """By which factor the pauses of whoever speaks are longer than usual, as far as is known; 1 of strangers."""

    def learn_pause(self, factor: float) -> None:
        """Keep this of whoever speaks."""

    def remember(self, said: str, heard: str, speaker: str = "") -> None:
        """Remember one exchange: what the person said and what they heard as the answer. One of them may be empty.

        If a group answers, `said` is passed with the first answer only.
        """

    async def close(self) -> None: ...


class Synthesizer(Protocol):
    """Text to speech."""

    name: str
    rate: int
    """The sample rate of all its sound, in samples per second."""

    async def synthesize(self, text: str) -> SynthesizedSpeech:
        """Speak one clean sentence. The sound is empty if nothing in it can be spoken. Raises `SpeechError`."""

    async def close(self) -> None: ...


class Speaker(Protocol):
    """The loudspeaker: one continuous stream of samples, counted as they are heard."""

    rate: int

    async def prepare(self) -> None:
        """Wake up the device because speech follows soon, so that the first word is not cut. Raises `DeviceError`."""

    async def write(self, pcm: bytes) -> int:
        """Append sound to the queue; waits while more than a second is queued. Raises `DeviceError`.

        Returns the stream position of its first sample, which is heard when `position()` reaches this value.
        """

    def position(self) -> int:
        """The number of samples heard since the stream began (the delay of the device is subtracted)."""

    async def drain(self) -> None:
        """Return when everything written has been heard or flushed. Raises `DeviceError`."""

    def pause(self) -> None:
        """Fall silent within 50 ms and keep what has not been heard; `position()` stands still until `resume()`."""

    def duck(self) -> None:
        """Play on, 12 dB quieter, until `resume()`."""

    def resume(self) -> None:
        """Go on where it was, at the usual volume."""

    def flush(self) -> int:
        """End a pause, and drop what has not been heard yet; silence follows within 50 ms. Returns `position()`.

        Positions continue from there: the next `write` returns at least this value.
        """

    async def close(self) -> None: ...


class Body(Protocol):
    """Something that shows frames with lights, servos, motors or a mouth.

    A body with buttons or switches also has the method `events`; see `companion.body.inputs.BodyEvents`.
    """

    async def show(self, frame: BodyFrame) -> None:
        """Show this frame. Called at most 50 times a second. Raises `DeviceError` if the body has gone away."""

    async def close(self) -> None:
        """Put the body into its neutral pose and release it."""


class Watch(Protocol):
    """Wraps engines when they are built, so that a call that hangs is noticed."""

    def transcriber(self, engine: Transcriber) -> Transcriber: ...
    def synthesizer(self, engine: Synthesizer) -> Synthesizer: ...
    def body(self, body: Body) -> Body: ...


class Unwatched:
    """Stands in for the watchdog where nobody watches: returns what it is given."""

    def transcriber(self, engine: Transcriber) -> Transcriber:
        """The engine itself."""
        return engine

    def synthesizer(self, engine: Synthesizer) -> Synthesizer:
        """The engine itself."""
        return engine

    def body(self, body: Body) -> Body:
        """The body itself."""
        return body
