"""What may be said of a rate of false alarms, and where it may not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.wakeword.rates import Point, at_most_per_hour, at_one_per_hour


def curve(*missed_and_rate: tuple[float, float]) -> list[Point]:
    return [Point(at / 10, 0.0, missed, 0, rate) for at, (missed, rate) in enumerate(missed_and_rate)]


def test_between_two_points_it_lies_on_the_line() -> None:
    assert at_one_per_hour(curve((0.5, 0.0), (0.3, 0.5), (0.1, 2.5)), 2.0) == (pytest.approx(0.25), "")


def test_a_point_at_one_is_taken_as_it_is() -> None:
    assert at_one_per_hour(curve((0.4, 0.0), (0.2, 1.0), (0.0, 9.0)), 2.0)[0] == pytest.approx(0.2)


def test_in_less_than_an_hour_it_cannot_be_told() -> None:
    told, why = at_one_per_hour(curve((0.5, 0.0), (0.1, 2.0)), 0.5)
    assert told is None
    assert "0.5 h" in why


def test_a_word_with_more_at_every_sensitivity() -> None:
    told, why = at_one_per_hour(curve((0.5, 3.0), (0.1, 9.0)), 2.0)
    assert told is None
    assert "more than one" in why


def test_a_word_with_fewer_at_every_sensitivity() -> None:
    told, why = at_one_per_hour(curve((0.5, 0.0), (0.1, 0.5)), 2.0)
    assert told == 0.1
    assert "no more than one" in why


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1000)), min_size=1, max_size=11))
def test_it_is_never_better_than_the_best_nor_worse_than_the_worst(points: list[tuple[float, float]]) -> None:
    told, _ = at_one_per_hour(curve(*points), 1.0)
    missed = [one for one, _ in points]
    assert told is None or min(missed) - 1e-9 <= told <= max(missed) + 1e-9


def test_none_in_three_hours_is_at_most_one_an_hour() -> None:
    assert at_most_per_hour(3.0) == 1.0
