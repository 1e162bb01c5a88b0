"""The database file as the store's thread uses it: it always opens, and always takes what is written.

A file that is damaged or of a later version is set aside under another name, and a fresh one takes its place with what
can be read of it and of the copy of the day (decision 0009). Where the disk
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
from companion.mind.memory import daily_copy, database
from companion.mind.memory.database import (
    Connection,
    DatabaseDamaged,
    DatabaseMisplaced,
    DatabaseUnwritable,
    Work,
)
from companion.mind.memory.salvage import Salvaged, salvage
from companion.storage import sync_folder

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
        self.notice: str | None = None
        """What was damaged and saved since the start, as a sentence."""
        self._why_unwritable: str | None = None
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
            self._forget_copy_of_deleted_file()
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
        """What `work` returns, after a transaction on the disk. Raises `CompanionError` where there can be none.

        The copy of the day, which holds what was before, is removed in the same transaction.
        """
        self._retry_writing(at_once=True)

        def without_copy(on: Connection) -> Result:
            daily_copy.remove(self._path)
            return work(on)

        def attempt() -> Result:
            if self._why_unwritable:
                raise CompanionError(f"Nothing was changed: {self._why_unwritable}")
            try:
                return database.apply(self._connection, [without_copy])[0]
            except DatabaseUnwritable as error:
                raise CompanionError(f"Nothing was changed: {self._cannot_be_written(error)}") from error

        return self._with_recovery(attempt)

    def erase(self, work: Work[Result]) -> Result:
        """Do `work`, which deletes, and rewrite the file without what it deleted. Raises `CompanionError`.

        What was set aside is removed: nobody can tell what stands in it.
        """
        result = self.change(work)
        remove_set_aside(self._path)

        def attempt() -> None:
            try:
                database.erase_deleted_rows(self._connection)
            except DatabaseUnwritable as error:
                raise CompanionError(
                    f"It was forgotten, but traces may be left in {self._path}, which could not be made anew "
                    f"({error}). Make room on the disk and forget again."
                ) from error

        self._with_recovery(attempt)
        # A file that proved to be damaged just now.
        remove_set_aside(self._path)
        return result

    def copy_if_due(self) -> bool:
        """Make the copy of the day where there is none; whether there is a new one. A damage is noticed and mended."""

        def attempt() -> bool:
            try:
                return daily_copy.make(self._connection, self._path, self._now())
            except DatabaseUnwritable as error:
                log.debug("The memory cannot be copied: %s", error)
                return False

        return self.problem is None and daily_copy.is_due(self._path, self._now()) and self._with_recovery(attempt)

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
            self._replace_damaged(error)
            self._connection = database.connect(self._path)
        except DatabaseUnwritable as failure:
            self._continue_in_memory(failure, None)

    def _open_or_set_aside(self) -> Connection:
        try:
            if daily_copy.copy_of(self._path).exists() and self._path.stat().st_size == 0:
                raise DatabaseDamaged("it is empty")
            return database.connect(self._path)
        except DatabaseDamaged as error:
            self._replace_damaged(error)
            return database.connect(self._path)
        except OSError as error:
            raise DatabaseUnwritable(error.strerror or str(error)) from error

    def _forget_copy_of_deleted_file(self) -> None:
        """Whoever deleted the file by hand wants nothing back from its copy."""
        try:
            if self._sets_aside and not self._path.exists():
                daily_copy.copy_of(self._path).unlink(missing_ok=True)
        except OSError as error:
            raise DatabaseUnwritable(error.strerror or str(error)) from error

    def _replace_damaged(self, error: DatabaseDamaged) -> None:
        """Put what can be read into a fresh file, and that in the place of the damaged one, which is set aside."""
        if not self._sets_aside:
            raise CompanionError(
                f"The memory {self._path} cannot be read ({error}). What can be saved of it is saved, and the file set "
                "aside, when the companion starts the next time."
            ) from error
        fresh = self._path.with_name(f"{self._path.name}.new")
        try:
            for ending in database.ENDINGS:
                fresh.with_name(fresh.name + ending).unlink(missing_ok=True)
            connection = database.connect(fresh)
            try:
                (saved,) = database.apply(connection, [self._salvage])
            finally:
                connection.close()
            if fresh.with_name(f"{fresh.name}-wal").exists():
                raise DatabaseUnwritable("the disk is full")
            aside = self._set_aside()
            os.replace(fresh, self._path)
            sync_folder(self._path.parent)
        except OSError as failure:
            raise DatabaseUnwritable(f"it is damaged, and cannot be set aside: {failure.strerror}") from failure
        self.notice = (
            f"The memory {self._path} was damaged ({error}): {saved.exchanges} turns and {saved.facts} facts of it "
            f"could be saved, and it was set aside as {aside.name}."
        )
        log.error("%s", self.notice)

    def _salvage(self, fresh: Connection) -> Salvaged:
        return salvage(fresh, (self._path, daily_copy.copy_of(self._path)))

    def _set_aside(self) -> Path:
        """Give the file another name. It keeps its own, too: there is never none in the memory's place."""
        stem = f"{self._path.name}.damaged-{self._now():%Y%m%d-%H%M%S}"
        names = (self._path.with_name(f"{stem}-{number}" if number else stem) for number in count())
        aside = next(name for name in names if not name.exists())
        for ending in ("-wal", "-journal"):
            part = self._path.with_name(self._path.name + ending)
            if part.exists() and part.stat().st_size > 0:
                os.replace(part, aside.with_name(aside.name + ending))
        self._path.with_name(f"{self._path.name}-shm").unlink(missing_ok=True)
        self._path.with_name(f"{self._path.name}-wal").unlink(missing_ok=True)
        os.link(self._path, aside)
        return aside

    def _continue_in_memory(self, error: DatabaseUnwritable, open_still: Connection | None) -> None:
        """Continue in memory, with everything that can still be read from the file."""
        if self.problem is not None:
            raise error
        is_file = not isinstance(error, DatabaseMisplaced)
        copy = database.copy_in_memory(open_still, self._path) if is_file else None
        if open_still is not None:
            open_still.close()
        if copy is None:
            copy = database.connect_in_memory()
            if is_file:
                database.apply(copy, [self._salvage])
        self._connection = copy
        self._retry_s = RETRY_S
        self._retry_at = self._now() + timedelta(seconds=self._retry_s)
        self._why_unwritable = self._cannot_be_written(error)
        self.problem = f"{self._why_unwritable} What is said until then is forgotten when the power goes."
        log.log(logging.ERROR if self._sets_aside else logging.DEBUG, "%s", self.problem)

    def _cannot_be_written(self, error: CompanionError) -> str:
        return f"The memory {self._path} cannot be written ({error}). {_advice(error)}"

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
        self.problem = self._why_unwritable = None
        log.info("The memory %s can be written again; nothing was lost.", self._path)


def _advice(error: CompanionError) -> str:
    if isinstance(error, DatabaseMisplaced):
        return "Put the file itself there; where it should lie in another folder, say so with memory.folder."
    return "Make room on the disk, or let this user write there."


def set_aside(path: Path) -> list[Path]:
    """What lies beside the database at `path`: damaged files that were set aside, and what was begun and not ended."""
    return sorted(one for one in path.parent.glob(f"{path.name}.*") if one != daily_copy.copy_of(path))


def remove_set_aside(path: Path) -> None:
    """Remove everything that lies beside the database. Raises `CompanionError`."""
    for file in set_aside(path):
        try:
            file.unlink(missing_ok=True)
        except OSError as error:
            raise CompanionError(
                f"{file} may hold it, too, and cannot be removed: {error.strerror or error}."
            ) from error
