"""What is recorded for a diagnosis (`ears.record`): which sound, for whom, for how long, and when not."""

from __future__ import annotations

import asyncio
import logging
import resource
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from companion.events import EAR_RATE, SAMPLE_BYTES, AudioFrame
from companion.service.recorder import Recorder
from companion.sound.wave_file import WaveReader
from tests.support.paths import ROOT
from tests.support.wav_files import ramp

BLOCK = 512
UNTIL = date(2026, 12, 31)
LAST_DAY = datetime(2026, 12, 31, 9, 30)


class Sound:
    """A microphone whose sound is the same at each position, and so can be told again."""

    def __init__(self, seconds: float) -> None:
        self.pcm = ramp(round(seconds * EAR_RATE))

    async def frames(self) -> AsyncIterator[AudioFrame]:
        for start in range(0, len(self.pcm) // SAMPLE_BYTES, BLOCK):
            yield AudioFrame(self.pcm[start * SAMPLE_BYTES : (start + BLOCK) * SAMPLE_BYTES], start)

    def time_of(self, position: int) -> float:
        return position / EAR_RATE

    async def close(self) -> None:
        """Nothing to close."""

    def between(self, start_s: float, end_s: float) -> bytes:
        return self.pcm[round(start_s * EAR_RATE) * SAMPLE_BYTES : round(end_s * EAR_RATE) * SAMPLE_BYTES]


class Unit:
    """A recorder at work."""

    def __init__(self, folder: Path, now: datetime = LAST_DAY, **options: Any) -> None:
        self.folder = folder / "recordings"
        self.now = now
        self.sound = Sound(60.0)
        self.recorder = Recorder(self.sound, UNTIL, self.folder, now=lambda: self.now, **options)
        self.shown: list[bool] = []
        self.heard = self.recorder.frames()

    async def hear_until(self, seconds: float) -> None:
        while (await anext(self.heard)).end < seconds * EAR_RATE:
            pass

    def said(self, start_s: float, end_s: float) -> None:
        self.recorder.notice("utterance", {"text": "hello", "start": start_s, "end": end_s})

    def files(self) -> list[Path]:
        return sorted(self.folder.glob("*.wav"))


async def until(condition: Callable[[], object]) -> None:
    """Wait for a thread's work."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  # a thread makes it true
            await asyncio.sleep(0)


@asynccontextmanager
async def recording(folder: Path, **options: Any) -> AsyncIterator[Unit]:
    unit = Unit(folder, **options)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(unit.recorder.run(unit.shown.append))
        await until(lambda: unit.shown)
        unit.recorder.notice("state", {"state": "idle"})
        yield unit
        task.cancel()


def sound_of(path: Path) -> bytes:
    reader = WaveReader(path)
    try:
        assert reader.rate == EAR_RATE
        return reader.read(100 * EAR_RATE)
    finally:
        reader.close()


async def test_the_seconds_before_a_wake_word_and_the_utterance_are_kept_for_the_owner_alone(tmp_path: Path) -> None:
    async with recording(tmp_path) as unit:
        await unit.hear_until(10.0)
        unit.recorder.notice("wake", {"word": "okay_nabu"})
        await unit.hear_until(16.0)
        unit.now += timedelta(seconds=6)
        unit.said(11.5, 14.0)
        await until(lambda: len(unit.files()) == 2)
        wake, utterance = unit.files()
    assert wake.name == "2026-12-31T09-30-00.000-wake.wav"
    assert utterance.name == "2026-12-31T09-30-06.000-utterance.wav"
    assert sound_of(wake)[-2 * EAR_RATE :] in unit.sound.between(8.0, 10.1)
    assert len(sound_of(wake)) == 4 * EAR_RATE * SAMPLE_BYTES
    assert sound_of(utterance) == unit.sound.between(10.5, 15.0)
    assert stat.S_IMODE(unit.folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(one.stat().st_mode) for one in (wake, utterance)} == {0o600}


async def test_the_ears_hear_what_the_microphone_hears(tmp_path: Path) -> None:
    async with recording(tmp_path) as unit:
        assert b"".join([frame.pcm async for frame in unit.recorder.frames()]) == unit.sound.pcm


async def test_while_muted_nothing_is_kept_not_even_what_was_before(tmp_path: Path) -> None:
    async with recording(tmp_path) as unit:
        await unit.hear_until(10.0)
        unit.recorder.notice("state", {"state": "muted"})
        await unit.hear_until(12.0)
        unit.recorder.notice("wake", {"word": "button"})
        unit.recorder.notice("state", {"state": "idle"})
        await unit.hear_until(13.0)
        unit.said(9.0, 12.5)
        await until(lambda: unit.files())
        (kept,) = unit.files()
    assert sound_of(kept) in unit.sound.between(11.9, 13.1)


async def test_of_speech_without_end_the_last_half_minute_is_kept(tmp_path: Path) -> None:
    async with recording(tmp_path) as unit:
        await unit.hear_until(45.0)
        unit.said(5.0, 44.9)
        await until(unit.files)
        kept = sound_of(unit.files()[0])
    assert 29 * EAR_RATE < len(kept) // SAMPLE_BYTES <= 30 * EAR_RATE
    assert kept in unit.sound.between(14.0, 45.1)


async def test_the_oldest_make_room(tmp_path: Path) -> None:
    second = EAR_RATE * SAMPLE_BYTES
    async with recording(tmp_path, most_bytes=10 * second) as unit:
        for number in range(1, 5):
            await unit.hear_until(number * 6.0)
            unit.now += timedelta(seconds=6)
            unit.recorder.notice("wake", {"word": "okay_nabu"})
            newest = f"-{unit.now.second:02}.000-wake.wav"
            await until(lambda: any(one.name.endswith(newest) for one in unit.files()))  # noqa: B023
        assert [one.name[17:19] for one in unit.files()] == ["18", "24"]


async def test_on_a_full_disk_it_stops_and_says_so_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with recording(tmp_path) as unit:
        with full_disk():
            for at in (5.0, 10.0):
                await unit.hear_until(at)
                unit.recorder.notice("wake", {"word": "okay_nabu"})
            await until(lambda: len(unit.shown) == 2)
        await unit.hear_until(15.0)
        unit.recorder.notice("wake", {"word": "okay_nabu"})
        assert list(unit.folder.iterdir()) == []
        assert unit.shown == [True, False]
        assert "stopped" in unit.recorder.describe()
        assert "cannot be written" in unit.recorder.describe()
    (said,) = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert "the talk goes on" in said.getMessage()


@contextmanager
def full_disk() -> Iterator[None]:
    """No file may grow beyond 20 kB: writes fail as they do on a full disk."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


async def test_a_folder_that_cannot_be_used_ends_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "recordings").write_text("not a folder")
    async with recording(tmp_path) as unit:
        assert unit.shown == [False]
        assert "recordings: cannot be used" in unit.recorder.describe()


