"""Directions in brackets and stars: nothing in them is spoken, and one that never closes silences nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.staging import said

WORDS = st.lists(
    st.sampled_from(["hello", "my", "friend", "tree", "3.14", "don't", "ibu", "café"]), min_size=1, max_size=4
)


ASIDES = st.lists(
    st.sampled_from(["quietly", "Zorro", "xyz", "微笑", "手を振る", "8:30", "bah!"]), min_size=1, max_size=4
)


PAIRS = st.sampled_from(["()", "（）", "[]", "【】", "［］", "〔〕", "{}", "**", "＊＊", "（)", "【]"])


@given(st.lists(st.tuples(WORDS, ASIDES, PAIRS, PAIRS), min_size=1, max_size=6))
def test_words_stay_and_asides_go_whatever_encloses_them(
    parts: list[tuple[list[str], list[str], str, str]],
) -> None:
    text, spoken = "", []
    for words, aside, outer, inner in parts:
        nested = f"{inner[0]}{aside[0]}{inner[1]} " if inner[0] not in "*＊" and inner != outer else ""
        text += f"{' '.join(words)} {outer[0]}{nested}{' '.join(aside)}{outer[1]} "
        spoken += words
    assert said(text).split() == spoken


@given(st.lists(st.sampled_from(["你好", "小熊", "ありがとう", "朋友"]), min_size=2, max_size=6), PAIRS)
def test_chinese_closes_up_where_a_direction_stood(parts: list[str], pair: str) -> None:
    assert said(f"{pair[0]}挥手{pair[1]}".join(parts)) == "".join(parts)


@pytest.mark.parametrize("opening", ["(", "（", "*", "【"])
def test_a_direction_that_never_closes_silences_neither_the_next_line_nor_the_answer(opening: str) -> None:
    assert said(f"Hi. {opening}waves\n\nHow are you?") == "Hi.\nHow are you?"
    story = "And then they walked on and on. " * 40
    assert said(f"Hi. {opening}waves. {story}").split() == f"Hi. {story}".split()
    assert said(f"Hi. {opening}waves to") == "Hi."


def test_a_long_direction_is_not_spoken() -> None:
    tale = "She looks at the sea, and the sea looks back, and so it goes on; " * 8
    assert said(f"*{tale.strip()}* Hello. ({tale.strip()}) Bye.") == "Hello. Bye."
