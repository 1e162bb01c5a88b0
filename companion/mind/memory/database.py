"""SQLite behind two errors: a database is damaged, or it cannot be written. The only user of sqlite3.

Every function here blocks and belongs on the store's thread. Foreign errors end here: a file that is no database of
ours is `Damaged`, a disk that is full, read-only, gone or locked for longer than `BUSY_S` is `Unwritable`; what is left
are mistakes in our own SQL, which are let out as they are. Reasons are SQLite's words and never hold what was said.

The tables of `companion.db`.

Exchanges and facts share one row of ids, so that a number names one thing on the command line. Times are local, ISO
8601, to the second. `words` holds the words (`words_index`) by which an exchange may be quoted, under its id. A later
version adds a tuple to `MIGRATIONS`; what stands there never changes.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar

from companion.errors import CompanionError
from companion.storage import create_private_folder

APPLICATION_ID = 0x434F_4D50
"""Marks the file as ours, in SQLite's header: "COMP"."""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE persons (
            id INTEGER PRIMARY KEY,
            persona TEXT NOT NULL,
            key TEXT NOT NULL,
            name TEXT NOT NULL,
            generation INTEGER NOT NULL DEFAULT 0,
            summary TEXT NOT NULL DEFAULT '',
            summarised INTEGER NOT NULL DEFAULT 0,
            UNIQUE (persona, key)
        )""",
        """CREATE TABLE exchanges (
            id INTEGER PRIMARY KEY,
            person INTEGER NOT NULL REFERENCES persons ON DELETE CASCADE,
            said TEXT NOT NULL,
            heard TEXT NOT NULL,
            speaker TEXT NOT NULL,
            at TEXT NOT NULL
        )""",
        """CREATE TABLE facts (
            id INTEGER PRIMARY KEY,
            person INTEGER NOT NULL REFERENCES persons ON DELETE CASCADE,
            kind TEXT NOT NULL,
            slot TEXT NOT NULL,
            about TEXT NOT NULL,
            value TEXT NOT NULL,
            text TEXT NOT NULL,
            exchange INTEGER,
            at TEXT NOT NULL,
            replaced TEXT
        )""",
        "CREATE INDEX facts_of_person ON facts (person, slot)",
        "CREATE VIRTUAL TABLE words USING fts5 (said, tokenize = 'unicode61 remove_diacritics 0')",
        """CREATE TABLE uses (
            at TEXT NOT NULL,
            person TEXT NOT NULL,
            persona TEXT NOT NULL,
            model TEXT NOT NULL,
            region TEXT NOT NULL,
            purpose TEXT NOT NULL,
            prompt INTEGER NOT NULL,
            cached INTEGER NOT NULL,
            completion INTEGER NOT NULL,
            cost_micro INTEGER,
            currency TEXT NOT NULL
        )""",
    ),
    (
        "ALTER TABLE facts ADD COLUMN subject TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE facts ADD COLUMN language TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE facts ADD COLUMN source TEXT NOT NULL DEFAULT 'said'",
        "CREATE TABLE indexes (persona TEXT PRIMARY KEY, rules TEXT NOT NULL)",
    ),
)

VOCABULARY = "CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab ('main', 'words', 'row')"
"""In how many sentences each word stands; of each connection's own."""


log = logging.getLogger("companion")

Connection = sqlite3.Connection
Result = TypeVar("Result")
Work = Callable[[Connection], Result]

BUSY_S = 5.0
"""How long another process (`companion memory` beside the daemon) may hold the file."""

_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_UNWRITABLE = {
    *(sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN),
    *(sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PERM, sqlite3.SQLITE_PROTOCOL),
}


class Damaged(CompanionError):
    """The file is no database, is broken, or belongs to another program or a later version."""


class Unwritable(CompanionError):
    """The file cannot be opened or written at present."""


