"""The noise floor of the room, followed over seconds: how loud it is where nobody speaks.

Pure. Speech dips to the level of the room between its words, so the quietest moment of the last seconds is the room
(minimum statistics: R. Martin, "Noise power spectral density estimation", 2001). A fan that is switched on counts as
the room after these seconds, one that is switched off at once.
"""

from __future__ import annotations

import math
from collections import deque

_MEAN_OF = 4
"""The level whose minimum counts is the mean of four frames: one quiet frame alone is chance."""

_PARTS = 8
_PART_FRAMES = 16
"""The minimum is that of eight parts of 16 frames: the last 4 s, with frames of 32 ms."""

_KNOWN_AFTER = 2
"""With fewer parts than these (1 s) the room is not known: they may hold nothing but a voice."""


class NoiseFloor:
    """Fed with the energy of each frame; all frames must be of one size."""

    def __init__(self) -> None:
        self._recent: deque[float] = deque(maxlen=_MEAN_OF)
        self._lowest = math.inf
        self._frames = 0
        self._parts: deque[float] = deque(maxlen=_PARTS)
        self.energy = 0.0
        """Energy of a frame of the room alone; 0 as long as it is not known."""

    def hear(self, energy: float) -> None:
        """Take the energy of the next frame."""
        self._recent.append(energy)
        self._lowest = min(self._lowest, sum(self._recent) / len(self._recent))
        self._frames += 1
        if self._frames == _PART_FRAMES:
            self._parts.append(self._lowest)
            self._frames, self._lowest = 0, math.inf
        if len(self._parts) >= _KNOWN_AFTER:
            self.energy = min(self._lowest, *self._parts)
