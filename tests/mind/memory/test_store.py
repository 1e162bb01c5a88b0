"""The store on bad disks, with bad files, beside other processes, and with the plug pulled."""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.errors import CompanionError
from companion.mind.memory.long_term import LongTermMemory
from companion.mind.memory.store import Store
from tests.support.paths import ROOT


class Clock:
    def __init__(self) -> None:
        self.at = datetime(2026, 5, 3, 12, 0)

    def __call__(self) -> datetime:
        return self.at


@asynccontextmanager
async def memory_in(folder: Path, now: Clock | None = None) -> AsyncIterator[tuple[Store, LongTermMemory]]:
    now = now or Clock()
    store = await Store.open(folder, now)
    try:
        yield store, LongTermMemory(store, "Pip", now)
    finally:
        await store.close()


async def said_in(folder: Path) -> list[str]:
    async with memory_in(folder) as (_, memory):
        return [one.said for one in (await memory.recall("")).exchanges]


def set_aside(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir() if ".damaged-" in one.name)


async def test_the_file_is_its_owners_only_and_keeps_what_was_said(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "companion"
    async with memory_in(folder) as (store, memory):
        memory.keep("", "hello", "Hi!")
        await store.flush()
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        files = list(folder.iterdir())
        assert {one.name for one in files} == {"companion.db", "companion.db-wal", "companion.db-shm"}
        assert {stat.S_IMODE(one.stat().st_mode) for one in files} == {0o600}
    assert await said_in(folder) == ["hello"]


async def test_a_file_that_others_may_read_is_closed_to_them(tmp_path: Path) -> None:
    async with memory_in(tmp_path):
        pass
    (tmp_path / "companion.db").chmod(0o644)
    async with memory_in(tmp_path):
        assert stat.S_IMODE((tmp_path / "companion.db").stat().st_mode) == 0o600


def garbage(path: Path) -> None:
    path.write_bytes(b"this is no database at all " * 500)


def truncated(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1500)


def of_another_program(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE songs (name)")
    other.close()


def of_a_later_version(path: Path) -> None:
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA user_version = 99")
    other.close()


@pytest.mark.parametrize(
    ("harm", "kept"), [(garbage, 0), (truncated, 21), (of_another_program, 0), (of_a_later_version, 50)]
)
async def test_a_file_that_cannot_be_read_is_set_aside_and_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, harm: Callable[[Path], None], kept: int
) -> None:
    async with memory_in(tmp_path) as (_, memory):
        for number in range(50):
            memory.keep("", f"this is turn {number}", "ok")
    harm(tmp_path / "companion.db")
    before = (tmp_path / "companion.db").read_bytes()
    async with memory_in(tmp_path) as (store, memory):
        saved = [one.said for one in (await memory.recall("")).exchanges]
        assert len(saved) == kept
        assert saved == [f"this is turn {number}" for number in range(kept)]
        assert store.problem is None
        memory.keep("", "a fresh start", "ok")
    assert set_aside(tmp_path) == ["companion.db.damaged-20260503-120000"]
    assert (tmp_path / set_aside(tmp_path)[0]).read_bytes() == before
    errors = [one.getMessage() for one in caplog.records if one.levelno == logging.ERROR]
    assert len(errors) == 1
    assert "companion.db.damaged-20260503-120000" in errors[0]
    assert await said_in(tmp_path) == [*saved, "a fresh start"]


async def test_two_damaged_files_of_one_second_are_both_kept(tmp_path: Path) -> None:
    for _ in range(2):
        garbage(tmp_path / "companion.db")
        async with memory_in(tmp_path):
            pass
    assert set_aside(tmp_path) == ["companion.db.damaged-20260503-120000", "companion.db.damaged-20260503-120000-1"]


async def test_whoever_only_looks_leaves_a_damaged_file_where_it_is(tmp_path: Path) -> None:
    garbage(tmp_path / "companion.db")
    with pytest.raises(CompanionError, match="cannot be read"):
        await Store.open(tmp_path, Clock(), sets_aside=False)
    assert set_aside(tmp_path) == []


def test_any_damage_ends_in_an_open_store(tmp_path: Path) -> None:
    async def fill() -> None:
        async with memory_in(tmp_path) as (_, memory):
            for number in range(60):
                memory.keep("", f"i like number {number} best", "ok")

    asyncio.run(fill())
    whole = (tmp_path / "companion.db").read_bytes()

    @settings(max_examples=40, deadline=None)
    @given(
        st.lists(st.tuples(st.integers(0, len(whole) - 1), st.binary(min_size=1, max_size=64)), min_size=1, max_size=8)
    )
    def check(harms: list[tuple[int, bytes]]) -> None:
        data = bytearray(whole)
        for place, bad in harms:
            data[place : place + len(bad)] = bad[: len(data) - place]
        with tempfile.TemporaryDirectory(dir=tmp_path) as folder:
            (Path(folder) / "companion.db").write_bytes(bytes(data))

            async def use() -> None:
                async with memory_in(Path(folder)) as (store, memory):
                    memory.keep("", "still here", "ok")
                    await memory.relevant("", "which number do i like")
                    assert (await memory.recall("")).exchanges[-1].said == "still here"
                    assert store.problem is None
                    await store.copy_if_due()
                    await memory.forget("")
                    assert (await memory.recall("")).is_new
                    assert b"still here" not in all_bytes(Path(folder))

            asyncio.run(use())

    check()


@contextmanager
def full_disk(path: Path, room: int = 0) -> Iterator[None]:
    """No file may grow beyond the size of this one and `room`: writes fail as they do on a full disk."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


async def test_on_a_full_disk_the_talk_goes_on_and_is_written_later(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    now = Clock()
    async with memory_in(tmp_path, now) as (store, memory):
        memory.keep("", "my dog is called rex", "Nice!")
        await store.flush()
        with full_disk(tmp_path / "companion.db-wal"):
            for number in range(20):
                memory.keep("", f"secret number {number}", "ok")
                await store.flush()
            assert store.problem is not None
            assert store.problems == (store.problem,)
            assert len((await memory.recall("")).exchanges) == 21
            assert await memory.relevant("", "what is my dog called") == ("Their dog is called Rex.",)
            with pytest.raises(CompanionError, match="Nothing was changed"):
                await memory.forget(None)
        errors = [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]
        assert len(errors) == 1
        assert "Make room" in errors[0]
        assert "secret" not in caplog.text
        now.at += timedelta(minutes=1)
        memory.keep("", "and there is room again", "ok")
        await store.flush()
        assert store.problem is None
        # As the power failed now:
        shutil.copytree(tmp_path, tmp_path / "copy")
        said = await said_in(tmp_path / "copy")
    assert len(said) == 22
    assert said[0] == "my dog is called rex"
    assert said[-1] == "and there is room again"


async def test_a_clock_that_is_set_back_does_not_keep_it_from_the_disk(tmp_path: Path) -> None:
    now = Clock()
    async with memory_in(tmp_path, now) as (store, memory):
        memory.keep("", "before", "ok")
        await store.flush()
        with full_disk(tmp_path / "companion.db-wal"):
            memory.keep("", "in between", "ok")
            await store.flush()
        now.at -= timedelta(days=365)
        memory.keep("", "a year earlier", "ok")
        await store.flush()
        assert store.problem is None


async def test_a_disk_with_little_room_takes_what_it_can_and_is_seldom_tried(tmp_path: Path) -> None:
    now, done = Clock(), []

    def work(on: sqlite3.Connection) -> None:
        done.append(now.at)
        on.execute("INSERT INTO uses VALUES ('x', ?, '', '', '', '', 0, 0, 0, 0, '')", ("p" * 2000,))

    async with memory_in(tmp_path, now) as (store, memory):
        memory.keep("", "before", "ok")
        await store.flush()
        with full_disk(tmp_path / "companion.db-wal", room=150_000):
            for _ in range(500):
                store.write(work)
                await store.flush()
            assert store.problem is not None
            done.clear()
            for _ in range(240):
                now.at += timedelta(minutes=1)
                memory.keep("", "still full", "ok")
                await store.flush()
            # Not all five hundred, again and again: the talk waits for this thread.
            assert 0 < len(done) < 2 * 500
            assert 5 <= len(set(done)) <= 40
        now.at += timedelta(hours=1)
        memory.keep("", "room again", "ok")
        await store.flush()
        assert store.problem is None
        assert await store.read(lambda on: on.execute("SELECT count(*) FROM uses").fetchone()[0]) == 500


async def test_what_waited_for_the_disk_is_written_when_the_store_is_closed(tmp_path: Path) -> None:
    async with memory_in(tmp_path) as (store, memory):
        memory.keep("", "before", "ok")
        await store.flush()
        with full_disk(tmp_path / "companion.db-wal"):
            memory.keep("", "in between", "ok")
            await store.flush()
            assert store.problem is not None
    assert await said_in(tmp_path) == ["before", "in between"]


READ_ONLY = """
import asyncio, sys
from datetime import datetime
from pathlib import Path
from companion.mind.memory.long_term import LongTermMemory
from companion.mind.memory.store import Store

async def main():
    store = await Store.open(Path(sys.argv[1]), datetime.now)
    memory = LongTermMemory(store, "Pip", datetime.now)
    memory.keep("", "a second turn", "ok")
    recalled = await memory.recall("")
    print(len(recalled.exchanges), store.problem is not None)
    await store.close()

asyncio.run(main())
"""


@pytest.mark.parametrize("pulled", [False, True])
def test_on_a_read_only_disk_all_is_still_known(tmp_path: Path, pulled: bool) -> None:
    """With and without the log of writes that a pulled plug leaves behind."""
    folder = tmp_path / "ro"

    async def say() -> None:
        async with memory_in(tmp_path / "rw") as (store, memory):
            memory.keep("", "a first turn", "ok")
            await store.flush()
            if pulled:
                shutil.copytree(tmp_path / "rw", folder)

    asyncio.run(say())
    if not pulled:
        shutil.copytree(tmp_path / "rw", folder)
    for file in folder.iterdir():
        file.chmod(0o400)
    folder.chmod(0o500)
    command = [sys.executable, "-c", READ_ONLY, str(folder)]
    if os.geteuid() == 0:
        # For root nothing is read-only, unless it gives this power up.
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            pytest.skip("as root this test needs setpriv")
        command = [setpriv, "--bounding-set", "-dac_override,-dac_read_search", "--inh-caps", "-all", *command]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    folder.chmod(0o700)
    assert done.stdout.split() == ["2", "True"], done.stderr
    assert done.stderr.count("cannot be written") == 1


async def test_a_folder_that_cannot_be_made_ends_in_memory_alone(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    async with memory_in(tmp_path / "file" / "below") as (store, memory):
        memory.keep("", "my name is ana", "ok")
        assert len((await memory.recall("")).exchanges) == 1
        assert store.problem is not None


async def test_with_a_link_in_its_place_the_talk_goes_on_in_memory_alone(tmp_path: Path) -> None:
    folder, target = tmp_path / "state", tmp_path / "target"
    folder.mkdir()
    target.write_bytes(b"")
    target.chmod(0o644)
    (folder / "companion.db").symlink_to(target)
    async with memory_in(folder) as (store, memory):
        memory.keep("", "my name is ana", "ok")
        assert len((await memory.recall("")).exchanges) == 1
        (problem,) = store.problems
        assert "companion.db is a symbolic link" in problem
        assert "memory.folder" in problem
    assert stat.S_IMODE(target.stat().st_mode) == 0o644
    assert target.read_bytes() == b""


@pytest.mark.parametrize("place", [18, 19])
async def test_a_format_of_the_future_is_damage_and_not_a_disk_that_is_read_only(tmp_path: Path, place: int) -> None:
    async with memory_in(tmp_path) as (_, memory):
        memory.keep("", "before", "ok")
    with (tmp_path / "companion.db").open("r+b") as file:
        file.seek(place)
        file.write(b"\x07")
    async with memory_in(tmp_path) as (store, memory):
        memory.keep("", "after", "ok")
        assert store.problem is None
    assert len(set_aside(tmp_path)) == 1
    assert (await said_in(tmp_path))[-1] == "after"


KEEP_ON = """
import asyncio, sys
from datetime import datetime
from pathlib import Path
from companion.mind.memory.long_term import LongTermMemory
from companion.mind.memory.store import Store

async def main():
    store = await Store.open(Path(sys.argv[1]), datetime.now)
    memory = LongTermMemory(store, "Pip", datetime.now)
    number = int(sys.argv[2])
    while True:
        memory.keep("", f"my favourite number {number} is the number {number}", "ok")
        await store.flush()
        print(number, flush=True)
        number += 1

asyncio.run(main())
"""


def test_killed_at_any_instant_every_acknowledged_turn_is_there(tmp_path: Path) -> None:
    async def all_kept() -> list[str]:
        async with memory_in(tmp_path) as (store, _):
            assert store.problem is None
            return await store.read(lambda on: [one for (one,) in on.execute("SELECT said FROM exchanges ORDER BY id")])

    acknowledged = 0
    for lines in (1, 37, 5, 90, 13):
        child = subprocess.Popen(
            [sys.executable, "-c", KEEP_ON, str(tmp_path), str(acknowledged)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        for _ in range(lines):
            acknowledged = int(child.stdout.readline()) + 1
        child.kill()
        rest = child.stdout.read().split()
        child.wait()
        child.stdout.close()
        acknowledged = int(rest[-1]) + 1 if rest else acknowledged
        kept = asyncio.run(all_kept())
        assert acknowledged <= len(kept) <= acknowledged + 1
        assert [one.split()[3] for one in kept] == [str(number) for number in range(len(kept))]
        acknowledged = len(kept)
    assert set_aside(tmp_path) == []


async def test_two_processes_may_have_it_open(tmp_path: Path) -> None:
    async with memory_in(tmp_path) as (_, daemon), memory_in(tmp_path) as (command, other):
        daemon.keep("Ana", "my dog is called rex", "Nice!")
        before = (await daemon.recall("Ana")).generation
        assert (await other.recall("ana")).exchanges[0].said == "my dog is called rex"
        await other.forget("Ana")
        assert await daemon.generation("Ana") == before + 1
        assert (await daemon.recall("Ana")).is_new
        daemon.keep("Ana", "hello again", "Hi!")
        assert len((await daemon.recall("Ana")).exchanges) == 1
        await command.flush()
        assert len((await other.recall("Ana")).exchanges) == 1


async def test_giving_up_on_a_read_takes_no_write_along(tmp_path: Path) -> None:
    async with memory_in(tmp_path) as (_, memory):
        for number in range(30):
            memory.keep("", f"turn number {number}", "ok")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0):
                    await memory.recall("")
        assert len((await memory.recall("")).exchanges) == 30


def all_bytes(folder: Path) -> bytes:
    return b"".join(one.read_bytes() for one in folder.iterdir())


async def test_what_was_forgotten_cannot_be_read_from_the_disk(tmp_path: Path) -> None:
    async with memory_in(tmp_path) as (store, memory):
        for number in range(300):
            memory.keep("Zacharias", f"the xylophone number {number} sounds like a marimba", "Plim!")
            memory.keep("Bo", f"the trumpet number {number} sounds like a horn", "Toot!")
        memory.keep("Zacharias", "my dog is called Quasimodo", "Woof!")
        await memory.recall("Zacharias")
        await memory.store_summary("Zacharias", 20, "They own a xylophone.")
        erased = await memory.forget("zacharias")
        assert erased.exchanges == 301
        assert erased.facts == ("Their dog is called Quasimodo.",)
        assert erased.summaries == 1
        await store.flush()
        everything = all_bytes(tmp_path).lower()
        assert b"trumpet" in everything
        for word in (b"xylophon", b"marimba", b"quasimodo", b"zacharias", b"plim"):
            assert word not in everything
