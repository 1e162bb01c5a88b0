"""Marks of emphasis: emphasised words are spoken, directions in them are not."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.staging import played, said

EMPHASIS = [("**", "**"), ("__", "__"), ("_", "_"), ("<i>", "</i>"), ("<em>", "</em>"), ("<b>", "</b>"), ("~", "~")]


PLAIN = [
    "I |love| you.",
    "You must |wave| at him!",
    "That is |so| funny.",
    "He |smiles| a lot.",
    "Well, |smiles| are free.",
    "|Happy| birthday, Mia!",
    "Grandma |sings| all day.",
    "Look at the |waves| of the sea.",
    "I like |dancing| with you.",
    "Stop |jumping| on the bed!",
    "Lots of |hugs| and kisses.",
    "|Never| go there alone.",
    "|I love you| Teddy.",
    "|Good night| Mia.",
    "|What a smile!| You look great.",
    "It is |not| a pause, |it is| a nap.",
    "This well-|known| song |always| makes me laugh.",
    "|One moment.| Let me think. |It makes me happy.| |Bees buzz and dance.|",
    "|Music| is fun. |Silence| is golden.",
    "My tail |wags| when you come home.",
    "|Saya| senang, kamu |tersenyum| lagi.",
    "我|很|喜欢你，|微笑|很重要。",
    "|ありがとう|ね、|とても|うれしい。",
]


@pytest.mark.parametrize("marks", EMPHASIS, ids=lambda marks: marks[0])
@pytest.mark.parametrize("sentence", PLAIN)
def test_emphasised_words_are_spoken(sentence: str, marks: tuple[str, str]) -> None:
    parts = sentence.split("|")
    marked = "".join(part if index % 2 == 0 else part.join(marks) for index, part in enumerate(parts))
    expected = "".join(parts)
    cues = played(list(marked))[1]
    assert (said(marked).replace(" ", ""), cues) == (expected.replace(" ", ""), [])
    if marks[0] != "~":
        assert said(marked) == expected


DIRECTIONS = [
    "smiles",
    "giggles softly",
    "waves at you",
    "smiling shyly",
    "softly laughs",
    "opens the door slowly",
    "He smiles.",
    "Giggles",
    "Waves happily.",
    "A pause.",
    "A long, awkward silence.",
    "Teddy hugs you tightly.",
    "tersenyum lebar",
    "微笑着挥手",
    "手を振る",
]


@pytest.mark.parametrize("marks", EMPHASIS, ids=lambda marks: marks[0])
@given(direction=st.sampled_from(DIRECTIONS), cuts=st.lists(st.integers(0, 90), max_size=4))
def test_a_direction_in_marks_of_emphasis_is_not_spoken(
    marks: tuple[str, str], direction: str, cuts: list[int]
) -> None:
    marked = direction.join(marks)
    text = f"{marked} Hello, you. {marked} Good night.\n{marked} Bye."
    places = sorted({min(cut, len(text)) for cut in cuts} | {0, len(text)})
    assert played([text[left:right] for left, right in pairwise(places)])[0] == "Hello, you. Good night.\nBye."


@pytest.mark.parametrize("form", ["-{}-", "--{}--", "––{}––", "—{}—", "::{}::", ":{}:", "/{}/", "={}="])
@pytest.mark.parametrize("direction", ["waves", "nods", "smiles warmly", "giggles"])
def test_a_direction_in_other_marks_is_not_spoken_where_a_sentence_begins(form: str, direction: str) -> None:
    marked = form.format(direction)
    speech, cues = played([f"{marked} Hello. {marked} Bye."])
    assert speech == "Hello. Bye."
    assert [cue.at for cue in cues] == [0, 6]


@pytest.mark.parametrize(
    "text",
    [
        "5 ~ 6",
        "and/or",
        "either/or",
        "10-20",
        "a well-known song",
        "It is 8:30 - nice",
        "See example.org/waves/now",
        "/home/happy/file",
        "x = y = z",
        "Yes - she smiles - and goes",
        "Hello. -5 and -6-",
        "Well-loved, happy-go-lucky",
        "km/h and m/s",
        "the happy/sad/angry faces",
        "Hi. —Happy birthday! —said mum",
    ],
)
def test_signs_around_words_are_no_directions(text: str) -> None:
    assert said(text) == text
