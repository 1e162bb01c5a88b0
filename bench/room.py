"""A room for measurements: what a microphone hears of the loudspeaker beside it, and who speaks there.

Sound is 16 kHz, float32, full scale 1. Everything but `espeak` and `recording` is deterministic arithmetic.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import numpy.typing as npt

from companion.sound.pcm import resample

RATE = 16_000
Sound = npt.NDArray[np.float32]

LOUD = 0.08
"""Root mean square of speech while it lasts: -22 dBFS."""
_ACTIVE = 0.1
"""Speech lasts where it is louder than this share of its loudest 32 ms."""


def espeak(text: str, voice: str) -> Sound:
    """`text` said by a voice of espeak-ng."""
    command = ["espeak-ng", "-v", voice, "--stdout", "--stdin"]
    wav = subprocess.run(command, input=text.encode(), capture_output=True, check=True).stdout
    return _floats(resample(wav[44:], 22_050, RATE))


def recording(path: Path) -> Sound:
    """A recording, read by sox."""
    command = ["sox", str(path), "-t", "raw", "-e", "signed", "-b", "16", "-c", "1", "-r", str(RATE), "-"]
    return _floats(subprocess.run(command, capture_output=True, check=True).stdout)


def _floats(pcm: bytes) -> Sound:
    return np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32768)


def level(sound: Sound) -> float:
    """Root mean square of the sound where there is any."""
    frames = sound[: len(sound) // 512 * 512].reshape(-1, 512)
    energy = np.square(frames).mean(axis=1)
    return float(np.sqrt(energy[energy > _ACTIVE**2 * energy.max()].mean()))


def at_level(sound: Sound, wanted: float) -> Sound:
    """The same, so loud."""
    return sound * np.float32(wanted / level(sound))


def response(rng: np.random.Generator, delay_s: float, rt60_s: float, gain: float) -> Sound:
    """An impulse response: delay, the direct sound, then noise that falls by 60 dB within `rt60_s`.

    Half of the energy comes by the direct way. Together it changes the level of white noise by the factor `gain`.
    """
    tail = rng.standard_normal(round(rt60_s * RATE)) * 10 ** (-3 * np.arange(round(rt60_s * RATE)) / (rt60_s * RATE))
    tail /= np.sqrt(np.square(tail).sum())
    tail[0] += 1.0
    tail *= gain / np.sqrt(np.square(tail).sum())
    return np.concatenate([np.zeros(round(delay_s * RATE)), tail]).astype(np.float32)


def echoed(played: Sound, impulse: Sound) -> Sound:
    """What comes back of `played`, as long as it."""
    size = 1 << (len(played) + len(impulse) - 1).bit_length()
    return np.fft.irfft(np.fft.rfft(played, size) * np.fft.rfft(impulse, size), size)[: len(played)].astype(np.float32)


def noise(rng: np.random.Generator, samples: int, loud: float) -> Sound:
    """White noise."""
    return (rng.standard_normal(samples) * loud).astype(np.float32)
