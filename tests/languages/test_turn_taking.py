"""By which words people show that they have finished: tables of sentences, `tests/data/turn_taking/<code>.toml`."""

from __future__ import annotations

import tomllib
from collections import Counter
from functools import cache

import pytest

from companion.config.device import EndpointSettings
from companion.ears.turn_taking import UNFINISHED, WHOLE, TurnTaking
from companion.languages.language import language
from companion.languages.loader import language_codes
from companion.languages.understood import understood
from tests.support.paths import DATA

TABLES = DATA / "turn_taking"
CODES = sorted(table.stem for table in TABLES.iterdir())
MEANING = {UNFINISHED: "unfinished", 1.0: "neither", WHOLE: "whole"}


@cache
def _turn_taking(code: str, asked: str) -> TurnTaking:
    turn_taking = TurnTaking(EndpointSettings(silence_s=1.0), understood(code))
    turn_taking.heard(asked)
    return turn_taking


def _meaning(code: str, text: str, asked: str = "") -> str:
    return MEANING[_turn_taking(code, asked).pause_after(text)]


def _rows(*kinds: str) -> list[tuple[str, str, str]]:
    rows = []
    for code in CODES:
        table = tomllib.loads((TABLES / f"{code}.toml").read_text(encoding="utf-8"))
        rows += [(code, kind, row) for kind in kinds for row in table[kind].splitlines() if row]
    return rows


def test_every_language_has_a_table_that_is_long_enough() -> None:
    assert [code for code in language_codes() if language(code).turn_taking.whole and code not in CODES] == []
    kinds = ("whole", "unfinished", "neither", "answers", "no_answers", "listening", "interrupts")
    lengths = Counter(code for code, *_ in _rows(*kinds))
    assert {code: length for code, length in lengths.items() if length < 60} == {}


@pytest.mark.parametrize(("code", "kind", "said"), _rows("whole", "unfinished", "neither"))
def test_the_last_words_tell_whether_a_sentence_goes_on(code: str, kind: str, said: str) -> None:
    assert _meaning(code, said) == kind


@pytest.mark.parametrize(("code", "_", "said"), _rows("answers"))
def test_a_short_answer_is_all_behind_a_question_only(code: str, _: str, said: str) -> None:
    assert _meaning(code, said, asked="...?") == "whole"
    assert _meaning(code, said) != "unfinished"


@pytest.mark.parametrize(("code", "_", "said"), _rows("no_answers"))
def test_an_answer_that_goes_on_is_not_all(code: str, _: str, said: str) -> None:
    assert _meaning(code, said, asked="...?") != "whole"


@pytest.mark.parametrize(("code", "kind", "said"), _rows("listening", "interrupts"))
def test_a_listeners_words_stop_nobody_and_others_do(code: str, kind: str, said: str) -> None:
    assert _turn_taking(code, "").interrupts(said) == (kind == "interrupts")
