"""The SQLite file that holds everything a unit remembers and spends. It always opens, and no write delays the talk.

All SQL runs on one thread of the store's own (`DatabaseFile` is used on that thread only). `write` returns at once; the
queue is written in order, each batch in one transaction that is on the disk when it ends (WAL, synchronous=FULL), so
pulling the plug loses at most what has not been written yet. A `read` comes after all writes before it.

A file that is damaged or of a later version is set aside under another name, and a fresh one begins. Where the disk
cannot be written (full, read-only, locked) the store continues with a copy in memory. It keeps what it could not write,
at most `MAX_UNWRITTEN` entries (the oldest go first), and tries again after `RETRY_S` and when it is closed. The talk
waits for this thread, so each attempt goes only as far as it succeeds, and attempts become rarer the longer they fail.
Both are logged once, never with anything that was said.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import count, islice
from pathlib import Path
from typing import TypeVar

from companion.errors import CompanionError
from companion.mind.memory import database
from companion.mind.memory.database import Connection, DatabaseDamaged, DatabaseUnwritable, Work

log = logging.getLogger("companion")


FILE = "companion.db"
RETRY_S = 30.0
"""How long after a failed write the next attempt follows; twice as long after each further failure."""
LONGEST_RETRY_S = 600.0
BATCH = 20
"""Unwritten entries in one transaction."""
MAX_UNWRITTEN = 5000


class DatabaseFile:
    """The file, or its copy in memory while `problem` says why it cannot be written."""

    def __init__(self, path: Path, now: Callable[[], datetime], *, sets_aside: bool = True) -> None:
        self.problem: str | None = None
        self._path = path
        self._sets_aside = sets_aside
        self._now = now
        self._connection: Connection
        self._unwritten: deque[Work[object]] = deque(maxlen=MAX_UNWRITTEN)
        self._retry_at = now()
        self._retry_s = RETRY_S

    def open(self) -> None:
        """Open the file. Never raises for a bad disk.

        A damaged file is set aside; with `sets_aside` False it is a `CompanionError`.
        """
        try:
            self._connection = self._open_or_set_aside()
        except DatabaseUnwritable as error:
            self._continue_in_memory(error, None)

    def read(self, work: Work[Result]) -> Result:
        """What `work` returns."""
        return self._with_recovery(lambda: database.read(self._connection, work))

    def write(self, works: list[Work[object]]) -> None:
        """Do `works` in one transaction, on the disk if possible."""
        if works:
            self._with_recovery(lambda: database.apply(self._connection, works))
        if self.problem is not None:
            self._unwritten.extend(works)
            self._retry_writing()

    def change(self, work: Work[Result]) -> Result:
        """What `work` returns, after a transaction on the disk. Raises `CompanionError` where there can be none."""
        self._retry_writing(at_once=True)
        if self.problem is not None:
            raise CompanionError(f"Nothing was changed. {self.problem}")
        try:
            (result,) = database.apply(self._connection, [work])
        except (DatabaseUnwritable, DatabaseDamaged) as error:
            raise CompanionError(f"Nothing was changed: {self._path} cannot be written ({error}).") from error
        return result

    def erase(self, work: Work[Result]) -> Result:
        """Do `work`, which deletes, and rewrite the file without what it deleted. Raises `CompanionError`."""
        result = self.change(work)
        try:
            database.erase_deleted_rows(self._connection)
        except (DatabaseUnwritable, DatabaseDamaged) as error:
            raise CompanionError(
                f"It was forgotten, but traces may be left in {self._path}, which could not be made anew ({error}). "
                "Make room on the disk and forget again."
            ) from error
        return result

    def close(self) -> None:
        """Write what could not be written so far, if that is possible now, and close the file."""
        self._retry_writing(at_once=True)
        if self._unwritten:
            log.error("%d entries of the memory could not be written and are lost.", len(self._unwritten))
        self._connection.close()

    def _with_recovery(self, act: Callable[[], Result]) -> Result:
        """Call `act`; where the file turns out unwritable or damaged, call it again with what replaces the file."""
        for recover in (self._rebuild_search_index, self._start_fresh):
            try:
                return act()
            except DatabaseDamaged as error:
                recover(error)
            except DatabaseUnwritable as error:
                self._continue_in_memory(error, self._connection)
        return act()

    def _rebuild_search_index(self, error: DatabaseDamaged) -> None:
        try:
            database.rebuild_search_index(self._connection)
        except (DatabaseDamaged, DatabaseUnwritable):
            self._start_fresh(error)
        else:
            log.warning("The index of the memory %s was damaged (%s) and was made anew.", self._path, error)

    def _start_fresh(self, error: DatabaseDamaged) -> None:
        if self.problem is not None:
            raise error
        self._connection.close()
        try:
            self._set_aside(error)
            self._connection = database.connect(self._path)
        except DatabaseUnwritable as failure:
            self._continue_in_memory(failure, None)

    def _open_or_set_aside(self) -> Connection:
        try:
            return database.connect(self._path)
        except DatabaseDamaged as error:
            self._set_aside(error)
            return database.connect(self._path)

    def _set_aside(self, error: DatabaseDamaged) -> None:
        if not self._sets_aside:
            raise CompanionError(
                f"The memory {self._path} cannot be read ({error}). It is set aside, and a new one begun, when the "
                "companion starts the next time."
            ) from error
        stem = f"{FILE}.damaged-{self._now():%Y%m%d-%H%M%S}"
        names = (self._path.with_name(f"{stem}-{number}" if number else stem) for number in count())
        aside = next(name for name in names if not name.exists())
        try:
            for ending in ("", "-wal", "-shm"):
                part = self._path.with_name(FILE + ending)
                if part.exists():
                    os.replace(part, aside.with_name(aside.name + ending))
        except OSError as failure:
            raise DatabaseUnwritable(f"it is damaged, and cannot be set aside: {failure.strerror}") from failure
        message = "The memory %s cannot be read (%s): it was set aside as %s, and a new one begins."
        log.error(message, self._path, error, aside.name)

    def _continue_in_memory(self, error: DatabaseUnwritable, open_still: Connection | None) -> None:
        """Continue in memory, with everything that can still be read from the file."""
        if self.problem is not None:
            raise error
        self._connection = database.copy_in_memory(open_still, self._path)
        if open_still is not None:
            open_still.close()
        self._retry_s = RETRY_S
        self._retry_at = self._now() + timedelta(seconds=self._retry_s)
        self.problem = (
            f"The memory {self._path} cannot be written ({error}): what is said from now on is forgotten at the end "
            "unless that changes. Make room on the disk, or let this user write there."
        )
        log.error("%s", self.problem)

    def _retry_writing(self, *, at_once: bool = False) -> None:
        """While in memory: write what could not be written, if it is time for another attempt."""
        # A wall clock that was set back must not make it wait for years.
        wait = self._retry_at - self._now()
        if self.problem is None or (not at_once and timedelta() < wait <= timedelta(seconds=self._retry_s)):
            return
        self._retry_s = min(2 * self._retry_s, LONGEST_RETRY_S)
        self._retry_at = self._now() + timedelta(seconds=self._retry_s)
        try:
            opened = self._open_or_set_aside()
        except DatabaseUnwritable as error:
            log.debug("The memory still cannot be written: %s", error)
            return
        try:
            while self._unwritten:
                some = list(islice(self._unwritten, BATCH))
                database.apply(opened, some)
                for _ in some:
                    self._unwritten.popleft()
        except (DatabaseUnwritable, DatabaseDamaged) as error:
            log.debug("The memory still cannot be written: %s", error)
            opened.close()
            return
        self._connection.close()
        self._connection = opened
        self.problem = None
        log.info("The memory %s can be written again; nothing was lost.", self._path)


Result = TypeVar("Result")

MAX_LAZY = 20
"""This many lazy writes may wait for the next one that is not lazy."""


class Store:
    """The file and its thread. Made by `open`."""

    def __init__(self, folder: Path, now: Callable[[], datetime], *, sets_aside: bool = True) -> None:
        self._file = DatabaseFile(folder / FILE, now, sets_aside=sets_aside)
        self._thread = ThreadPoolExecutor(1, "store")
        self._waiting: deque[Work[object]] = deque(maxlen=MAX_UNWRITTEN)
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
        """Have `work` done in a transaction soon; returns at once. It may be run again, so it must not keep state.

        A `lazy` write waits for the next one that is not, or for a few of its kind: that saves the card a write.
        """
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
            # A bug in an earlier write is raised here. The shield keeps the write alive when the caller is cancelled.
            await asyncio.shield(asyncio.wrap_future(self._writing))
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _write_waiting(self) -> None:
        works = []
        while self._waiting:
            works.append(self._waiting.popleft())
        self._file.write(works)
