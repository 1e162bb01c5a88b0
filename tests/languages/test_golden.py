"""What is understood in English, Chinese, Japanese and Indonesian, word for word as before languages became data.

`tests/golden/languages.jsonl` holds one utterance (`in`) a line and what was made of it; a key that is left out has the
value that an utterance without anything in it has. This test answers for facts, introductions, commands and kinds of
utterances.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from companion.config.persona import Persona, load_persona
from companion.languages.language import language
from companion.languages.memory import FACT_KINDS
from companion.languages.understood import any_of, understood
from companion.mind.memory.facts import find_facts
from companion.mind.memory.introductions import introduced_name
from companion.mind.memory.utterance import (
    asks_why,
    is_about_character,
    is_about_self,
    is_private,
    is_question,
    plain,
    without_asking_words,
)
from tests.support.paths import ROOT

AT = datetime(2026, 5, 3, 14, 30)
ALL = understood("en")
IN_ORDER = tuple(map(language, ("en", "zh", "ja", "id")))
KNOWN = ((), ("Ana", "小明", "ゆき", "Budi"))
LINES = (ROOT / "tests" / "golden" / "languages.jsonl").read_text("utf-8").splitlines()
ENTRIES: list[dict[str, Any]] = [json.loads(line) for line in LINES]


def check(key: str, answers: dict[str, Any], default: Any = None) -> None:
    """Compare one key of all entries; `answers` by utterance. Without a default it is the utterance itself."""
    wrong = {}
    for entry in ENTRIES:
        said = entry["in"]
        expected = entry.get(key, said if default is None else default)
        if answers[said] != expected:
            wrong[said] = (expected, answers[said])
    assert wrong == {}


def test_the_corpus_is_there() -> None:
    assert len(ENTRIES) > 1000


def test_facts_and_what_is_left_besides() -> None:
    found = {entry["in"]: find_facts(entry["in"], AT, ALL) for entry in ENTRIES}
    facts = {said: [[one.kind, one.subject, one.value, one.text] for one in of.facts] for said, of in found.items()}
    check("facts", facts, [])
    rest = {entry["in"]: entry.get("rest", entry.get("plain", entry["in"])) for entry in ENTRIES}
    assert {said: of.rest for said, of in found.items()} == rest


def test_introductions() -> None:
    who: dict[str, Any] = {}
    for entry in ENTRIES:
        said = entry["in"]
        who[said] = [introduced_name(said, [one], known, ("Momo",)) for one in IN_ORDER for known in KNOWN]
    check("who", who, [None] * 8)
    anybody = {entry["in"]: introduced_name(entry["in"], IN_ORDER) for entry in ENTRIES}
    assert anybody == {entry["in"]: entry.get("who_all") for entry in ENTRIES}


def test_commands() -> None:
    personas: dict[str, Persona] = {
        name: load_persona(ROOT / "configs" / "personas" / f"{name}.toml")
        for name in ("co_driver", "duo", "go_prodigy", "teddy")
    }
    commands = {}
    for entry in ENTRIES:
        heard = {name: persona.spoken_command(entry["in"]) for name, persona in personas.items()}
        commands[entry["in"]] = {name: command for name, command in heard.items() if command}
    check("command", commands, {})


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("question", is_question),
        ("self", is_about_self),
        ("character", is_about_character),
        ("why", asks_why),
        ("private", is_private),
    ],
)
def test_kinds_of_utterances(key: str, kind: Any) -> None:
    check(key, {entry["in"]: kind(entry["in"], ALL) for entry in ENTRIES}, False)


def test_what_all_facts_of_a_kind_are_asked_for_by() -> None:
    patterns = {kind: any_of(ALL, lambda one, kind=kind: one.facts.asked_for.get(kind)) for kind in FACT_KINDS}
    for entry in ENTRIES:
        text = plain(entry["in"]).lower()
        assert {kind for kind, one in patterns.items() if one.search(text)} == set(entry.get("asked", [])), entry["in"]


def test_spelling_language_and_words_that_ask() -> None:
    check("plain", {entry["in"]: plain(entry["in"]) for entry in ENTRIES})
    check("asking", {entry["in"]: without_asking_words(entry["in"], ALL) for entry in ENTRIES})
    check("language", {entry["in"]: ALL.of(entry["in"]).code for entry in ENTRIES}, "en")
