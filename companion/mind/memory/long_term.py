"""What one character remembers of the persons it talks with: exchanges, a rolling summary, and facts.

Persons are told apart by name (NFC, case folded); "" is whoever speaks while nobody has said who they are. The file
keeps a digest of the name beside it, so that forgetting can erase the name and still count the generation. Nothing of
one person, or of one character, is ever given to another.

`LongTermMemory` is used on the event loop's thread: `keep` returns at once, everything else awaits the store's thread.
The functions that take a `Connection` run on the store's thread. Times are local.
"""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from companion.languages.understood import Understood, understood
from companion.mind.memory.database import Connection
from companion.mind.memory.erasing import Erased, erase_person, erase_persons
from companion.mind.memory.fact_store import (
    add_proposed_facts,
    next_id,
    read_exchange,
    to_text,
    to_time,
    update_index,
)
from companion.mind.memory.facts import Fact, prepare_facts
from companion.mind.memory.persons import PAUSE_UNIT, key_of
from companion.mind.memory.retrieval import KnownFact, Quote, choose, make_query, prepare_queries
from companion.mind.memory.store import Store

log = logging.getLogger("companion")

MOST_MESSAGES = 400
"""Of those not yet in the summary, how many `recall` gives at most."""
_MOST_FACTS = 500
_CANDIDATES = 40


@dataclass(frozen=True, slots=True)
class StoredExchange:
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
    exchanges: tuple[StoredExchange, ...]
    """Those not yet in the summary, oldest first, at most `MOST_MESSAGES` messages of them."""
    generation: int
    """How often this person was forgotten or corrected: a part of the session id."""
    is_new: bool
    """Whether nothing is known of this person."""
    pause: float = 1.0
    """By which factor their pauses are longer than usual."""


class LongTermMemory:
    """The memory of one character (`persona` is its name) on this unit."""

    def __init__(
        self,
        store: Store,
        persona: str,
        now: Callable[[], datetime],
        languages: Understood | None = None,
        may_keep: Callable[[str], bool] | None = None,
    ) -> None:
        """`languages` are those that people may speak; those of the default language where None.

        `may_keep` says of the sentence of a fact whether it may be kept; any where None.
        """
        self._may_keep = may_keep
        self._store = store
        self._persona = persona
        self._now = now
        self._languages = languages or understood()
        self._recalled: dict[str, int] = {}
        """The generation that each person had when they were recalled last."""

    async def prepare(self) -> None:
        """Make the index anew where other rules made it (after an update, in another language); read the languages.

        The index is made in one transaction, all or nothing. That takes about a second for each thousand exchanges on
        a slow board, so call this before anybody waits for an answer.
        """
        self._store.write(lambda on: update_index(on, self._persona, self._languages))
        await self._store.read(lambda _: self._read_languages())

    def _read_languages(self) -> None:
        prepare_facts(self._languages)
        prepare_queries(self._languages)

    async def recall(self, person: str) -> Recalled:
        """What is known of a person whose turn it is now."""
        recalled = await self._store.read(lambda on: _recall(on, self._persona, person))
        self._recalled[key_of(person)] = recalled.generation
        return recalled

    async def generation(self, person: str) -> int:
        """The person's generation as the file has it now; where it is not that of `recall`, recall again.

        One look-up by an index: cheap enough for the start of every reply.
        """
        row = await self._store.read(lambda on: _person_row(on, self._persona, person))
        return row.generation if row else 0

    def keep(self, person: str, said: str, heard: str, speaker: str = "") -> None:
        """Keep one exchange and the facts in it. Returns at once."""
        at = self._now()
        spoken = said, heard, speaker
        self._store.write(lambda on: _keep(on, self._persona, person, spoken, at, self._languages, self._may_keep))

    def learn_pause(self, person: str, generation: int, factor: float) -> None:
        """Keep by which factor the person's pauses are longer, unless they were forgotten since that `generation`.

        Returns at once, and causes no write of its own. Of somebody who never said anything nothing is kept.
        """
        row = (round(factor * PAUSE_UNIT), self._persona, key_of(person), generation)
        update = "UPDATE persons SET pause = ? WHERE persona = ? AND key = ? AND generation = ?"
        self._store.write(lambda on: on.execute(update, row), lazy=True)

    async def relevant(
        self, person: str, said: str, *, besides: Collection[int] = (), most: int = 5
    ) -> tuple[str, ...]:
        """Short sentences to tell the model, because they matter for `said`: facts, then quotes of the person.

        `besides`: ids of exchanges that the model sees anyway. At most `most` sentences of about 200 tokens in total.
        """
        if not said.strip():
            return ()
        return await self._store.read(
            lambda on: _relevant(on, self._persona, person, said, self._languages, besides, most)
        )

    async def store_summary(
        self,
        person: str,
        up_to: int,
        summary: str,
        facts: Iterable[Fact] = (),
        first: int = 0,
        generation: int | None = None,
    ) -> None:
        """Put `summary` in place of the one before; it holds all exchanges up to that id.

        `facts` are those that the summary proposes, and `first` is the id of the first exchange that was not in the
        summary before. Does nothing where the person was forgotten or corrected while the summary was being made: it
        may hold what must not be known any more. `generation` is that at which its words were read; where None, that of
        the last `recall`.
        """
        generation = self._recalled.get(key_of(person)) if generation is None else generation
        now, proposed = self._now(), tuple(one for one in facts if self._may_keep is None or self._may_keep(one.text))

        def work(on: Connection) -> None:
            row = _person_row(on, self._persona, person)
            if row is None or (generation is not None and row.generation != generation):
                log.info("A summary came too late: what it sums up was changed meanwhile. It is dropped.")
                return
            on.execute("UPDATE persons SET summary = ?, summarised = ? WHERE id = ?", (summary, up_to, row.id))
            add_proposed_facts(on, row.id, proposed, first, now, self._languages)

        self._store.write(work)
        await self._store.flush()

    async def persons(self) -> tuple[str, ...]:
        """The names of all who are remembered, as first written; whoever has no name is not among them."""
        return await self._store.read(
            lambda on: tuple(
                name
                for (name,) in on.execute(
                    "SELECT name FROM persons WHERE persona = ? AND name <> '' AND (summary <> '' OR EXISTS "
                    "(SELECT 1 FROM exchanges WHERE person = persons.id)) ORDER BY id",
                    (self._persona,),
                )
            )
        )

    async def forget(self, person: str | None) -> Erased:
        """Erase everything about one person, or about all where it is None; their generation goes up.

        Raises `CompanionError` where the file cannot be written; nothing is erased then.
        """
        if person is not None:
            return await self._store.erase(lambda on: erase_person(on, self._persona, person))
        return await self._store.erase(lambda on: erase_persons(on, "persona = ?", [self._persona]))


