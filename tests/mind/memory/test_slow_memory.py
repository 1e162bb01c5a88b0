"""A memory that takes its time: what it finds late belongs to the one for whom it was looked up, and to nobody else."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest

from companion.mind.memory.long_term import Recalled, StoredExchange
from companion.mind.memory.working_memory import SummaryInput, WorkingMemory
from companion.mind.prompt import Exchange

pytestmark = pytest.mark.looptime

SECRET = StoredExchange(1, "i hid the key in the teapot", "I will tell nobody.", "", datetime(2026, 5, 3))


class SlowMemory:
    """Stands for a memory on a slow card that knows Ana, whose secret it takes `takes_s` to recall."""

    takes_s = 0.0

    async def persons(self) -> tuple[str, ...]:
        return ("Ana",)

    async def generation(self, _person: str) -> int:
        return 0

    async def recall(self, person: str) -> Recalled:
        await asyncio.sleep(self.takes_s)
        known = person == "Ana"
        return Recalled("Ana has a secret." if known else "", (SECRET,) if known else (), 0, not known)

    async def store_summary(self, *_summary: object) -> None:
        """Nothing to keep."""


@pytest.mark.parametrize("next_one", ["guest", "Ben"])
async def test_what_was_being_read_of_one_person_is_not_given_to_the_next(next_one: str) -> None:
    """A summary of Ana's talk is done, and her talk is read anew, when somebody else takes over."""
    memory = SlowMemory()
    in_mind = WorkingMemory(memory, "unit-1", 20)  # type: ignore[arg-type]  # it answers as a memory does
    await in_mind.switch_person("Ana")
    assert in_mind.summary
    memory.takes_s = 0.5
    said = Exchange(SECRET.said, SECRET.heard, "", SECRET.id)
    summed_up = SummaryInput("Ana", 0, "", (said,), SECRET.id, SECRET.at)
    reading = asyncio.ensure_future(in_mind.store_summary(summed_up, "Ana has a secret."))
    await asyncio.sleep(0.1)
    memory.takes_s = 0.0
    await in_mind.switch_person(next_one)
    await reading
    assert in_mind.summary == ""
    assert in_mind.history.exchanges == ()
    assert in_mind.is_new
