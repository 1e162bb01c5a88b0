"""What the listener listens for; the conversation decides. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal


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