def connect(path: Path) -> Connection:
    """Open the file, making it and its folder where they are missing, check it, and bring it to this version.

    Raises `Damaged` and `Unwritable`.
    """
    with _translated(opening=True):
        create_private_folder(path.parent)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if stat.S_IMODE(os.fstat(descriptor).st_mode) != 0o600:
                os.fchmod(descriptor, 0o600)
            # Bytes 18 and 19 are the format's versions; one that is not known looks like a disk that is read-only.
            if not set(os.pread(descriptor, 2, 18)) <= {1, 2}:
                raise Damaged("its header is damaged")
        finally:
            os.close(descriptor)
        connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
        connection.text_factory = _readable
        try:
            found = connection.execute("PRAGMA integrity_check (1)").fetchone()[0]
            if found != "ok":
                raise Damaged(" ".join(found.split()))
            _prepare(connection, on_disk=True)
        except (sqlite3.Error, UnicodeDecodeError, CompanionError):
            connection.close()
            raise
        return connection


def apply(connection: Connection, works: Sequence[Work[Result]]) -> list[Result]:
    """All of it in one transaction, on the disk when this returns, or nothing. Raises `Damaged` and `Unwritable`."""
    with _translated():
        try:
            connection.execute("BEGIN IMMEDIATE")
            results = [work(connection) for work in works]
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        return results


def read(connection: Connection, work: Work[Result]) -> Result:
    """What `work` finds. Raises `Damaged` and `Unwritable`."""
    with _translated():
        return work(connection)


def make_index_anew(connection: Connection) -> None:
    """The index of words is the only part that opening does not check; it is made from the rest. Raises `Damaged`."""
    with _translated():
        connection.execute("INSERT INTO words (words) VALUES ('rebuild')")


def overwrite_deleted(connection: Connection) -> None:
    """Make the file anew, without what was deleted from it. Raises `Unwritable`.

    It would still stand in older parts of the index, in free pages, and in the log of writes.
    """
    with _translated():
        connection.execute("INSERT INTO words (words) VALUES ('optimize')")
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint (TRUNCATE)")


def copy_in_memory(source: Connection | None, path: Path) -> Connection:
    """A database in memory with all that can be read: of `source`, else of the file at `path`, else an empty one."""
    copy = _copied(source) if source is not None else None
    for mode in ("mode=ro", "immutable=1"):
        if copy is None:
            try:
                with closing(sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True)) as file:
                    copy = _copied(file)
            except sqlite3.Error as error:
                log.debug("The memory cannot be opened with %s: %s", mode, error)
    if copy is None:
        copy = sqlite3.connect(":memory:", isolation_level=None)
        _prepare(copy)
    return copy


def _copied(source: Connection) -> Connection | None:
    copy = sqlite3.connect(":memory:", isolation_level=None)
    try:
        source.backup(copy)
        _prepare(copy)
    except (sqlite3.Error, Damaged) as error:
        log.debug("The memory cannot be copied: %s", error)
        copy.close()
        return None
    return copy


def _readable(stored: bytes) -> str:
    """Text as it is stored; a broken character costs itself only."""
    return stored.decode("utf-8", "replace")


def _prepare(connection: Connection, *, on_disk: bool = False) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    mark = connection.execute("PRAGMA application_id").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if tables and mark != APPLICATION_ID:
        raise Damaged("it is the database of another program")
    if not 0 <= version <= len(MIGRATIONS):
        raise Damaged(f"it was made by a later version of this program, with schema {version}")
    connection.text_factory = _readable
    for pragma in ("foreign_keys = ON", "secure_delete = ON", "temp_store = MEMORY", "journal_size_limit = 1000000"):
        connection.execute(f"PRAGMA {pragma}")
    if on_disk:
        # Small pages: a turn changes a few rows here and there, and cards wear with every byte.
        for pragma in ("page_size = 1024", "journal_mode = WAL", "synchronous = FULL"):
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
            raise Damaged("its schema is damaged")
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
def _translated(*, opening: bool = False) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        # The primary result code; 255 where Python raised the error by itself.
        code = getattr(error, "sqlite_errorcode", 255) & 0xFF
        if code in _UNWRITABLE:
            raise Unwritable(str(error)) from error
        # Before any SQL of ours has run, an error without a name means a file that SQLite does not understand.
        if code in _DAMAGED or (opening and code == sqlite3.SQLITE_ERROR):
            raise Damaged(str(error)) from error
        raise
    except UnicodeDecodeError as error:
        # SQLite's message quotes a broken name, which Python cannot turn into text.
        raise Damaged("its schema is damaged") from error
    except OSError as error:
        raise Unwritable(error.strerror or str(error)) from error