@pytest.mark.looptime
async def test_it_says_so_each_hour_and_deletes_all_when_the_date_is_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    unit = Unit(tmp_path)
    unit.folder.mkdir()
    (unit.folder / "2026-12-30T10-00-00.000-wake.wav").write_bytes(b"RIFF")
    time = asyncio.get_running_loop().time
    began = time()
    seen: list[tuple[bool, str]] = []
    recorder = Recorder(
        *(unit.sound, UNTIL, unit.folder),
        now=lambda: datetime(2026, 12, 31, 21, 30) + timedelta(seconds=time() - began),
    )
    await recorder.run(lambda shown: seen.append((shown, recorder.describe())))
    assert 9000 <= time() - began <= 9000 + 60
    place = f"until 2026-12-31 (ears.record), into {unit.folder}"
    assert seen == [(True, place), (False, "")]
    assert not unit.folder.exists()
    said = [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING]
    assert said == [f"Sound is recorded {place}."] * 3 + [f"{unit.folder}: what was recorded (ears.record) is deleted."]


@pytest.mark.parametrize("until_day", [date(2026, 12, 30), None])
async def test_behind_the_date_and_without_the_key_nothing_is_recorded_and_the_rest_is_deleted(
    tmp_path: Path, until_day: date | None
) -> None:
    unit = Unit(tmp_path)
    unit.folder.mkdir()
    (unit.folder / "2026-12-30T10-00-00.000-wake.wav").write_bytes(b"RIFF")
    recorder = Recorder(unit.sound, until_day, unit.folder, now=lambda: LAST_DAY)
    recorder.notice("state", {"state": "idle"})
    await recorder.run(unit.shown.append)
    assert unit.shown == [False]
    assert [frame async for frame in recorder.frames()]
    recorder.notice("wake", {"word": "okay_nabu"})
    assert not unit.folder.exists()


async def test_sound_behind_midnight_is_not_kept_though_nobody_looked_at_the_date(tmp_path: Path) -> None:
    async with recording(tmp_path, now=datetime(2026, 12, 31, 23, 59, 59)) as unit:
        await unit.hear_until(5.0)
        unit.now += timedelta(seconds=2)
        unit.recorder.notice("wake", {"word": "okay_nabu"})
        unit.now -= timedelta(seconds=2)
        unit.recorder.notice("wake", {"word": "okay_nabu"})
        await until(unit.files)
        assert [one.name for one in unit.files()] == ["2026-12-31T23-59-59.000-wake.wav"]


def test_what_is_off_is_not_even_imported() -> None:
    code = "import sys, companion.service.daemon; print('companion.service.recorder' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
