"""The time of talk is kept on the disk, and whoever waits for the end of a break is told."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from companion.config.policy import load_policy
from companion.guard.limits import Moment
from companion.talk_time import TALK_TIME_FILE, TICK_S, TalkTime
from tests.support.doubles import pass_time

pytestmark = pytest.mark.looptime

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
POLICY = load_policy("child", {"time.break_after_minutes": 5, "time.break_minutes": 10, "time.minutes_a_day": 90})


def now() -> Moment:
    seconds = asyncio.get_running_loop().time()
    return Moment(seconds, NOON + timedelta(seconds=seconds))


async def test_it_is_kept_and_told_to_the_records_as_it_passes(tmp_path: Path) -> None:
    told: list[tuple[date, float]] = []
    talk = TalkTime(now, folder=tmp_path, add_talk=lambda day, seconds: told.append((day, seconds)))
    running = asyncio.create_task(talk.run(lambda: talk.refusal(POLICY)))
    await pass_time(1)
    talk.pass_on(POLICY, talking=True)
    await pass_time(100)
    assert sum(seconds for _, seconds in told) >= 100 - TICK_S
    # As if the plug was pulled.
    again = TalkTime(now, folder=tmp_path)
    assert again.talked_s >= 100 - TICK_S
    talk.pass_on(POLICY, talking=False)
    running.cancel()
    await asyncio.wait([running])
    assert sum(seconds for _, seconds in told) == pytest.approx(100, abs=0.1)
    assert TalkTime(now, folder=tmp_path).talked_s == pytest.approx(100, abs=0.1)
    assert (tmp_path / TALK_TIME_FILE).stat().st_mode & 0o777 == 0o600


async def test_the_end_of_a_break_is_told(tmp_path: Path) -> None:
    talk = TalkTime(now, folder=tmp_path)
    changes: list[str] = []
    running = asyncio.create_task(talk.run(lambda: talk.refusal(POLICY), lambda: changes.append(talk.refusal(POLICY))))
    talk.pass_on(POLICY, talking=True)
    await pass_time(301)
    assert talk.ending(POLICY) == "pause"
    talk.pass_on(POLICY, talking=False)
    await pass_time(700)
    assert changes == ["resting", ""]
    running.cancel()
    await asyncio.wait([running])


@pytest.mark.parametrize("content", ["", "{}", "[]", "\0", '{"at": 5}', "{" * 9999])
async def test_a_damaged_file_begins_anew_with_what_the_records_know(tmp_path: Path, content: str) -> None:
    (tmp_path / TALK_TIME_FILE).write_text(content)
    assert TalkTime(now, folder=tmp_path, talked_s=600.0).talked_s == 600


async def test_no_name_can_be_read_from_the_file(tmp_path: Path) -> None:
    talk = TalkTime(now, folder=tmp_path)
    talk.note_told("Teddy", "Annabella")
    running = asyncio.create_task(talk.run(lambda: talk.refusal(POLICY)))
    await pass_time(2 * TICK_S)
    running.cancel()
    await asyncio.wait([running])
    assert b"Annabella" not in (tmp_path / TALK_TIME_FILE).read_bytes()
    assert TalkTime(now, folder=tmp_path).truth(POLICY, "Teddy", "Annabella") == ""
    assert TalkTime(now, folder=tmp_path).truth(POLICY, "Teddy", "Ben") == "ai"
