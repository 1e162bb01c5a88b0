"""`companion check`: what it remarks of wake words of one's own that can be heard."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from companion.cli.check import CheckedFiles, check_paths
from companion.config.word_file import write
from companion.ears.wake_custom.learnt import keep_learnt
from tests.support.own_words import own_word, second_look
from tests.support.paths import CONFIGS


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))


def without(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None if name == package else find(name, *more))


def checked(folder: Path, wake: str, persona: str = "teddy") -> CheckedFiles:
    path = folder / "unit.toml"
    path.write_text(f'persona = "{CONFIGS / "personas" / persona}.toml"\n[ears.wake]\n{wake}\n', encoding="utf-8")
    return check_paths([path])


def of_wake(sentences: list[str]) -> list[str]:
    return [one.partition("unit.toml:")[2] for one in sentences if ": ears.wake." in one]


def test_a_word_in_the_personas_language_is_well(tmp_path: Path) -> None:
    write(tmp_path / "momo.ww", own_word(second_look=second_look()))
    found = checked(tmp_path, 'word = "momo.ww"')
    assert found.problems == []
    assert [*of_wake(found.notes), *of_wake(found.warnings)] == []


def test_a_word_of_another_language_is_a_note(tmp_path: Path) -> None:
    write(tmp_path / "momo.ww", own_word("halt", language="de"))
    found = checked(tmp_path, 'words = ["alexa", "momo.ww"]')
    assert found.problems == []
    assert of_wake(found.warnings) == []
    assert of_wake(found.notes) == [
        "3: ears.wake.words.1.word: is made for German, and the persona speaks English; for people who say it so, "
        'make it with companion wakeword train "halt" --language en'
    ]


def test_which_of_two_files_is_heard_is_told(tmp_path: Path) -> None:
    made = tmp_path / "momo.ww"
    write(made, own_word())
    kept = keep_learnt(made, own_word(enrolled=10))
    found = checked(tmp_path, 'word = "momo.ww"')
    assert of_wake(found.notes) == [
        f"3: ears.wake.word: {kept} is heard in its place, which has learnt how it is called here"
    ]
    write(made, own_word(bias=-8.0))
    found = checked(tmp_path, 'word = "momo.ww"')
    assert of_wake(found.notes) == []
    assert found.problems == []
    assert any("teach it again" in one and str(kept) in one for one in found.warnings)


def test_nor_is_a_language_that_nobody_knows_an_error(tmp_path: Path) -> None:
    write(tmp_path / "momo.ww", own_word("ciao", language="xx"))
    found = checked(tmp_path, 'word = "momo.ww"')
    assert found.problems == []
    assert "is made for xx" in of_wake(found.notes)[0]


def test_without_pocketsphinx_it_says_what_that_costs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "pocketsphinx")
    expected = {"missed": 0.05, "missed without second look": 0.084}
    write(tmp_path / "momo.ww", own_word(second_look=second_look(), expected=expected))
    no_better = {"missed": 0.2, "missed without second look": 0.1}
    write(tmp_path / "kiki.ww", own_word("hey kiki", second_look=second_look(), expected=no_better))
    write(tmp_path / "halt.ww", own_word("halt"))
    found = checked(tmp_path, 'words = ["momo.ww", "kiki.ww", "halt.ww"]')
    assert found.problems == []
    says = "has no second look here, which needs the package pocketsphinx (Python 3.11 or 3.13)"
    assert of_wake(found.warnings) == [
        f"3: ears.wake.words.0.word: {says}: it misses about 8 % in place of 5 %",
        f"3: ears.wake.words.1.word: {says}",
    ]


def test_without_the_networks_it_is_an_error_where_nothing_else_wakes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without(monkeypatch, "pyopen_wakeword")
    write(tmp_path / "momo.ww", own_word())
    [problem] = of_wake(checked(tmp_path, 'word = "momo.ww"').problems)
    assert "install the package pyopen-wakeword for this processor" in problem
    found = checked(tmp_path, 'words = ["alexa", "momo.ww"]')
    assert found.problems == []
    assert any("install the package pyopen-wakeword" in one for one in found.warnings)


def test_words_that_are_alike_are_told_whoever_hears_them(tmp_path: Path) -> None:
    write(tmp_path / "short.ww", own_word("Jarvis"))
    found = checked(tmp_path, 'words = ["hey_jarvis", "short.ww"]')
    assert found.problems == []
    [warning] = of_wake(found.warnings)
    assert warning.startswith('3: ears.wake.words.0: who says "hey jarvis" says "jarvis" too')
