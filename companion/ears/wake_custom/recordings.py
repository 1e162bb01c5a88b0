"""One recording of a word: where the word stands in it, and whether it is fit to learn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from companion.ears.wake_custom.embeddings import SPAN, STEP, Networks
from companion.ears.wake_custom.head import Head, windows
from companion.events import EAR_RATE

Numbers = NDArray[np.float32]
Samples = NDArray[np.int16]

Fault = Literal["nothing", "quiet", "loud", "different"]
"""Why a recording is not learnt from: there is no word in it, it is too quiet, it was cut off, it is another word."""

HEARD_AFTER = round(0.32 * EAR_RATE)
"""Samples after the end of the word: windows that end until then count as the word's."""

_FRAME = EAR_RATE // 100
_ABOVE_FLOOR_DB = 9.0
_OF_RANGE = 0.35
"""Sound is so much louder than the room: in decibels, and as a part of the way from there to the loudest."""
_BETWEEN_PIECES = 12
_BETWEEN_WORDS = 30
"""Frames of silence that end a piece of sound, and those that may stand between two pieces of a phrase."""
_SHORTEST = 15
"""Frames: a shorter piece is a click."""
_LONGEST = 1.4
"""How much longer than its card says a word is at most."""
_QUIETEST = 80.0
"""Level of a word in units of 16 bits: -52 dBFS. What is quieter drowns in what the microphone itself makes."""
_MOST_CUT_OFF = 0.005
_LEAST_ALIKE = (0.1, 0.12, 0.18, 0.24)
"""Cosine between a recording and the mean of the word and of 0, 1, 2, or 3 and more good recordings. Of other people
who say the word, 19 in 20 are above it; of other words, 3 in 4 are below the first and 9 in 10 below the last."""


@dataclass(frozen=True, slots=True)
class Found:
    """Where the word stands, in samples."""

    start: int
    end: int
    level: float
    """Root mean square of its louder half, in units of 16 bits."""
    window: Numbers
    """The mean of its windows in the principal directions, (kept,): what it sounds like."""


class Finder:
    """Finds a word in recordings by its loudness, and among several sounds by what the head takes for it."""

    def __init__(self, head: Head, networks: Networks, seconds: float) -> None:
        """`seconds`: how long the word is (`Card.seconds`)."""
        self._head = head
        self._networks = networks
        self._longest = round(max(_LONGEST * seconds, seconds + 0.3) * EAR_RATE)

    def find(self, samples: Samples) -> Found | None:
        """None where there is nothing but noise and clicks. Raises `SpeechError`."""
        power = _power(samples)
        pieces = _pieces(power)
        if not pieces:
            return None
        before = (self._head.context - 1) * STEP + SPAN
        padded = np.concatenate([np.zeros(before, np.int16), samples, np.zeros(2 * HEARD_AFTER, np.int16)])
        projected = self._head.project(windows(self._networks.of(padded.astype(np.float32)), self._head.context))
        logits = self._head.of_projected(projected)
        ends = np.arange(len(logits)) * STEP
        """Of the windows, in samples of the recording."""
        best, at_best, heard_at_best = -np.inf, 0, np.zeros(0, np.bool_)
        for at, (_, end) in enumerate(pieces):
            heard = (ends > end * _FRAME) & (ends < end * _FRAME + HEARD_AFTER)
            if heard.any() and logits[heard].max() > best:
                best, at_best, heard_at_best = float(logits[heard].max()), at, heard
        start, end = pieces[at_best]
        for earlier, until in reversed(pieces[:at_best]):
            if start - until > _BETWEEN_WORDS or (end - earlier) * _FRAME > self._longest:
                break
            start = earlier
        start = max(start, end - self._longest // _FRAME)
        loud = np.sort(power[start:end])[(end - start) // 2 :]
        return Found(
            max(0, start - 1) * _FRAME,
            min(len(power), end + 1) * _FRAME,
            float(np.sqrt(loud.mean())),
            projected[heard_at_best].mean(0),
        )


def _power(samples: Samples) -> Numbers:
    """Mean square of each 10 ms, smoothed."""
    count = len(samples) // _FRAME
    frames = samples[: count * _FRAME].reshape(count, _FRAME).astype(np.float32)
    smooth: Numbers = (
        np.convolve((frames**2).mean(1), np.full(3, 1 / 3, np.float32), "same") if count > 3 else frames[:0]
    )
    return smooth


def _pieces(power: Numbers) -> list[tuple[int, int]]:
    """Begin and end of each piece of sound that is loud enough and long enough for a word, in frames."""
    if len(power) < _BETWEEN_WORDS:
        return []
    level = 10 * np.log10(power + 1)
    peak, floor = float(np.percentile(level, 95)), float(np.percentile(level, 20))
    loud = np.flatnonzero(level >= floor + max(_ABOVE_FLOOR_DB, _OF_RANGE * (peak - floor)))
    stretches = np.split(loud, np.flatnonzero(np.diff(loud) > _BETWEEN_PIECES) + 1)
    return [(int(one[0]), int(one[-1]) + 1) for one in stretches if len(one) > _SHORTEST]


def fault(samples: Samples, found: Found | None, word: Numbers, good: Sequence[Found]) -> Fault | None:
    """Why a recording is not learnt from; None where it can be.

    `word` (n, kept): the windows that the file keeps of the word; `good`: the recordings before this one.
    """
    if found is None:
        return "nothing"
    if found.level < _QUIETEST:
        return "quiet"
    cut_off = np.abs(samples[found.start : found.end].astype(np.int32)) >= 32_700
    if cut_off.mean() > _MOST_CUT_OFF:
        return "loud"
    least = _LEAST_ALIKE[min(len(good), len(_LEAST_ALIKE) - 1)]
    return None if alike(found, word, good) >= least else "different"


def alike(found: Found, word: Numbers, good: Sequence[Found]) -> float:
    """How much a recording sounds like the others: -1 to 1."""
    mean = np.mean([word.mean(0), *(one.window for one in good)], axis=0)
    return float(found.window @ mean / (np.linalg.norm(found.window) * np.linalg.norm(mean) + 1e-9))
