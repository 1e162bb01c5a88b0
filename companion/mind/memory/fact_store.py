"""Rows of facts, and of the words by which exchanges are quoted. SQL, on the store's thread.

What a person says is read once, when it is kept: its facts go into `facts`, the words of the rest into `words`. Index
words and slots follow rules that change with the program and with the character's language. The table `indexes` says by
which rules those of each character were made; where these are not today's, `update_index` makes words and slots anew.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from companion.languages.understood import Understood
from companion.mind.memory.database import Connection
from companion.mind.memory.facts import Fact, find_facts, reminders_of, slot_of
from companion.mind.memory.index_words import rules_digest
from companion.mind.memory.retrieval import quotable_words

log = logging.getLogger("companion")

MOST_PROPOSED = 100
"""Facts from summaries that are kept for one person; older ones go."""

Source = Literal["said", "summary"]


def to_text(at: datetime) -> str:
    """A time as it is stored."""
    return at.isoformat(timespec="seconds")


def to_time(stored: str) -> datetime:
    """A stored time; 1970 where the file is damaged in just that place."""
    try:
        return datetime.fromisoformat(stored)
    except (ValueError, TypeError):
        return datetime(1970, 1, 1)


def next_id(on: Connection) -> int:
    """Exchanges and facts are numbered together."""
    found: int = on.execute(
        "SELECT max(coalesce((SELECT max(id) FROM exchanges), 0), coalesce((SELECT max(id) FROM facts), 0)) + 1"
    ).fetchone()[0]
    return found


def read_exchange(
    on: Connection,
    person: int,
    exchange: int,
    said: str,
    at: datetime,
    languages: Understood,
    may_keep: Callable[[str], bool] | None = None,
) -> None:
    """Store the facts in what was said, as far as they may be kept, and the words by which the rest is found."""
    found = find_facts(said, at, languages)
    _add_words(on, exchange, said, found.rest, languages)
    for fact in found.facts:
        if may_keep is None or may_keep(fact.text):
            _add_told_fact(on, person, fact, exchange, at, languages)


def add_proposed_facts(
    on: Connection, person: int, facts: Iterable[Fact], first_exchange: int, at: datetime, languages: Understood
) -> None:
    """Store facts that a summary proposes. `first_exchange` is the id of the first exchange that it sums up anew.

    A fact that the person told in those exchanges or later stays: the model read nothing newer.
    """
    for fact in facts:
        now = _current(on, person, fact, languages)
        if now is not None:
            is_known = now.text == fact.text or (
                now.kind == fact.kind and now.value.casefold() == fact.value.casefold()
            )
            is_older = now.source == "summary" or (now.exchange is not None and now.exchange < first_exchange)
            if is_known or not is_older or (fact.kind == "has" and now.value and not fact.value):
                continue
            on.execute("UPDATE facts SET replaced = ? WHERE id = ?", (to_text(at), now.id))
        _insert(on, person, fact, None, at, "summary", languages)
    on.execute(
        "DELETE FROM facts WHERE source = 'summary' AND person = ? AND id NOT IN "
        "(SELECT id FROM facts WHERE source = 'summary' AND person = ? ORDER BY id DESC LIMIT ?)",
        (person, person, MOST_PROPOSED),
    )


def update_index(on: Connection, persona: str, languages: Understood) -> bool:
    """Make words and slots of one character anew where they were made by other rules than today's; whether it did.

    Run it inside a transaction. Facts are not taken anew from what was said: they may have been forgotten or corrected.
    """
    rules = rules_digest(languages)
    made_by = on.execute("SELECT rules FROM indexes WHERE persona = ?", (persona,)).fetchone()
    if made_by is not None and made_by[0] == rules:
        return False
    exchanges = on.execute(f"SELECT id, said, at FROM exchanges WHERE {_OF_PERSONA}", (persona,)).fetchall()
    told_facts: dict[tuple[int | None, str, str], Fact] = {}
    for exchange, said, at in exchanges:
        found = find_facts(said, to_time(at), languages)
        on.execute("DELETE FROM words WHERE rowid = ?", (exchange,))
        _add_words(on, exchange, said, found.rest, languages)
        told_facts |= {(exchange, fact.kind, fact.text): fact for fact in found.facts}
    _update_slots(on, persona, told_facts, languages)
    _merge_slots(on, persona)
    on.execute("INSERT OR REPLACE INTO indexes (persona, rules) VALUES (?, ?)", (persona, rules))
    if exchanges:
        log.info("The index of what %s remembers was made anew, for %d exchanges.", persona, len(exchanges))
    return True


_OF_PERSONA = "person IN (SELECT id FROM persons WHERE persona = ?)"


def _update_slots(
    on: Connection, persona: str, told_facts: Mapping[tuple[int | None, str, str], Fact], languages: Understood
) -> None:
    """`told_facts` are the facts of exchanges as they are found today, by exchange, kind and sentence."""
    columns = "id, exchange, kind, value, text, slot, subject, language"
    for number, exchange, kind, value, text, slot, subject, code in on.execute(
        f"SELECT {columns} FROM facts WHERE {_OF_PERSONA}", (persona,)
    ).fetchall():
        language = languages.named(code)
        if language is None:
            # Stored by an early version, which kept neither subject nor language.
            fact = told_facts.get((exchange, kind, text))
            language = languages.named(fact.language) if fact is not None else None
            subject = fact.subject if fact is not None else _guessed_subject(kind, value, slot)
        language = language or languages.of(text)
        reminders = reminders_of(kind, subject, languages, language)
        on.execute(
            "UPDATE facts SET slot = ?, about = ?, subject = ?, language = ? WHERE id = ?",
            (slot_of(kind, subject, languages, language), " ".join(reminders), subject, language.code, number),
        )


def _guessed_subject(kind: str, value: str, slot: str) -> str:
    """The subject of a fact of which only the slot is known: its words, or the value that they were made of."""
    return value if kind in ("likes", "dislikes", "promise", "remember") else slot.partition(":")[2]


def _merge_slots(on: Connection, persona: str) -> None:
    """Of facts that have the same slot now the newest stays; a pet without its name never replaces one with it."""
    double = on.execute(
        f"SELECT person, slot FROM facts WHERE {_OF_PERSONA} AND replaced IS NULL "
        "GROUP BY person, slot HAVING count(*) > 1",
        (persona,),
    ).fetchall()
    for person, slot in double:
        kept, at = on.execute(
            "SELECT id, at FROM facts WHERE person = ? AND slot = ? AND replaced IS NULL "
            "ORDER BY kind = 'has' AND value = '', id DESC LIMIT 1",
            (person, slot),
        ).fetchone()
        on.execute(
            "UPDATE facts SET replaced = ? WHERE person = ? AND slot = ? AND replaced IS NULL AND id <> ?",
            (at, person, slot, kept),
        )


def _add_words(on: Connection, exchange: int, said: str, rest: str, languages: Understood) -> None:
    if words := quotable_words(said, rest, languages):
        on.execute("INSERT INTO words (rowid, said) VALUES (?, ?)", (exchange, " ".join(words)))


def _add_told_fact(on: Connection, person: int, fact: Fact, exchange: int, at: datetime, languages: Understood) -> None:
    """Store a fact in the place of the one of the same slot."""
    now = _current(on, person, fact, languages)
    if now is not None:
        if now.text == fact.text or (fact.kind == "has" and now.value and not fact.value):
            return
        on.execute("UPDATE facts SET replaced = ? WHERE id = ?", (to_text(at), now.id))
    _insert(on, person, fact, exchange, at, "said", languages)


@dataclass(frozen=True, slots=True)
class _Current:
    """The fact that holds a slot."""

    id: int
    kind: str
    value: str
    text: str
    exchange: int | None
    source: Source


def _current(on: Connection, person: int, fact: Fact, languages: Understood) -> _Current | None:
    row = on.execute(
        "SELECT id, kind, value, text, exchange, source FROM facts WHERE person = ? AND slot = ? AND replaced IS NULL",
        (person, _slot(fact, languages)),
    ).fetchone()
    return None if row is None else _Current(*row)


def _insert(
    on: Connection,
    person: int,
    fact: Fact,
    exchange: int | None,
    at: datetime,
    source: Source,
    languages: Understood,
) -> None:
    language = languages.named(fact.language) or languages.own
    on.execute(
        "INSERT INTO facts (id, person, kind, slot, about, value, text, exchange, at, subject, language, source) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(next_id(on), person, fact.kind, _slot(fact, languages)),
            " ".join(reminders_of(fact.kind, fact.subject, languages, language)),
            *(fact.value, fact.text, exchange, to_text(at), fact.subject, fact.language, source),
        ),
    )


def _slot(fact: Fact, languages: Understood) -> str:
    return slot_of(fact.kind, fact.subject, languages, languages.named(fact.language) or languages.own)
