"""What follows from the sound of a sentence: the mouth, where its cues are due, and an even loudness. Pure.

Sound is 16-bit mono PCM. Loudness is the RMS of windows of `MOUTH_STEP` seconds in dBFS, where a square wave of full
scale has 0 dB. It is not weighted by frequency, which is good enough for a single voice.

The mouth opens as far as the sound is loud. Voices that tell when each phoneme begins shape it further: the lips close
for "m" and open wide for "a", and a cue is due exactly at its word. Phonemes are those of espeak-ng (IPA). How far the
mouth opens for each follows from its articulation (International Phonetic Association, Handbook, 1999): lips shut for
bilabial plosives and nasals, nearly shut for labiodentals, slightly open for other consonants, and vowels by height.
"""

from __future__ import annotations

import itertools
import math
import re
from bisect import bisect_right
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from companion.events import MOUTH_STEP, SAMPLE_BYTES, Phoneme, PlacedCue, Sentence, SynthesizedSpeech

GATE_DB = -45.0
"""A quieter window counts as silence."""

OPEN_DB = -15.0
"""From this loudness on the mouth is wide open."""

TARGET_DB = -20.0
"""Loudness of the voiced part of a sentence after `normalize_loudness`."""

PEAK_DB = -1.0
"""Highest peak of a sentence after it."""

MOST_GAIN_DB = 24.0
"""The most that is added to a sound, so that breath and noise stay quiet."""

_OPENS = 0.7
_CLOSES = 0.4
"""How much of the way to its new opening the mouth goes in one step: it opens fast and closes slowly."""

_SHUT = 0.02
"""A smaller opening counts as shut."""

_APERTURES = (
    ("pbmɓ", 0.0),
    ("fvɱ", 0.3),
    ("wuoʊɯʉ", 0.65),
    ("iyɪʏeøɘ", 0.75),
    ("əɚɜɝɤɵ", 0.8),
    ("ɛœʌɔɞ", 0.95),
    ("æaɑɒɐɶ", 1.0),
)
_OTHER_CONSONANT = 0.6
_APERTURE = {symbol: aperture for symbols, aperture in _APERTURES for symbol in symbols}
_WORD = re.compile(r"\S+")
_BREAK = frozenset(" ^$")
"""Symbols that Piper puts between words and around sentences."""

Samples = NDArray[np.float64]


def mouth_openings(said: SynthesizedSpeech, rate: int) -> tuple[float, ...]:
    """Mouth openings, 0 to 1, one for each `MOUTH_STEP` seconds of the sound; a last, shorter step counts too.

    They follow the loudness, and the shape of the lips where the voice tells its phonemes.
    """
    openings = []
    opening = 0.0
    for loudness in _loudness(_samples(said.pcm), rate):
        wanted = min(max((loudness - GATE_DB) / (OPEN_DB - GATE_DB), 0.0), 1.0)
        opening += (wanted - opening) * (_OPENS if wanted > opening else _CLOSES)
        openings.append(round(opening, 3) if opening > _SHUT else 0.0)
    return shape_by_phonemes(openings, said.phonemes, rate)


def place_cues(sentence: Sentence, said: SynthesizedSpeech, rate: int) -> tuple[PlacedCue, ...]:
    """The cues of a sentence in order, each with the sample at which it is due.

    Each is due at its word if the voice tells the times of its words. Otherwise the text is spread evenly from the
    first voiced sample to the last. Without sound all cues are due at once.
    """
    if not sentence.cues:
        return ()
    first, last = voiced_span(said.pcm, rate)
    known = [(0, first), *word_starts(sentence.text, said.phonemes), (max(len(sentence.text), 1), last)]
    offsets, samples = zip(*sorted(known), strict=True)
    placed = []
    for cue in sorted(sentence.cues, key=lambda cue: cue.at):
        placed.append(PlacedCue(round(float(np.interp(cue.at, offsets, samples))), cue))
    return tuple(placed)


def normalize_loudness(pcm: bytes, rate: int) -> bytes:
    """The sound at `TARGET_DB`, or as close to it as `PEAK_DB` and `MOST_GAIN_DB` allow. Silence stays silence."""
    samples = _samples(pcm)
    first, last = voiced_span(pcm, rate)
    if first == last:
        return pcm
    loudness = _db(float(np.mean(np.square(samples[first:last]))))
    peak = 20.0 * math.log10(float(np.max(np.abs(samples))))
    gain_db = min(TARGET_DB - loudness, PEAK_DB - peak, MOST_GAIN_DB)
    # Rounded towards zero, so that no sample exceeds the peak.
    louder: bytes = np.trunc(samples * (32768.0 * 10.0 ** (gain_db / 20.0))).astype("<i2").tobytes()
    return louder


def voiced_span(pcm: bytes, rate: int) -> tuple[int, int]:
    """The first sample of the voiced part and the one after its last; (0, 0) if all is silence.

    Accurate to one window of `MOUTH_STEP` seconds.
    """
    samples = _samples(pcm)
    loud = [index for index, loudness in enumerate(_loudness(samples, rate)) if loudness >= GATE_DB]
    if not loud:
        return 0, 0
    edges = _edges(len(samples), rate)
    return edges[loud[0]], edges[loud[-1] + 1]


def shape_by_phonemes(openings: Sequence[float], phonemes: Sequence[Phoneme], rate: int) -> tuple[float, ...]:
    """Limit mouth openings, one for each `MOUTH_STEP` seconds, to what the lips do for the phonemes of that time."""
    shapes = [(one.at, shape) for one in phonemes if (shape := lip_aperture(one.symbol)) is not None]
    if not shapes:
        return tuple(openings)
    starts = [at for at, _ in shapes]
    limited = []
    for step, opening in enumerate(openings):
        # A closure shorter than a step must still be seen, so the narrowest phoneme of the step counts.
        first = max(bisect_right(starts, round(step * MOUTH_STEP * rate)) - 1, 0)
        last = bisect_right(starts, round((step + 1) * MOUTH_STEP * rate) - 1)
        opening *= min((shape for _, shape in shapes[first : max(last, first + 1)]), default=1.0)
        limited.append(round(opening, 3) if opening > _SHUT else 0.0)
    return tuple(limited)


def lip_aperture(symbol: str) -> float | None:
    """How far the mouth may open for a phoneme, 0 to 1; None for stress, length and break marks."""
    first = symbol[:1]
    if first in _APERTURE:
        return _APERTURE[first]
    return _OTHER_CONSONANT if first.isalpha() and first not in "ːˑˈˌ" else None


def word_starts(text: str, phonemes: Sequence[Phoneme]) -> list[tuple[int, int]]:
    """Where each word of `text` begins: its offset in characters and its sample.

    Empty if words and phonemes do not match one to one: a voice may say "10" as one word or as several.
    """
    words = [match.start() for match in _WORD.finditer(text) if any(one.isalnum() for one in match[0])]
    starts = []
    between = True
    for phoneme in phonemes:
        if phoneme.symbol in _BREAK:
            between = True
        elif between and lip_aperture(phoneme.symbol) is not None:
            starts.append(phoneme.at)
            between = False
    return list(zip(words, starts, strict=True)) if len(words) == len(starts) else []


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
