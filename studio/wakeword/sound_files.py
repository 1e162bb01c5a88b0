"""Recordings in WAV and FLAC files of any rate, channels and depth, as the ears would get them: 16 kHz, 16 bits, mono.

A file is read in blocks, so that hours of it need no memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile  # type: ignore[import-untyped]  # has no types

from companion.errors import CompanionError
from companion.events import EAR_RATE
from companion.sound.pcm import Resampler

ENDINGS = (".wav", ".flac")

SHORTEST_S = 0.1
"""Shorter than any word."""

_BLOCK_S = 10.0
_LONGEST_S = 100 * 3600.0
_RATES = range(4_000, 768_001)


class UnusableSound(CompanionError):
    """A file that is no recording, or none of use. The sentence begins with its name."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a recording, in seconds from its beginning."""

    path: Path
    start: float
    stop: float


def sound_files(folder: Path) -> list[Path]:
    """All recordings in a folder and those below it, in the order of their names. Raises `CompanionError` for none."""
    found = sorted(one for one in folder.rglob("*") if one.suffix.lower() in ENDINGS and one.is_file())
    if not found:
        raise CompanionError(f"{folder}: there is no sound in it; put .wav or .flac files there")
    return found


def length_s(path: Path) -> float:
    """How long a recording is, in seconds. Raises `UnusableSound`."""
    with _opened(path) as file:
        seconds = float(file.frames / file.samplerate)
    if seconds == 0:
        raise UnusableSound(f"{path}: is empty")
    if seconds < SHORTEST_S:
        raise UnusableSound(f"{path}: lasts {seconds:.3f} s only, which is shorter than any word")
    return seconds


def blocks(part: Part) -> Iterator[bytes]:
    """The sound of a part, as 16-bit mono PCM at `EAR_RATE`, in pieces of some seconds. Raises `UnusableSound`."""
    with _opened(part.path) as file:
        rate = file.samplerate
        resampler = Resampler(rate, EAR_RATE) if rate != EAR_RATE else None
        first, left = round(part.start * rate), round((part.stop - part.start) * rate)
        try:
            file.seek(min(first, file.frames))
            while left > 0:
                read = file.read(min(left, round(_BLOCK_S * rate)), dtype="float32", always_2d=True)
                if not len(read):
                    break
                left -= len(read)
                mixed = np.nan_to_num(read.mean(axis=1), nan=0.0, posinf=1.0, neginf=-1.0) * 32768
                pcm = np.clip(np.rint(mixed), -32768, 32767).astype("<i2").tobytes()
                yield resampler.feed(pcm) if resampler else pcm
        except soundfile.SoundFileError as error:
            raise UnusableSound(f"{part.path}: is damaged or cut off; record or copy it again") from error
        if resampler:
            yield resampler.finish()


def _opened(path: Path) -> soundfile.SoundFile:
    try:
        file = soundfile.SoundFile(path)
    except (soundfile.SoundFileError, OSError) as error:
        raise UnusableSound(f"{path}: cannot be read as sound; save it as WAV or FLAC") from error
    if file.samplerate not in _RATES or file.frames > _LONGEST_S * file.samplerate:
        file.close()
        raise UnusableSound(f"{path}: has no plausible rate or length; save it anew as WAV or FLAC")
    return file
