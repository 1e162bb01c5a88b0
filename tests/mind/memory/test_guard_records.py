"""What is kept for the guardian: what was blocked, what they should know, and how long was talked."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from companion.mind.memory import guard_records
from companion.mind.memory.guard_records import GuardRecords
from companion.mind.memory.store import Store

AT = datetime(2026, 11, 28, 14, 3, 12)
DAY = AT.date()


def written(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


async def test_category_time_and_person_are_kept_over_a_restart_and_the_words_only_where_they_are_wanted(
    tmp_path: Path,
) -> None:
    for keep_words in (False, True):
        store = await Store.open(tmp_path / str(keep_words), lambda: AT)
        records = GuardRecords(store, lambda: AT, "Momo", keep_words=keep_words)
        records.add_blocked("violence", "answer", "Ana", "xylophonic murder")
        records.add_notice("self_harm", "Ana", "zymurgic sorrow")
        await store.close()
        store = await Store.open(tmp_path / str(keep_words), lambda: AT)
        again = GuardRecords(store, lambda: AT)
        [blocked], [notice] = await again.blocked(), await again.notices()
        await store.close()
        assert (blocked.at, blocked.persona, blocked.person, blocked.category, blocked.who) == (
            *(AT, "Momo", "Ana", "violence", "answer"),
        )
        assert (notice.category, notice.who, notice.words) == (
            *("self_harm", "person", "zymurgic sorrow" if keep_words else ""),
        )
        assert (b"xylophonic" in written(tmp_path / str(keep_words))) is keep_words


async def test_the_newest_come_first_from_a_time_on_and_only_so_many_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard_records, "MOST", 3)
    now = [AT]
    store = await Store.open(tmp_path, lambda: now[0])
    records = GuardRecords(store, lambda: now[0])
    for hour in range(5):
        now[0] = AT + timedelta(hours=hour)
        records.add_blocked("sex" if hour else "drugs", "announcement")
    assert [one.at.hour for one in await records.blocked()] == [18, 17, 16]
    assert [one.at.hour for one in await records.blocked(AT + timedelta(hours=4))] == [18]
    await store.close()


async def test_the_count_of_today_outlives_a_restart_and_ends_at_midnight(tmp_path: Path) -> None:
    now = [AT - timedelta(days=1)]
    store = await Store.open(tmp_path, lambda: now[0])
    records = GuardRecords(store, lambda: now[0])
    records.add_blocked("sex", "answer")
    now[0] = AT
    assert records.blocked_today == 0
    records.add_blocked("sex", "answer")
    records.add_blocked("sex", "person")
    records.add_notice("self_harm")
    assert records.blocked_today == 2
    again = GuardRecords(store, lambda: now[0])
    await again.load()
    assert again.blocked_today == 2
    now[0] = AT + timedelta(days=1)
    assert again.blocked_today == 0
    await store.close()


async def test_cleared_entries_leave_no_byte_and_the_minutes_of_talk_stay(tmp_path: Path) -> None:
    store = await Store.open(tmp_path, lambda: AT)
    records = GuardRecords(store, lambda: AT, keep_words=True)
    records.add_blocked("violence", "answer", "Xanthippe", "xylophonic murder")
    records.add_talk(DAY, 30)
    await store.copy_if_due()
    await records.clear()
    assert await records.blocked() == ()
    assert b"xylophonic" not in written(tmp_path)
    assert b"Xanthippe" not in written(tmp_path)
    assert await records.talk_of(DAY) == 30
    await store.close()


async def test_talk_of_a_day_adds_up_and_is_on_the_disk_at_once_and_old_days_go(tmp_path: Path) -> None:
    store = await Store.open(tmp_path, lambda: AT)
    records = GuardRecords(store, lambda: AT)
    long_ago = DAY - timedelta(days=guard_records.TALK_DAYS + 1)
    records.add_talk(long_ago, 10)
    records.add_talk(DAY, 29.5)
    records.add_talk(DAY, 0.25)
    await store.flush()
    # The power is cut: nobody closes the store.
    after = await Store.open(tmp_path, lambda: AT)
    again = GuardRecords(after, lambda: AT)
    assert [await again.talk_of(day) for day in (DAY, long_ago, date(2026, 11, 27))] == [29.75, 0, 0]
    await after.close()
    await store.close()


async def test_they_are_saved_from_a_damaged_file(tmp_path: Path) -> None:
    store = await Store.open(tmp_path, lambda: AT)
    records = GuardRecords(store, lambda: AT, "Momo")
    records.add_blocked("violence", "answer", "Ana")
    records.add_talk(DAY, 600)
    await store.close()
    file = tmp_path / "companion.db"
    file.write_bytes(b"\0" * 100 + file.read_bytes()[100:])
    store = await Store.open(tmp_path, lambda: AT)
    again = GuardRecords(store, lambda: AT)
    assert [one.person for one in await again.blocked()] == ["Ana"]
    assert await again.talk_of(DAY) == 600
    await store.close()
