"""What the event loop and the audio thread share while speech is played: a queue of samples and their counts.

The audio thread calls `fill` every few milliseconds. It takes what there is, adds silence where there is too little,
and never waits: a lock is held for a few instructions only. Samples are counted as queued, handed to the card, and
heard; silence played for want of samples is in none of these counts.

How many samples have been heard, from what the sound card says of its delay. The caller brings the time.

The card reports at each call how long it will take until what it is given now is heard. Those reports jitter by some
milliseconds, so a free-running count of frames at the nominal rate is drawn towards them by a tenth of the difference;
a jump (an underrun, a sleeping machine) is followed at once. Frames are then mapped to speech samples, because
silence may lie between these.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from companion.events import SAMPLE_BYTES
from companion.sound.pcm import fade_out

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


AHEAD_S = 1.0
"""More than this need not be queued."""

_FADE_S = 0.005
_LEAD_IN_S = 0.02
_IDLE_S = 3.0


class Playback:
    """16-bit mono samples on their way to a card that takes `rate` a second.

    `clock` gives seconds and is read in both threads. `eased` is called in the audio thread when no more than
    `AHEAD_S` is queued any longer, and when nothing is.
    """

    def __init__(self, rate: int, clock: Callable[[], float], eased: Callable[[], None]) -> None:
        self.rate = rate
        self._clock = clock
        self._eased = eased
        self._lock = threading.Lock()
        self._queue: deque[memoryview] = deque()
        self._queued = 0
        self._handed = 0
        self._heard = Heard(rate)
        self._running = False
        self._lead_in = 0
        self._idle = 0
        self._asked = clock()

    @property
    def queued(self) -> int:
        """Samples that the card has not been given."""
        return self._queued

    @property
    def end(self) -> int:
        """Samples given to the card, or to be given, since the beginning; what was dropped is not counted."""
        with self._lock:
            return self._handed + self._queued

    def heard(self) -> int:
        """How many of them have been heard."""
        with self._lock:
            return self._heard.at(self._clock())

    def unheard_s(self) -> float:
        """Seconds until what the card was given has been heard."""
        with self._lock:
            return (self._handed - self._heard.at(self._clock())) / self.rate

    def since_asked_s(self) -> float:
        """Seconds since the card last asked for sound."""
        return self._clock() - self._asked

    def append(self, pcm: bytes) -> None:
        """Queue sound."""
        with self._lock:
            if pcm:
                self._queue.append(memoryview(pcm))
                self._queued += len(pcm) // SAMPLE_BYTES

    def cut(self, fade_s: float = _FADE_S) -> None:
        """Drop what is queued but for a short fade."""
        with self._lock:
            tail = bytearray(min(self._queued, round(fade_s * self.rate)) * SAMPLE_BYTES)
            self._take(memoryview(tail))
            self._queue.clear()
            self._queued = len(tail) // SAMPLE_BYTES
            if tail:
                self._queue.append(memoryview(fade_out(bytes(tail))))

    def begin(self) -> bool:
        """Put off the idle end; True where the stream stands and has to be started for it."""
        with self._lock:
            self._idle = 0
            if self._running:
                return False
            self._running = True
            self._lead_in = round(_LEAD_IN_S * self.rate)
            self._heard.restart(self._handed)
            self._asked = self._clock()
            return True

    def stand(self) -> None:
        """The stream does not run: what the card was given has been heard, or never will be."""
        with self._lock:
            self._running = False
            self._heard.restart(self._handed)

    def fill(self, buffer: memoryview, delay: float) -> bool:
        """Give the card its next samples, heard in `delay` seconds. False ends the stream: it was long idle."""
        samples = len(buffer) // SAMPLE_BYTES
        with self._lock:
            self._asked = self._clock()
            silent = min(samples, self._lead_in)
            self._lead_in -= silent
            before, first = self._queued, self._handed
            begin = silent * SAMPLE_BYTES
            taken = self._take(buffer[begin:])
            self._handed += taken
            end = begin + taken * SAMPLE_BYTES
            buffer[:begin] = bytes(begin)
            buffer[end:] = bytes(len(buffer) - end)
            self._heard.hand(self._asked, delay, samples, silent, first, taken)
            self._idle = 0 if taken else self._idle + samples
            self._running = self._idle < _IDLE_S * self.rate
            running, after = self._running, self._queued
        if before > AHEAD_S * self.rate >= after or before > after == 0:
            self._eased()
        return running

    def _take(self, buffer: memoryview) -> int:
        """Move samples from the queue into `buffer`, as many as there are. The lock is held."""
        filled = 0
        while filled < len(buffer) and self._queue:
            piece = self._queue.popleft()
            part = piece[: len(buffer) - filled]
            buffer[filled : filled + len(part)] = part
            filled += len(part)
            if len(part) < len(piece):
                self._queue.appendleft(piece[len(part) :])
        self._queued -= filled // SAMPLE_BYTES
        return filled // SAMPLE_BYTES
