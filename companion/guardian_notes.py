"""Tells the events and the guardian's records what a talk was kept from."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from companion.config.persona import Persona
from companion.config.policy import Category
from companion.event_log import EventLog
from companion.turn_tools import WhoseWords

if TYPE_CHECKING:
    from companion.mind.memory.guard_records import GuardRecords

Note = Callable[[Category, str], None]
NoteBlocked = Callable[[Category, str, WhoseWords], None]


def note_blocked(
    records: GuardRecords, event_log: EventLog, persona: Persona, person: Callable[[], str]
) -> tuple[NoteBlocked, Note]:
    """What a guardian calls for words that were not said, and for words of the person that were not answered.

    `person` gives the name of whoever speaks.
    """

    def of_answer(category: Category, text: str, whose: WhoseWords) -> None:
        event_log.record("blocked", category=category, who=whose, text=text)
        records.add_blocked(category, whose, person(), text, persona=persona.name)

    def of_person(category: Category, text: str) -> None:
        event_log.record("blocked", category=category, who="person", text=text)
        records.add_blocked(category, "person", person(), text, persona=persona.name)
        if category == "self_harm":
            records.add_notice(category, person(), text, persona=persona.name)

    return of_answer, of_person
