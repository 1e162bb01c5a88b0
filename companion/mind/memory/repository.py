"""The memory's rows: how exchanges, facts and summaries are written, found and erased. SQL, on the store's thread.

A person is known by their name, compared by `key_of`; the file keeps a digest of it beside the name, so that forgetting
can erase the name and still count the generation.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from companion.mind.memory.facts import Fact, told
from companion.mind.memory.retrieval import KnownFact, Quote, chosen, quotable, searched
from companion.mind.memory.store import Connection

MOST_MESSAGES = 400
"""Of those not yet in the summary, how many `recall` gives at most."""
_MOST_FACTS = 500
_CANDIDATES = 40


@dataclass(frozen=True, slots=True)
class Exchange:
    """One thing that was said and what was heard in answer; one of the two may be empty."""

    id: int
    said: str
    heard: str
    speaker: str
    """Who answered, where several characters do; else empty."""
    at: datetime


@dataclass(frozen=True, slots=True)
class Recalled:
    """What a talk with a person goes on from."""

    summary: str
    """Empty where there is none yet."""
    exchanges: tuple[Exchange, ...]
    """Those not yet in the summary, oldest first, at most `MOST_MESSAGES` messages of them."""
    generation: int
    """How often this person was forgotten or corrected: a part of the session id."""
    is_new: bool
    """Whether nothing is known of this person."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What forgetting took away."""

    persons: tuple[str, ...]
    """Those of whom something was taken."""
    exchanges: int
    facts: tuple[str, ...]
    summaries: int
    """How many summaries went; where single entries were forgotten, what is left will be summed up anew."""


def key_of(person: str) -> str:
    """By what a name is compared, as a digest: `ANA ` and `ana` are one person."""
    name = unicodedata.normalize("NFC", unicodedata.normalize("NFC", person.strip()).casefold())
    return hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=12).hexdigest()


def erase_persons(on: Connection, where: str, values: Sequence[object]) -> Erased:
    """Everything of the rows of `persons` that `where` selects; the rows stay, so that the generation is known."""
    rows = on.execute(f"SELECT id, persona, key, name, summary FROM persons WHERE {where}", values).fetchall()
    count, told, summaries, names = 0, [], 0, []
    for number, persona, key, name, summary in rows:
        told += [
            text for (text,) in on.execute("SELECT text FROM facts WHERE person = ? AND replaced IS NULL", (number,))
        ]
        on.execute("DELETE FROM words WHERE rowid IN (SELECT id FROM exchanges WHERE person = ?)", (number,))
        gone = on.execute("DELETE FROM exchanges WHERE person = ?", (number,)).rowcount
        facts_gone = on.execute("DELETE FROM facts WHERE person = ?", (number,)).rowcount
        used_as = [one for (one,) in on.execute("SELECT DISTINCT person FROM uses") if one and key_of(one) == key]
        on.executemany(
            "UPDATE uses SET person = '' WHERE person = ? AND persona = ?", [(one, persona) for one in used_as]
        )
        on.execute(
            "UPDATE persons SET generation = generation + 1, summary = '', summarised = 0, name = '' WHERE id = ?",
            (number,),
        )
        count += gone
        summaries += bool(summary)
        if gone or facts_gone or summary:
            names.append(name)
    return Erased(tuple(names), count, tuple(told), summaries)


def _add_facts(on: Connection, person: int, found: Collection[Fact], exchange: int | None, at: datetime) -> None:
    """Put facts in, each in the place of the one of the same slot."""
    for fact in found:
        now = on.execute(
            "SELECT id, value, text FROM facts WHERE person = ? AND slot = ? AND replaced IS NULL", (person, fact.slot)
        ).fetchone()
        if now is not None:
            if now[2] == fact.text or (fact.kind == "has" and now[1] and not fact.value):
                continue
            on.execute("UPDATE facts SET replaced = ? WHERE id = ?", (_iso(at), now[0]))
        on.execute(
            "INSERT INTO facts (id, person, kind, slot, about, value, text, exchange, at) VALUES (?,?,?,?,?,?,?,?,?)",
            (
                *(_next_id(on), person, fact.kind, fact.slot, " ".join(fact.about), fact.value, fact.text),
                *(exchange, _iso(at)),
            ),
        )