def exchange_of(row: tuple[int, str, str, str, str]) -> StoredExchange:
    """From `id, said, heard, speaker, at`."""
    return StoredExchange(row[0], row[1], row[2], row[3], to_time(row[4]))


@dataclass(frozen=True, slots=True)
class _PersonRow:
    id: int
    generation: int
    summary: str
    summarised: int
    """Up to which exchange the summary goes."""
    pause: int
    """In thousandths."""


def _person_row(on: Connection, persona: str, person: str) -> _PersonRow | None:
    row = on.execute(
        "SELECT id, generation, summary, summarised, pause FROM persons WHERE persona = ? AND key = ?",
        (persona, key_of(person)),
    ).fetchone()
    return None if row is None else _PersonRow(*row)


def _recall(on: Connection, persona: str, person: str) -> Recalled:
    row = _person_row(on, persona, person)
    if row is None:
        return Recalled("", (), 0, True)
    exchanges: list[StoredExchange] = []
    messages = 0
    for found in on.execute(
        "SELECT id, said, heard, speaker, at FROM exchanges WHERE person = ? AND id > ? ORDER BY id DESC LIMIT ?",
        (row.id, row.summarised, MOST_MESSAGES),
    ):
        messages += bool(found[1]) + bool(found[2])
        if messages > MOST_MESSAGES:
            break
        exchanges.append(exchange_of(found))
    is_new = not exchanges and not row.summary
    return Recalled(row.summary, tuple(reversed(exchanges)), row.generation, is_new, row.pause / PAUSE_UNIT)


def _keep(
    on: Connection,
    persona: str,
    person: str,
    spoken: tuple[str, str, str],
    at: datetime,
    languages: Understood,
    may_keep: Callable[[str], bool] | None,
) -> None:
    row = _person_row(on, persona, person)
    name = unicodedata.normalize("NFC", person.strip())
    if row is None:
        number = on.execute(
            "INSERT INTO persons (persona, key, name) VALUES (?, ?, ?)", (persona, key_of(person), name)
        ).lastrowid
        assert number is not None
    else:
        number = row.id
        on.execute("UPDATE persons SET name = ? WHERE id = ? AND name <> ? AND name = ''", (name, number, name))
    exchange = next_id(on)
    on.execute(
        "INSERT INTO exchanges (id, person, said, heard, speaker, at) VALUES (?, ?, ?, ?, ?, ?)",
        (exchange, number, *spoken, to_text(at)),
    )
    read_exchange(on, number, exchange, spoken[0], at, languages, may_keep)


def _relevant(
    on: Connection,
    persona: str,
    person: str,
    said: str,
    languages: Understood,
    besides: Collection[int],
    most: int,
) -> tuple[str, ...]:
    row = _person_row(on, persona, person)
    if row is None:
        return ()
    known = [
        KnownFact(number, kind, tuple(about.split()), value, text, exchange)
        for number, kind, about, value, text, exchange in on.execute(
            "SELECT id, kind, about, value, text, exchange FROM facts WHERE person = ? AND replaced IS NULL "
            "ORDER BY id DESC LIMIT ?",
            (row.id, _MOST_FACTS),
        )
    ]
    query = make_query(said, languages)
    words = query.search_words
    found = on.execute(
        "SELECT exchanges.id, exchanges.said, exchanges.at, words.said FROM words "
        "JOIN exchanges ON exchanges.id = words.rowid "
        "WHERE words MATCH ? AND exchanges.person = ? ORDER BY bm25(words), exchanges.id DESC LIMIT ?",
        (" OR ".join(f'"{word}"' for word in words) or '""', row.id, _CANDIDATES if words else 0),
    ).fetchall()
    quotes = [Quote(number, text, to_time(at), frozenset(found_by.split())) for number, text, at, found_by in found]
    frequency = dict(
        found for word in words for found in on.execute("SELECT term, doc FROM vocabulary WHERE term = ?", (word,))
    )
    total = on.execute("SELECT coalesce(max(id), 0) FROM exchanges").fetchone()[0]
    return choose(query, known, quotes, frequency, total, besides, most)
