"""What the owner of a unit decides about its conversation."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from companion.config.device import Device
from companion.config.hours import in_hours
from companion.ears.attention import Attention
from companion.events import State


@dataclass(frozen=True)
class ConversationRules:
    """When the device listens and speaks. All times are seconds of audio time."""

    nobody_s: float
    """LISTENING ends after this much silence."""
    follow_up_s: float
    """How long FOLLOW_UP lasts; 0: there is none."""
    longest_talk_s: float = 600.0
    """A talk that has lasted this long needs the wake word again."""
    always_open: bool = False
    """Whether words are listened for at rest too."""
    opening_after_s: float = 2.0
    continue_after_s: float = 0.0
    """0: the character never speaks by itself."""
    continue_most: int = 2
    may_speak_first: Callable[[], bool] = lambda: True
    """Whether it is not quiet hours."""
    hears: bool = True
    """Whether there is a transcriber."""
    refuses: Callable[[], bool] = lambda: False
    """Whether no talk may begin now: a wake is answered with a line that says why."""
    by_button: bool = False
    """Whether words are listened for only after the button was pressed."""
    barge_in: Literal["speech", "words", "wake", "off"] = "speech"
    """What stops an answer, beside the button: speech or only words of it, the wake word, or nothing."""
    take_back_s: float = 1.0
    """Speech that begins within this time of an answer's first sound takes the answer back."""
    characters: Mapping[str, str] = field(default_factory=dict)
    """Wake word -> the one of a group whom it wakes."""
    stop_words: frozenset[str] = frozenset()
    """Those of the wake words that end an answer and never wake."""
    reopens_microphone: bool = True
    """Whether a lost microphone may come back; where it may not, `run` raises its `DeviceError`."""

    @property
    def listens(self) -> bool:
        """Whether words are listened for now."""
        return self.hears and not self.refuses()

    @property
    def idle_attention(self) -> Attention:
        """What to listen for at rest."""
        return Attention.WORDS() if self.always_open and self.listens else Attention.WAKE

    @property
    def by_wake(self) -> bool:
        """Whether a talk begins with a wake word or button: then who may follow up is known."""
        return not self.always_open

    def attention_in(self, state: State) -> Attention:
        """What to listen for while an answer is made or said."""
        stops = state is State.THINKING or self.barge_in not in ("wake", "off")
        return Attention.SPEECH if stops and self.listens and not self.by_button else Attention.WAKE

    def follows_up(self, talk_s: float) -> bool:
        """Whether an answer of a talk that has lasted so long is followed by FOLLOW_UP."""
        return self.follow_up_s > 0 and talk_s < self.longest_talk_s


def rules_of(
    device: Device, *, live: bool, hears: bool, refuses: Callable[[], bool] = lambda: False
) -> ConversationRules:
    """The rules in a device file. `live`: with a sound card; `hears`: there is a transcriber."""
    settings = device.conversation
    return ConversationRules(
        nobody_s=device.ears.endpoint.nobody_s,
        follow_up_s=settings.follow_up_s,
        longest_talk_s=settings.longest_talk_s,
        always_open=device.ears.wake.mode == "open",
        opening_after_s=settings.opening_after_s,
        continue_after_s=settings.continue_after_s,
        continue_most=settings.continue_most,
        may_speak_first=lambda: not (in_hours(settings.quiet_hours, datetime.now().time()) or refuses()),
        refuses=refuses,
        barge_in=settings.barge_in,
        take_back_s=settings.take_back_s,
        reopens_microphone=live,
        hears=hears,
        characters=device.ears.wake.characters,
        stop_words=device.ears.wake.stop_words,
        by_button=device.ears.wake.mode == "button",
    )


def back_off() -> Iterator[float]:
    """Seconds between attempts to reopen a lost microphone."""
    return itertools.chain((0.25, 0.5, 1.0), itertools.repeat(2.0))
