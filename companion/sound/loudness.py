"""How loud sound is as a person hears it (A-weighted), and a bound on it. Pure.

A level is that of the loudest 125 ms, in dB over a sine of 1 kHz at full scale. A-weighting is that of IEC 61672-1.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from companion.events import SAMPLE_BYTES

Squares = NDArray[np.float64]

FAST_S = 0.125
"""The window, that of a sound level meter's "fast"."""
_STEP_S = 0.005
_MARGIN_DB = 0.5
"""Pieces are weighted one by one, and steps do not meet their ends: what comes out as a whole differs by that much."""
_FULL_SINE = 0.5
"""The mean square of a sine at full scale."""


def a_weighting(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    """The factor of the amplitude at each frequency; 1 at 1 kHz."""
    f2 = hertz**2
    shape = 12194.0**2 * f2**2 / ((f2 + 20.6**2) * np.sqrt((f2 + 107.7**2) * (f2 + 737.9**2)) * (f2 + 12194.0**2))
    weighted: NDArray[np.float64] = shape * 10 ** (2.0 / 20)
    return weighted


def loudest_level(pcm: bytes, rate: int) -> float:
    """The level of 16-bit mono sound; -inf for silence."""
    sums = _windows(_steps(pcm, rate), _of_window())
    loudest = float(sums.max(initial=0.0))
    return 10 * math.log10(loudest / _of_window() / _FULL_SINE) if loudest > 0 else -math.inf


class LoudnessLimit:
    """Makes pieces of one stream of speech quieter where they would be too loud; all of a piece by the same factor.

    Where a piece begins right behind a loud end its first 125 ms are quieter still, so that no window over both is too
    loud.
    """

    def __init__(self, rate: int, most: float) -> None:
        """`most` is a level."""
        self._rate = rate
        self._most = 10 ** ((most - _MARGIN_DB) / 10) * _FULL_SINE * _of_window()
        self._before: Squares = np.zeros(_of_window() - 1)

    def quiet_enough(self, pcm: bytes) -> bytes:
        """The sound at no more than the level."""
        steps = _steps(pcm, self._rate)
        if not len(steps):
            return pcm
        whole = float(_windows(steps, _of_window()).max(initial=0.0))
        gain = min(1.0, self._most / whole) if whole > 0 else 1.0
        # Windows that begin in the piece before, the one with the most of it first.
        gains = np.full(len(steps), gain)
        for end in range(1, min(len(self._before), len(steps)) + 1):
            before, now = float(self._before[end:].sum()), float(steps[:end].sum())
            if before + gain * now > self._most and now > 0:
                gains[:end] = np.minimum(gains[:end], max(self._most - before, 0.0) / now)
        self._before = np.concatenate([self._before, steps * gains])[-(_of_window() - 1) :]
        if gains.min() >= 1.0:
            return pcm
        return _at(pcm, np.sqrt(gains), round(_STEP_S * self._rate))


def _of_window() -> int:
    return round(FAST_S / _STEP_S)


def _steps(pcm: bytes, rate: int) -> Squares:
    """The sum of weighted squares of each 5 ms, as a mean over them. Shape: (steps,)."""
    samples = np.frombuffer(pcm[: len(pcm) // SAMPLE_BYTES * SAMPLE_BYTES], dtype="<i2") / 32768.0
    size = round(_STEP_S * rate)
    padded = np.zeros(-(-len(samples) // size) * size)
    padded[: len(samples)] = samples
    if not len(padded):
        return padded
    length = 1 << (len(padded) - 1).bit_length()
    weighted = np.fft.irfft(np.fft.rfft(padded, length) * _weights(length, rate), length)[: len(padded)]
    means: Squares = (weighted.reshape(-1, size) ** 2).mean(axis=1)
    return means


@lru_cache(maxsize=8)
def _weights(length: int, rate: int) -> NDArray[np.float64]:
    return a_weighting(np.fft.rfftfreq(length, 1 / rate).astype(np.float64))


def _windows(steps: Squares, count: int) -> Squares:
    """The sums of every `count` steps in a row; of all of them where there are fewer."""
    total = np.concatenate([[0.0], np.cumsum(steps)])
    count = min(count, len(steps))
    sums: Squares = total[count:] - total[: len(total) - count]
    return sums


def _at(pcm: bytes, factors: NDArray[np.float64], size: int) -> bytes:
    """The sound by these factors, one for each step of `size` samples, without a click between them."""
    samples = np.frombuffer(pcm, dtype="<i2")
    # At the border of two steps the smaller one holds, so no step becomes louder than its own.
    edges = np.minimum(np.append(factors, factors[-1]), np.insert(factors, 0, factors[0]))
    curve = np.interp(np.arange(len(samples)), np.arange(len(edges)) * size, edges)
    # Towards zero: rounding never makes it louder.
    quieter: NDArray[np.int16] = np.trunc(samples * curve).astype("<i2")
    return quieter.tobytes()
