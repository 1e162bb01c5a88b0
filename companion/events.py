"""The messages between the rooms, in the order in which one turn of the conversation produces them.

Messages are frozen, flow in one direction, and do not know who made them. Sound is 16-bit little-endian mono PCM.
Positions in sound count samples since the stream began, at the rate that the message gives (in `ears` always
`EAR_RATE`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

EAR_RATE = 16_000
"""The sample rate of everything in `ears`, in samples per second."""

SAMPLE_BYTES = 2


@dataclass(frozen=True, slots=True)
class AudioFrame:
    """A piece of sound from the microphone."""

    pcm: bytes
    """Any number of samples at `EAR_RATE`."""

    start: int
    """Position of the first sample. A gap to the previous frame means that sound was lost."""

    @property
    def end(self) -> int:
        """Position just after the last sample."""
        return self.start + len(self.pcm) // SAMPLE_BYTES


@dataclass(frozen=True, slots=True)
class WakeHeard:
    """A wake word or, over an answer, a stop word was heard, or the button was pressed."""

    word: str
    """The name of the wake word or stop word (`WakeWordSettings.name`), `"button"`, or `"open"`."""

    at: int
    """Position at which it was recognised, a little after the end of the word."""

    sound: bytes = field(default=b"", compare=False, repr=False)
    """The last second and a half up to there, with the word in it; empty for a button."""


@dataclass(frozen=True, slots=True)
class FirstSign:
    """Somebody may be about to speak, or to have said the wake word, and nothing is decided yet."""

    of: Literal["speech", "wake", "nothing"]
    """`nothing`: what was a sign has passed."""

    at: int
    """Position just after it."""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Somebody started to speak to the device."""

    at: int
    """Position of the first voiced sample."""


@dataclass(frozen=True, slots=True)
class Partial:
    """The words of an utterance so far; they may still change."""

    text: str
    at: int
    """Position up to which the sound has been transcribed."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """One complete utterance."""

    text: str
    """The words, without the wake word. Never empty."""

    confidence: float
    """0 to 1; 1 if the engine gives no confidence."""

    start: int
    """Position of the first voiced sample."""

    end: int
    """Position of the last voiced sample."""

    decided: int
    """Position at which its words were asked for: `end` plus a short pause."""

    transcribed_ms: float = 0.0
    """Milliseconds from then to the final words, by the loop's clock."""

    ended: int = field(default=0, compare=False)
    """Position at which the pause was long enough for it to be all; 0 where that is not known (yet)."""


@dataclass(frozen=True, slots=True)
class LikelyUtterance:
    """A short pause: what was said may be all. `SpeechResumed`, or the `Utterance` itself, follows."""

    utterance: Utterance


@dataclass(frozen=True, slots=True)
class SpeechResumed:
    """After a `LikelyUtterance` the person went on speaking: the utterance that follows holds its words too."""

    at: int
    """Position of the first voiced sample."""


@dataclass(frozen=True, slots=True)
class NoWords:
    """What had started as speech held no words: a cough, a noise."""

    at: int


@dataclass(frozen=True, slots=True)
class NobodySpoke:
    """Nobody spoke in time."""

    at: int


@dataclass(frozen=True, slots=True)
class Control:
    """A request that was not spoken: a switch, a signal, `companion control`, (`continue`) a long silence, or (`yield`)
    another unit in the room that heard the wake word better."""

    action: Literal["mute", "unmute", "stop", "say", "reload", "continue", "yield"]


