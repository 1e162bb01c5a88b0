"""WAV files for tests, right and wrong ones."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from companion.events import EAR_RATE

CHUNK = struct.Struct("<4sI")


def write_wav(
    path: Path,
    data: bytes,
    rate: int = EAR_RATE,
    channels: int = 1,
    bits: int = 16,
    kind: int = 1,
    length: int | None = None,
) -> Path:
    """A WAV with any header, right or wrong."""
    size = channels * bits // 8
    form = struct.pack("<HHIIHH", kind, channels, rate, rate * size, size, bits)
    if kind == 0xFFFE:
        form += struct.pack("<HHIH14s", 22, bits, 0, 1, bytes(14))
    odd = CHUNK.pack(b"LIST", 3) + b"abc\0"
    body = b"WAVE" + CHUNK.pack(b"fmt ", len(form)) + form + odd
    body += CHUNK.pack(b"data", len(data) if length is None else length) + data
    path.write_bytes(CHUNK.pack(b"RIFF", len(body)) + body)
    return path


def silence(path: Path, seconds: float) -> Path:
    """A file of this many seconds without sound, at the rate of the ears."""
    return write_wav(path, bytes(2 * round(seconds * EAR_RATE)))


RATE = 22_050
"""The rate of the loudspeaker in these tests."""


def ramp(samples: int) -> bytes:
    """Sound without a sample of 0, so that it can be told from silence."""
    return (np.arange(samples) % 30_000 + 1).astype("<i2").tobytes()
