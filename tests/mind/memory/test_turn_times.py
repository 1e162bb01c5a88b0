"""How long the last answers took: kept with the memory, bounded, and without a write of their own."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from companion.events import TurnEnded
from companion.mind.memory import turn_times
from companion.mind.memory.database import Work
from companion.mind.memory.store import Store
from companion.mind.memory.turn_times import last_turns

AT = datetime(2026, 11, 28, 14, 3, 12)
ANSWER = TurnEnded("my address is a secret", "finished", latency_ms={"endpoint": 150.0, "total": 780.5}, dropped=2)


async def opened(folder: Path) -> Store:
    return await Store.open(folder, lambda: AT)


def written(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


async def test_an_answer_s_times_outlive_the_process_and_hold_no_words(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    turn_times.keep(store, ANSWER, AT)
    await store.close()
    assert b"secret" not in written(tmp_path)
    store = await opened(tmp_path)
    [kept] = await store.read(lambda on: last_turns(on, 10))
    assert (kept.at, kept.reason, kept.dropped) == (AT, "finished", 2)
    assert kept.latency_ms == {"endpoint": 150.0, "total": 780.5}
    await store.close()


async def test_only_answers_to_somebody_are_kept(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    turn_times.keep(store, TurnEnded("Hello!", "finished", latency_ms={"request": 1.0, "total": 20.0}), AT)
    assert await store.read(lambda on: last_turns(on, 10)) == []
    await store.close()


async def test_old_turns_make_room_for_new_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn_times, "KEPT", 5)
    store = await opened(tmp_path)
    for number in range(50):
        turn_times.keep(store, TurnEnded("", "finished", latency_ms={"endpoint": float(number)}), AT)
    found = await store.read(lambda on: last_turns(on, 100))
    assert [one.latency_ms["endpoint"] for one in found] == [49, 48, 47, 46, 45]
    await store.close()


class NotingStore(Store):
    """A store that notes which of its writes may wait."""

    waited: tuple[bool, ...] = ()

    def write(self, work: Work[object], *, lazy: bool = False) -> None:
        self.waited += (lazy,)
        super().write(work, lazy=lazy)


async def test_they_wait_for_another_write(tmp_path: Path) -> None:
    store = await NotingStore.open(tmp_path, lambda: AT)
    assert isinstance(store, NotingStore)
    turn_times.keep(store, ANSWER, AT)
    assert store.waited == (True,)
    await store.close()


@pytest.mark.parametrize("damaged", ["", "[]", "{", '{"total": "soon"}', "null"])
async def test_a_damaged_row_costs_only_itself(tmp_path: Path, damaged: str) -> None:
    store = await opened(tmp_path)
    turn_times.keep(store, ANSWER, AT)
    store.write(
        lambda on: on.execute("INSERT INTO turns VALUES (NULL, ?, 'finished', 0, ?)", (AT.isoformat(), damaged))
    )
    assert len(await store.read(lambda on: last_turns(on, 10))) == 1
    await store.close()
