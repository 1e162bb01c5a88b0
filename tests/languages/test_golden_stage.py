"""What English, Chinese, Japanese and Indonesian made of these texts before their words became data files."""

from __future__ import annotations

import json
from typing import Any

import pytest

from companion.events import Cue
from companion.languages.understood import Understood, understood
from companion.voice.sentences import Sentences
from companion.voice.stage.inference import infer_cues
from companion.voice.stage.meaning import read_direction
from companion.voice.stage.stage import Stage
from tests.support.paths import GOLDEN

ROWS: list[dict[str, Any]] = [
    json.loads(line) for line in (GOLDEN / "directions.jsonl").read_text(encoding="utf-8").splitlines()
]
TOGETHER = ("en", "zh", "ja", "id")
"""These are understood together, whichever of them the persona speaks."""


@pytest.mark.parametrize("code", TOGETHER)
def test_directions_mean_what_they_meant(code: str) -> None:
    languages = understood(code)
    for row in ROWS:
        text = row["in"]
        assert as_json(read_direction(text, languages=languages)) == row["direction"], text
        assert as_json(read_direction(text, "Momo", languages)) == row["direction_named"], text


@pytest.mark.parametrize("code", TOGETHER)
def test_words_show_the_feelings_that_they_showed(code: str) -> None:
    for row in ROWS:
        cues = [[one.emotion, one.gesture, one.intensity, one.at] for one in infer_cues(row["in"], understood(code))]
        expected = row["inferred"]
        assert cues == (expected[code] if isinstance(expected, dict) else expected), row["in"]


@pytest.mark.parametrize("code", TOGETHER)
def test_the_same_is_spoken_and_shown(code: str) -> None:
    for row in ROWS:
        text = row["in"]
        assert played(text, None, understood(code)) == row["parse"], text
        assert played(text, "Momo", understood(code)) == row.get("parse_named", row["parse"]), text


@pytest.mark.parametrize("code", TOGETHER)
def test_sentences_end_where_they_ended(code: str) -> None:
    for row in ROWS:
        sentences = Sentences(languages=understood(code))
        spoken = sentences.feed(row["in"]) + sentences.close()
        assert [one.text for one in spoken] == row["sentences"], row["in"]


def played(text: str, name: str | None, languages: Understood) -> list[Any]:
    stage = Stage(name, languages)
    pieces = stage.feed(text) + stage.close()
    spoken = "".join(one for one in pieces if isinstance(one, str)).rstrip("\n")
    cues = [one for one in pieces if isinstance(one, Cue)]
    return [spoken, [[one.emotion, one.gesture, one.intensity, min(one.at, len(spoken)), one.source] for one in cues]]


def as_json(value: object) -> object:
    return json.loads(json.dumps(value))
