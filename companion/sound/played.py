"""What the loudspeaker plays, as the ears must know it: samples at `EAR_RATE`, found by the time when they are heard.

The audio thread (or a file's clock) puts down what it gave to the card; the ears look it up on the loop. Times are
seconds of one clock that both know. Only the last `KEPT_S` are kept, and only sound: nothing is put while nothing is
said.
"""

from __future__ import annotations

import math
from collections import deque

import numpy as np
from numpy.typing import NDArray

from companion.events import EAR_RATE, SAMPLE_BYTES
from companion.sound.pcm import Resampler

KEPT_S = 2.0

Samples = NDArray[np.float32]

_KEPT = round(KEPT_S * EAR_RATE)
_PIECES = 400
_PULL = 0.1
_JUMP_S = 0.03


class PlayedSound:
    """One thread puts, one other looks up; neither waits for the other."""

    def __init__(self) -> None:
        self._pieces: deque[tuple[bytes, int, float]] = deque(maxlen=_PIECES)
        self._sound: Samples = np.zeros(0, np.float32)
        self._count = 0
        self._end = -math.inf
        """When the last sample of `_sound` is heard."""
        self._due = -math.inf
        """When the next piece is heard if it follows without a gap."""
        self._rate = EAR_RATE
        self._resampler: Resampler | None = None

    def put(self, pcm: bytes, rate: int, at: float) -> None:
        """Note that this sound of `rate` samples a second will be heard from `at` on. Called in any thread."""
        self._pieces.append((pcm, rate, at))

    def end(self) -> float:
        """When the last sound of all is heard; minus infinity where there has been none."""
        self._take_pieces()
        return self._end

    def heard(self, start: float, samples: int) -> Samples:
        """`samples` samples at `EAR_RATE` of 16 bits, as floats, heard from `start` on; zero where nothing is known."""
        return self.sound(self.place(start), samples)

    def place(self, time: float) -> int:
        """The number of the sample that is heard then. It jitters by some samples, as what the card reports does."""
        self._take_pieces()
        return self._count + round((time - self._end) * EAR_RATE) if self._count else 0

    def sound(self, place: int, samples: int) -> Samples:
        """Like `heard`, from this sample on: read on from there, sound has no seams."""
        self._take_pieces()
        found = np.zeros(samples, np.float32)
        first = place - self._count + self._sound.size
        begin, end = max(first, 0), min(first + samples, self._sound.size)
        if begin < end:
            found[begin - first : end - first] = self._sound[begin:end]
        return found

    def _take_pieces(self) -> None:
        # Joined, because to resample each by itself takes three times as long.
        joined: list[bytes] = []
        while self._pieces:
            pcm, rate, at = self._pieces.popleft()
            off = at - self._due
            if abs(off) > _JUMP_S or rate != self._rate:
                self._append(b"".join(joined))
                joined.clear()
                self._begin(rate, at)
            else:
                # The card tells its delay with some jitter.
                self._due += _PULL * off
                self._end += _PULL * off
            self._due += len(pcm) / SAMPLE_BYTES / rate
            joined.append(pcm)
        if joined:
            self._append(b"".join(joined))

    def _begin(self, rate: int, at: float) -> None:
        """A new sound after a silence, or on a card that was opened anew."""
        if self._resampler is not None:
            self._append_heard(self._resampler.finish())
        if rate != self._rate:
            self._resampler = None if rate == EAR_RATE else Resampler(rate, EAR_RATE, quick=True)
        silence = round(min(max(at - self._end, 0.0), KEPT_S) * EAR_RATE)
        self._append_heard(bytes(silence * SAMPLE_BYTES))
        self._rate, self._due, self._end = rate, at, at

    def _append(self, pcm: bytes) -> None:
        self._append_heard(pcm if self._resampler is None else self._resampler.feed(pcm))

    def _append_heard(self, pcm: bytes) -> None:
        """`pcm` is at `EAR_RATE`."""
        new = np.frombuffer(pcm, "<i2").astype(np.float32)
        self._sound = np.concatenate([self._sound, new])[-_KEPT:]
        self._count += len(new)
        self._end += len(new) / EAR_RATE
