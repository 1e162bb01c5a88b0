"""How loud speech is, and what follows from it: even sentences, the mouth, and where in the sound a cue is due.

Pure. Sound is 16-bit mono PCM. Loudness is the RMS of windows of `MOUTH_STEP` seconds in dBFS, where a square wave of
full scale has 0 dB. It is a plain measure (no weighting by frequency), which is enough for one voice.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
from numpy.typing import NDArray

from companion.events import MOUTH_STEP, SAMPLE_BYTES, PlacedCue, Sentence, Voiced
from companion.voice.visemes import shaped, word_starts

GATE_DB = -45.0
"""Below this a window counts as silence."""

OPEN_DB = -15.0
"""At this the mouth is wide open."""

TARGET_DB = -20.0
"""Loudness of the voiced part of every sentence."""

PEAK_DB = -1.0
"""Highest peak of every sentence."""

MOST_GAIN_DB = 24.0
"""Nothing is made louder than by this, so that breath and noise stay what they are."""

_OPENS = 0.7
_CLOSES = 0.4
"""Share of the way to its new opening that a mouth goes in one step: it opens fast and closes softly."""

_SHUT = 0.02
"""An opening below this is drawn as shut."""

Samples = NDArray[np.float64]


def mouth_openings(said: Voiced, rate: int) -> tuple[float, ...]:
    """Mouth openings, 0 to 1, one for each `MOUTH_STEP` seconds of the sound; a last, shorter step counts too.

    They follow the loudness, and the lips of each sound where the voice tells which sounds it made.
    """
    openings = []
    opening = 0.0
    for loudness in _loudness(_samples(said.pcm), rate):
        wanted = min(max((loudness - GATE_DB) / (OPEN_DB - GATE_DB), 0.0), 1.0)
        opening += (wanted - opening) * (_OPENS if wanted > opening else _CLOSES)
        openings.append(round(opening, 3) if opening > _SHUT else 0.0)
    return shaped(openings, said.phonemes, rate)


def place_cues(sentence: Sentence, said: Voiced, rate: int) -> tuple[PlacedCue, ...]:
    """Where in the sound of a sentence its cues are due, in order.

    Between the words whose times the voice tells, or else from the first voiced sample to the last, the text is taken
    to go by evenly. Without sound all are due at once.
    """
    if not sentence.cues:
        return ()
    first, last = voiced(said.pcm, rate)
    known = [(0, first), *word_starts(sentence.text, said.phonemes), (max(len(sentence.text), 1), last)]
    offsets, samples = zip(*sorted(known), strict=True)
    placed = []
    for cue in sorted(sentence.cues, key=lambda cue: cue.at):
        placed.append(PlacedCue(round(float(np.interp(cue.at, offsets, samples))), cue))
    return tuple(placed)


def even(pcm: bytes, rate: int) -> bytes:
    """The same sound at `TARGET_DB`, or as near to it as `PEAK_DB` and `MOST_GAIN_DB` allow. Silence stays silence."""
    samples = _samples(pcm)
    first, last = voiced(pcm, rate)
    if first == last:
        return pcm
    loudness = _db(float(np.mean(np.square(samples[first:last]))))
    peak = 20.0 * math.log10(float(np.max(np.abs(samples))))
    gain_db = min(TARGET_DB - loudness, PEAK_DB - peak, MOST_GAIN_DB)
    # Towards zero, so that rounding cannot lift a sample over the peak.
    louder: bytes = np.trunc(samples * (32768.0 * 10.0 ** (gain_db / 20.0))).astype("<i2").tobytes()
    return louder


def voiced(pcm: bytes, rate: int) -> tuple[int, int]:
    """The first sample of the voiced part and the one after its last; (0, 0) where all is silence.

    Silence is known to a window of `MOUTH_STEP` seconds.
    """
    samples = _samples(pcm)
    loud = [index for index, loudness in enumerate(_loudness(samples, rate)) if loudness >= GATE_DB]
    if not loud:
        return 0, 0
    edges = _edges(len(samples), rate)
    return edges[loud[0]], edges[loud[-1] + 1]


def _samples(pcm: bytes) -> Samples:
    """The sound, -1 to 1. A last, cut sample is left out."""
    whole = pcm[: len(pcm) // SAMPLE_BYTES * SAMPLE_BYTES]
    return np.frombuffer(whole, dtype="<i2").astype(np.float64) / 32768.0


def _edges(samples: int, rate: int) -> list[int]:
    """The windows' first samples, and the sound's end. Windows do not drift where a step is no whole number."""
    step = rate * MOUTH_STEP
    return [*itertools.takewhile(lambda edge: edge < samples, (round(n * step) for n in itertools.count())), samples]


def _loudness(samples: Samples, rate: int) -> list[float]:
    """dBFS of each window."""
    edges = _edges(len(samples), rate)
    if len(edges) < 2:
        return []
    powers = np.add.reduceat(np.square(samples), edges[:-1]) / np.diff(edges)
    return [_db(float(power)) for power in powers]


def _db(power: float) -> float:
    return 10.0 * math.log10(power) if power > 0 else -200.0
