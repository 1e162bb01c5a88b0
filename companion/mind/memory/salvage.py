"""What can still be read of damaged database files, into a fresh database: a damaged page costs what stands on it.

Nothing that says where a table's pages lie is believed. Each page is taken as if it were a whole table: in a copy in
memory, a first page of our own names it as the root of a table with enough columns, and SQLite reads its rows. To which
table they belong is seen from their types. Pages that are free hold nothing (`secure_delete`). SQL, on the store's
thread; reads files that nobody has open in this process.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from companion.mind.memory.database import PAGE_BYTES, Connection, decode

_TABLES = {
    "persons": ("id persona key name generation summary summarised pause", "-TTTNTNn"),
    "exchanges": ("id person said heard speaker at", "-NTTTD"),
    "facts": ("id person kind slot about value text exchange at replaced subject language source", "-NTTTTTnDtttt"),
    "words": ("rowid said", "-T"),
    "uses": (
        "rowid at person persona model region purpose prompt cached completion cost_micro currency",
        "DTTTTTNNNnT",
    ),
    "guarded": ("id at persona person kind category who words", "-DTTTTTT"),
    "talk": ("rowid day ms", "DN"),
    "recognition": ("rowid key word tries tried let_in", "TTNTT"),
}
"""Columns, and the types that a row has in the file: number, text, date, small where it may be NULL; `-` is the id."""
_OF_EARLIER_VERSIONS = {"subject": "", "language": "", "source": "said", "pause": 1000}
"""What stands for columns that rows of an earlier version do not have."""
_TIDY = (
    "DELETE FROM words WHERE rowid NOT IN (SELECT id FROM exchanges)",
    "UPDATE facts SET exchange = NULL WHERE exchange NOT IN (SELECT id FROM exchanges)",
    "UPDATE persons SET summarised = min(summarised, (SELECT coalesce(max(id), 0) FROM exchanges))",
)
"""The ids of exchanges that are lost will be given again: nothing may stand for them."""

_WIDTH = 14
"""One column more than the widest table has."""
_PAGE_AS_TABLE = (
    f"CREATE TABLE rows ({', '.join(f'c{number}' for number in range(_WIDTH))})",
    "CREATE TABLE keys (persona, key, id, PRIMARY KEY (persona, key, id)) WITHOUT ROWID",
)
_ROWS, _KEYS = 0x0D, 0x0A
"""First bytes of a page with rows of a table, and of one with the keys of an index (sqlite.org/fileformat.html)."""
_PAGE_COUNT = 28
"""Where it stands in the header, in four bytes."""

Row = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Salvaged:
    """How much was saved."""

    exchanges: int
    facts: int


def salvage(fresh: Connection, files: Sequence[Path]) -> Salvaged:
    """Put into `fresh` what can be read of `files`; where several have a row, that of the first counts.

    Runs inside a transaction of `fresh`. A file that is missing, or is no database of ours, gives nothing.
    """
    found: dict[str, dict[int, Row]] = {table: {} for table in _TABLES}
    keys: list[Row] = []
    for file in files:
        for row in _read(file):
            if len(row) == 3:
                keys.append(row)
            elif (table := _table_of(row)) and isinstance(row[0], int):
                found[table].setdefault(row[0], row)
    for table, (columns, types) in _TABLES.items():
        names = columns.split()
        insert = f"INSERT OR IGNORE INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' for _ in names)})"
        for number, row in found[table].items():
            cells = row[2 if types.startswith("-") else 1 :]
            values = (
                _OF_EARLIER_VERSIONS.get(name) if cell is None else cell
                for name, cell in zip(names[1:], cells, strict=False)
            )
            # What belongs to a person who is lost is lost, too.
            with suppress(sqlite3.IntegrityError):
                fresh.execute(insert, (number, *values))
        if table == "persons":
            # Of persons whose rows are lost an index has the key: the name comes back when it is said again.
            fresh.executemany(
                "INSERT OR IGNORE INTO persons (persona, key, id, name, generation) VALUES (?, ?, ?, '', 1)", keys
            )
    for statement in _TIDY:
        fresh.execute(statement)
    exchanges, facts = fresh.execute(
        "SELECT (SELECT count(*) FROM exchanges), (SELECT count(*) FROM facts WHERE replaced IS NULL)"
    ).fetchone()
    return Salvaged(exchanges, facts)


def _read(file: Path) -> Iterator[Row]:
    """The id and `_WIDTH` cells of every row in the file, whatever table it is of; of an index, its three cells."""
    data = _content(file)
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as pages:
        pages.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        for statement in _PAGE_AS_TABLE:
            pages.execute(statement)
        first = pages.serialize()[:PAGE_BYTES]
        count = len(data) // PAGE_BYTES
        header = first[:_PAGE_COUNT] + count.to_bytes(4, "big") + first[_PAGE_COUNT + 4 :]
        pages.deserialize(header + data[PAGE_BYTES : count * PAGE_BYTES])
        pages.text_factory = decode
        for page in range(2, count + 1):
            kind = data[(page - 1) * PAGE_BYTES]
            if kind in (_ROWS, _KEYS):
                name, cells = ("rows", "rowid, *") if kind == _ROWS else ("keys", "*")
                pages.execute("PRAGMA writable_schema = ON")
                pages.execute("UPDATE sqlite_schema SET rootpage = ? WHERE name = ?", (page, name))
                pages.execute("PRAGMA writable_schema = RESET")
                with suppress(sqlite3.DatabaseError):
                    yield from (row for row in pages.execute(f"SELECT {cells} FROM {name}") if _is_plausible(row))


def _content(file: Path) -> bytes:
    """The file's bytes, with those of its log of writes where SQLite can apply it; empty where there is no file."""
    log_of_writes = file.with_name(f"{file.name}-wal")
    with suppress(OSError, sqlite3.Error):
        if log_of_writes.stat().st_size > 0:
            with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as whole:
                return whole.serialize()
    try:
        return file.read_bytes()
    except OSError:
        return b""


def _is_plausible(row: Row) -> bool:
    """Whether it is a row with an id, or the index of persons' keys."""
    return len(row) > 3 or (isinstance(row[0], str) and isinstance(row[1], str) and isinstance(row[2], int))


def _table_of(row: Row) -> str | None:
    """The table that has such rows."""
    for table, (_, types) in _TABLES.items():
        if all(_fits(type_, cell) for type_, cell in zip(types.ljust(_WIDTH, "-"), row[1:], strict=True)):
            return table
    return None


def _fits(type_: str, cell: object) -> bool:
    if cell is None:
        return type_ == "-" or type_.islower()
    if type_ in "Nn":
        return isinstance(cell, int)
    if type_ == "D":
        return isinstance(cell, str) and _is_date(cell)
    return type_ in "Tt" and isinstance(cell, str)


def _is_date(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
