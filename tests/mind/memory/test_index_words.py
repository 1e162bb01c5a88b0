"""By which words a text is found again."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from companion.languages.understood import understood
from companion.mind.memory.index_words import MOST, index_words

ALL = understood("en")


def words(text: str) -> tuple[str, ...]:
    return index_words(text, ALL)


@given(st.text(max_size=500))
@example("\ufaf6")  # unassigned, among Chinese characters
def test_words_are_letters_and_digits_each_once(text: str) -> None:
    found = words(text)
    assert len(set(found)) == len(found) <= MOST
    assert all(word.isalnum() for word in found)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("dogs", "dog"),
        ("called", "calls"),
        ("hid", "hiding"),
        ("flies", "fly"),
        ("children", "child"),
        ("Café", "cafe"),
    ],
)
def test_forms_of_a_word_meet(one: str, other: str) -> None:
    assert words(one) == words(other) != ()


def test_chinese_is_found_by_pairs_and_characters() -> None:
    assert {"钥匙", "钥", "花盆"} <= set(words("我把钥匙藏在花盆下面了"))
    assert words("anjingku") == words("anjing")
