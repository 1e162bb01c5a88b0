"""The database file as the store's thread uses it: it always opens, and always takes what is written.

A file that is damaged or of a later version is set aside under another name, and a fresh one begins. Where the disk
cannot be written (full, read-only, locked) it continues with a copy in memory. It keeps what it could not write, at
most `MAX_UNWRITTEN` entries (the oldest go first), and tries again after `RETRY_S` and when it is closed. The talk
waits for this thread, so each attempt goes only as far as it succeeds, and attempts become rarer the longer they fail.
Both are logged once, never with anything that was said. All of it blocks and belongs on the store's thread.
"""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count, islice
from pathlib import Path
from typing import TypeVar

from companion.errors import CompanionError
from companion.mind.memory import database
from companion.mind.memory.database import (
    Connection,
    DatabaseDamaged,
    DatabaseMisplaced,
    DatabaseUnwritable,
    Work,
)

log = logging.getLogger("companion")

RETRY_S = 30.0
"""How long after a failed write the next attempt follows; twice as long after each further failure."""
LONGEST_RETRY_S = 600.0
BATCH = 20
"""Unwritten entries in one transaction."""
MAX_UNWRITTEN = 5000

Result = TypeVar("Result")


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

        A damaged file is set aside; with `sets_aside` False it is a `CompanionError`, as is a link in its place.
        """
        try:
            self._connection = self._open_or_set_aside()
        except DatabaseUnwritable as error:
            if isinstance(error, DatabaseMisplaced) and not self._sets_aside:
                raise CompanionError(f"The memory {self._path} is refused: {error}. {_advice(error)}") from error
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
        stem = f"{self._path.name}.damaged-{self._now():%Y%m%d-%H%M%S}"
        names = (self._path.with_name(f"{stem}-{number}" if number else stem) for number in count())
        aside = next(name for name in names if not name.exists())
        try:
            for ending in ("", "-wal", "-shm"):
                part = self._path.with_name(self._path.name + ending)
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
            f"unless that changes. {_advice(error)}"
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


def _advice(error: DatabaseUnwritable) -> str:
    if isinstance(error, DatabaseMisplaced):
        return "Put the file itself there; where it should lie in another folder, say so with memory.folder."
    return "Make room on the disk, or let this user write there."
