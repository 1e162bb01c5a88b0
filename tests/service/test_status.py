"""The status, for people and for programs."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.ears.neighbour_link import NeighbourLink
from companion.events import State, TurnEnded
from companion.mind.memory.store import Store
from companion.mind.memory.turn_times import last_turns
from companion.service.metrics import render
from companion.service.status import HealthMonitor, format_status, memory_mib, temperature_c

SECRET = "my name is Ana and I live at"


def health(**changed: Any) -> HealthMonitor:
    facts: dict[str, Any] = {
        "persona": lambda: "Robin",
        "state": lambda: State.IDLE,
        "engines": {"transcriber": "vosk"},
        "links": {"microphone": lambda: "well"},
        "files": lambda: {"device": "/unit/toy.toml", "memory": "/unit/state"},
        "queues": {"speech": lambda: 2},
        "lost_s": lambda: 0.25,
        "problems": lambda: (),
    }
    return HealthMonitor("desk", **(facts | changed))


async def test_the_status_has_every_field() -> None:
    told = health().status().as_dict()
    assert (told["name"], told["persona"], told["state"], told["muted"]) == ("desk", "Robin", "idle", False)
    assert (told["engines"], told["links"], told["queues"]) == (
        {"transcriber": "vosk"}, {"microphone": "well"}, {"speech": 2}
    )  # fmt: skip
    assert (told["lost_sound_s"], told["dropped_frames"]) == (0.25, 4000)
    assert told["files"] == {"device": "/unit/toy.toml", "memory": "/unit/state"}
    assert "/unit/toy.toml" in format_status(told)
    assert told["last_turn"] is None
    assert told["uptime_s"] >= 0
    assert told["memory_mib"] > 5
    assert json.loads(json.dumps(told)) == told


async def test_what_was_left_to_neighbours_is_counted_and_their_link_is_told() -> None:
    kept = health()
    assert "neighbours" not in kept.status().links
    kept.neighbours = NeighbourLink(b"a-secret-of-four-words")
    kept.neighbours.wakes_yielded = 3
    kept.neighbours.take(b"anything", "10.0.0.7")
    told = kept.status().as_dict()
    assert told["wakes_yielded"] == 3
    assert "not signed with this unit's secret" in told["links"]["neighbours"]
    assert "not signed with this unit's secret" in format_status(told)
    assert "companion_yielded_wakes_total 3" in render(told)


@pytest.mark.looptime(start=100.0)
async def test_the_last_turn_has_times_and_no_words() -> None:
    import asyncio

    kept = health()
    kept.turn_ended(TurnEnded(SECRET, "interrupted", latency_ms={"total": 420.0}))
    await asyncio.sleep(7)  # virtual time
    told = kept.status().as_dict()
    assert told["last_turn"] == {"ago_s": 7.0, "reason": "interrupted", "latency_ms": {"total": 420.0}}
    assert told["turns"] == 1
    assert told["uptime_s"] == 7.0
    assert SECRET not in json.dumps(told) + format_status(told)


@pytest.mark.parametrize(("state", "shown", "muted"), [(None, "starting", False), (State.MUTED, "muted", True)])
async def test_the_state_is_named(state: State | None, shown: str, muted: bool) -> None:
    told = health(state=lambda: state).status()
    assert (told.state, told.muted) == (shown, muted)


async def test_a_person_reads_lines() -> None:
    kept = health(problems=lambda: ["voice: the voice hangs"])
    kept.turn_ended(TurnEnded("", "finished", latency_ms={"total": 812.4}))
    shown = format_status(kept.status().as_dict())
    assert "Robin" in shown
    assert "finished, 0 s ago, first sound after 812 ms" in shown
    assert "microphone link  well" in shown
    assert "PROBLEM          voice: the voice hangs" in shown
    assert "RECORDING" not in shown


async def test_a_recording_for_a_diagnosis_is_told() -> None:
    kept = health()
    kept.recording = lambda: "until 2026-12-31 (ears.record), into /state/recordings"
    told = kept.status().as_dict()
    assert told["recording"] == "until 2026-12-31 (ears.record), into /state/recordings"
    assert "RECORDING        until 2026-12-31" in format_status(told)


def test_memory_is_read_where_the_system_reports_it(tmp_path: Path) -> None:
    source = tmp_path / "status"
    source.write_text("Name:\tx\nVmRSS:\t  204800 kB\n")
    assert memory_mib(source) == 200.0
    for broken in ("", "VmRSS:\n", "VmRSS: many kB\n"):
        source.write_text(broken)
        assert memory_mib(source) is None
    assert memory_mib(tmp_path / "none") is None


def test_the_hottest_sensor_counts(tmp_path: Path) -> None:
    assert temperature_c(tmp_path) is None
    for number, text in enumerate(("41234\n", "71500\n", "off\n")):
        (tmp_path / f"thermal_zone{number}").mkdir()
        (tmp_path / f"thermal_zone{number}" / "temp").write_text(text)
    assert temperature_c(tmp_path) == 71.5


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
keys = st.sampled_from(
    (
        "state",
        "last_turn",
        "uptime_s",
        "engines",
        "links",
        "queues",
        "memory_mib",
        "muted",
        "problems",
        "recording",
        "new",
    )
)
turns = st.fixed_dictionaries({"ago_s": anything, "latency_ms": st.dictionaries(st.just("total"), anything)})


@given(st.dictionaries(keys, anything | turns, max_size=6))
def test_the_status_of_another_version_is_shown_too(status: dict[str, Any]) -> None:
    assert format_status(status).count("\n") >= 8


async def test_the_times_of_every_turn_are_kept_and_counted(tmp_path: Path) -> None:
    store = await Store.open(tmp_path, datetime.now)
    kept = health(store=store)
    kept.turn_ended(TurnEnded(SECRET, "finished", latency_ms={"endpoint": 150.0, "total": 780.0}, dropped=1))
    [turn] = await store.read(lambda on: last_turns(on, 10))
    assert (turn.dropped, turn.latency_ms["total"]) == (1, 780.0)
    assert (kept.latency.dropped, set(kept.latency.stages)) == (1, {"endpoint", "total"})
    await store.close()
