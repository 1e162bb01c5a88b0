"""Files in place of the sound card: what the microphone hears, what the loudspeaker records, and how time passes."""

from __future__ import annotations

import asyncio
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
from tests.support.wav_files import RATE, ramp, silence, write_wav


def recorded(path: Path) -> np.ndarray[Any, Any]:
    with wave.open(str(path), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


async def listen(card: FileSoundCard) -> list[AudioFrame]:
    return [frame async for frame in card.microphone.frames()]


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


async def test_frames_asked_for_again_go_on_where_they_stopped(tmp_path: Path) -> None:
    card = FileSoundCard(silence(tmp_path / "x.wav", 0.1), None, RATE)
    frames = card.microphone.frames()
    first = await anext(frames)
    await frames.aclose()
    rest = await listen(card)
    assert (first.start, rest[0].start, rest[-1].end) == (0, 160, 0.6 * EAR_RATE)
    await card.microphone.close()


async def test_sleepers_of_the_clock_wake_in_order_and_on_the_tick(tmp_path: Path) -> None:
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


async def test_repeated_sleeps_stay_in_step_with_the_frames(tmp_path: Path) -> None:
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
            self.starts.append(await self.card.speaker.write(ramp(sum(lengths))[2 * first : 2 * (first + length)]))
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
    assert sound[begin : end + 1].tobytes() == ramp(sum(lengths))
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
    whole = ramp(sum(lengths))
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


async def test_time_goes_on_after_the_end_while_listening(tmp_path: Path) -> None:
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
            await card.speaker.write(ramp(RATE))
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
            assert await speaker.write(ramp(100)) == speaker.position()
    await speaker.close()
    await talk.card.microphone.close()
    sound = recorded(talk.out)
    assert not sound[round(0.52 * RATE) : round(0.79 * RATE)].any()
    assert np.count_nonzero(sound[round(0.79 * RATE) :]) == 100


@pytest.mark.looptime
async def test_in_real_time_each_frame_takes_10_ms_and_time_never_stands_still(tmp_path: Path) -> None:
    card = FileSoundCard(
        silence(tmp_path / "x.wav", 2), None, RATE, realtime=True, is_replying=lambda: True, tail_s=1.0
    )
    loop = asyncio.get_running_loop()
    began = loop.time()
    async for frame in card.microphone.frames():
        assert loop.time() - began == pytest.approx(frame.end / EAR_RATE, abs=0.01)
    assert loop.time() - began == pytest.approx(3.0, abs=0.01)
    await card.microphone.close()


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
            await card.speaker.write(ramp(RATE))
        await card.speaker.drain()
    await card.microphone.close()


@pytest.mark.parametrize("link", ["hardlink_to", "symlink_to"])
def test_the_input_is_not_overwritten_under_another_name(tmp_path: Path, link: str) -> None:
    user = silence(tmp_path / "user.wav", 0.1)
    getattr(tmp_path / "reply.wav", link)(user)
    before = user.read_bytes()
    with pytest.raises(DeviceError, match="would overwrite"):
        FileSoundCard(user, tmp_path / "reply.wav", RATE)
    assert user.read_bytes() == before


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


async def test_a_sentence_spoken_into_a_file_is_kept_completely(tmp_path: Path) -> None:
    speaker = InstantFileSpeaker(tmp_path / "said.wav", RATE)
    await speaker.prepare()
    assert [await speaker.write(ramp(100)), await speaker.write(ramp(50))] == [0, 100]
    await speaker.drain()
    assert speaker.flush() == speaker.position() == 150
    await speaker.close()
    assert recorded(tmp_path / "said.wav").tobytes() == ramp(100) + ramp(50)


async def test_the_files_loudspeaker_pauses_goes_quieter_and_goes_on(tmp_path: Path) -> None:
    card = FileSoundCard(silence(tmp_path / "in.wav", 1.0), tmp_path / "out.wav", RATE)
    loud = np.full(RATE // 2, 8000, "<i2").tobytes()
    await card.speaker.write(loud)
    frames = card.microphone.frames()

    async def pass_ticks(count: int) -> int:
        for _ in range(count):
            await anext(frames)
        return card.speaker.position()

    await pass_ticks(10)
    card.speaker.pause()
    paused = await pass_ticks(2)
    assert await pass_ticks(10) == paused
    card.speaker.resume()
    await pass_ticks(5)
    card.speaker.duck()
    await pass_ticks(5)
    card.speaker.resume()
    await listen(card)
    await frames.aclose()
    await card.microphone.close()
    heard = recorded(tmp_path / "out.wav")
    tenth = RATE // 10
    assert heard[tenth // 2 : tenth].tolist() == [8000] * (tenth - tenth // 2)
    assert not heard[tenth + 2 * RATE // 100 : 2 * tenth].any()
    assert set(heard[27 * RATE // 100 : 30 * RATE // 100]) <= {2000, 8000} or 2000 in heard
    assert int((heard != 0).sum()) >= RATE // 2 - RATE // 50
    assert card.speaker.position() == RATE // 2
