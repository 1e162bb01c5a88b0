"""Opens `companion.db`, changes and copies it, and gives SQLite's errors as two of ours.

Every function here blocks and belongs on the store's thread. SQLite's errors are translated: a file that is no database
of ours is `DatabaseDamaged`; a disk that is full, read-only, gone, or locked for longer than `BUSY_S` is
`DatabaseUnwritable`. What remains are mistakes in our own SQL, which are raised as they are. Reasons are SQLite's words
and never hold what was said.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from companion.errors import CompanionError
from companion.mind.memory.schema import APPLICATION_ID, MIGRATIONS, VOCABULARY
from companion.storage import create_private_folder

log = logging.getLogger("companion")

Connection = sqlite3.Connection
Result = TypeVar("Result")
Work = Callable[[Connection], Result]

BUSY_S = 5.0
"""How long another process (`companion memory` beside the daemon) may hold the file."""

PAGE_BYTES = 1024
"""Small pages: a turn changes a few rows in different places, and cards wear with every byte."""

ENDINGS = ("", "-wal", "-shm", "-journal")
"""Of the names of the files that make up the database."""

_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_UNWRITABLE = {
    *(sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN),
    *(sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PERM, sqlite3.SQLITE_PROTOCOL),
}


class DatabaseDamaged(CompanionError):
    """The file is no database, is broken, or belongs to another program or a later version."""


class DatabaseUnwritable(CompanionError):
    """The file cannot be opened or written at present."""


class DatabaseMisplaced(DatabaseUnwritable):
    """In the file's place stands a link, or something that is no file."""


def connect(path: Path) -> Connection:
    """Open the file, making it and its folder where they are missing, check it, and bring it to this version.

    Raises `DatabaseDamaged` and `DatabaseUnwritable`.
    """
    with translate_errors(opening=True):
        create_private_folder(path.parent)
        _make_private(path)
        connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
        connection.text_factory = decode
        try:
            check(connection)
            _prepare(connection, on_disk=True)
        except (sqlite3.Error, UnicodeDecodeError, CompanionError) as error:
            connection.close()
            # SQLite never writes to a format of the future: its number is in the header.
            if _is_read_only(error) and os.access(path, os.W_OK):
                raise DatabaseDamaged("its header is damaged") from error
            raise
        return connection


def check(connection: Connection) -> None:
    """Read all of it. Raises `DatabaseDamaged` with the first damage that is found, or `sqlite3.Error`."""
    found = connection.execute("PRAGMA integrity_check (1)").fetchone()[0]
    if found != "ok":
        raise DatabaseDamaged(" ".join(found.split()))


def apply(connection: Connection, works: Sequence[Work[Result]]) -> list[Result]:
    """Do everything in one transaction, on the disk when this returns, or nothing.

    Raises `DatabaseDamaged` and `DatabaseUnwritable`.
    """
    with translate_errors():
        try:
            connection.execute("BEGIN IMMEDIATE")
            results = [work(connection) for work in works]
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        return results


def read(connection: Connection, work: Work[Result]) -> Result:
    """What `work` finds. Raises `DatabaseDamaged` and `DatabaseUnwritable`."""
    with translate_errors():
        return work(connection)


def rebuild_search_index(connection: Connection) -> None:
    """Rebuild the full-text index, the only part that opening does not check. Raises `DatabaseDamaged`."""
    with translate_errors():
        connection.execute("INSERT INTO words (words) VALUES ('rebuild')")


def erase_deleted_rows(connection: Connection) -> None:
    """Rewrite the file without what was deleted from it. Raises `DatabaseUnwritable`.

    Deleted text would otherwise still stand in older parts of the index, in free pages, and in the write-ahead log.
    """
    with translate_errors():
        connection.execute("INSERT INTO words (words) VALUES ('optimize')")
        connection.execute("VACUUM")
        if connection.execute("PRAGMA wal_checkpoint (TRUNCATE)").fetchone()[0]:
            raise DatabaseUnwritable("another program is reading it")


def copy_in_memory(source: Connection | None, path: Path) -> Connection | None:
    """A database in memory with what is in `source`, else in the file at `path`; None where they are damaged."""
    copy = _copy(source) if source is not None else None
    for mode in ("mode=ro", "immutable=1"):
        if copy is None:
            try:
                with closing(sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True)) as file:
                    copy = _copy(file)
            except sqlite3.Error as error:
                log.debug("The memory cannot be opened with %s: %s", mode, error)
    return copy


