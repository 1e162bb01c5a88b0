"""Stage directions never reach the voice, every other word does, and neither depends on how the answer is cut."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.cli.parse import parse_deltas as parse
from companion.events import EMOTIONS, GESTURES, Cue
from companion.voice.stage.emoji import XIAOZHI_EMOTIONS
from companion.voice.stage.stage import Stage
from tests.support.paths import GOLDEN

ANSWERS = [json.loads(line) for line in (GOLDEN / "stage.jsonl").read_text(encoding="utf-8").splitlines()]


def played(deltas: Iterable[str], name: str = "") -> tuple[str, list[Cue]]:
    stage = Stage(name)
    pieces = [piece for delta in deltas for piece in stage.feed(delta)] + stage.close()
    return "".join(one for one in pieces if isinstance(one, str)), [one for one in pieces if isinstance(one, Cue)]


def said(text: str, name: str = "") -> str:
    return played([text], name)[0]


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer["text"][:30])
def test_golden_answers_at_every_cut(answer: dict[str, Any]) -> None:
    text, name = answer["text"], answer["name"]
    result = parse([text], name)
    cues = [[cue["emotion"], cue["gesture"], cue["intensity"], cue["at"], cue["source"]] for cue in result["cues"]]
    assert result["speech"] == answer["speech"]
    assert cues == answer["cues"]
    whole = played([text], name)
    assert played(list(text), name) == whole
    for cut in range(1, len(text)):
        assert played([text[:cut], text[cut:]], name) == whole, text[:cut]
    chance = random.Random(text)
    for _ in range(10):
        cuts = sorted(chance.choices(range(len(text) + 1), k=4))
        pieces = [text[left:right] for left, right in pairwise([0, *cuts, len(text)])]
        assert played(pieces, name) == whole, pieces


def test_golden_set_is_large_and_in_four_languages() -> None:
    assert len(ANSWERS) >= 120


SIGNS = "()（）[]【】{}*＊_`~#>|-:;.,!?'\"\n <>/\\=^0123aAToOmXx好呀ノ♥"
PICTURES = ["😀", "👋🏽", "❤️\u200d🔥", "1️⃣", "🇯🇵", "\ufe0f", "\u200d", ":)", ":(", "(^_^)", "T_T", "¯\\_(ツ)_/¯"]
MARKS = ["**", "***", "```", "<think>", "</think>", "<br>", "Teddy:", "Teddy ", "\n\n", "\n- ", "[a](b.c)"]
TEXTS = ["*waves* ", "（笑）", "hello ", "smiles ", "好的" * 90, "word " * 60]
EMPHASES = [
    "_smiles_",
    "**A pause.**",
    "~giggles~",
    "<i>",
    "</i>",
    "</b>",
    "<b>waves",
    "-nods-",
    "/waves/",
    "::",
    "Well ",
]
THOUGHTS = ["<思考>", "</思考>", "‹思考>", "<thinking>", "I "]
ODDITIES = st.sampled_from([*SIGNS, *PICTURES, *MARKS, *TEXTS, *EMPHASES, *THOUGHTS])


@given(parts=st.lists(ODDITIES, max_size=30), cuts=st.lists(st.integers(0, 2000), max_size=6))
def test_any_cut_of_anything_gives_the_same(parts: list[str], cuts: list[int]) -> None:
    text = "".join(parts)
    places = sorted({min(cut, len(text)) for cut in cuts} | {0, len(text)})
    pieces = [text[left:right] for left, right in pairwise(places)]
    assert played(pieces, "Teddy") == played([text], "Teddy")


@given(st.text(max_size=200), st.integers(0, 200))
def test_any_text_is_survived_and_its_cues_are_sound(text: str, cut: int) -> None:
    speech, cues = played([text[:cut], text[cut:]])
    assert (speech, cues) == played([text])
    assert [cue.at for cue in cues] == sorted(cue.at for cue in cues)
    for cue in cues:
        assert 0 <= cue.at <= len(speech)
        assert 0 < cue.intensity <= 1
        assert cue.emotion is None or cue.emotion in EMOTIONS
        assert cue.gesture is None or cue.gesture in GESTURES
        assert cue.emotion or cue.gesture


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


def test_every_emoji_of_the_emoji_package_is_silent() -> None:
    table = pytest.importorskip("emoji", reason="the emoji package serves only as this test's reference").EMOJI_DATA
    spoken = {one for one in table if said(one)}
    assert {one.removesuffix("\ufe0f") for one in spoken} == set("©®‼⁉™ℹ")
    assert said("a" + "b".join(table) + "b").count("b") == len(table)


@pytest.mark.parametrize("opening", ["(", "（", "*", "【"])
def test_a_direction_that_never_closes_silences_neither_the_next_line_nor_the_answer(opening: str) -> None:
    assert said(f"Hi. {opening}waves\n\nHow are you?") == "Hi.\nHow are you?"
    story = "And then they walked on and on. " * 40
    assert said(f"Hi. {opening}waves. {story}").split() == f"Hi. {story}".split()
    assert said(f"Hi. {opening}waves to") == "Hi."


def test_speech_is_not_held_back_without_need() -> None:
    stage = Stage("Teddy")
    assert stage.feed("Hello") == ["Hello"]
    assert stage.feed(" my friend, (smi") == [" my friend,"]
    assert stage.feed("les) how") == [Cue("happy", None, 0.6, 16, "direction"), " how"]
    assert stage.feed(" are you?\n") == [" are you?\n"]


def test_a_long_direction_is_not_spoken() -> None:
    tale = "She looks at the sea, and the sea looks back, and so it goes on; " * 8
    assert said(f"*{tale.strip()}* Hello. ({tale.strip()}) Bye.") == "Hello. Bye."


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


def test_repeated_emoji_are_one_stronger_cue() -> None:
    once, thrice = played(["😊"])[1], played(["😊", "😊", "😊"])[1]
    assert len(thrice) == 1
    assert thrice[0].intensity > once[0].intensity


@pytest.mark.parametrize(
    "text", ["2 * 3 = 6", "a*b", "1) one 2) two", "3 < 5 > 2", "snake_case", "~5", "3~5", "#1", "8:30", "50%"]
)
def test_signs_that_mean_something_are_kept(text: str) -> None:
    assert said(text) == text


@pytest.mark.parametrize("name", XIAOZHI_EMOTIONS)
@pytest.mark.parametrize("form", ["[{}]", "<{}>", "【{}】", '{{"emotion": "{}"}}', "{{emotion: {}}}"])
def test_a_label_of_the_xiaozhi_emotions_is_a_tag(name: str, form: str) -> None:
    if form.format(name) == "<thinking>":
        pytest.skip("that is how models begin a chain of thought, which is never spoken")
    speech, cues = played([form.format(name) + " Hello."])
    feeling = XIAOZHI_EMOTIONS[name]
    assert speech == "Hello."
    assert cues == [Cue(feeling.emotion, feeling.gesture, feeling.intensity, 0, "tag")]


def test_what_another_does_is_no_cue_of_the_character() -> None:
    assert played(["*Anna laughs* Hi. *Teddy laughs*"], "Teddy")[1] == [Cue("amused", None, 0.7, 3, "direction")]
    assert played(["*you smile* Hi."], "Teddy")[1] == []
