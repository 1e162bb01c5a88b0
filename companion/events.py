"""Every message that travels between the rooms, in the order in which one sentence of conversation meets them.

Messages are frozen, flow forward only, and know nothing of who made them. Sound is 16-bit little-endian mono PCM.
Positions in sound are counted in samples since the stream began, at the rate that the message names (the ears always
work at `EAR_RATE`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

EAR_RATE = 16_000
"""Samples a second at which everything in `ears` works."""

SAMPLE_BYTES = 2


@dataclass(frozen=True, slots=True)
class AudioFrame:
    """A piece of what the microphone heard."""

    pcm: bytes
    """Samples at `EAR_RATE`; any whole number of them."""

    start: int
    """Position of the first sample. A gap between frames means that sound was lost."""

    @property
    def end(self) -> int:
        """Position just after the last sample."""
        return self.start + len(self.pcm) // SAMPLE_BYTES


@dataclass(frozen=True, slots=True)
class WakeHeard:
    """The wake word was heard, or the button pressed."""

    word: str
    """The wake word's name, `"button"`, or `"open"`."""

    at: int
    """Position at which it was recognised (a little after the word ended)."""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Somebody began to speak to the device."""

    at: int
    """Position of the first voiced sample."""


@dataclass(frozen=True, slots=True)
class Partial:
    """What the transcriber makes of the speech so far; it may still change."""

    text: str
    at: int
    """Position up to which it had listened."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """One whole thing that somebody said."""

    text: str
    """Its words, without the wake word. Never empty."""

    confidence: float
    """0 to 1; 1 where the engine gives none."""

    start: int
    """Position of the first voiced sample."""

    end: int
    """Position of the last voiced sample."""

    decided: int
    """Position at which it was decided that the speech had ended: `end` plus the configured silence."""

    transcribed_ms: float = 0.0
    """Time between that decision and the words, in milliseconds of the loop's clock."""


@dataclass(frozen=True, slots=True)
class NobodySpoke:
    """The time in which somebody could have spoken ran out, or what was heard had no words in it."""

    at: int


@dataclass(frozen=True, slots=True)
class Control:
    """Somebody used a switch, a signal or `companion control` instead of their voice, or a silence grew long."""

    action: Literal["mute", "unmute", "stop", "say", "reload", "continue"]
    text: str = ""
    """What to `say`."""


Hearing = WakeHeard | SpeechStarted | Partial | Utterance | NobodySpoke | Control
"""What a listener yields."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """A transcriber's last word on an utterance."""

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
    # ... and what they lack and characters show.
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
    """Something for the body to do at one place in the spoken text."""

    emotion: str | None
    """One of `EMOTIONS`; None where the cue is a gesture only."""

    gesture: str | None
    """One of `GESTURES`; None where the cue is an emotion only."""

    intensity: float
    """0 (hardly to be seen) to 1 (with the whole body)."""

    at: int
    """Offset in the spoken text, in characters (Unicode code points), where the cue stood."""

    source: CueSource


@dataclass(frozen=True, slots=True)
class Sentence:
    """A piece of speech that can be synthesized by itself: a sentence, or the first clause of a reply."""

    text: str
    """Clean text: no stage directions, no markup, no emoji. May be empty where only cues are left at the end."""

    cues: tuple[Cue, ...] = ()
    """Cues that stood in it; their `at` counts from the start of this text."""


@dataclass(frozen=True, slots=True)
class Phoneme:
    """One sound of speech."""

    at: int
    """Sample at which it begins."""

    symbol: str
    """IPA, as espeak-ng writes it; a space between words."""


@dataclass(frozen=True, slots=True)
class Voiced:
    """What a voice made of a sentence."""

    pcm: bytes

    phonemes: tuple[Phoneme, ...] = ()
    """In order of time; empty where the engine tells no times."""


@dataclass(frozen=True, slots=True)
class PlacedCue:
    """A cue and the sample at which it is due."""

    at: int
    """Samples from the start of the chunk or stream that holds it, at that chunk's or stream's rate."""

    cue: Cue


@dataclass(frozen=True, slots=True)
class SpeechChunk:
    """A sentence as sound."""

    pcm: bytes
    rate: int
    """Samples a second."""

    text: str
    """What the sound says."""

    cues: tuple[PlacedCue, ...] = ()
    mouth: tuple[float, ...] = ()
    """Mouth openings, 0 (closed) to 1, one for each `MOUTH_STEP` seconds of the sound."""

    @property
    def samples(self) -> int:
        """Length in samples."""
        return len(self.pcm) // SAMPLE_BYTES


MOUTH_STEP = 0.02
"""Seconds between two mouth openings."""


class State(StrEnum):
    """What the conversation is doing. `conversation.py` states the rules."""

    IDLE = "idle"
    LISTENING = "listening"
    THINKING = "thinking"
    SPEAKING = "speaking"
    FOLLOW_UP = "follow_up"
    MUTED = "muted"


EndReason = Literal["finished", "interrupted", "offline", "refused", "failed", "stopped"]


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """One reply is over."""

    heard_text: str
    """Exactly what came out of the loudspeaker, as text: the only thing that may be remembered as said."""

    reason: EndReason
    line: str = ""
    """Where the answer failed: which of the persona's own lines is said instead, or behind what was heard of it."""
    latency_ms: dict[str, float] = field(default_factory=dict)
    """Milliseconds of each stage; the names are in `docs/events.md`."""


Colour = tuple[int, int, int]
"""Red, green and blue, 0 to 255."""


@dataclass(frozen=True, slots=True)
class BodyFrame:
    """One picture of the whole body."""

    lights: dict[str, Colour]
    """Colour of each light channel."""

    positions: dict[str, float]
    """Servo channels in degrees from their middle, motor channels from -1 to 1, mouth channels from 0 to 1."""
