"""WAV files (RIFF, little-endian), read and written piece by piece as 16-bit mono sound.

The standard library's reader refuses what many recorders write (WAVE_FORMAT_EXTENSIBLE, floating point, files whose
length fields were never filled in), and its writer leaves no readable file after a crash. Layout: Microsoft's
"Multimedia Programming Interface and Data Specifications 1.0" and the WAVEFORMATEXTENSIBLE reference page.
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
from companion.sound.pcm import mix_to_mono

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
_MOST_SOUND_BYTES = 0xFFFFFFFF - _HEADER.size


class WaveReader:
    """Reads a WAV file of 8, 16, 24 or 32 bits or floating point, with any rate and number of channels.

    Raises `DeviceError` if the file does not exist, is not such a WAV file, or holds no sound.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            # Otherwise opening a named pipe would block until somebody writes to it.
            self._file = open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK))  # noqa: SIM115
        except OSError as error:
            raise DeviceError(f"{path}: cannot be read: {error.strerror or error}") from error
        if not self._file.seekable():
            self._file.close()
            raise DeviceError(f"{path}: is a pipe; write its sound into a file and name that")
        try:
            self.rate, self._channels, self._bits, self._float = self._seek_samples()
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
        return mix_to_mono(_to_16_bits(data, self._bits, self._float), self._channels)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _seek_samples(self) -> tuple[int, int, int, bool]:
        """Read up to the samples. Returns rate, channels, bits per sample, and whether they are floating point."""
        start = self._file.read(12)
        if len(start) < 12 or start[:4] != b"RIFF" or start[8:] != b"WAVE":
            raise self._unsupported("it does not begin as one")
        parsed: tuple[int, int, int, bool] | None = None
        while len(head := self._file.read(8)) == 8:
            name, length = head[:4], int.from_bytes(head[4:], "little")
            if name == b"data":
                if parsed is None:
                    raise self._unsupported("its sound comes before its format")
                begin = self._file.tell()
                # A length that was never filled in is 0 or far too large; the sound then ends with the file.
                available = self._file.seek(0, 2) - begin
                self._file.seek(begin)
                self._left = min(length, available) if length else available
                if self._left < parsed[1] * parsed[2] // 8:
                    raise DeviceError(f"{self._path}: holds no sound")
                return parsed
            if name == b"fmt ":
                parsed = self._parse_format(self._file.read(length))
                length %= 2
            else:
                length += length % 2
            self._file.seek(length, 1)
        raise self._unsupported("it has no sound in it")

    def _parse_format(self, form: bytes) -> tuple[int, int, int, bool]:
        if len(form) < 16:
            raise self._unsupported("its format is cut short")
        kind, channels, rate, _, _, bits = struct.unpack("<HHIIHH", form[:16])
        if kind == _EXTENSIBLE and len(form) >= 26:
            kind = int.from_bytes(form[24:26], "little")
        if not 1 <= channels <= 64 or not 1000 <= rate <= 768_000:
            raise self._unsupported(f"it claims {channels} channels at {rate} samples a second")
        if (kind, bits) not in {(_PCM, 8), (_PCM, 16), (_PCM, 24), (_PCM, 32), (_FLOAT, 32), (_FLOAT, 64)}:
            raise self._unsupported(f"its samples are of kind {kind} with {bits} bits")
        return rate, channels, bits, kind == _FLOAT

    def _unsupported(self, reason: str) -> DeviceError:
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
    """Writes a 16-bit mono WAV file as the sound arrives. About once a second the file on disk is complete.

    Raises `DeviceError` if it cannot be written.
    """

    def __init__(self, path: Path, rate: int) -> None:
        self._path = path
        self._rate = rate
        self._bytes = 0
        self._pending = bytearray()
        try:
            self._file: BinaryIO = path.open("wb", buffering=0)
        except OSError as error:
            raise self._write_error(error) from error
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
            self._write_at(self._pending, _HEADER.size + self._bytes)
            self._bytes += len(self._pending)
            self._pending.clear()
            length = min(self._bytes, _MOST_SOUND_BYTES)
            self._write_at(
                _HEADER.pack(
                    b"RIFF", length + _HEADER.size - 8, b"WAVE",
                    b"fmt ", 16, _PCM, 1, self._rate, self._rate * SAMPLE_BYTES, SAMPLE_BYTES, 8 * SAMPLE_BYTES,
                    b"data", length,
                ),
                0,
            )  # fmt: skip
        except OSError as error:
            raise self._write_error(error) from error

    def close(self) -> None:
        """Save and close the file. Closing it again is harmless."""
        if not self._file.closed:
            try:
                self.save()
            finally:
                self._file.close()

    def _write_at(self, data: bytes | bytearray, place: int) -> None:
        self._file.seek(place)
        with memoryview(data) as left:
            done = 0
            while done < len(data):
                done += self._file.write(left[done:])

    def _write_error(self, error: OSError) -> DeviceError:
        return DeviceError(f"{self._path}: cannot be written: {error.strerror or error}")
