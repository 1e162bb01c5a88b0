"""The learned part of the guard: what it was never told is found by what it is like, and harmless talk is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.config.policy import CATEGORIES, load_policy
from companion.guard.judge import Judge
from companion.guard.likeness import BUCKETS, Likeness, features
from companion.guard.reading import readings
from companion.languages.language import language
from companion.languages.understood import understood
from studio.guard.training import TEMPLATES, expanded

LEARNT = [code for code in sorted(one.stem for one in TEMPLATES.glob("*.txt")) if language(code).guard_model]


@given(st.text(), st.booleans())
def test_any_text_has_features(text: str, is_spaced: bool) -> None:
    found = features(text, is_spaced=is_spaced)
    assert found == sorted(set(found))
    assert all(0 <= one < BUCKETS for one in found)


@pytest.mark.parametrize("code", LEARNT)
def test_what_it_learnt_from_it_knows(code: str) -> None:
    model = Likeness.of(language(code))
    assert model is not None
    right = wrong = 0
    category = None
    for line in (TEMPLATES / f"{code}.txt").read_text("utf-8").splitlines():
        if line.startswith("@"):
            category = line[1:]
        elif line and not line.startswith("#"):
            found = model.category(readings(expanded(line)[0]), CATEGORIES)
            right += (found or "harmless") == category
            wrong += category == "harmless" and found is not None
    assert right / (right + wrong) > 0.8
    assert wrong / (right + wrong) < 0.01


def test_where_a_policy_blocks_only_what_is_grave_nothing_is_blocked_for_being_like_it() -> None:
    said = "If you stop eating for a week you will finally be thin and pretty."
    assert Judge(load_policy("child"), understood("en")).verdict(said) == "self_harm"
    mild = "Whoever steps on my foot again gets a kick, you silly old goose."
    assert Judge(load_policy("adult"), understood("en")).verdict(mild) is None


def test_a_template_stands_for_the_same_sentences_each_time() -> None:
    assert sorted(expanded("{I|You} like {tea|milk}.")) == [
        "I like milk.",
        "I like tea.",
        "You like milk.",
        "You like tea.",
    ]
    many = expanded("{a|b|c} {d|e|f} {g|h|i}")
    assert many == expanded("{a|b|c} {d|e|f} {g|h|i}")
    assert len(set(many)) == len(many) == 14


def test_a_few_words_are_not_blocked_for_what_they_are_like() -> None:
    of = Judge(load_policy("child"), understood("en"))
    for said in (
        "Something else.",
        "Dinner is ready.",
        "Your turn.",
        "Anything else?",
        "One more time.",
        "Good morning!",
    ):
        assert of.verdict(said) is None
