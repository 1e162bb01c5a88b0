"""Reading, correcting and erasing what is remembered: what `companion memory` does to the file.

SQL, on the store's thread. It works beside a running daemon, which notices by the person's generation that something of
the talk has changed. Exchanges and facts are numbered together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from companion.errors import CompanionError
from companion.languages.understood import Understood
from companion.mind.memory.database import Connection
from companion.mind.memory.erasing import Erased
from companion.mind.memory.fact_store import read_exchange, to_time, update_index
from companion.mind.memory.index_words import index_words
from companion.mind.memory.long_term import StoredExchange, exchange_of
from companion.mind.memory.persons import PAUSE_UNIT, key_of


@dataclass(frozen=True, slots=True)
class PersonOverview:
    """What one character remembers of one person, in numbers."""

    persona: str
    person: str
    """Empty for whoever never said a name."""
    turns: int
    facts: int
    summary_characters: int
    generation: int
    last: datetime | None


@dataclass(frozen=True, slots=True)
class StoredFact:
    id: int
    kind: str
    text: str
    exchange: int | None
    """The turn in which it was said; None for one that is gone."""
    at: datetime
    replaced: datetime | None
    """When a later fact took its place; None while it holds."""


@dataclass(frozen=True, slots=True)
class PersonMemory:
    """Everything about one person."""

    person: str
    generation: int
    summary: str
    facts: tuple[StoredFact, ...]
    exchanges: tuple[StoredExchange, ...]
    pause: float
    """By which factor their pauses are longer than usual, as was learned."""


@dataclass(frozen=True, slots=True)
class SearchHit:
    """One place where the words stand that were searched for."""

    id: int | None
    """None for a summary."""
    person: str
    kind: str
    """`fact`, `said`, `heard` or `summary`."""
    text: str


def list_persons(on: Connection) -> tuple[PersonOverview, ...]:
    """Everyone of whom something is remembered, by all characters."""
    found = on.execute(
        "SELECT persona, name, (SELECT count(*) FROM exchanges WHERE person = persons.id), "
        "(SELECT count(*) FROM facts WHERE person = persons.id AND replaced IS NULL), length(summary), generation, "
        "(SELECT max(at) FROM exchanges WHERE person = persons.id) FROM persons ORDER BY persona, id"
    )
    return tuple(
        PersonOverview(persona, name, turns, known, characters, generation, _time(last))
        for persona, name, turns, known, characters, generation, last in found
        if turns or known or characters
    )


def describe_persons(
    on: Connection, persona: str, person: str | None, *, turns: int = -1, replaced: bool = False
) -> tuple[PersonMemory, ...]:
    """Each person of a character, or one of them.

    `turns` is the number of last exchanges (-1: all); `replaced` includes facts that another one has replaced.
    """
    found = []
    for number, name, generation, summary, pause in _persons(on, persona, person):
        known = on.execute(
            "SELECT id, kind, text, exchange, at, replaced FROM facts WHERE person = ? AND (replaced IS NULL OR ?) "
            "ORDER BY id",
            (number, replaced),
        ).fetchall()
        last = on.execute(
            "SELECT id, said, heard, speaker, at FROM exchanges WHERE person = ? ORDER BY id DESC LIMIT ?",
            (number, turns),
        ).fetchall()
        if known or last or summary:
            lines = tuple(
                StoredFact(entry, kind, text, exchange, to_time(at), _time(end))
                for entry, kind, text, exchange, at, end in known
            )
            exchanges = tuple(exchange_of(row) for row in reversed(last))
            found.append(PersonMemory(name, generation, summary, lines, exchanges, pause / PAUSE_UNIT))
    return tuple(found)


def fact_texts(on: Connection, persona: str, person: str) -> tuple[str, ...]:
    """The facts that hold of one person, as sentences."""
    return tuple(fact.text for one in describe_persons(on, persona, person, turns=0) for fact in one.facts)


def search(
    on: Connection, persona: str, person: str | None, wanted: str, languages: Understood
) -> tuple[SearchHit, ...]:
    """Every place where all the words stand, in any of their forms, or the text itself."""
    asked, literal = set(index_words(wanted, languages)), wanted.strip().casefold()
    found = []
    for person_memory in describe_persons(on, persona, person):
        places: list[tuple[int | None, str, str]] = [(None, "summary", person_memory.summary)]
        places += [(fact.id, "fact", fact.text) for fact in person_memory.facts]
        for one in person_memory.exchanges:
            places += [(one.id, "said", one.said), (one.id, "heard", one.heard)]
        for number, kind, text in places:
            if text and (literal in text.casefold() or (asked and asked <= set(index_words(text, languages)))):
                found.append(SearchHit(number, person_memory.person, kind, text))
    return tuple(found)


def correct_entry(on: Connection, persona: str, number: int, text: str, languages: Understood) -> str:
    """Correct a fact's text, or what was said in an exchange; returns the text before.

    An exchange's facts are taken anew from the corrected words, and the person's generation goes up, so that the talk
    goes on from them. Raises `CompanionError` for an unknown id.
    """
    update_index(on, persona, languages)
    kind, person = _entry(on, persona, number)
    if kind == "fact":
        before: str = on.execute("SELECT text FROM facts WHERE id = ?", (number,)).fetchone()[0]
        on.execute("UPDATE facts SET text = ?, value = ?, source = 'said' WHERE id = ?", (text, text, number))
        return before
    before, at = on.execute("SELECT said, at FROM exchanges WHERE id = ?", (number,)).fetchone()
    on.execute("UPDATE exchanges SET said = ? WHERE id = ?", (text, number))
    on.execute("DELETE FROM words WHERE rowid = ?", (number,))
    on.execute("DELETE FROM facts WHERE exchange = ?", (number,))
    read_exchange(on, person, number, text, to_time(at), languages)
    on.execute("UPDATE persons SET generation = generation + 1 WHERE id = ?", (person,))
    return before


def forget_entries(on: Connection, persona: str, numbers: Sequence[int]) -> Erased:
    """Erase single facts (with what they replaced) and exchanges (with the facts in them).

    A summary that may hold them goes too, with the facts that it proposed, and is made anew from the exchanges that are
    left; the generation goes up.
    Raises `CompanionError` for an unknown id.
    """
    facts: list[str] = []
    exchanges = 0
    persons_changed: set[int] = set()
    entries = [(number, *_entry(on, persona, number)) for number in dict.fromkeys(numbers)]
    for number, kind, person in entries:
        persons_changed.add(person)
        if kind == "fact":
            gone = on.execute(
                "DELETE FROM facts WHERE person = ? AND slot = (SELECT slot FROM facts WHERE id = ?) RETURNING "
                "text, replaced",
                (person, number),
            ).fetchall()
        else:
            gone = on.execute("DELETE FROM facts WHERE exchange = ? RETURNING text, replaced", (number,)).fetchall()
            gone += on.execute(
                "DELETE FROM facts WHERE person = ? AND source = 'summary' RETURNING text, replaced", (person,)
            ).fetchall()
            on.execute("DELETE FROM words WHERE rowid = ?", (number,))
            exchanges += on.execute("DELETE FROM exchanges WHERE id = ?", (number,)).rowcount
        facts += [text for text, replaced in gone if replaced is None]
    names, summaries = [], 0
    for person in sorted(persons_changed):
        name, summary = on.execute("SELECT name, summary FROM persons WHERE id = ?", (person,)).fetchone()
        names.append(name)
        summaries += bool(summary)
        on.execute(
            "UPDATE persons SET generation = generation + 1, summary = '', summarised = 0 WHERE id = ?", (person,)
        )
    return Erased(tuple(names), exchanges, tuple(facts), summaries)


def _persons(on: Connection, persona: str, person: str | None) -> list[tuple[int, str, int, str, int]]:
    rows_found: list[tuple[int, str, int, str, int]] = on.execute(
        "SELECT id, name, generation, summary, pause FROM persons WHERE persona = ? AND (? OR key = ?) ORDER BY id",
        (persona, person is None, key_of(person or "")),
    ).fetchall()
    return rows_found


def _entry(on: Connection, persona: str, number: int) -> tuple[str, int]:
    """Whether the id is a `fact` or an `exchange`, and whose."""
    for kind in ("fact", "exchange"):
        row = on.execute(
            f"SELECT person FROM {kind}s JOIN persons ON persons.id = person WHERE {kind}s.id = ? AND persona = ?",
            (number, persona),
        ).fetchone()
        if row is not None:
            return kind, row[0]
    raise CompanionError(f"There is no entry {number} in the memory of {persona}; `companion memory show` lists them.")


def _time(stored: str | None) -> datetime | None:
    return to_time(stored) if stored else None
