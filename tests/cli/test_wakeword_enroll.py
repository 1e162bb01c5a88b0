"""`companion wakeword enroll`: what it asks, what it takes, what it refuses, and what stays on the disk."""

from __future__ import annotations

import asyncio
import os
import re
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from companion.cli.wakeword_recordings import keep_recordings
from companion.config.device import EndpointSettings
from companion.config.word_file import encoded, read
from companion.ears.vad import build
from companion.ears.wake_custom.enrolment import enrolled
from companion.ears.wake_custom.learnt import must_be_writable, put_back, replace
from companion.errors import CompanionError, ConfigError, DeviceError
from companion.events import EAR_RATE, AudioFrame
from companion.languages.enrolment import EnrolmentLines
from companion.languages.language import language
from companion.languages.loader import language_codes
from companion.voice_enrolment import LEAST_GOOD, MOST_FAULTS, Ears, ask_for_recordings
from tests.support.command import command
from tests.support.owner import NOBODY, Owner
from tests.support.small_word import PHRASE, Samples, networks, said, small_word
from tests.support.voices import device, needs_espeak, persona

pytestmark = pytest.mark.time_limit(60)

SPEEDS = (150, 155, 160, 165, 170, 175)


def lines() -> EnrolmentLines:
    found = language("en").enrolment
    assert found is not None
    return found


async def taught(owner: Owner, times: int) -> list[Samples]:
    ears = Ears(build(device(), persona()), EndpointSettings())
    hearing = asyncio.create_task(ears.listen(owner.frames()))
    try:
        return await ask_for_recordings(
            small_word(),
            times,
            networks=networks(),
            lines=lines(),
            say=owner.say,
            ears=ears,
            listening=owner.listening,
            tell=owner.told.append,
        )
    finally:
        hearing.cancel()


@needs_espeak
async def test_it_asks_listens_and_takes_what_is_good() -> None:
    owner = Owner([said(PHRASE, speed=speed) for speed in SPEEDS])
    recordings = await taught(owner, 6)
    assert len(recordings) == 6
    assert owner.asked == [lines().begin.format(phrase=PHRASE), lines().first, *lines().again[:5]]
    assert owner.lights == [True, False] * 6
    assert owner.told[-1] == "6 of 6"
    assert enrolled(small_word(), recordings, networks=networks()).card.enrolled == 6


@needs_espeak
async def test_what_is_not_good_is_asked_for_again() -> None:
    answers = [said(PHRASE, speed=speed) for speed in SPEEDS]
    bad = [NOBODY, said(PHRASE, level=0.012), said(PHRASE, level=12.0), said("good morning everybody")]
    owner = Owner([*answers[:2], *bad, *answers[2:5]])
    assert len(await taught(owner, 5)) == 5
    asked_again = [
        line for line in owner.asked if line in (lines().nothing, lines().quiet, lines().loud, lines().different)
    ]
    assert asked_again[0] == lines().nothing
    assert asked_again[2:] == [lines().loud, lines().different]
    assert len(asked_again) == 4


@needs_espeak
async def test_too_few_good_ones_are_refused_in_a_sentence() -> None:
    owner = Owner([said(PHRASE), said(PHRASE, speed=170), *[NOBODY] * (MOST_FAULTS + 1)])
    with pytest.raises(CompanionError, match=rf"^Only 2 of 8 .* {LEAST_GOOD} are needed; nothing was changed"):
        await taught(owner, 8)


async def test_a_microphone_that_ends_is_a_sentence() -> None:
    async def nothing() -> AsyncIterator[AudioFrame]:
        return
        yield

    ears = Ears(build(device(), persona()), EndpointSettings())
    with pytest.raises(DeviceError, match="nothing was changed"):
        await ears.listen(nothing())


async def test_the_room_is_heard_for_as_long_as_asked() -> None:
    ears, owner = Ears(build(device(), persona()), EndpointSettings()), Owner([])
    async with asyncio.TaskGroup() as group:
        hearing = group.create_task(ears.listen(owner.frames()))
        assert abs(len(await ears.room(3.0)) - 3 * EAR_RATE) < 512
        hearing.cancel()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "hey_marvin.ww"
    path.write_bytes(encoded(small_word()))
    return path


@needs_espeak
def test_the_file_as_it_was_made_stays_beside_the_new_one_and_comes_back(file: Path) -> None:
    made = file.read_bytes()
    for _ in range(2):
        word = read(file)
        replace(file, enrolled(word, [said(PHRASE)], networks=networks()))
    assert read(file).card.enrolled == 2
    put_back(file)
    assert file.read_bytes() == made
    with pytest.raises(ConfigError, match="has learnt nothing here"):
        put_back(file)


@needs_espeak
def test_a_full_disk_leaves_the_file_as_it_was(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = file.read_bytes()

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.write", full)
    with pytest.raises(DeviceError, match=r"hey_marvin\.ww: cannot be written \(No space left on device\); it is as"):
        replace(file, small_word())
    assert file.read_bytes() == made
    assert sorted(path.name for path in file.parent.iterdir()) == ["hey_marvin.ww"]


def test_recordings_are_kept_only_for_their_owner(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "kept"
    for _ in range(2):
        keep_recordings(folder, "hey marvin", [np.ones(100, np.int16)] * 2)
    names = sorted(path.name for path in folder.iterdir())
    assert names == [f"hey_marvin-{number:02}.wav" for number in (1, 2, 3, 4)]
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert f"2 recordings of a voice are kept in {folder}" in caplog.text


def test_a_file_that_is_not_there_is_said_before_anybody_speaks(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such file"):
        must_be_writable(tmp_path / "none.ww", of_unit=False)


def test_no_wake_word_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "x.ww"
    path.write_bytes(b"nothing of the kind")
    done = command("wakeword", "enroll", "--yes", str(path))
    assert (done.returncode, done.stdout) == (78, "")
    assert "is no wake word" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("room", ["10", "5s", "31m", "soon"])
def test_a_time_that_is_none_is_refused(room: str, tmp_path: Path) -> None:
    done = command("wakeword", "enroll", str(tmp_path / "x.ww"), "--room", room)
    assert done.returncode == 2
    assert "write for instance 10m" in done.stderr


def test_every_language_asks_in_its_own_words() -> None:
    for code in language_codes():
        own = language(code).enrolment
        assert own is not None, code
        assert PHRASE in own.begin.format(phrase=PHRASE)
        assert re.search("10", own.room.format(minutes=10))


def test_a_running_companion_has_to_be_stopped_first(file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run" / "companion"
    folder.mkdir(parents=True)
    folder.parent.chmod(0o700)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder / "companion.sock"))
        listening.listen()
        # It does not answer; that it is there is enough.
        environment = {**os.environ, "XDG_RUNTIME_DIR": str(folder.parent), "RUNTIME_DIRECTORY": str(folder)}
        done = command("wakeword", "enroll", "--yes", str(file), env=environment)
    assert done.returncode == 69
    assert "sudo systemctl stop companion" in done.stderr
