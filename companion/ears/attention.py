"""What the ears listen for; the conversation decides it.

Pure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal


@dataclass(frozen=True, slots=True)
class Attention:
    """What to listen for: `Attention.NOTHING`, `.WAKE`, `.SPEECH` or `.WORDS(no_speech_s)`."""

    kind: Literal["nothing", "wake", "words"]
    no_speech_s: float = math.inf
    """For words only: seconds of sound without speech after which `NobodySpoke` is reported."""
    over_answer: bool = False
    """For words only: the device itself may be speaking."""
    as_before: bool = False
    """For words only: what begins them must be about as loud as the person was before: not a television in the
    next room."""

    NOTHING: ClassVar[Attention]
    """Muted: sound is dropped at once, without being kept or examined."""

    WAKE: ClassVar[Attention]
    """The wake word and the button: while idle."""

    SPEECH: ClassVar[Attention]
    """While an answer is made or spoken: the wake word, and speech that goes on or talks over it."""

    @classmethod
    def WORDS(cls, no_speech_s: float = math.inf, *, as_before: bool = False) -> Attention:
        """An utterance. After it, or after `NobodySpoke`, the listener waits for the next one in the same way."""
        return cls("words", no_speech_s, as_before=as_before)


Attention.NOTHING = Attention("nothing")
Attention.WAKE = Attention("wake")
Attention.SPEECH = Attention("words", over_answer=True)
