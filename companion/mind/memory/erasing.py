"""Forgetting persons: everything of them, in every table. SQL, on the store's thread; `Store.erase` makes it final."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from companion.mind.memory.database import Connection
from companion.mind.memory.persons import PAUSE_UNIT, key_of


@dataclass(frozen=True, slots=True)
class Erased:
    """What forgetting took away."""

    persons: tuple[str, ...]
    """Those of whom something was taken."""
    exchanges: int
    facts: tuple[str, ...]
    summaries: int
    """How many summaries went; where single entries were forgotten, what is left will be summed up anew."""


def erase_person(on: Connection, persona: str, person: str) -> Erased:
    """Everything of one person with one character, also of whoever has a secret word and never said anything."""
    erased = erase_persons(on, "persona = ? AND key = ?", (persona, key_of(person)))
    erase_records(on, persona, key_of(person))
    return erased


def erase_everyone(on: Connection) -> Erased:
    """Everything of everyone, with all characters."""
    erased = erase_persons(on, "1", ())
    on.execute("DELETE FROM guarded")
    on.execute("DELETE FROM recognition")
    return erased


def erase_persons(on: Connection, where: str, values: Sequence[object]) -> Erased:
    """Everything of the rows of `persons` that `where` selects; the rows stay, so that the generation is known."""
    rows = on.execute(f"SELECT id, persona, key, name, summary FROM persons WHERE {where}", values).fetchall()
    count, facts, summaries, names = 0, [], 0, []
    for number, persona, key, name, summary in rows:
        facts += [
            text for (text,) in on.execute("SELECT text FROM facts WHERE person = ? AND replaced IS NULL", (number,))
        ]
        on.execute("DELETE FROM words WHERE rowid IN (SELECT id FROM exchanges WHERE person = ?)", (number,))
        exchanges_gone = on.execute("DELETE FROM exchanges WHERE person = ?", (number,)).rowcount
        facts_gone = on.execute("DELETE FROM facts WHERE person = ?", (number,)).rowcount
        used_as = [one for (one,) in on.execute("SELECT DISTINCT person FROM uses") if one and key_of(one) == key]
        on.executemany(
            "UPDATE uses SET person = '' WHERE person = ? AND persona = ?", [(one, persona) for one in used_as]
        )
        on.execute(
            "UPDATE persons SET generation = generation + 1, summary = '', summarised = 0, name = '', pause = ? "
            "WHERE id = ?",
            (PAUSE_UNIT, number),
        )
        count += exchanges_gone
        summaries += bool(summary)
        if exchanges_gone or facts_gone or summary:
            names.append(name)
        erase_records(on, persona, key)
    return Erased(tuple(names), count, tuple(facts), summaries)


def erase_records(on: Connection, persona: str, key: str) -> None:
    """Erase what was blocked in talks of this character with a person.

    Their secret word and the owner's leave go too, unless another character remembers them.
    """
    told = [name for (name,) in on.execute("SELECT DISTINCT person FROM guarded WHERE persona = ?", (persona,))]
    of_person = [(persona, name) for name in told if key_of(name) == key]
    on.executemany("DELETE FROM guarded WHERE persona = ? AND person = ?", of_person)
    on.execute(
        "DELETE FROM recognition WHERE key = ?1 AND NOT EXISTS (SELECT 1 FROM persons WHERE key = ?1 AND name <> '')",
        (key,),
    )
