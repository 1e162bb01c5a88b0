"""What the times of many turns tell."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from companion.mind.memory.turn_times import TurnTimes
from companion.service.latency_report import report

AT = datetime(2026, 11, 28, 14, 0, 0)
USUAL = {"endpoint": 170.0, "transcribe": 50.0, "first_token": 200.0, "allowed": 100.0, "first_sound": 5.0}


def turn(minute: int = 0, dropped: int = 0, day: int = 0, **stages: float) -> TurnTimes:
    took = USUAL | stages
    return TurnTimes(
        AT + timedelta(days=day, minutes=minute), "finished", dropped, took | {"total": sum(took.values())}
    )


def test_medians_and_95th_percentiles_of_every_stage() -> None:
    told = report([turn(first_token=float(ms)) for ms in range(1, 101)])
    assert told.turns == 100
    assert told.median_ms["first_token"] == 50.5
    assert told.p95_ms["first_token"] == 95
    assert told.median_ms["total"] == 50.5 + 325
    assert "ready" not in told.median_ms


@pytest.mark.parametrize(
    ("stage", "ms", "reason"),
    [
        ("first_token", 2100.0, "the service's first token took 2.1 s of it."),
        ("allowed", 1300.0, "waited 1.3 s for the pause to be long enough: a whole sentence needs less."),
        ("transcribe", 900.0, "speech to text took 0.9 s of it."),
        ("first_sound", 700.0, "the loudspeaker took 0.7 s of it."),
    ],
)
def test_the_slowest_turns_say_what_held_them_back(stage: str, ms: float, reason: str) -> None:
    told = report([turn(), turn(), turn(3, **{stage: ms}), turn()])
    assert told.slowest[0].stage == stage
    assert told.slowest[0].sentence.startswith("Turn 14:03:00 took ")
    assert told.slowest[0].sentence.endswith(reason)


def test_a_single_turn_is_held_back_by_its_longest_stage() -> None:
    assert report([turn()]).slowest[0].stage == "first_token"


def test_what_was_dropped_before_it_is_told() -> None:
    told = report([turn(dropped=2, first_token=900.0), turn(dropped=1), turn()])
    assert told.dropped == 3
    assert "Before it 2 answers made ahead had been dropped, because the person went on." in told.slowest[0].sentence


def test_turns_of_several_days_have_their_date() -> None:
    assert "Turn 2026-11-29 14:00:00" in report([turn(), turn(day=1, first_token=900.0)]).slowest[0].sentence


def test_turns_without_a_sound_are_counted_but_not_slow() -> None:
    unheard = TurnTimes(AT, "offline", 0, {"endpoint": 170.0, "transcribe": 50.0})
    told = report([unheard])
    assert (told.turns, told.slowest) == (1, ())
    assert told.median_ms == {"endpoint": 170.0, "transcribe": 50.0}


def test_no_turns() -> None:
    told = report([])
    assert (told.turns, told.median_ms, told.p95_ms, told.dropped, told.slowest) == (0, {}, {}, 0, ())
