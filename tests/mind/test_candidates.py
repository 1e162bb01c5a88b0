"""Which of several answers is said, and whether there is money for one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.config.character import SpendingSettings
from companion.mind.budget import exhausted_budget
from companion.mind.candidates import Candidate, rank_candidates


def best(*texts: str, longest: int = 280, lately: tuple[str, ...] = ()) -> str:
    candidates = [Candidate(text) for text in texts]
    return candidates[rank_candidates(candidates, longest, lately)[0].index].text


def test_fewest_stage_directions_are_best() -> None:
    assert best("(waves) Hi (nods).", "*waves* Hi.", "Hi.") == "Hi."
    assert best("（挥手）你好（点头）", "【笑】你好") == "【笑】你好"
    assert best("(waves Hi, unclosed", "Hello you.") == "Hello you."


def test_what_says_nothing_is_last() -> None:
    assert best("", "(waves)", "...", "(waves) Hi.") == "(waves) Hi."


def test_what_was_said_lately_is_not_said_again() -> None:
    lately = ("Once upon a time there was a bear.",)
    assert best("Once upon a time there was a bear!", "(nods) Shall we sing?", lately=lately) == "(nods) Shall we sing?"
    assert best("从前有一只小熊。", "我们唱歌吧。", lately=("从前有一只小熊！",)) == "我们唱歌吧。"


def test_what_fits_the_length_is_better_and_what_is_cut_off_worse() -> None:
    assert best("A long answer it is.", "Short.", longest=10) == "Short."
    candidates = [Candidate("One and", whole=False), Candidate("Two.")]
    assert rank_candidates(candidates, 280)[0].index == 1


def test_where_nothing_speaks_for_one_the_first_is_taken_and_the_reasons_are_told() -> None:
    assert best("One.", "Two.") == "One."
    verdicts = rank_candidates([Candidate("(a) (b) Hello there."), Candidate("Yes.")], 3, ("Yes!",))
    assert [(verdict.index, verdict.reasons) for verdict in verdicts] == [
        (0, ("2 stage directions", "9 characters too long")),
        (1, ("was said lately", "1 characters too long")),
    ]


@given(st.lists(st.text(max_size=40), min_size=1, max_size=4), st.lists(st.text(max_size=40), max_size=6))
def test_each_candidate_is_judged_once_whatever_it_says(texts: list[str], lately: list[str]) -> None:
    verdicts = rank_candidates([Candidate(text) for text in texts], 20, lately)
    assert sorted(verdict.index for verdict in verdicts) == list(range(len(texts)))


@pytest.mark.parametrize(
    ("today", "month", "says"),
    [(0, 0, None), (999_999, 4_999_999, None), (1_000_000, 1_000_000, "daily"), (0, 5_000_000, "monthly")],
)
def test_the_caps(today: int, month: int, says: str | None) -> None:
    why = exhausted_budget(SpendingSettings(daily=1, monthly=5), today, month)
    assert (why is None) == (says is None)
    assert says is None or f"spending.{says}" in str(why)
    assert exhausted_budget(SpendingSettings(), today, month) is None
