"""The table `[ears.wake]`: one word, several, and files of words of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.config.device import Device, load_device
from companion.config.wake import WAKE_WORDS, WakeSettings
from companion.errors import ConfigError
from companion.provisioning.device_file import device_file_text


def wake(tmp_path: Path, text: str) -> WakeSettings:
    file = tmp_path / "unit.toml"
    file.write_text(f'persona = "duo.toml"\n[ears.wake]\n{text}\n', encoding="utf-8")
    return load_device(file).ears.wake


def refused(tmp_path: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        wake(tmp_path, text)
    [sentence] = caught.value.problems
    return sentence


def test_without_a_list_there_is_the_one_word() -> None:
    settings = Device.model_validate({"persona": "bear.toml", "ears": {"wake": "alexa"}}).ears.wake
    assert [one.name for one in settings.listed] == ["alexa"]
    assert settings.engines == ("micro",)
    assert settings.heard_by("micro") == settings.listed


def test_a_list_of_texts_and_tables(tmp_path: Path) -> None:
    settings = wake(
        tmp_path,
        'words = ["alexa", { word = "hey_jarvis", character = "Kiki", sensitivity = 0.7 }, '
        '{ word = "words/halt.ww", role = "stop" }]',
    )
    alexa, jarvis, halt = settings.listed
    assert (alexa.name, alexa.character, alexa.sensitivity, alexa.role) == ("alexa", None, 0.5, "wake")
    assert (jarvis.name, jarvis.character, jarvis.sensitivity) == ("hey_jarvis", "Kiki", 0.7)
    assert (halt.name, halt.file) == ("halt", tmp_path / "words" / "halt.ww")
    assert settings.engines == ("micro", "embedding")
    assert settings.heard_by("micro") == (alexa, jarvis)
    assert settings.heard_by("embedding") == (halt,)
    assert settings.stop_words == {"halt"}
    assert settings.characters == {"hey_jarvis": "Kiki"}


@pytest.mark.parametrize("text", ['word = "hey_momo.ww"', 'words = ["hey_momo.ww"]'])
def test_a_file_is_relative_to_the_device_file(tmp_path: Path, text: str) -> None:
    [word] = wake(tmp_path, text).listed
    assert (word.name, word.file) == ("hey_momo", tmp_path / "hey_momo.ww")


def test_another_engine_hears_all_words(tmp_path: Path) -> None:
    settings = wake(tmp_path, 'engine = "other:engine"\nwords = ["alexa", "hey_momo.ww"]')
    assert settings.engines == ("other:engine",)
    assert settings.heard_by("other:engine") == settings.listed
    assert settings.heard_by("micro") == ()


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ('word = "alexa"\nwords = ["hey_jarvis"]', "4: ears.wake.words: ", "word is given too"),
        ('words = ["alexa", "alexa"]', "3: ears.wake.words: ", '"alexa" stands in the list twice'),
        ('words = ["a/momo.ww", "b/momo.ww"]', "3: ears.wake.words: ", '"momo" stands in the list twice'),
        ('words = [{ word = "alexa", role = "stop" }]', "3: ears.wake.words: ", "nothing in the list can wake it"),
        ('words = ["alexa"]\nthreshold = 0.7', "4: ears.wake.threshold: ", "write sensitivity in each of words"),
        ('word = "momo.ww"\nthreshold = 0.7', "4: ears.wake.threshold: ", "one ready-made word"),
        ("words = []", "3: ears.wake.words: ", "names no word"),
        (f"words = {[f'{at}.ww' for at in range(9)]}", "3: ears.wake.words: ", "8 at most"),
        ('words = "alexa"', "3: ears.wake.words: ", 'write it in square brackets: ["alexa"]'),
        ("words = [7]", "3: ears.wake.words.0: ", 'write "alexa", or { word'),
        ("words = [{ word = 7 }]", "3: ears.wake.words.0.word: ", "in quotation marks"),
        ("word = 7", "3: ears.wake.word: ", "in quotation marks"),
        ('words = ["button"]', "3: ears.wake.words.0", 'no wake word can be called "button"'),
        ('words = [{ word = "alexa", sensitivity = 2 }]', "3: ears.wake.words.0.sensitivity: ", "1 or less"),
        ('words = [{ word = "alexa", role = "go" }]', "3: ears.wake.words.0.role: ", "write stop or wake"),
        (
            'words = ["alexa", { word = "halt.ww", role = "stop", character = "Kiki" }]',
            "3: ears.wake.words.1.character: ",
            "a stop word wakes nobody",
        ),
    ],
)
def test_what_cannot_be_is_told_with_its_place(tmp_path: Path, text: str, place: str, words: str) -> None:
    sentence = refused(tmp_path, text)
    assert sentence.startswith(f"{tmp_path / 'unit.toml'}:{place}")
    assert words in sentence


_names = st.sampled_from([*WAKE_WORDS, "momo.ww", "halt.ww", "a/halt.ww", "button", "", "x y"])
_items = st.one_of(
    _names,
    st.fixed_dictionaries(
        {"word": _names},
        optional={
            "role": st.sampled_from(["wake", "stop", "go"]),
            "sensitivity": st.floats(-1, 2) | st.none(),
            "character": st.sampled_from(["Kiki", ""]),
        },
    ),
    st.integers(),
)


@given(st.lists(_items, max_size=10))
def test_any_list_is_refused_or_has_a_word_that_wakes(words: list[Any]) -> None:
    try:
        settings = WakeSettings.model_validate({"words": words})
    except ValueError:
        return
    assert 1 <= len(settings.listed) == len(words) <= 8
    names = [one.name for one in settings.listed]
    assert len(set(names)) == len(names)
    assert set(names) - settings.stop_words
    assert sorted(one.name for engine in settings.engines for one in settings.heard_by(engine)) == sorted(names)


def test_the_unit_file_made_from_it_means_the_same(tmp_path: Path) -> None:
    settings = wake(tmp_path, 'words = ["alexa", { word = "momo.ww", character = "Kiki" }]')
    made = tmp_path / "state" / "device.toml"
    made.parent.mkdir()
    made.write_text(device_file_text(load_device(tmp_path / "unit.toml"), tmp_path / "unit.toml"), encoding="utf-8")
    assert load_device(made).ears.wake.listed == settings.listed
