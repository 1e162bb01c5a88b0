"""Arithmetic on 16-bit mono sound that microphone, loudspeaker and files share. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_FULL_SCALE = 32767


def mono(pcm: bytes, channels: int) -> bytes:
    """One channel out of interleaved ones: their mean, which favours what stands before a microphone array."""
    if channels == 1:
        return pcm
    each = np.frombuffer(pcm, dtype="<i2").reshape(-1, channels)
    mean: NDArray[np.int16] = np.rint(each.mean(axis=1)).astype("<i2")
    return mean.tobytes()


def spread(pcm: bytes, channels: int) -> bytes:
    """The same sound on every one of `channels` interleaved channels."""
    return np.repeat(np.frombuffer(pcm, dtype="<i2"), channels).tobytes()


def amplified(pcm: bytes, gain: float) -> bytes:
    """Every sample times `gain`, cut off at full scale."""
    if gain == 1.0:
        return pcm
    louder = np.rint(np.frombuffer(pcm, dtype="<i2") * np.float32(gain))
    return np.clip(louder, -_FULL_SCALE - 1, _FULL_SCALE).astype("<i2").tobytes()


def faded_out(pcm: bytes) -> bytes:
    """The sound falling to silence over its whole length: a stop without a click."""
    samples = np.frombuffer(pcm, dtype="<i2")
    falling = np.linspace(1.0, 0.0, len(samples) + 1, dtype=np.float32)[1:]
    return (samples * falling).astype("<i2").tobytes()
