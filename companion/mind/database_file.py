"""`companion.db` as the store has it: opened whatever its state, written when it can be.

Everything here runs on the store's one thread. While the file cannot be written, a copy of it in memory serves the
talk, and what was not written is kept, at most `MOST_UNWRITTEN` entries (the oldest go first). The talk waits for this
thread, so each try to write again goes only as far as it succeeds, and tries come the rarer the longer they fail.
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
from companion.mind import database
from companion.mind.database import Connection, Damaged, Unwritable, Work

log = logging.getLogger("companion")

Result = TypeVar("Result")

FILE = "companion.db"
RETRY_S = 30.0
"""How long after a failed write the next one is tried; twice as long after each further failure."""
LONGEST_RETRY_S = 600.0
AT_ONCE = 20
"""Entries in one transaction of what could not be written so far."""
MOST_UNWRITTEN = 5000


class DatabaseFile:
    """The file, or its copy in memory while `problem` says why it cannot be written."""

    def __init__(self, path: Path, now: Callable[[], datetime], *, sets_aside: bool = True) -> None:
        self.problem: str | None = None
        self._path = path
        self._sets_aside = sets_aside
        self._now = now
        self._connection: Connection
        self._unwritten: deque[Work[object]] = deque(maxlen=MOST_UNWRITTEN)
        self._retry_at = now()
        self._retry_s = RETRY_S

    def open(self) -> None:
        """Open the file. Never raises for a bad disk.

        A damaged file is set aside; with `sets_aside` False it is a `CompanionError`.
        """
        try:
            self._connection = self._opened()
        except Unwritable as error:
            self._fall_back(error, None)

    def read(self, work: Work[Result]) -> Result:
        """What `work` returns."""
        return self._surely(lambda: database.read(self._connection, work))

    def write(self, works: list[Work[object]]) -> None:
        """Do `works` in one transaction, on the disk if it can be."""
        if works:
            self._surely(lambda: database.apply(self._connection, works))
        if self.problem is not None:
            self._unwritten.extend(works)
            self._try_again()

    def change(self, work: Work[Result]) -> Result:
        """What `work` returns, after a transaction on the disk. Raises `CompanionError` where there can be none."""
        self._try_again(at_once=True)
        if self.problem is not None:
            raise CompanionError(f"Nothing was changed. {self.problem}")
        try:
            (result,) = database.apply(self._connection, [work])
        except (Unwritable, Damaged) as error:
            raise CompanionError(f"Nothing was changed: {self._path} cannot be written ({error}).") from error
        return result

    def erase(self, work: Work[Result]) -> Result:
        """Do `work`, which deletes, and make the file anew without what it deleted. Raises `CompanionError`."""
        result = self.change(work)
        try:
            database.overwrite_deleted(self._connection)
        except (Unwritable, Damaged) as error:
            raise CompanionError(
                f"It was forgotten, but traces may be left in {self._path}, which could not be made anew ({error}). "
                "Make room on the disk and forget again."
            ) from error
        return result

    def close(self) -> None:
        """Write what could not be written so far, if that is possible now, and close the file."""
        self._try_again(at_once=True)
        if self._unwritten:
            log.error("%d entries of the memory could not be written and are lost.", len(self._unwritten))
        self._connection.close()

    def _surely(self, act: Callable[[], Result]) -> Result:
        """Do it; where the file turns out to be unwritable or damaged, do it again with what takes its place."""
        for remedy in (self._make_index_anew, self._begin_anew):
            try:
                return act()
            except Damaged as error:
                remedy(error)
            except Unwritable as error:
                self._fall_back(error, self._connection)
        return act()

    def _make_index_anew(self, error: Damaged) -> None:
        try:
            database.make_index_anew(self._connection)
        except (Damaged, Unwritable):
            self._begin_anew(error)
        else:
            log.warning("The index of the memory %s was damaged (%s) and was made anew.", self._path, error)

    def _begin_anew(self, error: Damaged) -> None:
        if self.problem is not None:
            raise error
        self._connection.close()
        try:
            self._set_aside(error)
            self._connection = database.connect(self._path)
        except Unwritable as failure:
            self._fall_back(failure, None)

    def _opened(self) -> Connection:
        try:
            return database.connect(self._path)
        except Damaged as error:
            self._set_aside(error)
            return database.connect(self._path)

    def _set_aside(self, error: Damaged) -> None:
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
            raise Unwritable(f"it is damaged, and cannot be set aside: {failure.strerror}") from failure
        told = "The memory %s cannot be read (%s): it was set aside as %s, and a new one begins."
        log.error(told, self._path, error, aside.name)

    def _fall_back(self, error: Unwritable, open_still: Connection | None) -> None:
        """Go on in memory, with all that can still be read of the file."""
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

    def _try_again(self, *, at_once: bool = False) -> None:
        """While in memory: write to the file what could not be written, if it is time for another try."""
        # A wall clock that was set back must not make it wait for years.
        wait = self._retry_at - self._now()
        if self.problem is None or (not at_once and timedelta() < wait <= timedelta(seconds=self._retry_s)):
            return
        self._retry_s = min(2 * self._retry_s, LONGEST_RETRY_S)
        self._retry_at = self._now() + timedelta(seconds=self._retry_s)
        try:
            opened = self._opened()
        except Unwritable as error:
            log.debug("The memory still cannot be written: %s", error)
            return
        try:
            while self._unwritten:
                some = list(islice(self._unwritten, AT_ONCE))
                database.apply(opened, some)
                for _ in some:
                    self._unwritten.popleft()
        except (Unwritable, Damaged) as error:
            log.debug("The memory still cannot be written: %s", error)
            opened.close()
            return
        self._connection.close()
        self._connection = opened
        self.problem = None
        log.info("The memory %s can be written again; nothing was lost.", self._path)
