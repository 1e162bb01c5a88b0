"""Damaged pages: what is saved, the copy of the day, and that neither brings back what was forgotten."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from companion.errors import CompanionError
from companion.mind.memory import daily_copy, database, schema
from companion.mind.memory.long_term import LongTermMemory
from companion.mind.memory.store import Store
from tests.mind.memory.test_store import Clock, all_bytes, full_disk, memory_in, set_aside

TURNS = [f"i like number {number} best, as i have told you before" for number in range(60)]
ON_A_PAGE = 12
PAGE = 1024


async def fill(folder: Path, turns: list[str] = TURNS) -> None:
    async with memory_in(folder) as (_, memory):
        for number, said in enumerate(turns):
            memory.keep("Ana" if number % 2 else "Bo", said, "ok")


async def known(memory: LongTermMemory) -> set[str]:
    return {one.said for person in ("Ana", "Bo") for one in (await memory.recall(person)).exchanges}


def names(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


@asynccontextmanager
async def copied(folder: Path, now: Clock) -> AsyncIterator[tuple[Store, LongTermMemory]]:
    """A filled memory with its copy of the day."""
    await fill(folder)
    async with memory_in(folder, now) as (store, memory):
        assert await store.copy_if_due()
        yield store, memory


def with_page(data: bytes, page: int, content: bytes = bytes(PAGE)) -> bytes:
    return data[: page * PAGE] + content + data[(page + 1) * PAGE :]


@pytest.mark.parametrize("forgot_before", [False, True])
def test_a_damaged_page_costs_that_page(tmp_path: Path, forgot_before: bool) -> None:
    async def run() -> None:
        await fill(tmp_path / "whole")
        if forgot_before:
            async with memory_in(tmp_path / "whole") as (_, memory):
                memory.keep("Zacharias", "gone", "ok")
                await memory.forget("Zacharias")
        whole = (tmp_path / "whole" / "companion.db").read_bytes()
        lost = []
        for page in range(len(whole) // PAGE):
            folder = tmp_path / f"{page}"
            folder.mkdir()
            (folder / "companion.db").write_bytes(with_page(whole, page))
            async with memory_in(folder) as (store, memory):
                left = await known(memory)
                assert store.problem is None
                assert left <= set(TURNS)
                lost.append(len(TURNS) - len(left))
                await memory.prepare()
                assert await memory.relevant("Ana", "which number do i like") != ()
        assert max(lost) <= ON_A_PAGE
        assert 0 < sum(lost) <= 2 * len(TURNS)

    asyncio.run(run())


def test_with_the_copy_of_the_day_a_damaged_page_costs_nothing(tmp_path: Path) -> None:
    async def run() -> None:
        async with copied(tmp_path / "whole", Clock()):
            pass
        whole = (tmp_path / "whole" / "companion.db").read_bytes()
        for page in range(len(whole) // PAGE):
            folder = tmp_path / f"{page}"
            shutil.copytree(tmp_path / "whole", folder)
            (folder / "companion.db").write_bytes(with_page(whole, page))
            async with memory_in(folder) as (_, memory):
                assert await known(memory) == set(TURNS)

    asyncio.run(run())


async def test_it_says_once_what_was_saved(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    await fill(tmp_path)
    path = tmp_path / "companion.db"
    path.write_bytes(with_page(path.read_bytes(), 0))
    async with memory_in(tmp_path) as (store, _):
        (problem,) = store.problems
        assert "60 turns and 60 facts of it could be saved" in problem
        assert set_aside(tmp_path)[0] in problem
        assert [one.getMessage() for one in caplog.records] == [problem]
        assert "number" not in problem
    async with memory_in(tmp_path) as (store, _):
        assert store.problems == ()


async def test_what_was_learned_of_somebodys_pauses_is_saved_too(tmp_path: Path) -> None:
    await fill(tmp_path)
    async with memory_in(tmp_path) as (_, memory):
        memory.learn_pause("Ana", 0, 1.5)
    path = tmp_path / "companion.db"
    path.write_bytes(with_page(path.read_bytes(), 0))
    async with memory_in(tmp_path) as (_, memory):
        assert (await memory.recall("Ana")).pause == 1.5
        assert (await memory.recall("Bo")).pause == 1.0


async def test_what_stood_in_the_log_of_writes_is_saved_too(tmp_path: Path) -> None:
    await fill(tmp_path / "whole", TURNS[:30])
    async with memory_in(tmp_path / "whole") as (store, memory):
        for said in TURNS[30:]:
            memory.keep("Ana", said, "ok")
        await store.flush()
        # As the power failed now:
        shutil.copytree(tmp_path / "whole", tmp_path / "cut")
    path = tmp_path / "cut" / "companion.db"
    data = path.read_bytes()
    last = data.rindex(b"i like number") // PAGE
    path.write_bytes(with_page(data, last))
    async with memory_in(tmp_path / "cut") as (store, memory):
        assert set(TURNS[30:]) <= await known(memory)
        assert store.problem is None


async def test_where_the_newest_turns_are_lost_their_numbers_are_given_again(tmp_path: Path) -> None:
    turns = [f"so this is turn number {number} of the talk" for number in range(60)]
    await fill(tmp_path, turns)
    async with memory_in(tmp_path) as (_, memory):
        last = (await memory.recall("Bo")).exchanges[-1].id
        await memory.store_summary("Bo", last, "They like numbers.")
    path = tmp_path / "companion.db"
    data = path.read_bytes()
    path.write_bytes(with_page(data, data.rindex(turns[-1].encode()) // PAGE))
    async with memory_in(tmp_path) as (store, memory):
        assert len(await known(memory)) < len(turns)
        for said in TURNS:
            memory.keep("Bo", said, "ok")
        await store.flush()
        assert [one.said for one in (await memory.recall("Bo")).exchanges] == TURNS
        assert (await memory.recall("Bo")).summary == "They like numbers."


async def test_rows_of_an_earlier_version_are_saved(tmp_path: Path) -> None:
    path = tmp_path / "companion.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as early:
        early.execute(f"PRAGMA page_size = {PAGE}")
        for statement in schema.MIGRATIONS[0]:
            early.execute(statement)
        early.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        early.execute("PRAGMA user_version = 1")
        early.execute("INSERT INTO persons (id, persona, key, name) VALUES (1, 'Pip', 'k', 'Ana')")
        early.execute(
            "INSERT INTO facts VALUES (2, 1, 'likes', 's', 'a', 'v', 'They like tea.', 1, '2026-01-01', NULL)"
        )
    async with memory_in(tmp_path):
        pass
    path.write_bytes(with_page(path.read_bytes(), 0))
    async with memory_in(tmp_path) as (store, _):
        row = await store.read(lambda on: on.execute("SELECT text, language, source, replaced FROM facts").fetchone())
        assert row == ("They like tea.", "", "said", None)
        assert await store.read(lambda on: on.execute("SELECT name, pause FROM persons").fetchall()) == [("Ana", 1000)]


@pytest.mark.parametrize("with_words", [b"SQLite", TURNS[-1].encode()])
async def test_on_a_full_disk_the_talk_goes_on_from_what_could_be_saved(tmp_path: Path, with_words: bytes) -> None:
    await fill(tmp_path)
    path = tmp_path / "companion.db"
    data = path.read_bytes()
    path.write_bytes(with_page(data, data.rindex(with_words) // PAGE))
    (tmp_path / "small").write_bytes(bytes(2 * PAGE))
    now = Clock()
    with full_disk(tmp_path / "small"):
        store = await Store.open(tmp_path, now)
        memory = LongTermMemory(store, "Pip", now)
        saved = await known(memory)
        assert len(saved) >= len(TURNS) - ON_A_PAGE
        assert len(store.problems) == 1
        assert "cannot be written" in store.problems[0]
    await store.close()
    async with memory_in(tmp_path) as (_, memory):
        assert await known(memory) == saved


async def test_the_copy_is_made_once_a_day_and_is_its_owners_only(tmp_path: Path) -> None:
    now = Clock()
    async with copied(tmp_path, now) as (store, memory):
        copy = tmp_path / "companion.db.copy"
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
        now.at += timedelta(hours=23)
        memory.keep("Ana", "the very latest", "ok")
        assert not await store.copy_if_due()
        now.at += timedelta(hours=1)
        assert await store.copy_if_due()
        assert b"the very latest" in copy.read_bytes()
        now.at -= timedelta(days=400)
        assert await store.copy_if_due(), "a clock that was in the future must not end the copies"
    assert names(tmp_path) == ["companion.db", "companion.db.copy"]


async def test_a_quiet_moment_makes_the_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("companion.mind.memory.store.QUIET_S", 0.001)
    async with memory_in(tmp_path) as (store, memory):
        memory.keep("Ana", "hello", "Hi!")
        copies = asyncio.create_task(store.keep_copies())
        async with asyncio.timeout(20):
            while not (tmp_path / "companion.db.copy").exists():  # noqa: ASYNC110 - a file has no event
                await asyncio.sleep(0.001)
        copies.cancel()


async def test_a_memory_that_is_too_large_is_not_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daily_copy, "LARGEST", 10 * PAGE)
    await fill(tmp_path)
    async with memory_in(tmp_path) as (store, _):
        assert not await store.copy_if_due()
    assert names(tmp_path) == ["companion.db"]


async def test_what_was_forgotten_is_in_no_copy_and_in_nothing_that_was_set_aside(tmp_path: Path) -> None:
    await fill(tmp_path)
    path = tmp_path / "companion.db"
    path.write_bytes(with_page(path.read_bytes(), 0))
    now = Clock()
    async with memory_in(tmp_path, now) as (store, memory):
        memory.keep("Ana", "my xylophone is out of tune", "ok")
        assert await store.copy_if_due()
        assert len(set_aside(tmp_path)) == 1
        async with memory_in(tmp_path, now) as (_, command):
            await command.forget("Ana")
        assert set_aside(tmp_path) == []
        everything = all_bytes(tmp_path)
        for word in (b"xylophone", *(said.encode() for said in TURNS[1::2])):
            assert word not in everything
        assert await store.copy_if_due()
    path.write_bytes(with_page(path.read_bytes(), 0))
    async with memory_in(tmp_path, now) as (_, memory):
        assert await known(memory) == set(TURNS[::2])


async def test_a_copy_that_was_begun_before_something_was_forgotten_is_dropped(tmp_path: Path) -> None:
    await fill(tmp_path)
    path = tmp_path / "companion.db"

    class Meanwhile(datetime):
        """The time of the copy, which is asked for when all is copied."""

        def timestamp(self) -> float:
            with closing(sqlite3.connect(path, isolation_level=None)) as other:
                other.execute("DELETE FROM exchanges")
            return super().timestamp()

    with closing(database.connect(path)) as connection:
        assert not daily_copy.make(connection, path, Meanwhile(2026, 5, 3))
        assert daily_copy.make(connection, path, datetime(2026, 5, 3))
    assert b"i like number" not in (tmp_path / "companion.db.copy").read_bytes()


async def test_a_damage_that_the_copy_finds_is_mended_and_the_older_copy_helps(tmp_path: Path) -> None:
    now = Clock()
    async with copied(tmp_path, now) as (store, memory):
        path = tmp_path / "companion.db"
        data = path.read_bytes()
        now.at += timedelta(days=1)
        await store.read(lambda on: on.execute("PRAGMA shrink_memory").fetchall())
        with path.open("r+b") as file:
            file.seek(data.rindex(b"i like number") // PAGE * PAGE)
            file.write(bytes(PAGE))
        assert await store.copy_if_due()
        assert len(store.problems) == 1
        assert await known(memory) == set(TURNS)


async def test_an_emptied_file_is_filled_and_a_deleted_one_stays_deleted(tmp_path: Path) -> None:
    async with copied(tmp_path, Clock()):
        pass
    path = tmp_path / "companion.db"
    path.write_bytes(b"")
    with pytest.raises(CompanionError, match="it is empty"):
        await Store.open(tmp_path, Clock(), sets_aside=False)
    async with memory_in(tmp_path) as (_, memory):
        assert await known(memory) == set(TURNS)
    path.unlink()
    async with memory_in(tmp_path) as (_, memory):
        assert await known(memory) == set()
        assert not (tmp_path / "companion.db.copy").exists()
