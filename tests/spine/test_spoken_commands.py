"""Stop, goodbye, again, guest and learn my voice: understood around a name and small words, never inside a wish."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.config.persona import Words, load_persona
from companion.languages.understood import COMMANDS
from tests.support.paths import CONFIGS

TEDDY = load_persona(CONFIGS / "personas" / "teddy.toml")
CHINESE = TEDDY.model_copy(update={"name": "江让", "words": {"zh": Words(stop=("停下", "别说了"), goodbye=("再见",))}})


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("stop", "stop"),
        ("Stop!", "stop"),
        ("momo stop please", "stop"),
        ("okay that is enough now", "stop"),
        ("goodbye", "goodbye"),
        ("good night momo", "goodbye"),
        ("thank you bye bye", "goodbye"),
        ("say that another way", "again"),
        ("momo can you say that differently please", "again"),
        ("say that another way of life", None),
        ("guest mode", "guest"),
        ("learn my voice", "learn_voice"),
        ("momo please learn my voice calling you", "learn_voice"),
        ("learn how I call you", "learn_voice"),
        ("do you want to learn my voice", None),
        ("okay i'm a guest", "guest"),
        ("i'm a guest of honour", None),
        ("say goodbye to the cat", None),
        ("do not stop", None),
        ("what is a bus stop", None),
        ("tell me a story", None),
        ("", None),
    ],
)
def test_english(said: str, meant: str | None) -> None:
    assert TEDDY.spoken_command(said) == meant


@pytest.mark.parametrize(
    ("said", "meant"), [("停下", "stop"), ("江让，再见！", "goodbye"), ("再见吧", "goodbye"), ("明天再见面", None)]
)
def test_chinese_needs_no_spaces(said: str, meant: str | None) -> None:
    assert CHINESE.spoken_command(said) == meant


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("换个说法吧", "again"),
        ("访客模式", "guest"),
        ("別の言い方で", "again"),
        ("katakan dengan cara lain dong", "again"),
        ("学习我的声音吧", "learn_voice"),
        ("私の声を覚えて", "learn_voice"),
        ("tolong kenali suaraku", "learn_voice"),
    ],
)
def test_every_language_of_the_persona_counts(said: str, meant: str) -> None:
    assert TEDDY.spoken_command(said) == meant


def test_a_group_may_be_called_by_any_of_its_names() -> None:
    duo = load_persona(CONFIGS / "personas" / "duo.toml")
    assert duo.spoken_command("kiki stop") == "stop"
    assert duo.spoken_command("momo and kiki say it another way") == "again"


@given(st.text())
def test_anything_may_be_said(said: str) -> None:
    assert TEDDY.spoken_command(said) in (*COMMANDS, None)
