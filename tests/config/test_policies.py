"""The policies that come with the product: each line says why it is there, and they differ as the laws do."""

from __future__ import annotations

import pytest

from companion.config.policy import NAMES, POLICIES, load_policy

MINORS = [name for name in NAMES if name != "adult"]
UNEXPLAINED = ("audience", "break_minutes")


@pytest.mark.parametrize("name", NAMES)
def test_each_line_says_why_it_is_there(name: str) -> None:
    lines = (POLICIES / f"{name}.toml").read_text("utf-8").splitlines()
    for before, line in zip(["", *lines], lines, strict=False):
        if " = " in line and not line.startswith(("#", *UNEXPLAINED)):
            assert before.startswith("# ") or " # " in line, f"{name}: {line}"


@pytest.mark.parametrize("name", MINORS)
def test_what_all_laws_for_minors_ask(name: str) -> None:
    policy = load_policy(name)
    filtered = policy.filter
    assert {filtered.sex, filtered.self_harm, filtered.claims_human, filtered.clinging, filtered.contact} == {"all"}
    assert policy.truth.says_it_is_ai == "daily"
    assert policy.truth.reminder_minutes is not None
    assert policy.truth.reminder_minutes <= 120
    assert policy.time.exit_words
    assert policy.memory.days is not None
    assert not policy.consent.relatives


def test_they_differ_as_the_laws_do() -> None:
    assert {name for name in NAMES if load_policy(name).consent.guardian} == {"child-eu", "child-cn"}
    china = load_policy("child-cn").time
    assert (china.break_after_minutes, china.minutes_a_day, china.bedtime) == (30, 60, "22:00-06:00")
    states = load_policy("teen-us").time
    assert states.minutes_a_day is None
    assert states.break_after_minutes is not None
    assert states.break_after_minutes <= 180
    assert len({load_policy(name).model_dump_json() for name in NAMES}) == len(NAMES)
