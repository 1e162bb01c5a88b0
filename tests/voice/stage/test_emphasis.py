"""Marks of emphasis: emphasised words are spoken, directions in them are not."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.staging import played, said, shown

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


@pytest.mark.parametrize(
    "text",
    [
        "**smiles**, as I said",
        "**smiles**; that is it",
        "**smiles** are free",
        "_love and smiles_ Mia",
        "_please smile_ Mia",
        "_2 hugs_ Hello",
        "_He smiles_ okay then",
        "_A pause_ okay",
        "Well, _smiling_ okay",
        "good to know _smiles_",
        "good to know _smiles_ okay",
        "a post-_giggles_ Nap",
        "_waves\nat you_ Hi",
        "<i>waves\nat you</i> Hi",
        "_waves _ Hi",
        "_微笑_是好的",
        "_X-rays_ help",
        # A key word or a title on a line of its own.
        "**happy**",
        "___happy___",
        "<b>happy</b>",
        "**Dancing**",
        "**opens the door**",
        "_Dancing Queen_",
        "_Dancing bears_ Hello",
        "**Smiling warmly** Hello",
    ],
)
def test_what_goes_on_or_is_a_title_is_spoken(text: str) -> None:
    plain = text
    for mark in ("**", "_", "<i>", "</i>", "<b>", "</b>"):
        plain = plain.replace(mark, "")
    assert shown(text) == (plain.replace("  ", " "), [])


@pytest.mark.parametrize(
    ("text", "spoken", "acts"),
    [
        ("_He smiles._ okay then", "okay then", ["happy"]),
        ("_A pause._ okay", "okay", []),
        ("_The little bear waves._ Hello", "Hello", ["wave"]),
        ("_Smiles warmly_ Hello", "Hello", ["affectionate"]),
        ("_Smiling warmly_ Hello", "Hello", ["affectionate"]),
        ("_Shakes head_ Hello", "Hello", ["shake_head"]),
        ("_barks_ Hello", "Hello", ["angry"]),
        ("_barks_ 好的", "好的", ["angry"]),
        ("_opens the door_", "", []),
        ("_Dancing_", "", ["dance"]),
        ("_happy_", "", ["happy"]),
        ("<i>happy</i>", "", ["happy"]),
        ("<b>happy</b> Hello", "Hello", ["happy"]),
        ("<i>waves <b>hard</b></i> Hello", "Hello", ["wave"]),
        ("_smiles warmly_, as I said", "as I said", ["affectionate"]),
        ("_微笑_", "", ["happy"]),
        ("_微笑_你好", "你好", ["happy"]),
        ("_微笑_\t你好", "你好", ["happy"]),
        ("_微笑_\u3000你好", "你好", ["happy"]),
        ("**_smiles_** Hello", "Hello", ["happy"]),
        ("***smiles*** Hello", "Hello", ["happy"]),
        ("****waves**** Hello", "Hello", ["wave"]),
        ("_waves at u_ Hello", "Hello", ["wave"]),
    ],
)
def test_what_is_done_before_the_speech_is_acted(text: str, spoken: str, acts: list[str]) -> None:
    assert shown(text) == (spoken, acts)


@pytest.mark.parametrize(
    ("text", "spoken", "acts"),
    [
        ("Well, _smiling_", "Well,", ["happy"]),
        ("Well, _smiling_ Okay", "Well, Okay", ["happy"]),
        ("Well, _smiling shyly_ okay", "Well, okay", ["embarrassed"]),
        ("Yah, _tersenyum lebar_ oke", "Yah, oke", ["happy"]),
        ("good to know _smiles_ Okay then", "good to know Okay then", ["happy"]),
        ("good to know _smiles warmly_ okay", "good to know okay", ["affectionate"]),
    ],
)
def test_what_is_done_within_a_sentence_is_acted(text: str, spoken: str, acts: list[str]) -> None:
    assert shown(text) == (spoken, acts)


@pytest.mark.parametrize(
    ("text", "spoken", "acts"),
    [
        ("-smiling shyly- Hi", "Hi", ["embarrassed"]),
        ("-shyly and softly- Hi", "Hi", ["embarrassed"]),
        ("-smiles at u- Hi", "Hi", ["happy"]),
        ("---waves--- Hi", "Hi", ["wave"]),
        ("----waves---- Hi", "----waves---- Hi", []),
        ("-waves - Hi", "-waves - Hi", []),
        ("-waves-ing Hi", "-waves-ing Hi", []),
        ("-waves-- Hi", "-waves-- Hi", []),
        ("-waves! Hi- you", "-waves! Hi- you", []),
    ],
)
def test_dashes_enclose_a_direction_only_on_both_sides(text: str, spoken: str, acts: list[str]) -> None:
    assert shown(text) == (spoken, acts)


@pytest.mark.parametrize(
    ("text", "spoken", "acts"),
    [
        ("**smiles* Hello", "Hello", ["happy"]),
        ("**waves a* Hello", "Hello", ["wave"]),
        ("**Look *waves* Hello", "Look Hello", ["wave"]),
        ("**Hello Mia", "Hello Mia", []),
        ("**2* 3 is", "2 3 is", []),
        ("Oh ****!", "Oh!", []),
        ("f***ing", "fing", []),
        ("他***的真好", "他的真好", []),
        (f"他***的{'好人都在这里说话' * 9}", f"他的{'好人都在这里说话' * 9}", []),
        ("2**3 is 8", "2**3 is 8", []),
        ("Page ~ 6", "Page 6", []),
        ("Well ~ hello", "Well hello", []),
        ("5 ~ 6 days", "5 ~ 6 days", []),
        ("about ~5 days", "about ~5 days", []),
    ],
)
def test_marks_without_a_partner(text: str, spoken: str, acts: list[str]) -> None:
    assert shown(text) == (spoken, acts)
