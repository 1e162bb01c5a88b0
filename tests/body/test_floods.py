"""A body that says far too much: no person presses like that, and no log is filled by it."""

from __future__ import annotations

import logging
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.body.inputs import BodyEvent, BodySwitches, PressLimit
from companion.body.log_limit import LogLimit


class Scene:
    """Switches with a clock of their own."""

    def __init__(self) -> None:
        self.now = 100.0
        self.pressed: list[float] = []
        self.locked: list[str] = []
        self.switches = BodySwitches(
            lambda _action: self.pressed.append(self.now), self.locked.append, self.locked.remove, lambda: self.now
        )

    def flood(self, event: BodyEvent, seconds: float, every: float) -> None:
        for _ in range(round(seconds / every)):
            self.now += every
            self.switches.handle(event)


@pytest.mark.parametrize("reason", ["button", "touch"])
def test_a_flood_of_presses_counts_as_one_and_is_shown_as_a_problem(reason: str) -> None:
    scene = Scene()
    assert scene.switches.problems == ()
    scene.flood(BodyEvent("wake", reason, 0), 20.0, 0.05)
    assert len(scene.pressed) == 1
    (problem,) = scene.switches.problems
    assert "399 presses" in problem
    scene.now += 1.0
    scene.switches.handle(BodyEvent("wake", reason, 0))
    assert len(scene.pressed) == 2, "a press after it is a press"
    scene.now += 400.0
    assert scene.switches.problems == ()


def test_presses_of_a_person_count_and_a_child_that_hammers_is_no_problem() -> None:
    scene = Scene()
    scene.flood(BodyEvent("wake", "button"), 3.0, 0.3)
    assert len(scene.pressed) == 10
    scene.flood(BodyEvent("wake", "button"), 3.0, 0.12)
    assert len(scene.pressed) == 10
    assert scene.switches.problems == ()


@given(st.lists(st.floats(0, 1), max_size=60))
def test_no_two_presses_that_count_are_closer_than_a_person_can_press(pauses: list[float]) -> None:
    limit, now, counted = PressLimit(), 0.0, []
    for pause in pauses:
        now += pause
        if limit.allows(now):
            counted.append(now)
    assert all(later - earlier >= 0.25 for earlier, later in pairwise(counted))


def test_a_flood_of_battery_events_is_one_line_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene()
    with caplog.at_level(logging.INFO, "companion"):
        for number in range(2500):
            scene.now += 0.05
            scene.switches.handle(BodyEvent("battery", "battery", 3700 + number % 2 * 100))
    assert len(caplog.messages) == 3
    assert caplog.messages[1].endswith("V. (and 1199 times more since the last such line)")


def test_a_lid_that_flaps_locks_and_unlocks_each_time() -> None:
    scene = Scene()
    for _ in range(5):
        scene.flood(BodyEvent("lock", "lid"), 0.01, 0.01)
        assert scene.locked == ["lid"]
        scene.flood(BodyEvent("unlock", "lid"), 0.01, 0.01)
        assert scene.locked == []


def test_lines_of_other_kinds_are_not_held_back_and_a_percent_sign_is_harmless(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = [0.0]
    limit = LogLimit(lambda: now[0])
    for at in (0.0, 1.0, 2.0, 61.0):
        now[0] = at
        limit.log(logging.WARNING, "100% of it")
        limit.log(logging.WARNING, "it has %d", round(at))
    assert caplog.messages == [
        *("100% of it", "it has 0"),
        "100% of it (and 2 times more since the last such line)",
        "it has 61 (and 2 times more since the last such line)",
    ]
