"""The copy of the day: what a damaged file is filled up from. It never outlives what was forgotten.

Every change by hand (forget, correct) removes the copy in the same transaction, and the next quiet moment makes a new
one. A copy only takes its place while no other process can write and none has written since it was begun, so that
nothing that was forgotten meanwhile can come back with it. Blocks; on the store's thread.
"""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from companion.mind.memory.database import Connection, check, translate_errors
from companion.storage import sync_folder

log = logging.getLogger("companion")

EVERY = timedelta(days=1)
LARGEST = 64 * 2**20
"""Bytes; a larger memory (about 100,000 turns) is not copied."""


def copy_of(path: Path) -> Path:
    """Where the copy of the database at `path` lies."""
    return path.with_name(f"{path.name}.copy")


def is_due(path: Path, now: datetime) -> bool:
    """Whether there is no copy of the last day."""
    try:
        age = now.timestamp() - copy_of(path).lstat().st_mtime
    except OSError:
        return True
    # The clock of a board without a battery may have been in the future.
    return not 0 <= age < EVERY.total_seconds()


def make(connection: Connection, path: Path, now: datetime) -> bool:
    """Copy the database at `path`, open as `connection`; whether there is a new copy now.

    There is none where it would be too large or leave too little room, and where another process wrote meanwhile.
    Raises `DatabaseDamaged` where the database proves to be, and `DatabaseUnwritable`; an older copy then remains.
    """
    with translate_errors():
        pages, page = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
        if pages * page > min(LARGEST, shutil.disk_usage(path.parent).free // 2):
            return False
        before = _version(connection)
        begun = path.with_name(f"{path.name}.copy.new")
        begun.unlink(missing_ok=True)
        try:
            os.close(os.open(begun, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            with closing(sqlite3.connect(begun, isolation_level=None)) as copy:
                connection.backup(copy)
                copy.execute("PRAGMA journal_mode = DELETE")
                check(copy)
            os.utime(begun, (now.timestamp(), now.timestamp()))
            connection.execute("BEGIN IMMEDIATE")
            try:
                if _version(connection) != before:
                    return False
                os.replace(begun, copy_of(path))
                sync_folder(path.parent)
            finally:
                connection.execute("ROLLBACK")
        finally:
            begun.unlink(missing_ok=True)
    return True


def remove(path: Path) -> None:
    """Remove the copy of the database at `path`, so that a power cut does not bring it back. Raises `OSError`."""
    copy_of(path).unlink(missing_ok=True)
    sync_folder(path.parent)


def _version(connection: Connection) -> int:
    """Another number whenever another process has written."""
    version: int = connection.execute("PRAGMA data_version").fetchone()[0]
    return version
