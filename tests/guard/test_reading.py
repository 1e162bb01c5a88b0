"""Readings of a text: tricks of spelling undone, and nothing more."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.guard.reading import MOST, Spelling, plain_reading, readings

SPELLING = Spelling.of("殺杀 アあ", "äöü", ["kill", "fuck", "sex", "shit"])


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("I will k1ll you", "i will kill you"),
        ("$ex", "sex"),
        ("a55", "ass"),
        ("he11", "hell"),
        ("k i l l him", "kill him"),
        ("k i l l h i m", "kill him"),
        ("k.i.l.l", "kill"),
        ("k-i-l-l", "kill"),
        ("k-ill", "kill"),
        ("kiiill", "kill"),
        ("KIIILLLL", "kill"),
        ("kіll", "kill"),
        ("ｋｉｌｌ", "kill"),
        ("k\u200bi\u00adll", "kill"),
        ("f*ck", "fuck"),
        ("f**k", "fuck"),
        ("sh!t", "shit"),
        ("s#x", "sex"),
        ("kïll", "kill"),
        ("k.1.l.l", "kill"),
        ("自.杀", "自杀"),
        ("自 殺", "自杀"),
        ("𝓀𝒾𝓁𝓁", "kill"),
        ("ᴋɪʟʟ", "kill"),
    ],
)
def test_a_trick_is_undone(written: str, meant: str) -> None:
    assert meant in readings(written, SPELLING)


@pytest.mark.parametrize(
    "text",
    [
        "This is ordinary text, isn't it?",
        "On the 1st of May we'll run 10km at 8am!",
        "In the 1990s there were 3D films.",
        "Ein schöner Tag für Äpfel.",
        "今天天气很好，我们去公园吧！",
        "きょうは、いい天気ですね。",
        "Hmm... well, all's good -- let's go!",
    ],
)
def test_ordinary_text_has_one_reading(text: str) -> None:
    assert len(readings(text, SPELLING)) == 1


def test_a_language_keeps_its_own_letters() -> None:
    assert all("schwül" in one for one in readings("Es ist schwül, ïm Café.", SPELLING))


@given(st.text())
def test_the_plain_reading_is_a_reading_of_itself(text: str) -> None:
    plain = plain_reading(text)
    assert plain_reading(plain) == plain


@given(st.text(st.sampled_from("kil1!*. -_kіïｋ\u200b自殺$5\n")))
def test_readings_are_few_and_each_once(text: str) -> None:
    found = readings(text, SPELLING)
    assert 1 <= len(found) <= MOST
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("piece", ["k1ll ", "k i ", "k.", "aaab", "f*", "*", "自.", "kіïll ", "1!", "$", "kill-", "é"])
def test_long_text_takes_no_time(piece: str) -> None:
    text = piece * (10_000 // len(piece))
    began = time.perf_counter()
    readings(text, SPELLING)
    assert time.perf_counter() - began < 1.0
