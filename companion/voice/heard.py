"""How many samples have been heard, from what the sound card says of its delay. Pure: the caller brings the time.

The card reports at each call how long it will take until what it is given now is heard. Those reports jitter by some
milliseconds, so a free-running count of frames at the nominal rate is drawn towards them by a tenth of the difference;
a jump (an underrun, a sleeping machine) is followed at once. Frames are then mapped to speech samples, because
silence may lie between these.
"""

from __future__ import annotations

from collections import deque

_PULL = 0.1
_JUMP_S = 0.03


class Heard:
    """Counts for one stream of `rate` samples a second. Times are seconds of one monotonic clock."""

    def __init__(self, rate: int, count: int = 0) -> None:
        self.rate = rate
        self._most = count
        self._handed = 0  # frames, silence included
        self._anchor: tuple[float, float] | None = None  # a time, and the frames heard by then
        self._spans: deque[tuple[int, int, int]] = deque()  # frame, speech sample, how many
        self.restart(count)

    def restart(self, count: int) -> None:
        """The stream begins anew: `count` speech samples were handed over before, and count as heard."""
        self._handed = 0
        self._anchor = None
        self._spans = deque([(0, count, 0)])
        self._most = max(self._most, count)

    def hand(self, now: float, delay: float, frames: int, silent: int, first: int, count: int) -> None:
        """The card takes `frames`, heard in `delay` seconds: `silent` ones, `count` of speech from `first`, silence."""
        measured = self._handed - delay * self.rate
        predicted = self._frame(now)
        if predicted is None or abs(measured - predicted) > _JUMP_S * self.rate:
            self._anchor = (now, measured)
        else:
            self._anchor = (now, predicted + _PULL * (measured - predicted))
        if count:
            place = self._handed + silent
            frame, sample, length = self._spans[-1]
            if length and (frame + length, sample + length) == (place, first):
                self._spans[-1] = (frame, sample, length + count)
            else:
                self._spans.append((place, first, count))
        self._handed += frames
        self.at(now)  # lets go of spans that are over

    def at(self, now: float) -> int:
        """Speech samples heard by `now`. Never less than at an earlier call."""
        frame = self._frame(now)
        if frame is None:
            return self._most
        while len(self._spans) > 1 and self._spans[1][0] <= frame:
            self._spans.popleft()
        start, sample, length = self._spans[0]
        self._most = max(self._most, sample + min(max(int(frame) - start, 0), length))
        return self._most

    def _frame(self, now: float) -> float | None:
        if self._anchor is None:
            return None
        time, frames = self._anchor
        return frames + (now - time) * self.rate