def take_in(on: Connection, person: int, exchange: int, said: str, at: datetime) -> None:
    """Take the facts from what was said, and make the rest findable."""
    found = told(said, at)
    if wordlist := quotable(said, found.rest):
        on.execute("INSERT INTO words (rowid, said) VALUES (?, ?)", (exchange, " ".join(wordlist)))
    _add_facts(on, person, found.facts, exchange, at)


def exchange_of(row: tuple[int, str, str, str, str]) -> Exchange:
    """From `id, said, heard, speaker, at`."""
    return Exchange(row[0], row[1], row[2], row[3], moment(row[4]))


def moment(stored: str) -> datetime:
    """A time as it was stored; 1970 where the file has a fault in just that place."""
    try:
        return datetime.fromisoformat(stored)
    except (ValueError, TypeError):
        return datetime(1970, 1, 1)


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


def _next_id(on: Connection) -> int:
    """Exchanges and facts are numbered together."""
    found: int = on.execute(
        "SELECT max(coalesce((SELECT max(id) FROM exchanges), 0), coalesce((SELECT max(id) FROM facts), 0)) + 1"
    ).fetchone()[0]
    return found


def row_of(on: Connection, persona: str, person: str) -> tuple[int, int, str, int] | None:
    """Id, generation, summary, and up to which exchange that goes; None for somebody unknown."""
    row: tuple[int, int, str, int] | None = on.execute(
        "SELECT id, generation, summary, summarised FROM persons WHERE persona = ? AND key = ?",
        (persona, key_of(person)),
    ).fetchone()
    return row


def recall(on: Connection, persona: str, person: str) -> Recalled:
    row = row_of(on, persona, person)
    if row is None:
        return Recalled("", (), 0, True)
    number, generation, summary, summarised = row
    exchanges: list[Exchange] = []
    messages = 0
    for found in on.execute(
        "SELECT id, said, heard, speaker, at FROM exchanges WHERE person = ? AND id > ? ORDER BY id DESC LIMIT ?",
        (number, summarised, MOST_MESSAGES),
    ):
        messages += bool(found[1]) + bool(found[2])
        if messages > MOST_MESSAGES:
            break
        exchanges.append(exchange_of(found))
    return Recalled(summary, tuple(reversed(exchanges)), generation, not exchanges and not summary)


def keep(on: Connection, persona: str, person: str, spoken: tuple[str, str, str], at: datetime) -> None:
    row = row_of(on, persona, person)
    name = unicodedata.normalize("NFC", person.strip())
    if row is None:
        number = on.execute(
            "INSERT INTO persons (persona, key, name) VALUES (?, ?, ?)", (persona, key_of(person), name)
        ).lastrowid
        assert number is not None
    else:
        number = row[0]
        on.execute("UPDATE persons SET name = ? WHERE id = ? AND name <> ? AND name = ''", (name, number, name))
    exchange = _next_id(on)
    on.execute(
        "INSERT INTO exchanges (id, person, said, heard, speaker, at) VALUES (?, ?, ?, ?, ?, ?)",
        (exchange, number, *spoken, _iso(at)),
    )
    take_in(on, number, exchange, spoken[0], at)


def relevant(
    on: Connection, persona: str, person: str, said: str, besides: Collection[int], most: int
) -> tuple[str, ...]:
    row = row_of(on, persona, person)
    if row is None:
        return ()
    known = [
        KnownFact(number, kind, tuple(about.split()), value, text, exchange)
        for number, kind, about, value, text, exchange in on.execute(
            "SELECT id, kind, about, value, text, exchange FROM facts WHERE person = ? AND replaced IS NULL "
            "ORDER BY id DESC LIMIT ?",
            (row[0], _MOST_FACTS),
        )
    ]
    asked = searched(said)
    found = on.execute(
        "SELECT exchanges.id, exchanges.said, exchanges.at, words.said FROM words "
        "JOIN exchanges ON exchanges.id = words.rowid "
        "WHERE words MATCH ? AND exchanges.person = ? ORDER BY bm25(words), exchanges.id DESC LIMIT ?",
        (" OR ".join(f'"{word}"' for word in asked) or '""', row[0], _CANDIDATES if asked else 0),
    ).fetchall()
    quotes = [Quote(number, text, moment(at), frozenset(found_by.split())) for number, text, at, found_by in found]
    frequency = dict(
        found for word in asked for found in on.execute("SELECT term, doc FROM vocabulary WHERE term = ?", (word,))
    )
    total = on.execute("SELECT coalesce(max(id), 0) FROM exchanges").fetchone()[0]
    return chosen(said, known, quotes, frequency, total, besides, most)
