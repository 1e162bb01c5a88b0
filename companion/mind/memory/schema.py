"""The tables of `companion.db`. Pure.

Exchanges and facts share one sequence of ids, so that a number names one thing on the command line. Times are local,
ISO 8601, to the second. `words` holds the index words by which an exchange may be quoted, under the exchange's id;
`indexes` says by which rules those of a character were made; `turns` holds how long each answer took, in JSON; `pause`
is in thousandths of the usual one; `guarded` holds what was blocked, for the guardian, `talk` how long was talked on
each local day, and `recognition` the secret words of persons, salted and hashed. A later version adds a tuple to
`MIGRATIONS`; the tuples that are there never change.
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
    (
        "ALTER TABLE facts ADD COLUMN subject TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE facts ADD COLUMN language TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE facts ADD COLUMN source TEXT NOT NULL DEFAULT 'said'",
        "CREATE TABLE indexes (persona TEXT PRIMARY KEY, rules TEXT NOT NULL)",
    ),
    (
        """CREATE TABLE turns (
            id INTEGER PRIMARY KEY,
            at TEXT NOT NULL,
            reason TEXT NOT NULL,
            dropped INTEGER NOT NULL,
            latency_ms TEXT NOT NULL
        )""",
    ),
    ("ALTER TABLE persons ADD COLUMN pause INTEGER NOT NULL DEFAULT 1000",),
    (
        """CREATE TABLE guarded (
            id INTEGER PRIMARY KEY,
            at TEXT NOT NULL,
            persona TEXT NOT NULL,
            person TEXT NOT NULL,
            kind TEXT NOT NULL,
            category TEXT NOT NULL,
            who TEXT NOT NULL,
            words TEXT NOT NULL
        )""",
        "CREATE TABLE talk (day TEXT PRIMARY KEY, ms INTEGER NOT NULL)",
        """CREATE TABLE recognition (
            key TEXT PRIMARY KEY,
            word TEXT NOT NULL DEFAULT '',
            tries INTEGER NOT NULL DEFAULT 0,
            tried TEXT NOT NULL DEFAULT '',
            let_in TEXT NOT NULL DEFAULT ''
        )""",
    ),
)

VOCABULARY = "CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab ('main', 'words', 'row')"
"""In how many sentences each word stands; every connection makes its own."""
