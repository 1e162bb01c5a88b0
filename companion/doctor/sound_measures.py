"""What sound tells about a card: levels, a chirp and where it comes back, the gain that speech needs. Pure.

Sound is 16-bit mono at `EAR_RATE`; levels are decibels below full scale (dBFS, of a sine 0 dBFS is the peak: levels of
noise and chirps are those of their root mean square). Times are samples.
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
"""Share of samples that may stand at the end of the range."""
SILENCE_DB = -120.0
"""What stands for the level of digital silence."""

CHIRP_S = 0.4
CHIRP_FROM_HZ, CHIRP_TO_HZ = 400.0, 5000.0
"""What small loudspeakers and microphones can do."""
CHIRP_DB = -12.0
"""Peak of the chirp."""
CLEAR = 10.0
"""How far the chirp's match must stand out of the others, in their standard deviations. The largest of 40,000 matches
with noise is about 4.5."""

SPEECH_PEAK_DB = -12.0
"""Where ordinary speech should peak."""


@dataclass(frozen=True, slots=True)
class Level:
    """How loud a piece of sound is."""

    rms_db: float
    peak_db: float
    clipped: float
    """Share of its samples that stand at the end of the range."""
    offset: float
    """Its mean, as a share of full scale."""
    constant: bool
    """Whether all its samples are the same: no microphone sounds like that."""


@dataclass(frozen=True, slots=True)
class Echo:
    """A chirp that came back."""

    at: int
    """Where it begins."""
    level_db: float
    """Its level, without the noise before it."""
    noise_db: float


def samples(pcm: bytes) -> Samples:
    """PCM as numbers."""
    return np.frombuffer(pcm, dtype="<i2")


def decibels(share: float) -> float:
    """A share of full scale as a level; `SILENCE_DB` for nothing."""
    return round(max(20 * math.log10(share), SILENCE_DB), 1) if share > 0 else SILENCE_DB


def measured(sound: Samples) -> Level:
    """How loud it is; silence where it is empty."""
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
    """A tone that rises evenly from `CHIRP_FROM_HZ` to `CHIRP_TO_HZ`, faded in and out over a twentieth each."""
    count = round(seconds * EAR_RATE)
    at = np.arange(count) / EAR_RATE
    phase = 2 * np.pi * (CHIRP_FROM_HZ * at + (CHIRP_TO_HZ - CHIRP_FROM_HZ) / seconds * at * at / 2)
    ramp = count // 20
    shape = np.minimum(1.0, np.minimum(np.arange(count), np.arange(count)[::-1]) / ramp)
    rounded: Samples = np.rint(10 ** (CHIRP_DB / 20) * (FULL_SCALE - 1) * shape * np.sin(phase)).astype("<i2")
    return rounded


def find_chirp(heard: Samples, sound: Samples, noise: Samples) -> Echo | None:
    """Where `sound` comes back in `heard`; None where it does not. `noise` is what was heard before."""
    if len(heard) < 2 * len(sound):
        return None
    size = 1 << (len(heard) + len(sound)).bit_length()
    spectrum = np.fft.rfft(heard.astype(np.float64), size) * np.conj(np.fft.rfft(sound.astype(np.float64), size))
    match = np.abs(np.fft.irfft(spectrum, size)[: len(heard) - len(sound) + 1])
    at = int(match.argmax())
    # What stands near the peak is its own reverberation.
    others = np.delete(match, slice(max(0, at - EAR_RATE // 20), at + EAR_RATE // 20))
    deviation = float(np.sqrt(np.mean(others**2)))
    if match[at] <= CLEAR * deviation:
        return None
    before = float(np.var(noise.astype(np.float64))) if len(noise) else 0.0
    power = float(np.var(heard[at : at + len(sound)].astype(np.float64))) - before
    return Echo(at, decibels(math.sqrt(max(power, 0.0)) / FULL_SCALE), decibels(math.sqrt(before) / FULL_SCALE))


def speech_gain(peaks: Samples) -> float | None:
    """The gain with which speech peaks at `SPEECH_PEAK_DB`, from the peaks of its voiced frames at a gain of 1.

    The loudest twentieth is left out: coughs and knocks. None where all of it is silent.
    """
    if not len(peaks) or (usual := float(np.percentile(np.abs(peaks.astype(np.float64)), 95))) <= 0:
        return None
    wanted = 10 ** (SPEECH_PEAK_DB / 20) * FULL_SCALE / usual
    return float(f"{wanted:.3g}")
