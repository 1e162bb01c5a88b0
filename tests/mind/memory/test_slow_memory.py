"""A memory that takes its time: what it finds late belongs to the one for whom it was looked up, and to nobody else."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest

from companion.mind.memory.repository import Exchange, Recalled
from companion.mind.memory.working_memory import Draft, Recollection

pytestmark = pytest.mark.looptime

SECRET = Exchange(1, "i hid the key in the teapot", "I will tell nobody.", "", datetime(2026, 5, 3))


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

    async def summarise(self, _person: str, _up_to: int, _summary: str) -> None:
        """Nothing to keep."""


@pytest.mark.parametrize("next_one", ["guest", "Ben"])
async def test_what_was_being_read_of_one_person_is_not_given_to_the_next(next_one: str) -> None:
    """A summary of Ana's talk is done, and her talk is read anew, when somebody else takes over."""
    memory = SlowMemory()
    recollection = Recollection(memory, "unit-1", 20)  # type: ignore[arg-type]  # it answers as a memory does
    await recollection.be("Ana")
    assert recollection.summary
    memory.takes_s = 0.5
    reading = asyncio.ensure_future(recollection.summarised(Draft("Ana", 0, "", (), 1), "Ana has a secret."))
    await asyncio.sleep(0.1)
    memory.takes_s = 0.0
    await recollection.be(next_one)
    await reading
    assert recollection.summary == ""
    assert recollection.history.exchanges == ()
    assert recollection.is_new
