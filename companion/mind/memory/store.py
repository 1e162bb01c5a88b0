"""The SQLite file that holds everything a unit remembers and spends. It always opens, and no write delays the talk.

One process has one store for the file: the daemon hands its own from persona to persona. All SQL runs on one thread of
the store's own (`DatabaseFile`). `write` returns at once; the queue is written in order, each batch in one transaction
that is on the disk when it ends (WAL, synchronous=FULL), so pulling the plug loses at most what has not been written
yet. A `read` comes after all writes before it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from companion.config.device import Device
from companion.errors import CompanionError, ConfigError
from companion.mind.memory.database import Work
from companion.mind.memory.database_file import MAX_UNWRITTEN, DatabaseFile
from companion.storage import state_folder

FILE = "companion.db"

Result = TypeVar("Result")

QUIET_S = 60.0
"""After so long without any use the copy of the day is made."""
MAX_LAZY = 20
"""This many lazy writes may wait for the next one that is not lazy."""


def local_now() -> datetime:
    """The wall clock, in local time."""
    return datetime.now().astimezone()


async def open_store(device: Device, now: Callable[[], datetime] = local_now) -> Store:
    """The unit's store; never two at a time in one process. Raises `ConfigError` where there is no folder for it."""
    return await Store.open(_folder(device), now)


def _folder(device: Device) -> Path:
    if device.memory.folder is not None:
        return device.memory.folder
    try:
        return state_folder()
    except RuntimeError as error:
        raise ConfigError("memory.folder: this user has no home folder: name a folder for the memory") from error


class Store:
    """The file and its thread. Made by `open`."""

    def __init__(self, folder: Path, now: Callable[[], datetime], *, sets_aside: bool = True) -> None:
        self._file = DatabaseFile(folder / FILE, now, sets_aside=sets_aside)
        self._thread = ThreadPoolExecutor(1, "store")
        self._waiting: deque[Work[object]] = deque(maxlen=MAX_UNWRITTEN)
        self._writing: Future[None] | None = None
        self._used = 0
        """How often it was read and written."""

    @classmethod
    async def open(cls, folder: Path, now: Callable[[], datetime], *, sets_aside: bool = True) -> Store:
        """Open `companion.db` in `folder`, which is made where it is missing. Never raises for a bad disk or file.

        `now` gives local time. Whoever looks into the file while another process may be using it passes `sets_aside`
        False, and gets a `CompanionError` for a damaged one.
        """
        store = cls(folder, now, sets_aside=sets_aside)
        try:
            await store._on_thread(store._file.open)
        except CompanionError:
            store._thread.shutdown(wait=False)
            raise
        return store

    @property
    def problem(self) -> str | None:
        """Why nothing is written at present, as a sentence; None while all is well."""
        return self._file.problem

    @property
    def problems(self) -> tuple[str, ...]:
        """What whoever looks after the device should know of the memory, as sentences; empty while all is well."""
        return tuple(one for one in (self._file.problem, self._file.notice) if one is not None)

    async def read(self, work: Work[Result]) -> Result:
        """What `work` returns, after all writes before it."""

        def run() -> Result:
            self._write_waiting()
            return self._file.read(work)

        return await self._on_thread(run)

    def write(self, work: Work[object], *, lazy: bool = False) -> None:
        """Have `work` done in a transaction soon; returns at once. It may be run again, so it must not keep state.

        A `lazy` write waits for the next one that is not, or for a few of its kind: that saves the card a write.
        """
        self._used += 1
        if self._writing is not None and self._writing.done():
            self._writing.result()
        self._waiting.append(work)
        if not lazy or len(self._waiting) >= MAX_LAZY:
            self._writing = self._thread.submit(self._write_waiting)

    async def change(self, work: Work[Result]) -> Result:
        """What `work` returns, once what it wrote is on the disk.

        Raises `CompanionError` where the file cannot be written; nothing is changed then.
        """

        def run() -> Result:
            self._write_waiting()
            return self._file.change(work)

        return await self._on_thread(run)

    async def flush(self) -> None:
        """Return when everything so far is on the disk, or `problem` says why it is not."""
        await self._on_thread(self._write_waiting)

    async def erase(self, work: Work[Result]) -> Result:
        """Do `work`, which deletes, so that nothing of it can be read from the file afterwards.

        The copy of the day and everything that was set aside are removed. Raises `CompanionError` where the file cannot
        be written; nothing is erased then.
        """

        def run() -> Result:
            self._write_waiting()
            return self._file.erase(work)

        return await self._on_thread(run)

    async def keep_copies(self) -> None:
        """Make the copy of the day in a quiet moment, when nobody waits for this thread, until cancelled."""
        while True:
            await self.be_quiet(QUIET_S)
            await self.copy_if_due()

    async def be_quiet(self, seconds: float) -> None:
        """Return once nobody has used the store for so long."""
        used = -1
        while used != self._used:
            used = self._used
            await asyncio.sleep(seconds)

    async def copy_if_due(self) -> bool:
        """Make the copy of the day where there is none; whether there is a new one now."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._file.copy_if_due)

    async def close(self) -> None:
        """Write what waits and close the file."""
        try:
            await self._on_thread(self._write_waiting)
            await self._on_thread(self._file.close)
        finally:
            self._thread.shutdown(wait=False)

    async def _on_thread(self, work: Callable[[], Result]) -> Result:
        self._used += 1
        if self._writing is not None:
            # A bug in an earlier write is raised here. The shield keeps the write alive when the caller is cancelled.
            await asyncio.shield(asyncio.wrap_future(self._writing))
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _write_waiting(self) -> None:
        works = []
        while self._waiting:
            works.append(self._waiting.popleft())
        self._file.write(works)
