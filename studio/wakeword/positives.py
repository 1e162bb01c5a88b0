"""A recording of the word as a unit in a quiet room would hear it, with noise where that is wanted. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from companion.events import EAR_RATE

Sound = NDArray[np.float32]
"""Samples in units of 16 bits."""

BEFORE_S, AFTER_S = 1.5, 1.0
"""Room before and after each recording."""

ROOM = 8.0
"""The noise of a quiet room and its microphone, in units of 16 bits. There is no digital silence in a room."""

_STEP = EAR_RATE // 100
_QUIETER = 0.03
"""30 dB: what is so much quieter than the loudest part is no speech any more."""
_ABOVE_NOISE = 3.0
"""10 dB: nor is what is less above the quiet parts."""
_SMOOTHED = np.full(5, 0.2, np.float32)
"""A click is no speech."""


def room(seconds: float, seed: int = 0) -> bytes:
    """PCM of nothing but a quiet room."""
    return np.rint(_room(round(seconds * EAR_RATE), seed)).astype("<i2").tobytes()


def _room(length: int, seed: int) -> Sound:
    noise: Sound = np.random.default_rng(seed).normal(0, ROOM, length).astype(np.float32)
    return noise


def levels(sound: Sound) -> Sound:
    """The level of each whole 10 ms (RMS)."""
    pieces = sound[: len(sound) // _STEP * _STEP].reshape(-1, _STEP)
    found: Sound = np.sqrt(np.mean(pieces * pieces, axis=1))
    return found


def speech(sound: Sound) -> NDArray[np.bool_]:
    """Which 10 ms of a recording of speech hold some."""
    level = levels(sound)
    if len(level) < len(_SMOOTHED):
        return np.ones(len(level), np.bool_)
    level = np.sqrt(np.convolve(level * level, _SMOOTHED, "same"))
    loudest = float(level.max(initial=0.0))
    if loudest == 0:
        return np.zeros(len(level), np.bool_)
    least = max(_QUIETER * loudest, min(_ABOVE_NOISE * float(np.percentile(level, 10)), loudest / 2))
    return level >= least


def in_room(recording: Sound, seed: int, noise: Sound | None = None, snr_db: float = 0.0) -> tuple[bytes, int]:
    """PCM at `EAR_RATE` of the recording with room before and after it, and the position where the word ends in it.

    `noise` (of any length, repeated as often as needed) is mixed in all along, `snr_db` below the level of the speech.
    """
    active = speech(recording)
    before, after = round(BEFORE_S * EAR_RATE), round(AFTER_S * EAR_RATE)
    sound = np.concatenate([np.zeros(before, np.float32), recording, np.zeros(after, np.float32)])
    sound += _room(len(sound), seed)
    if noise is not None and active.any():
        level = float(np.sqrt(np.mean(levels(recording)[active] ** 2)))
        mixed = np.resize(noise, len(sound))
        loud = float(np.sqrt(np.mean(mixed * mixed)))
        if loud > 0:
            sound += mixed * np.float32(level / loud / 10 ** (snr_db / 20))
    # Rather quieter than distorted.
    sound *= min(1.0, 32767 / max(float(np.abs(sound).max()), 1.0))
    end = before + (int(np.flatnonzero(active)[-1]) + 1) * _STEP if active.any() else before + len(recording)
    return np.rint(sound).astype("<i2").tobytes(), end
