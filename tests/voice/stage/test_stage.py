"""Stage directions never reach the voice, every other word does, and neither depends on how the answer is cut."""

from __future__ import annotations

import json
import random
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.cli.parse import parse_deltas as parse
from companion.events import EMOTIONS, GESTURES, Cue
from companion.voice.stage.stage import Stage
from tests.support.paths import GOLDEN
from tests.support.staging import played

ANSWERS = [json.loads(line) for line in (GOLDEN / "stage.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: ascii(answer["text"][:30]).replace("\\", ""))
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


def test_speech_is_not_held_back_without_need() -> None:
    stage = Stage("Teddy")
    assert stage.feed("Hello") == ["Hello"]
    assert stage.feed(" my friend, (smi") == [" my friend,"]
    assert stage.feed("les) how") == [Cue("happy", None, 0.6, 16, "direction"), " how"]
    assert stage.feed(" are you?\n") == [" are you?\n"]


def test_what_another_does_is_no_cue_of_the_character() -> None:
    assert played(["*Anna laughs* Hi. *Teddy laughs*"], "Teddy")[1] == [Cue("amused", None, 0.7, 3, "direction")]
    assert played(["*you smile* Hi."], "Teddy")[1] == []
