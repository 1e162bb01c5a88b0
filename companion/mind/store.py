"""One SQLite file that holds everything a unit remembers and spends; it always opens, and the talk never waits for it.

All SQL runs on one thread of the store's own. `write` returns at once; what waits is written in order, each batch in
one transaction that is on the disk when it ends (WAL, synchronous=FULL): pulling the plug loses at most what has not
been written yet. `read` comes after all writes before it.

A file that is damaged or of another version is set aside under another name, and a fresh one begun. Where the disk
cannot be written (full, read-only, locked) the store goes on in memory, with all that it knew, keeps what it could not
write (at most `MOST_UNWRITTEN`), and tries again after `RETRY_S` and when it is closed. Both are said once in the log,
never with anything that was said.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from companion.errors import CompanionError
from companion.mind.database import Connection, Work
from companion.mind.database_file import FILE, MOST_UNWRITTEN, DatabaseFile

__all__ = ["Connection", "Store"]

Result = TypeVar("Result")

LAZY = 20
"""Writes that may wait for the next one that is not lazy."""


class Store:
    """The file and its thread. Made by `open`."""

    def __init__(self, folder: Path, now: Callable[[], datetime], *, sets_aside: bool = True) -> None:
        self._file = DatabaseFile(folder / FILE, now, sets_aside=sets_aside)
        self._thread = ThreadPoolExecutor(1, "store")
        self._waiting: deque[Work[object]] = deque(maxlen=MOST_UNWRITTEN)
        self._writing: Future[None] | None = None

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

    async def read(self, work: Work[Result]) -> Result:
        """What `work` returns, after all writes before it."""

        def run() -> Result:
            self._write_waiting()
            return self._file.read(work)

        return await self._on_thread(run)

    def write(self, work: Work[object], *, lazy: bool = False) -> None:
        """Have `work` done in a transaction, soon; returns at once. It may be run again, so it must not keep state.

        What is `lazy` waits for the next one that is not, or for a few of its kind: it saves the card a write.
        """
        if self._writing is not None and self._writing.done():
            self._writing.result()
        self._waiting.append(work)
        if not lazy or len(self._waiting) >= LAZY:
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

        Raises `CompanionError` where the file cannot be written; nothing is erased then.
        """

        def run() -> Result:
            self._write_waiting()
            return self._file.erase(work)

        return await self._on_thread(run)

    async def close(self) -> None:
        """Write what waits and close the file."""
        try:
            await self._on_thread(self._write_waiting)
            await self._on_thread(self._file.close)
        finally:
            self._thread.shutdown(wait=False)

    async def _on_thread(self, work: Callable[[], Result]) -> Result:
        if self._writing is not None:
            # A bug in an earlier write comes out here. Whoever gives up waiting does not take the write along.
            await asyncio.shield(asyncio.wrap_future(self._writing))
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _write_waiting(self) -> None:
        works = []
        while self._waiting:
            works.append(self._waiting.popleft())
        self._file.write(works)
