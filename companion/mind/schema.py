"""The tables of `companion.db`. Pure: SQL and nothing else.

Exchanges and facts share one row of ids, so that a number names one thing on the command line. Times are local, ISO
8601, to the second. `words` holds the words (`words_index`) by which an exchange may be quoted, under its id. A later
version adds a tuple to `MIGRATIONS`; what stands there never changes.
"""

from __future__ import annotations

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
)

VOCABULARY = "CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab ('main', 'words', 'row')"
"""In how many sentences each word stands; of each connection's own."""
