"""A device that lives in a process of its own, beside a terminal: reloaded, looked into, told to forget, and killed."""

from __future__ import annotations

import asyncio
import itertools
import multiprocessing
import os
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from click.testing import CliRunner

from companion.cli.memory import memory as memory_group
from companion.mind.assembly import build
from companion.mind.memory.store import open_store
from tests.support.paths import CONFIGS
from tests.support.service_scene import device, persona

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["companion.mind.assembly", "tests.mind.memory.test_one_store"])
NOWHERE = "http://127.0.0.1:9/v1"
DEEDS = ("reload", "look", "forget", "kill")


def live(orders: Connection, folder: Path) -> None:
    """Until there are no more orders: say something as somebody, and acknowledge it; or change the persona."""

    async def run() -> None:
        unit = device(folder)
        store = await open_store(unit)
        character = await build(unit, persona(), NOWHERE, None, store=store)
        while order := await asyncio.to_thread(orders.recv):
            if order == "reload":
                successor = await build(unit, persona(), NOWHERE, None, store=store)
                await character.close()
                character = successor
            else:
                await character.switch_person(order[0])
                character.remember(order[1], "Aha.")
                await store.flush()
            orders.send(store.problems)
        await character.close()
        await store.close()

    asyncio.run(run())


class Living:
    """A device, from one kill to the next."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.start()

    def start(self) -> None:
        self.orders, orders = PROCESSES.Pipe()
        self.process = PROCESSES.Process(target=live, args=(orders, self.folder))
        self.process.start()
        orders.close()

    def order(self, order: object) -> None:
        self.orders.send(order)
        assert self.orders.recv() == ()

    def kill(self) -> None:
        self.process.kill()
        self.process.join()
        self.orders.close()
        self.start()

    def end(self) -> None:
        self.orders.send(None)
        self.process.join()
        self.orders.close()
        assert self.process.exitcode == 0

    def open_files(self) -> list[str]:
        """The memory's files that the process has open, by the inode; a deleted one is nobody's."""
        names = {one.stat().st_ino: one.name for one in self.folder.iterdir()}
        found = []
        for descriptor in Path(f"/proc/{self.process.pid}/fd").iterdir():
            if "companion.db" in os.readlink(descriptor):
                found.append(names.get(descriptor.stat().st_ino, os.readlink(descriptor)))
        return sorted(found)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path / "companion"


@contextmanager
def living(folder: Path) -> Iterator[Living]:
    device = Living(folder)
    try:
        yield device
        device.end()
    finally:
        device.process.kill()
        device.process.join()


def command(*words: str) -> str:
    """What `companion memory` prints in this process, which is not the device's."""
    done = CliRunner().invoke(memory_group, [words[0], "--device", str(CONFIGS / "devices" / "desk.toml"), *words[1:]])
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize("deeds", list(itertools.permutations(DEEDS)), ids="-".join)
def test_nothing_said_is_lost_and_nothing_forgotten_comes_back(folder: Path, deeds: tuple[str, ...]) -> None:
    words = (f"marker{number}word" for number in itertools.count())
    kept: list[str] = []
    forgotten: list[str] = []
    anas: list[str] = []

    def talk() -> None:
        for person, known in (("Ana", anas), ("Bo", kept)):
            known.append(next(words))
            home.order((person, f"this is a {known[-1]}"))

    with living(folder) as home:
        talk()
        for deed in deeds:
            if deed == "reload":
                home.order("reload")
            elif deed == "look":
                assert "Ana" in command("list")
            elif deed == "forget":
                command("forget", "--person", "Ana", "--yes")
                forgotten, anas = anas, []
            else:
                home.kill()
            talk()
            assert home.open_files() == ["companion.db", "companion.db-shm", "companion.db-wal"]
        shown = command("show")
        assert [one for one in kept + anas if one not in shown] == []
    shown = command("show")
    assert [one for one in kept + anas if one not in shown] == []
    everything = b"".join(one.read_bytes() for one in folder.iterdir())
    assert [one for one in forgotten if one.encode() in everything] == []
    assert sorted(one.name for one in folder.iterdir()) == ["companion.db"]
