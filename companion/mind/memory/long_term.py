"""What one character remembers of the persons it talks with: exchanges, a rolling summary, and facts.

Persons are told apart by name (NFC, case folded); "" is whoever speaks while nobody has said who they are. Nothing of
one person, or of one character, is ever given to another. `keep` returns at once; everything else awaits the store's
thread. All methods are called on the event loop's thread; times are local.

Facts are taken from what was said by `facts`. A later fact takes the place of an earlier one of the same
slot; the earlier stays in the file as history until it is forgotten.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from datetime import datetime

from companion.mind.memory import repository as rows
from companion.mind.memory.repository import Erased, Exchange, Recalled
from companion.mind.memory.store import Connection, Store

__all__ = ["Erased", "Exchange", "Memory", "Recalled"]

log = logging.getLogger("companion")


class Memory:
    """The memory of one character (`persona` is its name) on this unit."""

    def __init__(self, store: Store, persona: str, now: Callable[[], datetime]) -> None:
        self._store = store
        self._persona = persona
        self._now = now
        self._recalled: dict[str, int] = {}
        """The generation that each person had when they were recalled last."""

    async def recall(self, person: str) -> Recalled:
        """What is known of a person whose turn it is now."""
        recalled = await self._store.read(lambda on: rows.recall(on, self._persona, person))
        self._recalled[rows.key_of(person)] = recalled.generation
        return recalled

    async def generation(self, person: str) -> int:
        """The person's generation as the file has it now; where it is not that of `recall`, recall again.

        One look-up by an index: cheap enough for the start of every reply.
        """
        row = await self._store.read(lambda on: rows.row_of(on, self._persona, person))
        return row[1] if row else 0

    def keep(self, person: str, said: str, heard: str, speaker: str = "") -> None:
        """Keep one exchange and the facts in it. Returns at once."""
        at = self._now()
        self._store.write(lambda on: rows.keep(on, self._persona, person, (said, heard, speaker), at))

    async def relevant(
        self, person: str, said: str, *, besides: Collection[int] = (), most: int = 5
    ) -> tuple[str, ...]:
        """Short sentences to tell the model, because they matter for `said`: facts, then quotes of the person.

        `besides`: ids of exchanges that the model sees anyway. At most `most` sentences of about 200 tokens in total.
        """
        if not said.strip():
            return ()
        return await self._store.read(lambda on: rows.relevant(on, self._persona, person, said, besides, most))

    async def summarise(self, person: str, up_to: int, summary: str) -> None:
        """Put `summary` in place of the one before; it holds all exchanges up to that id.

        Does nothing where the person was forgotten or corrected while the summary was being made: it may hold what is
        not to be known any more.
        """
        generation = self._recalled.get(rows.key_of(person))

        def work(on: Connection) -> None:
            row = rows.row_of(on, self._persona, person)
            if row is None or (generation is not None and row[1] != generation):
                log.info("A summary came too late: what it sums up was changed meanwhile. It is dropped.")
                return
            on.execute("UPDATE persons SET summary = ?, summarised = ? WHERE id = ?", (summary, up_to, row[0]))

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
        if person is None:
            where, values = "persona = ?", [self._persona]
        else:
            where, values = "persona = ? AND key = ?", [self._persona, rows.key_of(person)]
        return await self._store.erase(lambda on: rows.erase_persons(on, where, values))
