"""What every turn works with: the stages of a reply, and what stands behind them. `app` puts it together once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from companion.animator import Animator
from companion.config.policy import Category
from companion.event_log import EventLog
from companion.events import Cue, PlacedCue, Sentence, SpeechChunk, SynthesizedSpeech, TurnEnded
from companion.filler import Fillers
from companion.ports import Clock, Speaker, Synthesizer


class Stage(Protocol):
    """`companion.voice.stage.stage`: text deltas in, clean text and cues out."""

    def feed(self, delta: str) -> list[str | Cue]: ...
    def close(self) -> list[str | Cue]: ...


class Sentences(Protocol):
    """`companion.voice.sentences`: clean text and cues in, sentences out."""

    def feed(self, piece: str | Cue) -> list[Sentence]: ...
    def pause(self) -> list[Sentence]: ...
    def close(self) -> list[Sentence]: ...


WhoseWords = Literal["answer", "announcement"]
"""Whose words are spoken: the character's, or those of another program."""


class Guard(Protocol):
    """`companion.guard.answer`: which sentences of one answer may be said."""

    is_over: bool

    def passed(self, sentences: list[Sentence]) -> list[Sentence]: ...
    def block(self, category: Category, text: str) -> Sentence: ...


class SecondJudge(Protocol):
    """`companion.guard_model`: judges a sentence while the voice makes its sound; knows nothing rather than fail."""

    within_s: float

    async def category(self, sentence: str) -> Category | None: ...


class Timeline(Protocol):
    """`companion.body.timeline`: what is due at a position of the loudspeaker's stream."""

    def add(self, start: int, chunk: SpeechChunk) -> None: ...
    def due(self, position: int) -> list[Cue]: ...
    def mouth(self, position: int) -> float: ...
    def next_check_s(self, position: int, rate: int) -> float: ...
    def heard_text(self, position: int) -> str: ...


@dataclass(frozen=True)
class TurnTools:
    """What every turn works with. Created once, in `app`."""

    stage: Callable[[str], Stage]
    """Speaker's name (empty outside groups) -> a stage for one answer."""
    sentences: Callable[[], Sentences]
    timeline: Callable[[], Timeline]
    synthesizer: Synthesizer
    voices: Mapping[str, Synthesizer]
    """In a group: the voices of speakers who do not use `synthesizer`, by name. All have the same rate as it."""
    spotlight: Callable[[str], None]
    """Called with the speaker's name (empty outside groups) when they start to speak."""
    place_cues: Callable[[Sentence, SynthesizedSpeech, int], tuple[PlacedCue, ...]]
    """Sentence, its speech and rate -> its cues with the samples at which they are due."""
    mouth_openings: Callable[[SynthesizedSpeech, int], tuple[float, ...]]
    """Speech and rate -> mouth openings."""
    earcon: Callable[[int], bytes]
    """Rate -> the sound that means "I could not say that"."""
    speaker: Speaker
    animator: Animator
    clock: Clock
    event_log: EventLog
    on_turn: Callable[[TurnEnded], None]
    """Called after each turn with how it ended."""
    longest_silence_s: float
    """A turn that has produced no sound after this time is given up, whatever hangs (loop time)."""
    longest_turn_s: float
    """A turn that speaks is given up this long after its first sound."""
    fillers: Fillers | None = None
    """What is said while an answer is late."""
    guard: Callable[[WhoseWords], Guard] | None = None
    """Watches over one answer, or over what another program lets it say, where there is a policy."""
    second_judge: SecondJudge | None = None
    """A model that judges beside the guard, where one is named."""
