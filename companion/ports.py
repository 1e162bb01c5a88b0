"""What the runtime needs from the outside, as Protocols.

An adapter satisfies one of these and translates its library's errors into `companion.errors`. The unit-test doubles in
`tests/support/doubles.py` satisfy them too. All methods are called on the event loop's thread. Those marked *short* run
inline: they must return within 5 ms for 32 ms of sound (both built-in engines need a tenth of that on a desktop
processor).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Protocol

from companion.events import AudioFrame, BodyFrame, Transcript, Voiced


class Clock(Protocol):
    """Audio time: seconds since start, as the sound card counts them. With files it runs as fast as work gets done."""

    def now(self) -> float: ...

    async def sleep(self, seconds: float) -> None:
        """Return when `seconds` of audio time have passed."""


class Microphone(Protocol):
    """Where sound comes from."""

    def frames(self) -> AsyncIterator[AudioFrame]:
        """Open the device and yield what it hears, 10 to 40 ms at a time, until closed or the file ends.

        Raises `DeviceError` when the device cannot be opened or goes away; calling again tries again.
        """

    async def close(self) -> None: ...


class WakeWord(Protocol):
    """Listens for one word."""

    word: str

    def heard(self, frame: AudioFrame) -> bool:
        """True once for each time the word ends in this frame. *Short.*"""

    def reset(self) -> None:
        """Forget the sound so far."""


class SpeechDetector(Protocol):
    """Voice activity detection."""

    frame_samples: int
    """How many samples `probability` takes."""

    def probability(self, pcm: bytes) -> float:
        """How likely it is, 0 to 1, that these samples hold speech. *Short.*"""

    def reset(self) -> None:
        """Forget the sound so far."""


class Transcriber(Protocol):
    """Speech to text, one utterance at a time: `start`, `feed` ..., then `finish` or `cancel`."""

    name: str

    async def start(self) -> None:
        """Begin an utterance. Loads the model if that has not been done. Raises `SpeechError`."""

    async def feed(self, pcm: bytes) -> str:
        """Take 20 to 200 ms of sound at 16 kHz; return the words so far (may be empty). Raises `SpeechError`."""

    async def finish(self) -> Transcript:
        """End the utterance. Raises `SpeechError`."""

    async def cancel(self) -> None:
        """Drop the utterance."""

    async def close(self) -> None: ...


class Character(Protocol):
    """The one who answers."""

    async def prepare(self) -> None:
        """Somebody is about to speak: open the connection. Never raises for an unreachable service."""

    def opening(self) -> str:
        """The first line of a session in which nothing was said yet; else empty."""

    def speakers(self, said: str) -> tuple[str, ...]:
        """Who answers this, one after the other: the persona's name, or those of a group. Never empty."""

    def reply(self, said: str, speaker: str = "") -> AsyncGenerator[str]:
        """Answer what the person said, as text deltas of any size. Nothing is remembered yet.

        `speaker` is one of `speakers(said)`, the first where empty; each is asked once those before were remembered.
        Closing the generator closes the stream. Raises `CharacterError` when the first delta does not come in time,
        or the stream breaks or stalls.
        """

    def rephrase(self) -> AsyncGenerator[str] | None:
        """The last answer in other words; None where there was none. Errors as for `reply`."""

    def continue_speaking(self) -> AsyncGenerator[str]:
        """Speak on though nobody said anything. Errors as for `reply`."""

    def start_guest_session(self) -> None:
        """Keep nothing from here on, until somebody says who they are."""

    def remember(self, said: str, heard: str, speaker: str = "") -> None:
        """Keep one exchange: what the person said and what they heard in answer. Either may be empty, not both.

        Where a group answers, `said` is given with the first answer only.
        """

    async def close(self) -> None: ...


class Synthesizer(Protocol):
    """Text to speech."""

    name: str
    rate: int
    """Samples a second of everything it makes."""

    async def synthesize(self, text: str) -> Voiced:
        """Speak one clean sentence. Empty where it holds nothing that can be spoken. Raises `SpeechError`."""

    async def close(self) -> None: ...


class Speaker(Protocol):
    """The loudspeaker: one stream of samples from first to last, counted as they are heard."""

    rate: int

    async def prepare(self) -> None:
        """Speech will follow soon: wake the device up, so that the first word is not cut. Raises `DeviceError`."""

    async def write(self, pcm: bytes) -> int:
        """Queue sound behind what is queued; waits while more than a second is. Raises `DeviceError`.

        Returns the stream position of its first sample: it is heard when `position()` reaches that.
        """

    def position(self) -> int:
        """Samples that have left the loudspeaker since the stream began (its delay taken off)."""

    async def drain(self) -> None:
        """Return when all that was written has been heard, or flushed. Raises `DeviceError`."""

    def flush(self) -> int:
        """Drop what has not been heard; silence follows within 50 ms. Returns `position()`.

        Positions go on from there: the next `write` returns at least this value.
        """

    async def close(self) -> None: ...


class Body(Protocol):
    """What shows or moves."""

    async def show(self, frame: BodyFrame) -> None:
        """Take on this picture. Called at most 50 times a second. Raises `DeviceError` when the body went away."""

    async def close(self) -> None:
        """Leave the body in its neutral pose."""


class Watch(Protocol):
    """Wraps engines as they are built, so that a hung call is noticed. Returns what it is given, wrapped."""

    def transcriber(self, engine: Transcriber) -> Transcriber: ...
    def synthesizer(self, engine: Synthesizer) -> Synthesizer: ...
    def body(self, body: Body) -> Body: ...