Hearing = (
    FirstSign
    | WakeHeard
    | SpeechStarted
    | Partial
    | LikelyUtterance
    | SpeechResumed
    | Utterance
    | NoWords
    | NobodySpoke
    | Control
)
"""Everything that a listener yields."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """The final result of a transcriber for one utterance."""

    text: str
    confidence: float = 1.0


EMOTIONS = (
    # The everyday categories of the W3C's EmotionML vocabularies ...
    "affectionate",
    "afraid",
    "amused",
    "angry",
    "bored",
    "confident",
    "content",
    "disappointed",
    "excited",
    "happy",
    "interested",
    "loving",
    "pleased",
    "relaxed",
    "sad",
    "satisfied",
    "worried",
    # ... and further ones that characters show.
    "confused",
    "disgusted",
    "embarrassed",
    "neutral",
    "sleepy",
    "surprised",
    "thoughtful",
)

GESTURES = (
    "wave",
    "nod",
    "shake_head",
    "tilt_head",
    "look_left",
    "look_right",
    "look_up",
    "look_down",
    "lean_in",
    "jump",
    "dance",
    "sleep",
    "shrug",
    "clap",
    "hug",
)

CueSource = Literal["direction", "emoji", "tag", "inferred", "state"]


@dataclass(frozen=True, slots=True)
class Cue:
    """Something for the body to do at one place of the spoken text."""

    emotion: str | None
    """One of `EMOTIONS`; None if the cue is only a gesture."""

    gesture: str | None
    """One of `GESTURES`; None if the cue is only an emotion."""

    intensity: float
    """0 (barely visible) to 1 (with the whole body)."""

    at: int
    """Position of the cue in the spoken text, in characters (Unicode code points)."""

    source: CueSource


@dataclass(frozen=True, slots=True)
class Sentence:
    """A piece of speech that is synthesized as a unit: a sentence, or the first clause of a reply."""

    text: str
    """Clean text: no stage directions, no markup, no emoji. May be empty if only cues are left at the end."""

    cues: tuple[Cue, ...] = ()
    """The cues in this sentence; their `at` counts from the start of its text."""


@dataclass(frozen=True, slots=True)
class Phoneme:
    """One phoneme of synthesized speech, and when it is spoken."""

    at: int
    """The sample at which it begins."""

    symbol: str
    """IPA, as espeak-ng writes it; a space between words."""


@dataclass(frozen=True, slots=True)
class SynthesizedSpeech:
    """A sentence as a synthesizer spoke it: sound and phonemes."""

    pcm: bytes

    phonemes: tuple[Phoneme, ...] = ()
    """In order of time; empty if the engine reports no times."""


@dataclass(frozen=True, slots=True)
class PlacedCue:
    """A cue and the sample at which it is due."""

    at: int
    """Samples from the start of the chunk or stream that it belongs to, at the rate of that chunk or stream."""

    cue: Cue


@dataclass(frozen=True, slots=True)
class SpeechChunk:
    """A sentence as sound, with its cues and mouth openings."""

    pcm: bytes
    rate: int
    """Samples per second."""

    text: str
    """The text that is spoken."""

    cues: tuple[PlacedCue, ...] = ()
    mouth: tuple[float, ...] = ()
    """Mouth openings from 0 (closed) to 1, one for every `MOUTH_STEP` seconds of sound."""

    @property
    def samples(self) -> int:
        """Length in samples."""
        return len(self.pcm) // SAMPLE_BYTES


MOUTH_STEP = 0.02
"""Seconds from one mouth opening to the next."""


class State(StrEnum):
    """The states of the conversation. `conversation.py` states the rules."""

    IDLE = "idle"
    LISTENING = "listening"
    THINKING = "thinking"
    SPEAKING = "speaking"
    FOLLOW_UP = "follow_up"
    MUTED = "muted"


EndReason = Literal["finished", "interrupted", "taken_back", "offline", "refused", "failed", "stopped"]


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """One reply is over."""

    heard_text: str
    """The text that came out of the loudspeaker: only this may be remembered as said."""

    reason: EndReason
    line: str = ""
    """If the answer failed: which of the persona's own lines to say instead, or after the part that was heard."""
    latency_ms: dict[str, float] = field(default_factory=dict)
    """Milliseconds spent in each stage; `docs/events.md` lists the names."""
    dropped: int = 0
    """How many answers were made ahead and dropped before this one."""


Colour = tuple[int, int, int]
"""Red, green and blue, each 0 to 255."""


@dataclass(frozen=True, slots=True)
class BodyFrame:
    """What every channel of the body shows at one moment."""

    lights: dict[str, Colour]
    """The colour of each light channel."""

    positions: dict[str, float]
    """Servo channels in degrees from their middle, motor channels from -1 to 1, mouth channels from 0 to 1."""

    released: bool = False
    """Whether servos hold nothing, so that a finger between them is free: a lid is open, or something is jammed."""
