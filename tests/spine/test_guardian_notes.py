"""What a talk was kept from is told to the events and kept for the guardian."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from companion.config.policy import load_policy
from companion.events import Sentence
from companion.guardian import Guardian
from companion.guardian_notes import note_blocked
from companion.mind.memory.guard_records import GuardRecords
from companion.mind.memory.store import Store
from tests.support.doubles import LoopClock, RecordedEvents
from tests.support.scene import PERSONA

AT = datetime(2026, 11, 28, 14, 3)


async def test_whose_words_they_were_of_what_kind_and_who_spoke_is_kept(tmp_path: Path) -> None:
    store = await Store.open(tmp_path, lambda: AT)
    records = GuardRecords(store, lambda: AT)
    policy = load_policy("child", {"filter.person": ["violence"]})
    guardian = Guardian(policy, PERSONA, *note_blocked(records, RecordedEvents(LoopClock()), PERSONA, lambda: "Ana"))
    guardian.watch_answer().passed([Sentence("I will strangle you.")])
    assert guardian.instead_of_answer("please kill him")
    found = [(one.persona, one.person, one.category, one.who, one.words) for one in await records.blocked()]
    assert found == [
        (PERSONA.name, "Ana", "violence", "person", ""),
        (PERSONA.name, "Ana", "violence", "answer", ""),
    ]
    assert await records.notices() == ()
    assert records.blocked_today == 2
    await store.close()


async def test_words_that_are_kept_for_the_guardian_are_without_private_details(tmp_path: Path) -> None:
    store = await Store.open(tmp_path, lambda: AT)
    records = GuardRecords(store, lambda: AT, keep_words=True)
    policy = load_policy("child", {"filter.person": ["violence"]})
    notes = note_blocked(records, RecordedEvents(LoopClock()), PERSONA, lambda: "Ana")
    Guardian(policy, PERSONA, *notes).instead_of_answer("kill him at twelve oak street")
    [kept] = await records.blocked()
    assert kept.words == "kill him at (an address)"
    await store.close()


async def test_the_guardian_gets_a_notice_of_self_harm(tmp_path: Path) -> None:
    store = await Store.open(tmp_path, lambda: AT)
    records = GuardRecords(store, lambda: AT)
    _, of_person = note_blocked(records, RecordedEvents(LoopClock()), PERSONA, lambda: "")
    of_person("self_harm", "words of a sad child")
    [notice] = await records.notices()
    assert (notice.category, notice.at, notice.words) == ("self_harm", AT, "")
    await store.close()
