"""Measurements on recorded sound: levels, finding a chirp, the gain that speech needs. Pure.

Sound is 16-bit mono at `EAR_RATE`. Levels are in dBFS, relative to the peak of a full-scale sine; those of noise and
chirps are of the root mean square. Times are in samples.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from companion.events import EAR_RATE

Samples = np.ndarray[Any, np.dtype[np.int16]]

FULL_SCALE = 32768.0
CLIPPED_FROM = 32700
MOST_CLIPPED = 0.0005
"""Share of samples that may be at the limit of the range."""
SILENCE_DB = -120.0
"""The level given for digital silence."""

CHIRP_S = 0.4
CHIRP_FROM_HZ, CHIRP_TO_HZ = 400.0, 5000.0
"""A range that small loudspeakers and microphones can reproduce."""
CHIRP_DB = -12.0
"""Peak of the chirp."""
CLEAR = 10.0
"""How far the chirp's correlation must exceed the others, in their standard deviations. The largest of 40,000
correlations with noise is about 4.5."""

SPEECH_PEAK_DB = -12.0
"""Where ordinary speech should peak."""


@dataclass(frozen=True, slots=True)
class Level:
    """How loud a piece of sound is."""

    rms_db: float
    peak_db: float
    clipped: float
    """Share of samples at the limit of the range."""
    offset: float
    """Mean value (DC offset), as a share of full scale."""
    constant: bool
    """Whether all samples are equal; a working microphone always has some noise."""


@dataclass(frozen=True, slots=True)
class Echo:
    """A chirp that came back."""

    at: int
    """Its first sample."""
    level_db: float
    """Its level, with the power of the preceding noise subtracted."""
    noise_db: float


def samples_of(pcm: bytes) -> Samples:
    """PCM bytes as an array."""
    return np.frombuffer(pcm, dtype="<i2")


def decibels(share: float) -> float:
    """A share of full scale in dBFS; `SILENCE_DB` for zero."""
    return round(max(20 * math.log10(share), SILENCE_DB), 1) if share > 0 else SILENCE_DB


def measure_level(sound: Samples) -> Level:
    """The level of a piece of sound; that of silence where it is empty."""
    if not len(sound):
        return Level(SILENCE_DB, SILENCE_DB, 0.0, 0.0, constant=True)
    values = sound.astype(np.float64)
    mean = float(values.mean())
    high = np.abs(values)
    return Level(
        rms_db=decibels(float(values.std()) / FULL_SCALE),
        peak_db=decibels(float(high.max()) / FULL_SCALE),
        clipped=float((high >= CLIPPED_FROM).mean()),
        offset=mean / FULL_SCALE,
        constant=bool(np.ptp(values) == 0),
    )


def chirp(seconds: float = CHIRP_S) -> Samples:
    """A linear sweep from `CHIRP_FROM_HZ` to `CHIRP_TO_HZ`, faded in and out over a twentieth of its length each."""
    count = round(seconds * EAR_RATE)
    at = np.arange(count) / EAR_RATE
    phase = 2 * np.pi * (CHIRP_FROM_HZ * at + (CHIRP_TO_HZ - CHIRP_FROM_HZ) / seconds * at * at / 2)
    ramp = count // 20
    shape = np.minimum(1.0, np.minimum(np.arange(count), np.arange(count)[::-1]) / ramp)
    rounded: Samples = np.rint(10 ** (CHIRP_DB / 20) * (FULL_SCALE - 1) * shape * np.sin(phase)).astype("<i2")
    return rounded


def find_chirp(heard: Samples, sound: Samples, noise: Samples) -> Echo | None:
    """Find `sound` in `heard` by cross-correlation; None where it is not there. `noise` was recorded before."""
    if len(heard) < 2 * len(sound):
        return None
    size = 1 << (len(heard) + len(sound)).bit_length()
    spectrum = np.fft.rfft(heard.astype(np.float64), size) * np.conj(np.fft.rfft(sound.astype(np.float64), size))
    match = np.abs(np.fft.irfft(spectrum, size)[: len(heard) - len(sound) + 1])
    at = int(match.argmax())
    # Correlations near the peak are its own reverberation.
    others = np.delete(match, slice(max(0, at - EAR_RATE // 20), at + EAR_RATE // 20))
    deviation = float(np.sqrt(np.mean(others**2)))
    if match[at] <= CLEAR * deviation:
        return None
    before = float(np.var(noise.astype(np.float64))) if len(noise) else 0.0
    there = float(np.var(heard[at : at + len(sound)].astype(np.float64)))
    if there < 0.25:
        # Below half a step of the samples' scale: a lone sample in silence looks like the edge of anything.
        return None
    power = there - before
    return Echo(at, decibels(math.sqrt(max(power, 0.0)) / FULL_SCALE), decibels(math.sqrt(before) / FULL_SCALE))


def speech_gain(peaks: Samples) -> float | None:
    """The gain at which speech peaks at `SPEECH_PEAK_DB`, from the peaks of its voiced frames at a gain of 1.

    The loudest twentieth is ignored (coughs and knocks). None where all frames are silent.
    """
    if not len(peaks) or (usual := float(np.percentile(np.abs(peaks.astype(np.float64)), 95))) <= 0:
        return None
    wanted = 10 ** (SPEECH_PEAK_DB / 20) * FULL_SCALE / usual
    return float(f"{wanted:.3g}")
