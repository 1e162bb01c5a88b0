"""WAV files: every usual kind is read, damaged ones are refused in one sentence, and what is written is read again."""

from __future__ import annotations

import os
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from companion.errors import DeviceError
from companion.sound.file import FileSoundCard
from companion.sound.wave_file import WaveReader, WaveWriter
from tests.support.wav_files import RATE, ramp, write_wav


@pytest.mark.parametrize(
    ("bits", "kind", "dtype", "values"),
    [
        (8, 1, "u1", [128, 0, 255, 192]),
        (16, 1, "<i2", [0, -32768, 32512, 16384]),
        (32, 1, "<i4", [0, -(2**31), 32512 << 16, 2**30]),
        (32, 3, "<f4", [0.0, -1.0, 32512 / 32768, 0.5]),
        (64, 3, "<f8", [0.0, -1.0, 32512 / 32768, 0.5]),
        (16, 0xFFFE, "<i2", [0, -32768, 32512, 16384]),
    ],
)
def test_every_usual_kind_of_sample_is_read(
    tmp_path: Path, bits: int, kind: int, dtype: str, values: list[float]
) -> None:
    reader = WaveReader(write_wav(tmp_path / "x.wav", np.array(values, dtype).tobytes(), bits=bits, kind=kind))
    assert np.frombuffer(reader.read(100), "<i2").tolist() == [0, -32768, 32512, 16384]
    assert reader.read(100) == b""
    reader.close()


def test_24_bits_and_loud_or_broken_floats_are_read(tmp_path: Path) -> None:
    three_bytes = b"".join(value.to_bytes(3, "little", signed=True) for value in (0, -(2**23), 32512 << 8, 2**22))
    reader = WaveReader(write_wav(tmp_path / "x.wav", three_bytes, bits=24))
    assert np.frombuffer(reader.read(4), "<i2").tolist() == [0, -32768, 32512, 16384]
    reader.close()
    floats = np.array([7.0, -7.0, np.nan, np.inf], "<f4").tobytes()
    reader = WaveReader(write_wav(tmp_path / "x.wav", floats, bits=32, kind=3))
    assert np.frombuffer(reader.read(4), "<i2").tolist() == [32767, -32768, 0, 32767]
    reader.close()


def test_channels_are_mixed(tmp_path: Path) -> None:
    reader = WaveReader(write_wav(tmp_path / "x.wav", np.array([100, 300, -100, 100], "<i2").tobytes(), channels=2))
    assert np.frombuffer(reader.read(9), "<i2").tolist() == [200, 0]
    reader.close()


@pytest.mark.parametrize("length", [0, 0x7FFFF000, 0xFFFFFFFF])
def test_a_length_that_was_never_filled_in_is_the_rest_of_the_file(tmp_path: Path, length: int) -> None:
    reader = WaveReader(write_wav(tmp_path / "x.wav", ramp(50), length=length))
    assert reader.read(1000) == ramp(50)
    reader.close()


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda _path: None, "cannot be read"),
        (lambda path: path.mkdir(), "cannot be read"),
        (lambda path: path.write_bytes(b""), "is not a WAV file"),
        (lambda path: path.write_bytes(b"ID3 this is an mp3 file"), "is not a WAV file"),
        (lambda path: path.write_bytes(b"RIFF\0\0\0\0WAVE"), "is not a WAV file"),
        (lambda path: write_wav(path, b""), "holds no sound"),
        (lambda path: write_wav(path, bytes(9), kind=17, bits=4), "ffmpeg"),
        (lambda path: write_wav(path, bytes(9), channels=0), "0 channels"),
        (lambda path: write_wav(path, bytes(9), rate=0), "0 samples a second"),
    ],
)
def test_a_file_that_cannot_be_heard_is_one_sentence_with_its_name(
    tmp_path: Path, make: Callable[[Path], object], sentence: str
) -> None:
    path = tmp_path / "user.wav"
    make(path)
    with pytest.raises(DeviceError, match=sentence) as failure:
        FileSoundCard(path, tmp_path / "reply.wav", RATE)
    assert str(failure.value).startswith(f"{path}: ")
    assert "\n" not in str(failure.value)
    assert not (tmp_path / "reply.wav").exists()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.data())
def test_damaged_bytes_are_at_worst_one_sentence(tmp_path: Path, data: st.DataObject) -> None:
    path = write_wav(tmp_path / "x.wav", ramp(20))
    damaged = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(0, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(damaged[: data.draw(st.integers(0, len(damaged)))]))
    try:
        reader = WaveReader(path)
    except DeviceError:
        return
    while sound := reader.read(7):
        assert len(sound) % 2 == 0
    reader.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(pieces=st.lists(st.binary(max_size=300).map(lambda piece: piece[: len(piece) // 2 * 2]), min_size=1))
def test_what_is_written_is_what_is_read(tmp_path: Path, pieces: list[bytes]) -> None:
    path = tmp_path / "y.wav"
    writer = WaveWriter(path, 1000)
    for piece in pieces:
        writer.write(piece)
    writer.close()
    writer.close()
    whole = b"".join(pieces)
    with wave.open(str(path), "rb") as file:
        assert file.readframes(file.getnframes()) == whole
    if whole:
        reader = WaveReader(path)
        assert reader.read(1_000_000) == whole
        reader.close()


def test_a_pipe_without_a_writer_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "user.wav")
    with pytest.raises(DeviceError, match="is a pipe"):
        WaveReader(tmp_path / "user.wav")
