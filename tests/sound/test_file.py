"""Files in place of the sound card: what is read, what is written, and how time passes between the two."""

from __future__ import annotations

import asyncio
import os
import struct
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from companion.errors import DeviceError
from companion.events import EAR_RATE, AudioFrame
from companion.sound.file import FileSoundCard
from companion.sound.file_speaker import InstantFileSpeaker
from companion.sound.wave_file import WaveReader, WaveWriter

RATE = 22_050
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
    return write_wav(path, bytes(2 * round(seconds * EAR_RATE)))


def recorded(path: Path) -> np.ndarray[Any, Any]:
    with wave.open(str(path), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


def said(samples: int) -> bytes:
    return (np.arange(samples) % 30_000 + 1).astype("<i2").tobytes()


async def listen(card: FileSoundCard) -> list[AudioFrame]:
    return [frame async for frame in card.microphone.frames()]


# Reading.


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
    reader = WaveReader(write_wav(tmp_path / "x.wav", said(50), length=length))
    assert reader.read(1000) == said(50)
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
def test_damaged_bytes_never_do_worse_than_one_sentence(tmp_path: Path, data: st.DataObject) -> None:
    path = write_wav(tmp_path / "x.wav", said(20))
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


# Hearing.


@pytest.mark.parametrize(("rate", "channels"), [(16_000, 1), (8_000, 1), (44_100, 2), (48_000, 1)])
async def test_the_microphone_hears_the_whole_file_in_10_ms_frames(tmp_path: Path, rate: int, channels: int) -> None:
    tone = 9000 * np.sin(2 * np.pi * 500 * np.arange(rate) / rate)
    path = write_wav(tmp_path / "x.wav", np.repeat(tone.astype("<i2"), channels).tobytes(), rate, channels)
    card = FileSoundCard(path, None, RATE)
    frames = await listen(card)
    await card.microphone.close()
    assert {len(frame.pcm) for frame in frames} == {320}
    assert [frame.start for frame in frames] == [160 * number for number in range(len(frames))]
    heard = np.frombuffer(b"".join(frame.pcm for frame in frames), "<i2")
    wanted = 9000 * np.sin(2 * np.pi * 500 * np.arange(EAR_RATE) / EAR_RATE)
    assert np.abs(heard[:EAR_RATE] - wanted)[100:-100].max() < 150
    # Then half a second of silence, and the end.
    assert len(heard) == 1.5 * EAR_RATE
    assert not heard[EAR_RATE:].any()
    assert card.clock.now() == pytest.approx(1.5)


async def test_leaving_and_asking_again_goes_on_where_it_was_left(tmp_path: Path) -> None:
    card = FileSoundCard(silence(tmp_path / "x.wav", 0.1), None, RATE)
    frames = card.microphone.frames()
    first = await anext(frames)
    await frames.aclose()
    rest = await listen(card)
    assert (first.start, rest[0].start, rest[-1].end) == (0, 160, 0.6 * EAR_RATE)
    await card.microphone.close()


# Time.


async def test_the_clocks_sleepers_wake_in_order_and_on_the_tick(tmp_path: Path) -> None:
    card = FileSoundCard(silence(tmp_path / "x.wav", 1), None, RATE)
    woken: list[tuple[float, float]] = []

    async def sleep(seconds: float) -> None:
        await card.clock.sleep(seconds)
        woken.append((seconds, card.clock.now()))

    async with asyncio.TaskGroup() as group:
        for seconds in (0.5, 0.02, 0.1, 0.015, 0.0):
            group.create_task(sleep(seconds))
        await listen(card)
    assert woken == [(0.0, 0.0), *[(wish, pytest.approx(at)) for wish, at in
                                   [(0.02, 0.02), (0.015, 0.02), (0.1, 0.1), (0.5, 0.5)]]]  # fmt: skip
    await card.microphone.close()


async def test_a_sleeper_in_a_chain_keeps_step_with_the_frames(tmp_path: Path) -> None:
    card = FileSoundCard(silence(tmp_path / "x.wav", 1), None, RATE)
    times: list[float] = []

    async def animate() -> None:
        while True:
            times.append(card.clock.now())
            await card.clock.sleep(0.02)

    async with asyncio.TaskGroup() as group:
        animation = group.create_task(animate())
        await listen(card)
        animation.cancel()
    await card.microphone.close()
    assert times == [pytest.approx(0.02 * number) for number in range(76)]


class Dialogue:
    """A conversation in small: after some frames it makes a reply of several pieces, each after some work."""

    def __init__(self, tmp_path: Path, seconds: float, **how: Any) -> None:
        self.at_work = False
        self.out = tmp_path / "reply.wav"
        self.card = FileSoundCard(
            silence(tmp_path / "user.wav", seconds), self.out, RATE, is_replying=lambda: self.at_work, **how
        )
        self.starts: list[int] = []
        self.began = self.ended = 0.0
        self.frames = 0

    async def reply(self, lengths: list[int], work: Callable[[], Any]) -> None:
        self.began = self.card.clock.now()
        first = 0
        for length in lengths:
            await work()
            self.starts.append(await self.card.speaker.write(said(sum(lengths))[2 * first : 2 * (first + length)]))
            first += length
        await self.card.speaker.drain()
        self.ended = self.card.clock.now()
        self.at_work = False
        self.card.changed()

    async def run(self, at_s: float, lengths: list[int], work: Callable[[], Any]) -> np.ndarray[Any, Any]:
        async with asyncio.TaskGroup() as group:
            async for frame in self.card.microphone.frames():
                self.frames += 1
                if frame.end == at_s * EAR_RATE:
                    self.at_work = True
                    self.card.changed()
                    group.create_task(self.reply(lengths, work))
        await self.card.speaker.close()
        await self.card.microphone.close()
        return recorded(self.out)


@pytest.mark.looptime
async def test_the_work_of_engines_takes_no_audio_time_and_leaves_no_gaps(tmp_path: Path) -> None:
    talk = Dialogue(tmp_path, 2.0)
    loop = asyncio.get_running_loop()
    before = loop.time()
    lengths = [5000, 777, 3, 11_111]
    sound = await talk.run(0.5, lengths, lambda: asyncio.sleep(3))
    assert loop.time() - before == pytest.approx(12, abs=0.1)
    assert talk.starts == [0, 5000, 5777, 5780]
    begin, end = np.flatnonzero(sound)[[0, -1]]
    assert sound[begin : end + 1].tobytes() == said(sum(lengths))
    assert begin == pytest.approx(0.5 * RATE, abs=0.011 * RATE)
    assert talk.began == pytest.approx(0.5)
    assert talk.ended == pytest.approx(0.5 + sum(lengths) / RATE, abs=0.021)
    # The recording is as long as what was heard, plus half a second.
    assert len(sound) == pytest.approx(2.5 * RATE, abs=1)
    assert talk.frames == 250


@given(lengths=st.lists(st.integers(0, 3000), min_size=1, max_size=8))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_a_reply_in_any_pieces_is_heard_whole(tmp_path: Path, lengths: list[int]) -> None:
    sound = asyncio.run(Dialogue(tmp_path, 1.0).run(0.1, lengths, lambda: asyncio.sleep(0)))
    spoken = np.flatnonzero(sound)
    whole = said(sum(lengths))
    assert (sound[spoken[0] : spoken[-1] + 1].tobytes() if len(spoken) else b"") == whole


async def test_a_reply_at_the_files_end_is_heard_to_its_own_end(tmp_path: Path) -> None:
    talk = Dialogue(tmp_path, 0.5)
    sound = await talk.run(0.5, [2 * RATE], lambda: asyncio.sleep(0))
    assert np.count_nonzero(sound) == 2 * RATE
    assert talk.frames == pytest.approx(300, abs=3)


async def test_time_after_the_end_is_limited(tmp_path: Path) -> None:
    talk = Dialogue(tmp_path, 0.1, tail_s=1.0)
    sound = await talk.run(0.1, [3 * RATE], lambda: asyncio.sleep(0))
    assert talk.frames == 110
    assert 0.98 * RATE < np.count_nonzero(sound) < 1.02 * RATE


async def test_somebody_who_is_listened_to_has_time_after_the_end(tmp_path: Path) -> None:
    frames = 0
    card = FileSoundCard(silence(tmp_path / "x.wav", 0.1), None, RATE, is_listening=lambda: frames < 100)
    async for _ in card.microphone.frames():
        frames += 1
    assert frames == pytest.approx(150, abs=2)
    await card.microphone.close()


async def test_writing_far_ahead_waits_for_audio_time(tmp_path: Path) -> None:
    card = FileSoundCard(silence(tmp_path / "x.wav", 3), None, RATE)
    done: list[float] = []

    async def write() -> None:
        for _ in range(3):
            await card.speaker.write(said(RATE))
            done.append(card.clock.now())

    async with asyncio.TaskGroup() as group:
        group.create_task(write())
        await listen(card)
    assert done == [pytest.approx(at, abs=0.021) for at in (0, 0, 1)]
    await card.microphone.close()


async def test_a_flush_is_silence_within_50_ms_and_positions_go_on(tmp_path: Path) -> None:
    talk = Dialogue(tmp_path, 1.0)
    speaker = talk.card.speaker
    async for frame in talk.card.microphone.frames():
        if frame.start == 0:
            await speaker.write((9000 * np.ones(RATE)).astype("<i2").tobytes())
        if frame.end == 0.5 * EAR_RATE:
            position = speaker.flush()
            assert position == pytest.approx(0.49 * RATE, abs=0.011 * RATE)
            await speaker.write(b"")
        if frame.end == 0.8 * EAR_RATE:
            assert speaker.position() <= position + 0.006 * RATE
            assert await speaker.write(said(100)) == speaker.position()
    await speaker.close()
    await talk.card.microphone.close()
    sound = recorded(talk.out)
    assert not sound[round(0.52 * RATE) : round(0.79 * RATE)].any()
    assert np.count_nonzero(sound[round(0.79 * RATE) :]) == 100


@pytest.mark.looptime
async def test_in_real_time_each_frame_takes_its_time_and_nothing_holds(tmp_path: Path) -> None:
    card = FileSoundCard(
        silence(tmp_path / "x.wav", 2), None, RATE, realtime=True, is_replying=lambda: True, tail_s=1.0
    )
    loop = asyncio.get_running_loop()
    began = loop.time()
    async for frame in card.microphone.frames():
        assert loop.time() - began == pytest.approx(frame.end / EAR_RATE, abs=0.01)
    assert loop.time() - began == pytest.approx(3.0, abs=0.01)
    await card.microphone.close()


# Writing.


async def test_after_a_crash_the_recording_is_still_a_wav(tmp_path: Path) -> None:
    out = tmp_path / "reply.wav"
    card = FileSoundCard(silence(tmp_path / "x.wav", 3), out, RATE)
    async for frame in card.microphone.frames():
        if frame.end == 2.5 * EAR_RATE:
            break
    assert 1.4 * RATE < len(recorded(out)) <= 2.5 * RATE
    await card.microphone.close()
    await card.speaker.close()


async def test_after_the_end_nothing_hangs(tmp_path: Path) -> None:
    card = FileSoundCard(silence(tmp_path / "x.wav", 0.1), None, RATE)
    await listen(card)
    async with asyncio.timeout(5):
        for _ in range(4):
            await card.speaker.write(said(RATE))
        await card.speaker.drain()
    await card.microphone.close()


@pytest.mark.parametrize("link", ["hardlink_to", "symlink_to"])
def test_what_was_said_is_not_overwritten_under_another_name(tmp_path: Path, link: str) -> None:
    user = silence(tmp_path / "user.wav", 0.1)
    getattr(tmp_path / "reply.wav", link)(user)
    before = user.read_bytes()
    with pytest.raises(DeviceError, match="would overwrite"):
        FileSoundCard(user, tmp_path / "reply.wav", RATE)
    assert user.read_bytes() == before


def test_a_pipe_without_a_writer_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "user.wav")
    with pytest.raises(DeviceError, match="is a pipe"):
        WaveReader(tmp_path / "user.wav")


def test_an_answer_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    user = silence(tmp_path / "user.wav", 0.1)
    with pytest.raises(DeviceError, match=r"nowhere.*cannot be written: No such file"):
        FileSoundCard(user, tmp_path / "nowhere" / "reply.wav", RATE)
    before = user.read_bytes()
    with pytest.raises(DeviceError, match="would overwrite"):
        FileSoundCard(user, tmp_path / "." / "user.wav", RATE)
    assert user.read_bytes() == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
async def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match=r"/dev/full: cannot be written: No space left"):
        FileSoundCard(silence(tmp_path / "x.wav", 3), Path("/dev/full"), RATE)


async def test_saying_into_a_file_keeps_all_of_it(tmp_path: Path) -> None:
    speaker = InstantFileSpeaker(tmp_path / "said.wav", RATE)
    await speaker.prepare()
    assert [await speaker.write(said(100)), await speaker.write(said(50))] == [0, 100]
    await speaker.drain()
    assert speaker.flush() == speaker.position() == 150
    await speaker.close()
    assert recorded(tmp_path / "said.wav").tobytes() == said(100) + said(50)
