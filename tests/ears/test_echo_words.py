"""Words heard over an answer: an echo of it, or somebody's own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.ears.echo_words import LATELY, is_echo

SPOKEN = "The old bear, who didn't like the rain, went down to the river and said: hello!"


@pytest.mark.parametrize(
    "words", ["went down to the river", "down to a river", "didn't like the rain", "river", "went town to the river"]
)
def test_its_own_words_are_an_echo_though_some_were_misheard(words: str) -> None:
    assert is_echo(words, SPOKEN)


@pytest.mark.parametrize("words", ["stop", "what is a river", "river the to down went", "the bear is nice", "", "..."])
def test_other_words_are_none(words: str) -> None:
    assert not is_echo(words, SPOKEN)


def test_nothing_was_spoken_yet() -> None:
    assert not is_echo("hello", "")


@pytest.mark.parametrize(
    ("words", "echo"), [("\u4eca\u5929 \u5929\u6c14", True), ("\u505c \u4e0b", False), ("\u5929 \u4e0d \u597d", True)]
)
def test_a_script_without_spaces_is_compared_sign_by_sign(words: str, echo: bool) -> None:
    """The transcriber puts spaces between words, the text has none."""
    assert is_echo(words, "\u4eca\u5929\u5929\u6c14\u5f88\u597d\u3002") == echo


@given(st.lists(st.sampled_from(["bear", "fox", "river", "moon", "star", "wood"]), min_size=1, max_size=30), st.data())
def test_any_stretch_of_its_last_words_is_an_echo(spoken: list[str], data: st.DataObject) -> None:
    last = spoken[-LATELY:]
    first = data.draw(st.integers(0, len(last) - 1))
    end = data.draw(st.integers(first + 1, len(last)))
    assert is_echo(" ".join(last[first:end]), " ".join(spoken))
