"""`companion check` on languages: their files are valid, and what one lacks is a note and not a problem."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from companion.cli.check import check
from companion.languages import check as language_check
from companion.languages.check import OPTIONAL_PARTS, OptionalPart, missing, problems
from companion.languages.language import General
from companion.languages.loader import language_codes, read_part
from tests.support.paths import CONFIGS

TEDDY = CONFIGS / "personas" / "teddy.toml"


@pytest.mark.parametrize("code", language_codes())
def test_every_language_has_only_valid_files_that_are_known(code: str) -> None:
    assert problems(code) == []


def test_english_lacks_nothing() -> None:
    assert missing("en") == []


def test_what_a_language_lacks_is_a_note_and_no_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    songs = OptionalPart(lambda one: one.commands, "songs are not sung")
    monkeypatch.setattr(language_check, "OPTIONAL_PARTS", {**OPTIONAL_PARTS, "songs.toml": songs})
    done = CliRunner().invoke(check, [str(TEDDY)])
    assert done.exit_code == 0
    assert f"note: {TEDDY}: language: English has no songs.toml: songs are not sung" in done.output
    assert "1 file checked, all well." in done.output


def test_a_wrong_language_file_is_a_problem_of_the_persona_and_of_its_device(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = OptionalPart(lambda one: read_part(one.code, "commands.toml", General), "nothing")
    monkeypatch.setattr(language_check, "OPTIONAL_PARTS", {"commands.toml": wrong})
    for file in (TEDDY, CONFIGS / "devices" / "toy.toml"):
        done = CliRunner().invoke(check, [str(file)])
        assert done.exit_code == 78
        assert "languages/en/commands.toml: stop: " in done.output


def test_a_file_that_no_part_has_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language_check, "OPTIONAL_PARTS", {})
    assert "languages/en/commands.toml: -: a language has no part of this name" in problems("en")
