"""`parse`: offsets point into exactly the speech that it returns."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.cli.parse import parse_deltas as parse
from tests.support.command import command


def test_cues_stand_where_their_direction_stood() -> None:
    result = parse(["Hello. *wa", "ves*\n\n你好。\n", "（笑）再见。"])
    assert result == {
        "speech": "Hello. 你好。再见。",
        "cues": [
            {"emotion": None, "gesture": "wave", "intensity": 0.6, "at": 6, "source": "direction"},
            {"emotion": "happy", "gesture": None, "intensity": 0.6, "at": 10, "source": "direction"},
        ],
    }


@pytest.mark.parametrize(
    ("language", "text", "speech", "gesture"),
    [
        ("de", "*nickt* Ja, gern.", "Ja, gern.", "nod"),
        ("es", "(saluda con la mano) ¡Hola!", "¡Hola!", "wave"),
        ("fr", "*hausse les épaules* Bof.", "Bof.", "shrug"),
        ("ko", "(고개를 끄덕이며) 그래.", "그래.", "nod"),
        ("pt", "*bate palmas* Oba!", "Oba!", "clap"),
    ],
)
def test_directions_are_read_in_the_language_that_is_given(language: str, text: str, speech: str, gesture: str) -> None:
    done = command("parse", "--language", language, stdin=text)
    result = json.loads(done.stdout)
    assert (result["speech"], [cue["gesture"] for cue in result["cues"]]) == (speech, [gesture])


def test_lines_are_joined_as_their_writing_does() -> None:
    assert parse(["one\n\ntwo\n"])["speech"] == "one two"
    assert parse(["一\n二\nthree"])["speech"] == "一二 three"


def test_nothing_to_say_is_an_empty_string() -> None:
    assert parse([]) == {"speech": "", "cues": []}
    assert parse(["(smiles)"])["speech"] == ""


def test_the_name_is_dropped() -> None:
    assert parse(["Ted", "dy: hi"], name="Teddy")["speech"] == "hi"


@given(st.lists(st.sampled_from(["hello", "你好", "。", "\n", " ", "👋", "🎉", "(nods)", "！"]), max_size=20))
def test_every_cue_has_a_place_in_the_speech(deltas: list[str]) -> None:
    result = parse(deltas)
    speech = result["speech"]
    assert "\n" not in speech
    assert speech == speech.strip()
    assert [cue["at"] for cue in result["cues"]] == sorted(cue["at"] for cue in result["cues"])
    assert all(0 <= cue["at"] <= len(speech) for cue in result["cues"])
    assert json.loads(json.dumps(result)) == result


@given(st.lists(st.integers(0, 3), min_size=1, max_size=8))
def test_offsets_count_the_words_before_the_cue(counts: list[int]) -> None:
    text = "".join("ab " * count + "👋 x " for count in counts)
    result = parse([text])
    assert result["speech"].split() == text.replace("👋", "").split()
    words_before = [len(result["speech"][: cue["at"]].split()) for cue in result["cues"]]
    expected = [len(part.split()) for part in _prefixes(text)]
    assert words_before == expected


def _prefixes(text: str) -> list[str]:
    parts = text.split("👋")
    return ["".join(parts[: index + 1]) for index in range(len(parts) - 1)]


@pytest.mark.parametrize(
    ("answer", "speech"),
    [
        ("Teddy: Hello there!", "Hello there!"),
        ("**Little Bear:** Hello", "Hello"),
        ("Teddy (smiles): Hello", "Hello"),
        ("江让：你好呀", "你好呀"),
        ("（微笑）江让：嗯", "嗯"),
        ("ミナ：こんにちは", "こんにちは"),
        ("Momo: Hi.\nMomo: There.", "Hi. There."),
        ("Note: this stays", "Note: this stays"),
        ("妈妈说：早点睡", "妈妈说：早点睡"),
        ("注意：前面有人", "注意：前面有人"),
        ("It is 8:30 now", "It is 8:30 now"),
        ("look: a bird", "look: a bird"),
    ],
)
def test_a_speaker_nobody_named_is_guessed_and_lead_ins_stay(answer: str, speech: str) -> None:
    assert parse([answer])["speech"] == speech
    assert parse(list(answer))["speech"] == speech
