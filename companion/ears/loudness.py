"""How loud the person is who talks with the device, to tell them from a television in the next room.

Pure. Learned from what was said behind the wake word, and half from each answered sentence after it.
"""

from __future__ import annotations

import math

AS_LOUD = 0.5
"""A follow-up has a frame at least this loud (-3 dB), beside the median frame of what was said before. The loudest of
the first half second is 8 dB above the median (60 recorded orders; the least was 2 dB), and that of a whole programme
10 dB: so somebody 11 dB quieter than before is usually heard, and a television 13 dB quieter is not."""


class PersonLoudness:
    """Fed with the energy of each utterance that had words."""

    def __init__(self) -> None:
        self._energy = 0.0
        self._known = False

    def forget(self) -> None:
        """Whoever speaks next is the person, however loud: behind a wake word."""
        self._known = False

    def hear(self, energy: float) -> None:
        """Take the energy of the median voiced frame of an utterance."""
        self._energy = math.sqrt(self._energy * energy) if self._known else energy
        self._known = True

    @property
    def least_energy(self) -> float:
        """What the loudest frame must have to be this person's; 0 as long as nobody has spoken."""
        return self._energy * AS_LOUD if self._known else 0.0
