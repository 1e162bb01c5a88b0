"""The first signs of somebody over an answer, before anything is decided: what may become speech, or the wake word.

They come 50 to 200 ms before the decision, so the device falls quiet while it is made, and goes on where it was when
nothing follows. They are wrong now and then, which costs a moment of quiet.
"""

from __future__ import annotations

from typing import Literal

from companion.ears.others import Others
from companion.events import EAR_RATE, AudioFrame, FirstSign
from companion.ports import WakeWord

LONGEST_WAKE = EAR_RATE // 2
"""Samples after which a sign of the wake word counts no more: its recognition follows within 0.4 s, or never."""


class FirstSigns:
    """Of one listener. Positions are samples at `EAR_RATE`."""

    def __init__(self, wake_word: WakeWord | None, others: Others) -> None:
        self._wake_word = wake_word
        self._others = others
        self._last = "nothing"
        self._wake_from: int | None = None
        """Where the sign of the wake word began that lasts now."""

    def next(self, frame: AudioFrame, *, speech: bool) -> FirstSign | None:
        """What there is a sign of, where that is another than before. Call it when all have heard the frame.

        `speech`: whether what was heard may become speech.
        """
        if not (getattr(self._wake_word, "suspects", False) and self._others.said_wake(frame)):
            self._wake_from = None
        elif self._wake_from is None:
            self._wake_from = frame.end
        # Below 0: positions start again because the microphone was reopened.
        wake = self._wake_from is not None and 0 <= frame.end - self._wake_from < LONGEST_WAKE
        of: Literal["speech", "wake", "nothing"] = "wake" if wake else "speech" if speech else "nothing"
        before, self._last = self._last, of
        return None if of == before else FirstSign(of, frame.end)
