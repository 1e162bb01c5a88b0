"""Directions in brackets and stars: nothing in them is spoken, and one that never closes silences nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.voice.stage.brackets import HOLD
from companion.voice.stage.stage import Stage
from tests.support.staging import said, shown

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
        # A few words in single stars may be stressed ones, and a number alone is said; what is done is not.
        done = "smiles at all of them and "
        text += f"{' '.join(words)} {outer[0]}{done}{nested}{' '.join(aside)}{outer[1]} "
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


STORY = "la " * 220
"""Longer than any direction."""


@pytest.mark.parametrize(
    ("text", "spoken", "acts"),
    [
        ("(waves\nHello\nyou", "Hello\nyou", ["wave"]),
        ("(waves\nHello] you", "Hello you", ["wave"]),
        ("*waves\nHi wo*rld", "Hi world", ["wave"]),
        ("(nods (slowly\n\nHello) there) you", "Hello there you", ["nod"]),
        (f"(waves. {STORY}) Bye", f"{STORY}Bye", ["wave"]),
        ("(waves 😄 Where is it? It is here!", "Where is it? It is here!", ["wave", "happy"]),
        ("*waves 😄 Where is it\nIt is here", "Where is it\nIt is here", ["wave", "happy"]),
        ("(waves, come here, my friend!", "come here, my friend!", ["wave"]),
        ("（挥着手，快过来！我在等你。", "快过来！我在等你。", ["wave"]),
        ("Hi. (waves, and then goes ov", "Hi.", ["wave"]),
        (f"*waves. {STORY}* Bye", f"{STORY}Bye", ["wave"]),
        ("Hello. *Xavier waves", "Hello.", ["wave"]),
        ("Hello. *wa**ves", "Hello.", []),
    ],
    ids=[
        *("line", "other-mark-on-the-next-line", "star-in-a-word", "nested", "far", "emoji", "star-emoji"),
        *("clause", "chinese-clause", "cut-in-a-clause", "far-star", "cut", "cut-bold"),
    ],
)
def test_where_a_direction_ends_that_never_closes(text: str, spoken: str, acts: list[str]) -> None:
    assert shown(text) == (spoken, acts)


@pytest.mark.parametrize("opening", ["(", "*", "["])
def test_no_more_is_held_back_for_a_direction_than_one_may_be_long(opening: str) -> None:
    stage = Stage()
    begun = f"{opening}waves. " + "la " * HOLD
    assert stage.feed(begun[: HOLD - 1]) == []
    assert stage.feed(begun[HOLD - 1]) != []


@pytest.mark.parametrize(
    "text",
    [
        "(smiles] Hello",
        "(smiles* Hello",
        "(smil*e] Hello",
        "(] Hello",
        "(waves * you] Hello",
        "(waves *hi* you] Hello",
        "(waves *hi* you* Hello",
        "(smiles*(nods) Hello",
        "*waves (hi) you] Hello",
        "*waves (at (all) you) now] Hello",
    ],
)
def test_a_direction_may_close_with_a_mark_of_another_kind(text: str) -> None:
    assert said(text) == "Hello"


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("(hops :) away) Hi", "Hi"),
        ("(hops :-) away) Hi", "Hi"),
        ("(hops :) Xtra high) Hi", "Hi"),
        ("(hops :)) Hi", "Hi"),
        # Nothing closes the bracket later, so the smiley does.
        ("(hops :) away", "away"),
        ("(hops :) off. Then) Hi", "off. Then Hi"),
        ("(hops :) off :) now) Hi", "off now Hi"),
        ("(hops :) off :-) now) Hi", "off now Hi"),
        ("(hops :) 好) Hi", "好 Hi"),
        (f"(hops :) {'la ' * 40}) Hi", f"{'la ' * 40}Hi"),
        ("(hops\n\nso :) and on) Hi", "Hi"),
        ("(hops\n\n1) one) Hi", "Hi"),
        ("(nods:) Hello) there", "Hello there"),
    ],
)
def test_a_smiley_in_a_direction_closes_it_only_where_nothing_else_does(text: str, spoken: str) -> None:
    assert said(text) == spoken


@pytest.mark.parametrize(
    ("text", "acts"),
    [
        ("*Xavier waves* Hi", ["wave"]),
        ("*hops (*^▽^*) away* Hi", ["jump"]),
        ("*(*^▽^*) hops* Hi", ["jump"]),
        ("*waves **hard** at you* Hi", ["wave"]),
        ("*waves at *Xavier* now* Hi", ["wave"]),
        ("*wa**ves* Hi", []),
        ("*counts 2 * 3 quickly* Hi", []),
        ("*presses *\ufe0f\u20e3 twice* Hi", []),
        ("*3 big waves* Hi", ["wave"]),
        ("(waves [to you]) Hi", ["wave"]),
        ("* smiles * Hi", ["happy"]),
        ("* smiles*Hi", ["happy"]),
    ],
)
def test_marks_within_a_direction_do_not_end_it(text: str, acts: list[str]) -> None:
    assert shown(text) == ("Hi", acts)


@pytest.mark.parametrize(
    ("text", "spoken", "acts"),
    [
        ("*smiles** Hello *nods* you", "Hello you", ["happy", "nod"]),
        ("*waves (happily* Hi) you", "Hi you", ["wave"]),
        ("*nods*Xavier, hello", "Xavier, hello", ["nod"]),
        ("* smiles *waves* Hi", "smiles Hi", ["wave"]),
        ("It is 2 *a nod* now", "It is 2 now", ["nod"]),
    ],
    ids=["one-star-too-many", "bracket-left-open", "word-behind", "list", "number-before"],
)
def test_a_direction_ends_at_its_own_star(text: str, spoken: str, acts: list[str]) -> None:
    assert shown(text) == (spoken, acts)


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Hi*waves* there", "Hi there"),
        ("Yay*hugs*you", "Yay you"),
        ("Yay*hug* you", "Yay you"),
        ("f*ck*ng", "fckng"),
        ("Wow*Great! Fun*yes", "WowGreat! Funyes"),
        (f"Hi*{'and so on ' * 9}then* there", f"Hi{'and so on ' * 9}then there"),
    ],
    ids=["glued", "glued-on-both-sides", "short", "letters-crossed-out", "over-a-sentence", "far"],
)
def test_a_star_inside_a_word_opens_a_direction_only_if_it_closes_soon(text: str, spoken: str) -> None:
    assert said(text) == spoken


@pytest.mark.parametrize("text", ["X * 2 = 8", "2 * X = 8", "2*3", "a * b", "2 * 3 * 4"])
def test_a_star_between_numbers_or_letters_multiplies(text: str) -> None:
    assert said(text) == text
    assert said(f"* {text}") == text


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Oh * a hug", "Oh a hug"),
        ("Hello * a hug", "Hello a hug"),
        (f"Well, * said the cat, {'and so on, ' * 9}so it sat * there", None),
        ("*\ufe0f\u20e3 Press", "Press"),
        ("*\ufe0f\u20e3Xylophone", "Xylophone"),
    ],
    ids=["short-word-before", "word-before", "far-apart", "keycap", "keycap-before-a-word"],
)
def test_a_stray_star_is_dropped_alone(text: str, spoken: str | None) -> None:
    assert said(text) == (spoken or text.replace("* ", ""))
