"""Signs that are for the eye only never reach the voice; signs that say something do."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.staging import played, shown


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Hello.>", "Hello."),
        ("> Hello >", "Hello"),
        ("Hello. >> bye", "Hello. bye"),
        ("Hello <", "Hello"),
        ("Hi </thin", "Hi thin"),
        ("Look>!", "Look!"),
        ("你好>再见", "你好再见"),
        ("Hello ^", "Hello"),
        ("Bye & =", "Bye &"),
        ("Bye /", "Bye"),
        ("Hello. *", "Hello."),
        ("_ Hello `there` |", "Hello there"),
        ("• Hello†", "Hello"),
        ("Hello\ufffd there", "Hello there"),
        ("He\xadl\u200blo \u200fthere\u200e \u2066my\u2069 friend\u202c\x07", "Hello there my friend"),
        ("*\u200bwaves\u200b* Hi &rlm;you", "Hi you"),
        ("3 < 5 and x > y, 5 >= 4", "3 < 5 and x > y, 5 >= 4"),
        ("x < -5 and x > .5, 1<2", "x < -5 and x > .5, 1<2"),
        ("$3 < $5, 50% > 5%", "$3 < $5, 50% > 5%"),
        ("a*b, snake_case, 2^10, C++, A+", "a*b, snake_case, 2^10, C++, A+"),
        ("3 + 4 = ?", "3 + 4 = ?"),
        ("3 + 4\n= 7", "3 + 4\n= 7"),
        ("a -> b => c", "a -> b => c"),
        ("Tom & Jerry", "Tom & Jerry"),
    ],
)
def test_signs_that_join_nothing_are_dropped(text: str, spoken: str) -> None:
    assert shown(text)[0] == spoken


@given(st.text(st.sampled_from("ab1 <>^=&+/@•\n.!*_|`好\u200f\xad\u2066\ufffd\x07"), max_size=30))
def test_what_cannot_be_seen_is_never_spoken_however_the_answer_is_cut(text: str) -> None:
    speech, _ = played([text])
    assert played(text) == played([text])
    assert not [ch for ch in speech if unicodedata.category(ch) in ("Cf", "Cc", "Co") and ch != "\n"]
