"""Tags, thoughts, names before a line, and signs that mean something."""

from __future__ import annotations

import pytest

from companion.events import Cue
from companion.voice.stage.emoji import XIAOZHI_EMOTIONS
from tests.support.staging import played, said, shown


def test_only_the_characters_own_name_is_dropped() -> None:
    assert (
        said("Teddy: Hi.\nNote: this stays.\nTeddy Bear: mine.", "Teddy") == "Hi.\nNote: this stays.\nTeddy Bear: mine."
    )
    assert said("Teddy: Hi.") == "Teddy: Hi."
    assert said("It is 8:30, Teddy: go!", "Teddy") == "It is 8:30, Teddy: go!"


def test_a_chain_of_thought_is_never_spoken_even_if_it_never_ends() -> None:
    assert said("<think>Hm. (What now?)\n\nWell.") == ""
    assert said("<THINK>Hm.</THINK>Hello.") == "Hello."


def test_the_answer_behind_a_mood_that_is_also_a_thought_is_spoken() -> None:
    assert said("<思考>好呀！我们下棋吧。") == said("‹思考>好呀！我们下棋吧。") == "好呀！我们下棋吧。"
    assert said("<思考>他在哪儿？</思考>好呀！") == "好呀！"
    assert said("<思考>他在哪儿？\n\n好呀！") == "好呀！"
    assert said("<思考>他在哪儿？</think>好呀！") == "好呀！"
    assert said("<think/>Hello.") == "Hello."
    assert said("<think>One.\n\nTwo.\n\nThree.") == ""


@pytest.mark.parametrize(
    "text", ["2 * 3 = 6", "a*b", "1) one 2) two", "3 < 5 > 2", "snake_case", "~5", "3~5", "#1", "8:30", "50%"]
)
def test_signs_that_mean_something_are_kept(text: str) -> None:
    assert said(text) == text


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("I love #honey and #bears.", "I love honey and bears."),
        ("Look ## here.", "Look here."),
        ("So \\ hello \\my friend.", "So hello my friend."),
        ("Half is \\(18] * [2\\) g.", "Half is 18 × 2 g."),
    ],
)
def test_signs_for_the_eye_are_not_said(text: str, spoken: str) -> None:
    assert said(text) == spoken


@pytest.mark.parametrize("name", XIAOZHI_EMOTIONS)
@pytest.mark.parametrize("form", ["[{}]", "<{}>", "【{}】", '{{"emotion": "{}"}}', "{{emotion: {}}}"])
def test_a_label_of_the_xiaozhi_emotions_is_a_tag(name: str, form: str) -> None:
    if form.format(name) == "<thinking>":
        pytest.skip("that is how models begin a chain of thought, which is never spoken")
    speech, cues = played([form.format(name) + " Hello."])
    feeling = XIAOZHI_EMOTIONS[name]
    assert speech == "Hello."
    assert cues == [Cue(feeling.emotion, feeling.gesture, feeling.intensity, 0, "tag")]


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Hello there.\n## Title\nBye.", "Hello there.\nTitle\nBye."),
        ("# One\n###### Six\n#\tTab", "One\nSix\nTab"),
        ("####### Seven", "Seven"),
        ("#1 fan", "#1 fan"),
        ("> Hello\n>Bye", "Hello\nBye"),
        (">5 is more", ">5 is more"),
        (">= 5", ">= 5"),
        ("```py\nHi\n```", "Hi\n"),
        ("```c\nHi\n```", "Hi\n"),
        ("```x = 1```", "x = 1"),
        ("Hi\n---\n***\n===\nBye", "Hi\nBye"),
        ("- One\n-\tTwo\n•\u3000Three\n* Four", "One\nTwo\nThree\nFour"),
        ("-- One", "-- One"),
        ("Hi\n|:---|---:|\n| a | b |", "Hi\na b"),
        (":---|---\nHi", "Hi"),
        ("Hi\n--|---\na|b", "Hi\na b"),
    ],
)
def test_marks_at_the_beginning_of_a_line(text: str, spoken: str) -> None:
    assert shown(text) == (spoken, [])


@pytest.mark.parametrize(
    ("text", "spoken", "acts"),
    [
        ("[our page](https://example.org) is new", "our page is new", []),
        ("[our page](/new) is new", "our page is new", []),
        ('[our page](a.b "Title") is new', "our page is new", []),
        ("[it](#a) is new", "it is new", []),
        ("![a cat](cat.png) Look", "Look", []),
        ("Look![a cat] here", "Look! here", []),
        # No address, so both are directions.
        ("[waves](at you) Hi", "Hi", ["wave"]),
        ("[waves](example.org", "", ["wave"]),
    ],
)
def test_the_words_of_a_link_are_spoken_and_pictures_are_not(text: str, spoken: str, acts: list[str]) -> None:
    assert shown(text) == (spoken, acts)


@pytest.mark.parametrize(
    ("text", "spoken", "acts"),
    [
        (":ok: Hi", "Hi", []),
        (":b2: Hi", "Hi", []),
        (":shake_head: No", "No", ["shake_head"]),
        ("Great :smile:!", "Great!", ["happy"]),
        (":smile:there", ":smile:there", []),
        ("a:smile: x", "a:smile: x", []),
        (":100: Hi", ":100: Hi", []),
        (":a: Hi", ":a: Hi", []),
    ],
)
def test_an_emoji_by_its_name(text: str, spoken: str, acts: list[str]) -> None:
    assert shown(text) == (spoken, acts)