def connect_in_memory() -> Connection:
    """An empty database in memory."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
    _prepare(connection)
    return connection


def _copy(source: Connection) -> Connection | None:
    copy = sqlite3.connect(":memory:", isolation_level=None)
    try:
        source.backup(copy)
        check(copy)
        _prepare(copy)
    except (sqlite3.Error, DatabaseDamaged) as error:
        log.debug("The memory cannot be copied: %s", error)
        copy.close()
        return None
    return copy


def _make_private(path: Path) -> None:
    """Create the file where it is missing, and close it to others.

    Never opens a file that is there: when a process closes any descriptor of a file, POSIX drops all locks that the
    process has on it, those of its SQLite connections too (sqlite.org/howtocorrupt.html, 2.2).
    """
    for ending in ENDINGS:
        part = path.with_name(path.name + ending)
        try:
            mode = part.lstat().st_mode
        except FileNotFoundError:
            continue
        if not stat.S_ISREG(mode):
            raise DatabaseMisplaced(f"{part.name} is {'a symbolic link' if stat.S_ISLNK(mode) else 'no file'}")
        if mode & 0o077:
            part.chmod(stat.S_IMODE(mode) & 0o700)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def _is_read_only(error: Exception) -> bool:
    """Whether SQLite opened the file for reading only; its other reasons for not writing have codes of their own."""
    return getattr(error.__cause__ or error, "sqlite_errorcode", None) == sqlite3.SQLITE_READONLY


def decode(stored: bytes) -> str:
    """Stored text; a broken character costs only itself."""
    return stored.decode("utf-8", "replace")


def _prepare(connection: Connection, *, on_disk: bool = False) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    mark = connection.execute("PRAGMA application_id").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if tables and mark != APPLICATION_ID:
        raise DatabaseDamaged("it is the database of another program")
    if not 0 <= version <= len(MIGRATIONS):
        raise DatabaseDamaged(f"it was made by a later version of this program, with schema {version}")
    connection.text_factory = decode
    for pragma in ("foreign_keys = ON", "secure_delete = ON", "temp_store = MEMORY", "journal_size_limit = 1000000"):
        connection.execute(f"PRAGMA {pragma}")
    if on_disk:
        for pragma in (f"page_size = {PAGE_BYTES}", "journal_mode = WAL", "synchronous = FULL"):
            connection.execute(f"PRAGMA {pragma}")
    if version < len(MIGRATIONS):
        apply(connection, [_migrate])
    connection.execute(VOCABULARY)
    if on_disk and version == len(MIGRATIONS):
        _check_tables(connection)


def _check_tables(connection: Connection) -> None:
    """Find a damaged schema, which SQLite takes for another one: by comparison, and by a write that is taken back."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as fresh:
        apply(fresh, [_migrate])
        ours = "SELECT name, sql FROM sqlite_schema WHERE name NOT GLOB 'words_*' ORDER BY name"
        if connection.execute(ours).fetchall() != fresh.execute(ours).fetchall():
            raise DatabaseDamaged("its schema is damaged")
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute("INSERT INTO words (rowid, said) VALUES (-1, 'probe')")
        connection.execute("SELECT rowid FROM words WHERE words MATCH 'probe'").fetchall()
        connection.execute("SELECT doc FROM vocabulary WHERE term = 'probe'").fetchall()
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _migrate(connection: Connection) -> None:
    # Asked again inside the transaction: another process may have been quicker.
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    for statements in MIGRATIONS[version:]:
        for statement in statements:
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


@contextmanager
def translate_errors(*, opening: bool = False) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        # The primary result code; 255 where Python raised the error by itself.
        code = getattr(error, "sqlite_errorcode", 255) & 0xFF
        if code in _UNWRITABLE:
            raise DatabaseUnwritable(str(error)) from error
        # Before any SQL of ours has run, an error without a name means a file that SQLite does not understand.
        # The index of words breaks a constraint only where it is damaged; those of tables have longer codes.
        is_index = getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_CONSTRAINT
        if code in _DAMAGED or is_index or (opening and code == sqlite3.SQLITE_ERROR):
            raise DatabaseDamaged(str(error)) from error
        raise
    except UnicodeDecodeError as error:
        # SQLite's message quotes a broken name, which Python cannot turn into text.
        raise DatabaseDamaged("its schema is damaged") from error
    except OSError as error:
        raise DatabaseUnwritable(error.strerror or str(error)) from error
