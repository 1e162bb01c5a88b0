"""What the echo guard learned, over a restart: it helps from the first answer on, and elsewhere it does no harm."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.ears.echo_guard import EchoGuard, Known
from companion.ears.kept_echo import FILE, KeptEcho, read, write
from companion.ears.own_voice import OwnVoice
from companion.sound.played import PlayedSound
from tests.support.echoing import FRAME, STORY, Sound, come_back, frames_of, pcm, speech
from tests.support.synthetic_user import RATE


def persons(guard: EchoGuard, heard: Sound, played: Sound) -> list[bool]:
    return [
        guard.is_person(heard[at : at + FRAME], played[at : at + FRAME])
        for at in range(0, len(heard) // FRAME * FRAME, FRAME)
    ]


def begins(found: list[bool]) -> bool:
    return any(sum(found[at : at + 5]) >= 3 for at in range(len(found)))


async def kept(folder: Path, delay_s: float = 0.1, gain: float = 0.1) -> KeptEcho:
    """What a unit in such a room has kept in the folder, at its next start."""
    before = KeptEcho(folder)
    persons(before.new_guard(FRAME), come_back(STORY, delay_s, gain), STORY)
    await before.save()
    return KeptEcho(folder)


async def test_after_a_restart_somebody_is_heard_over_the_first_answer(tmp_path: Path) -> None:
    echo = come_back(STORY, 0.1, 0.1)
    other, at = speech("en+f3", "what happened to the fox"), round(2.0 * RATE) // FRAME * FRAME
    echo[at : at + len(other)] += other * np.sqrt(np.square(echo).mean() / np.square(other).mean())
    echo, played = echo[: at + len(other)], STORY[: at + len(other)]
    assert not begins(persons(EchoGuard(FRAME), echo, played))
    found = persons((await kept(tmp_path)).new_guard(FRAME), echo, played)
    assert not begins(found[: at // FRAME])
    assert begins(found[at // FRAME :])


@pytest.mark.parametrize(("delay_s", "gain"), [(0.1, 0.1), (0.1, 0.4), (0.25, 0.1), (0.02, 0.5), (0.3, 1.0)])
async def test_what_belongs_to_another_room_or_card_does_not_make_it_hear_itself(
    tmp_path: Path, delay_s: float, gain: float
) -> None:
    guard = (await kept(tmp_path)).new_guard(FRAME)
    assert not begins(persons(guard, come_back(STORY, delay_s, gain, 0.5), STORY))


async def test_it_is_written_when_it_has_changed_and_only_then(tmp_path: Path) -> None:
    echo = await kept(tmp_path)
    (tmp_path / FILE).unlink()
    guard = echo.new_guard(FRAME)
    await echo.save()
    persons(guard, come_back(STORY, 0.1, 0.1), STORY)
    await echo.save()
    assert not (tmp_path / FILE).exists()
    persons(guard, come_back(STORY, 0.1, 0.8), STORY)
    await echo.save()
    assert (tmp_path / FILE).exists()


async def test_a_guard_that_has_heard_too_little_keeps_nothing(tmp_path: Path) -> None:
    echo = KeptEcho(tmp_path)
    persons(echo.new_guard(FRAME), come_back(STORY, 0.1, 0.1)[:RATE], STORY[:RATE])
    await echo.save()
    assert not (tmp_path / FILE).exists()


async def test_a_folder_that_cannot_be_written_is_a_line_in_the_log_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    echo = KeptEcho(tmp_path / "file")
    guard = echo.new_guard(FRAME)
    for gain in (0.1, 0.8):
        persons(guard, come_back(STORY, 0.1, gain), STORY)
        await echo.save()
    assert len(caplog.records) == 1
    assert "echo.json" in caplog.text


def test_another_delay_or_another_level_is_a_change_and_little_more_or_less_is_none() -> None:
    known = Known.of_delay(FRAME, 0.1, -10.0)
    assert Known.of_delay(FRAME, 0.2, -10.0).change_from(known) > 0.25
    assert Known.of_delay(FRAME, 0.1, -16.0).change_from(known) > 0.25
    assert Known.of_delay(FRAME, 0.1, -12.0).change_from(known) < 0.25


def test_what_is_written_is_read(tmp_path: Path) -> None:
    known = Known.of_delay(FRAME, 0.1, -10.0)
    write(tmp_path / FILE, known)
    found = read(tmp_path / FILE)
    assert found is not None
    assert found.change_from(known) < 0.01
    assert found.margin == pytest.approx(known.margin)


@given(
    st.binary(max_size=300) | st.sampled_from([b"[]", b"{}", b"1", b'{"gains": [[1]], "margin": [NaN], "samples": 1}'])
)
def test_a_damaged_file_is_none(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("damaged") / FILE
    path.write_bytes(content)
    assert read(path) is None


@pytest.mark.parametrize("wrong", ["Infinity", "NaN", '"x"', "null", "1e999"])
def test_gains_that_are_no_numbers_are_none(tmp_path: Path, wrong: str) -> None:
    write(tmp_path / FILE, Known.of_delay(FRAME, 0.1, -10.0))
    text = (tmp_path / FILE).read_text()
    (tmp_path / FILE).write_text(text.replace("0.1,", f"{wrong},", 1))
    assert read(tmp_path / FILE) is None


def test_a_pipe_in_its_place_is_none(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / FILE)
    assert read(tmp_path / FILE) is None


def test_what_was_kept_for_frames_of_another_length_is_not_used() -> None:
    other = Known.of_delay(FRAME // 2, 0.1, -40.0)
    fresh, guard = EchoGuard(FRAME), EchoGuard(FRAME, other)
    heard = come_back(STORY, 0.1, 0.5)
    assert persons(guard, heard, STORY) == persons(fresh, heard, STORY)


async def test_what_the_ears_learn_over_an_answer_is_kept(tmp_path: Path) -> None:
    played, echo = PlayedSound(), KeptEcho(tmp_path)
    own = OwnVoice(played, lambda position: position / RATE, echo)
    for frame in frames_of(come_back(STORY, 0.1, 0.1)):
        if spoken := pcm(STORY[frame.start : frame.end]):
            played.put(spoken, RATE, frame.start / RATE)
        own.is_person(frame)
    await echo.save()
    known = read(tmp_path / FILE)
    assert known is not None
    # The echo comes 3 to 4 frames of 32 ms later.
    assert known.gains.mean(axis=1).argmax() in (3, 4)