@pytest.mark.parametrize(
    ("text", "spoken", "acts"),
    [
        ("One<p>two</p>three<hr>four<br/>five<br>six", "One\ntwo\nthree\nfour\nfive\nsix", []),
        ("Hel</b>lo", "Hello", []),
        ("<shake_head> No", "No", ["shake_head"]),
        ("<smile/> Hi", "Hi", ["happy"]),
        ("＜happy＞ Hi", "Hi", ["happy"]),
        ("<happy› Hi", "Hi", ["happy"]),
        ("‹happy> Hi", "Hi", ["happy"]),
        ("<action>nods</action> Hi <action>waves</action>", "Hi", ["nod", "wave"]),
        ("<action>waves\nHi</action> you", "waves\nHi you", []),
        ("<action>waves to all", "waves to all", []),
        ("Hi <big smile>you", "Hi you", ["happy"]),
        ("Hi<big smile> you", "Hi you", ["happy"]),
        ("<!-- note -->Hi", "Hi", []),
        ("<|im_end|>Hi", "Hi", []),
        (f"<|{'x' * 78}>Hi", "Hi", []),
        (f"<{'x' * 80}>Hi", "Hi", []),
    ],
)
def test_tags_are_not_spoken(text: str, spoken: str, acts: list[str]) -> None:
    assert shown(text) == (spoken, acts)


@pytest.mark.parametrize(
    "text",
    [
        "‹Hallo› Mia",
        "a<b and c>d",
        "I think <5-3> is 2",
    ],
)
def test_signs_like_those_of_tags_are_kept(text: str) -> None:
    assert shown(text) == (text, [])


def test_of_a_tag_that_is_too_long_or_never_closes_only_the_sign_is_dropped() -> None:
    assert said(f"<|{'x' * 79}>Hi") == f"{'x' * 79}>Hi"
    assert said(f"<{'x' * 81}>Hi") == f"{'x' * 81}>Hi"
    assert said("<a <b> Hi") == "a Hi"
    assert said("<happy\nx> Hi") == "happy\nx Hi"
    assert said("<!x> Hi") == "!x Hi"


def test_each_thought_ends_at_its_own_tag() -> None:
    assert said("<think>a</think>Hi <think>b</think>you") == "Hi you"
    assert said("One.\n\nTwo. <思考>他在哪儿？\n\n好呀！") == "One.\nTwo.\n好呀！"


def test_code_is_read_as_text() -> None:
    assert said("`code` Hi, see `x`.") == "code Hi, see x."
    assert said("I don`t know") == "I don't know"


@pytest.mark.parametrize(
    ("text", "acts"),
    [
        ("Teddy (smiles): Hi", ["happy"]),
        ("Teddy *waves*: Hi", ["wave"]),
        ("Teddy (smiles) : Hi", ["happy"]),
        ("Teddy:*nods* Hi", ["nod"]),
        ("**Teddy:*nods* Hi", ["nod"]),
        ("**Teddy**: Hi", []),
        ("**Teddy:** Hi", []),
        ("__Teddy__: Hi", []),
        ("__Teddy:__ Hi", []),
        ("**Teddy (smiles):** Hi", ["happy"]),
        ("Teddy\t： Hi", []),
        ("\n**Teddy:** Hi", []),
        ("- Teddy: Hi", []),
    ],
)
def test_the_characters_name_with_marks_and_directions_is_dropped(text: str, acts: list[str]) -> None:
    assert shown(text, "Teddy") == ("Hi", acts)


@pytest.mark.parametrize(
    "text", ["TeddyX: Hi", "Teddys: Hi", "Teddy Xavier is here", "Teddy X: Hi", "Ted: Hi", "It is Teddy: go"]
)
def test_a_longer_or_shorter_name_is_spoken(text: str) -> None:
    assert shown(text, "Teddy") == (text, [])


def test_a_direction_between_the_name_and_the_colon_stands_on_one_line() -> None:
    assert shown("Teddy (smiles\n): Hi", "Teddy") == ("Teddy: Hi", ["happy"])
    assert shown("Teddy *smiles\n*: Hi", "Teddy") == ("Teddy: Hi", ["happy"])
    assert shown("Teddy (smiles)X: Hi", "Teddy") == ("Teddy X: Hi", ["happy"])


@pytest.mark.parametrize(
    "name",
    [
        "Momo",
        "Xavi",
        "MaX",
        "Big Old Bear",
        "O'Neil",
        "Dr. Bear",
        "Jean-Luc",
        "小熊",
        "小熊猫大王",
        "Abcdefghijklmnopqrstuvwxyzabcdef",
    ],
)
def test_an_unknown_name_before_the_first_line_is_guessed(name: str) -> None:
    assert shown(f"{name}: Hi\n{name}: Bye", None) == ("Hi\nBye", [])
    assert shown(f"**{name}:** Hi", None) == ("Hi", [])
    assert shown(f"_{name}:_ Hi", None) == ("Hi", [])
    assert shown(f"{name} (smiles): Hi", None) == ("Hi", ["happy"])
    assert shown(f"{name} *waves*: Hi", None) == ("Hi", ["wave"])


@pytest.mark.parametrize(
    "text",
    [
        "Note: Hi",
        "momo: Hi",
        "Big Old Brown Bear: Hi",
        "Abcdefghijklmnopqrstuvwxyzabcdefg: Hi",
        "Momo:30",
        "Momo:/ hm",
        "Momo\nHi",
        "It is Momo: yes",
        "Hi there\nMomo: yes",
        "妈妈说：好",
        "小熊说：好",
        "我妈：好",
        "熊：好",
        "小熊猫大王子：好",
    ],
)
def test_what_is_no_name_is_spoken(text: str) -> None:
    assert shown(text, None) == (text, [])


def test_a_smiley_behind_a_capitalised_word_makes_no_name_of_it() -> None:
    assert shown("Great :D", None) == ("Great", ["amused"])
    assert shown("Great:) Yes", None) == ("Great Yes", ["happy"])
