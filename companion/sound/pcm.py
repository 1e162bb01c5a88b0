"""Arithmetic on 16-bit mono sound: gain, fades, channels, the sample rate, and the two earcons."""

from __future__ import annotations

import math
import struct

import numpy as np
from numpy.typing import NDArray

_FULL_SCALE = 32767

_FADE_S = 0.02


def take_channel(pcm: bytes, channels: int, number: int) -> bytes:
    """One of several interleaved channels; the first has the number 1."""
    return np.frombuffer(pcm, dtype="<i2")[number - 1 :: channels].tobytes()


def mix_to_mono(pcm: bytes, channels: int) -> bytes:
    """Mix interleaved channels to one: their mean, which favours sound from in front of a microphone array."""
    if channels == 1:
        return pcm
    each = np.frombuffer(pcm, dtype="<i2").reshape(-1, channels)
    mean: NDArray[np.int16] = np.rint(each.mean(axis=1)).astype("<i2")
    return mean.tobytes()


def duplicate_channels(pcm: bytes, channels: int) -> bytes:
    """Copy mono sound to each of `channels` interleaved channels."""
    return np.repeat(np.frombuffer(pcm, dtype="<i2"), channels).tobytes()


def apply_gain(pcm: bytes, gain: float) -> bytes:
    """Multiply every sample by `gain`, and clip at full scale."""
    if gain == 1.0:
        return pcm
    louder = np.rint(np.frombuffer(pcm, dtype="<i2") * np.float32(gain))
    return np.clip(louder, -_FULL_SCALE - 1, _FULL_SCALE).astype("<i2").tobytes()


def fade(pcm: bytes, begin: float, end: float) -> bytes:
    """Change the volume evenly over the whole length of the sound, from factor `begin` to `end`: without a click."""
    samples = np.frombuffer(pcm, dtype="<i2")
    factors = np.linspace(begin, end, len(samples) + 1, dtype=np.float32)[1:]
    return (samples * factors).astype("<i2").tobytes()


def fade_out(pcm: bytes) -> bytes:
    """Fade the sound to silence over its whole length, for a stop without a click."""
    return fade(pcm, 1.0, 0.0)


def earcon(rate: int) -> bytes:
    """The sound that means "I could not say that", as 16-bit mono PCM: a short tone and then a lower one."""
    return _tones((660.0, 440.0), 0.14, 0.2, rate)


def wake_earcon(rate: int) -> bytes:
    """The sound that means "I am awake", as 16-bit mono PCM: 100 ms, soft and rising.

    People speak right behind the wake word, so the ears hear it too. Its tones are where Silero VAD hears no speech: at
    most 0.33 at any level from -50 to -10 dBFS, with echoes and noise (660 Hz comes to 0.59).
    """
    return _tones((880.0, 1320.0), 0.05, 0.1, rate)


def _tones(tones_hz: tuple[float, ...], tone_s: float, peak: float, rate: int) -> bytes:
    """One tone after the other, each of `tone_s` seconds and with soft ends; 16-bit mono PCM."""
    length = round(tone_s * rate)
    fade = _FADE_S * rate
    samples = (
        32767 * peak * min(1.0, i / fade, (length - i) / fade) * math.sin(2 * math.pi * tone * i / rate)
        for tone in tones_hz
        for i in range(length)
    )
    return struct.pack(f"<{len(tones_hz) * length}h", *(round(sample) for sample in samples))


class Resampler:
    """Converts a stream of 16-bit mono sound from `rate_in` to `rate_out` samples a second (soxr).

    It holds back up to 40 ms, which `finish` returns; where it is `quick` up to 22 ms, and it filters less steeply. In
    total, n samples become n * rate_out / rate_in, rounded.
    """

    def __init__(self, rate_in: int, rate_out: int, *, quick: bool = False) -> None:
        import soxr  # type: ignore[import-untyped]  # ships no types; no other file imports it

        self._stream = soxr.ResampleStream(rate_in, rate_out, 1, dtype="float32", quality="LQ" if quick else "HQ")

    def feed(self, pcm: bytes) -> bytes:
        """Take the next samples; return those that are ready (may be empty)."""
        return self._resample(pcm, last=False)

    def finish(self) -> bytes:
        """Return what was held back, and get ready for a new sound."""
        rest = self._resample(b"", last=True)
        self._stream.clear()
        return rest

    def clear(self) -> None:
        """Drop what was held back, and get ready for a new sound."""
        self._stream.clear()

    def _resample(self, pcm: bytes, *, last: bool) -> bytes:
        # Via float32, because soxr adds dither noise to 16-bit output, and silence must stay silent.
        samples = np.frombuffer(pcm, dtype="<i2").astype(np.float32)
        resampled = self._stream.resample_chunk(samples, last=last)
        rounded: NDArray[np.int16] = np.clip(np.rint(resampled), -32768, 32767).astype("<i2")
        return rounded.tobytes()


def resample(pcm: bytes, rate_in: int, rate_out: int) -> bytes:
    """Convert a complete 16-bit mono sound to another rate."""
    if rate_in == rate_out:
        return pcm
    resampler = Resampler(rate_in, rate_out)
    return resampler.feed(pcm) + resampler.finish()
