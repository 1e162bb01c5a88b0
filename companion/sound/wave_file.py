"""WAV files (RIFF, little-endian), read and written as 16-bit mono sound, a piece at a time.

The standard library's reader refuses what many recorders write (WAVE_FORMAT_EXTENSIBLE, floating point, files whose
lengths were never filled in), and its writer leaves no readable file behind a crash. Layout: Microsoft's "Multimedia
Programming Interface and Data Specifications 1.0" and the WAVEFORMATEXTENSIBLE reference page.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from companion.errors import DeviceError
from companion.events import SAMPLE_BYTES
from companion.sound.pcm import mono

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
_MOST_BYTES = 0xFFFFFFFF - _HEADER.size


class WaveReader:
    """A WAV file of 8, 16, 24 or 32 bits or floating point, any rate and number of channels, open at its sound.

    Raises `DeviceError` for a file that is not there, is no such WAV, or holds no sound.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            # A named pipe would otherwise block until somebody writes into it.
            self._file = open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK))  # noqa: SIM115
        except OSError as error:
            raise DeviceError(f"{path}: cannot be read: {error.strerror or error}") from error
        if not self._file.seekable():
            self._file.close()
            raise DeviceError(f"{path}: is a pipe; write its sound into a file and name that")
        try:
            self.rate, self._channels, self._bits, self._float = self._seek_sound()
        except (DeviceError, OSError) as error:
            self._file.close()
            if isinstance(error, OSError):
                raise DeviceError(f"{path}: cannot be read: {error.strerror or error}") from error
            raise

    def read(self, samples: int) -> bytes:
        """The next samples as 16-bit mono; fewer at the end, then none. Raises `DeviceError`."""
        size = self._channels * self._bits // 8
        try:
            data = self._file.read(min(samples * size, self._left))
        except OSError as error:
            raise DeviceError(f"{self._path}: cannot be read: {error.strerror or error}") from error
        self._left -= len(data)
        data = data[: len(data) // size * size]
        return mono(_to_16_bits(data, self._bits, self._float), self._channels)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _seek_sound(self) -> tuple[int, int, int, bool]:
        """Read up to the sound; return its rate, channels, bits, and whether they are floating point."""
        start = self._file.read(12)
        if len(start) < 12 or start[:4] != b"RIFF" or start[8:] != b"WAVE":
            raise self._not("it does not begin as one")
        shape: tuple[int, int, int, bool] | None = None
        while len(head := self._file.read(8)) == 8:
            name, length = head[:4], int.from_bytes(head[4:], "little")
            if name == b"data":
                if shape is None:
                    raise self._not("its sound comes before its format")
                begin = self._file.tell()
                # A length that was never filled in is 0 or far too large: the sound then goes on to the end.
                there = self._file.seek(0, 2) - begin
                self._file.seek(begin)
                self._left = min(length, there) if length else there
                if self._left < shape[1] * shape[2] // 8:
                    raise DeviceError(f"{self._path}: holds no sound")
                return shape
            if name == b"fmt ":
                shape = self._shape(self._file.read(length))
                length %= 2
            else:
                length += length % 2
            self._file.seek(length, 1)
        raise self._not("it has no sound in it")

    def _shape(self, form: bytes) -> tuple[int, int, int, bool]:
        if len(form) < 16:
            raise self._not("its format is cut short")
        kind, channels, rate, _, _, bits = struct.unpack("<HHIIHH", form[:16])
        if kind == _EXTENSIBLE and len(form) >= 26:
            kind = int.from_bytes(form[24:26], "little")
        if not 1 <= channels <= 64 or not 1000 <= rate <= 768_000:
            raise self._not(f"it claims {channels} channels at {rate} samples a second")
        if (kind, bits) not in {(_PCM, 8), (_PCM, 16), (_PCM, 24), (_PCM, 32), (_FLOAT, 32), (_FLOAT, 64)}:
            raise self._not(f"its samples are of kind {kind} with {bits} bits")
        return rate, channels, bits, kind == _FLOAT

    def _not(self, reason: str) -> DeviceError:
        return DeviceError(
            f"{self._path}: is not a WAV file that can be read here ({reason}); "
            f"convert it, for example with: ffmpeg -i FILE -c:a pcm_s16le OUT.wav"
        )


def _to_16_bits(data: bytes, bits: int, floating: bool) -> bytes:
    if bits == 16:
        return data
    if floating:
        values = np.nan_to_num(np.frombuffer(data, dtype=f"<f{bits // 8}"), nan=0.0)
        louder: NDArray[np.int16] = np.rint(np.clip(values, -1.0, 32767 / 32768) * 32768).astype("<i2")
        return louder.tobytes()
    if bits == 8:
        return ((np.frombuffer(data, dtype=np.uint8).astype("<i2") - 128) << 8).astype("<i2").tobytes()
    # Of 24 and 32 bits the upper two bytes are the sample.
    return np.frombuffer(data, dtype=np.uint8).reshape(-1, bits // 8)[:, -2:].tobytes()


class WaveWriter:
    """A WAV file, 16-bit mono, written as the sound comes; about each second it is a whole file on disk.

    Raises `DeviceError` where it cannot be written.
    """

    def __init__(self, path: Path, rate: int) -> None:
        self._path = path
        self._rate = rate
        self._bytes = 0
        self._pending = bytearray()
        try:
            self._file: BinaryIO = path.open("wb", buffering=0)
        except OSError as error:
            raise self._failed(error) from error
        try:
            self.save()
        except DeviceError:
            self._file.close()
            raise

    def write(self, pcm: bytes) -> None:
        """Add samples."""
        self._pending += pcm
        if len(self._pending) >= self._rate * SAMPLE_BYTES:
            self.save()

    def save(self) -> None:
        """Bring the file on disk up to date."""
        try:
            self._put(self._pending, _HEADER.size + self._bytes)
            self._bytes += len(self._pending)
            self._pending.clear()
            length = min(self._bytes, _MOST_BYTES)
            self._put(
                _HEADER.pack(
                    b"RIFF", length + _HEADER.size - 8, b"WAVE",
                    b"fmt ", 16, _PCM, 1, self._rate, self._rate * SAMPLE_BYTES, SAMPLE_BYTES, 8 * SAMPLE_BYTES,
                    b"data", length,
                ),
                0,
            )  # fmt: skip
        except OSError as error:
            raise self._failed(error) from error

    def close(self) -> None:
        """Save and let go of the file. Doing so twice is harmless."""
        if not self._file.closed:
            try:
                self.save()
            finally:
                self._file.close()

    def _put(self, data: bytes | bytearray, place: int) -> None:
        self._file.seek(place)
        with memoryview(data) as left:
            done = 0
            while done < len(data):
                done += self._file.write(left[done:])

    def _failed(self, error: OSError) -> DeviceError:
        return DeviceError(f"{self._path}: cannot be written: {error.strerror or error}")
