"""Speech on its way to the sound card: a queue that the audio thread empties, and a count of what has been heard.

The event loop appends samples. Every few milliseconds the audio thread calls `fill`, which takes what is queued and
adds silence if that is too little. It never waits: the lock is held for a few instructions only. Samples are counted as
queued, handed to the card, and heard. Silence that fills a gap is not counted.

What has been heard is worked out from the delay that the card reports with each call: the time until what it is given
now is heard. These reports jitter by some milliseconds. So a count of frames runs freely at the nominal rate and is
corrected by a tenth of the difference at each report; a jump (an underrun, a sleeping machine) is followed at once.
Frames are then mapped to samples of speech, because silence may lie between them.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from companion.events import SAMPLE_BYTES
from companion.sound.pcm import fade, fade_out
from companion.sound.played import PlayedSound

_PULL = 0.1
_JUMP_S = 0.03


class HeardCounter:
    """Counts the speech that was heard on a stream of `rate` samples a second.

    The caller brings the time, in seconds of one monotonic clock.
    """

    def __init__(self, rate: int, count: int = 0) -> None:
        self.rate = rate
        self._most = count
        self._handed = 0  # frames, silence included
        self._anchor: tuple[float, float] | None = None  # a time, and the frames heard by then
        self._spans: deque[tuple[int, int, int]] = deque()  # frame, speech sample, how many
        self.restart(count)

    def restart(self, count: int) -> None:
        """The stream starts again. The `count` speech samples that were handed over before count as heard."""
        self._handed = 0
        self._anchor = None
        self._spans = deque([(0, count, 0)])
        self._most = max(self._most, count)

    def count_call(self, now: float, delay: float, frames: int, silent: int, first: int, count: int) -> None:
        """The card takes `frames` that will be heard in `delay` seconds.

        They are `silent` frames of silence, then `count` samples of speech from number `first` on, then silence.
        """
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
        self.heard_by(now)  # forgets spans that are over

    def due(self, now: float, frames: int) -> float:
        """When the first of the last `frames` that were handed over is heard."""
        heard = self._frame(now)
        return now if heard is None else now + (self._handed - frames - heard) / self.rate

    def heard_by(self, now: float) -> int:
        """Speech samples heard by `now`. Never fewer than an earlier call returned."""
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
"""Speech that is queued further ahead than this has to wait."""

DUCKED = 0.25
"""Volume while somebody may be speaking over it: 12 dB quieter."""

_FADE_S = 0.005
_RISE_S = 0.2
"""How long it takes to become as loud as ever from next to nothing: who seemed to speak may yet do so."""
_LEAD_IN_S = 0.02
_IDLE_S = 3.0
_IDLE_AFTER_ALL_S = 0.2


class Playback:
    """16-bit mono samples on their way to a card that takes `rate` a second.

    `clock` gives seconds and is read in both threads. `on_low` is called in the audio thread when the queue falls to
    `AHEAD_S`, and when it runs empty. `played` learns what the card is given.
    """

    def __init__(
        self,
        rate: int,
        clock: Callable[[], float],
        on_low: Callable[[], None],
        played: PlayedSound | None = None,
    ) -> None:
        self.rate = rate
        self._clock = clock
        self._on_low = on_low
        self._played = played
        self._lock = threading.Lock()
        self._queue: deque[memoryview] = deque()
        self._queued = 0
        self._handed = 0
        self._heard = HeardCounter(rate)
        self._running = False
        self._volume = self._wanted_volume = 1.0
        self._lead_in = 0
        self._idle = 0
        self._last_fill = clock()

    @property
    def queued(self) -> int:
        """Samples that have not been handed to the card yet."""
        return self._queued

    @property
    def end(self) -> int:
        """Samples handed to the card or queued since the beginning. What was dropped is not counted."""
        with self._lock:
            return self._handed + self._queued

    def heard(self) -> int:
        """Samples that have been heard since the beginning."""
        with self._lock:
            return self._heard.heard_by(self._clock())

    def unheard_s(self) -> float:
        """Seconds until everything that the card was given has been heard."""
        with self._lock:
            return (self._handed - self._heard.heard_by(self._clock())) / self.rate

    def since_last_fill_s(self) -> float:
        """Seconds since the card last asked for sound."""
        return self._clock() - self._last_fill

    def append(self, pcm: bytes) -> None:
        """Queue sound at the end."""
        with self._lock:
            if pcm:
                self._queue.append(memoryview(pcm))
                self._queued += len(pcm) // SAMPLE_BYTES

    def set_volume(self, volume: float) -> None:
        """From now on this factor; at 0 nothing is taken from the queue."""
        with self._lock:
            self._wanted_volume = volume

    def cut(self, fade_s: float = _FADE_S) -> None:
        """Drop what is queued, except for a short fade. The volume is the usual one again."""
        with self._lock:
            if self._volume == 0.0:
                fade_s = 0
            self._volume = self._wanted_volume = 1.0
            tail = bytearray(min(self._queued, round(fade_s * self.rate)) * SAMPLE_BYTES)
            self._take(memoryview(tail))
            self._queue.clear()
            self._queued = len(tail) // SAMPLE_BYTES
            if tail:
                self._queue.append(memoryview(fade_out(bytes(tail))))

    def resume(self) -> bool:
        """Keep the stream from ending. True if it has stopped, so that the caller must start it."""
        with self._lock:
            self._idle = 0
            if self._running:
                return False
            self._running = True
            self._lead_in = round(_LEAD_IN_S * self.rate)
            self._heard.restart(self._handed)
            self._last_fill = self._clock()
            return True

    def rest(self) -> None:
        """All has been said: end the stream soon, unless more follows."""
        with self._lock:
            self._idle = max(self._idle, round((_IDLE_S - _IDLE_AFTER_ALL_S) * self.rate))

    def mark_stopped(self) -> None:
        """The stream no longer runs. What the card was given has been heard, or never will be."""
        with self._lock:
            self._running = False
            self._heard.restart(self._handed)

    def fill(self, buffer: memoryview, delay: float) -> bool:
        """Fill `buffer` with the next samples for the card, heard in `delay` seconds. Called in the audio thread.

        Returns False to end the stream after it has been idle for long.
        """
        samples = len(buffer) // SAMPLE_BYTES
        with self._lock:
            self._last_fill = self._clock()
            silent = min(samples, self._lead_in)
            self._lead_in -= silent
            before, first = self._queued, self._handed
            begin = silent * SAMPLE_BYTES
            taken = self._take_at_volume(buffer[begin:])
            self._handed += taken
            end = begin + taken * SAMPLE_BYTES
            buffer[:begin] = bytes(begin)
            buffer[end:] = bytes(len(buffer) - end)
            self._heard.count_call(self._last_fill, delay, samples, silent, first, taken)
            if taken and self._played is not None:
                at = self._heard.due(self._last_fill, samples - silent)
                self._played.put(bytes(buffer[begin:end]), self.rate, at)
            # What is paused keeps the card awake.
            self._idle = 0 if before else self._idle + samples
            self._running = self._idle < _IDLE_S * self.rate
            running, after = self._running, self._queued
        if before > AHEAD_S * self.rate >= after or before > after == 0:
            self._on_low()
        return running

    def _take_at_volume(self, buffer: memoryview) -> int:
        """The same as `_take`, louder or quieter. The caller holds the lock."""
        volume, wanted = self._volume, self._wanted_volume
        if volume == wanted == 0.0:
            return 0
        if wanted == 0.0:
            buffer = buffer[: round(_FADE_S * self.rate) * SAMPLE_BYTES]
        taken = self._take(buffer)
        if volume > 0.0 and taken:
            wanted = min(wanted, volume + taken / (_RISE_S * self.rate))
        if volume != 1.0 or wanted != 1.0:
            end = taken * SAMPLE_BYTES
            buffer[:end] = fade(bytes(buffer[:end]), volume, wanted)
        self._volume = wanted
        return taken

    def _take(self, buffer: memoryview) -> int:
        """Move samples from the queue into `buffer`; returns how many. The caller holds the lock."""
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
