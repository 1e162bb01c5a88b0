"""The wake word on the card: a ready-made one, or a file of one's own beside the installer's."""

from __future__ import annotations

from pathlib import Path

import pytest

from companion.config.persona import load_persona
from companion.config.word_file import encoded
from companion.ears import wake_words
from tests.support.own_words import own_word
from tests.support.provisioned_unit import FILLED, Unit, new_unit


@pytest.fixture
def unit(tmp_path: Path) -> Unit:
    return new_unit(tmp_path)


def filled(word: str, device: str = "toy", persona: str = "teddy") -> str:
    changes = {
        'wake_word = ""': f'wake_word = "{word}"',
        'device = "toy"': f'device = "{device}"',
        'persona = "teddy"': f'persona = "{persona}"',
    }
    text = FILLED
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    return text


def test_a_file_on_the_card_is_copied_because_the_daemon_cannot_read_the_card(unit: Unit) -> None:
    word_on_card = encoded(own_word())
    unit.write_card(word_on_card, "hey momo.ww")
    unit.write_card(filled("hey momo.ww"))
    unit.start()
    [word] = unit.device.ears.wake.listed
    assert word.name == "hey momo"
    assert word.file == unit.state / "hey momo.ww"
    assert word.file.read_bytes() == word_on_card
    assert "wake_word: hey momo" in unit.report


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (encoded(own_word())[:-50], "hey momo.ww: is damaged or cut off; copy it again"),
        (b"hey momo", "hey momo.ww: is no wake word; make one with: companion wakeword train"),
        (bytes(9 << 20), "hey momo.ww: cannot be read (is far too long); name a .ww file."),
    ],
    ids=["cut off", "text", "huge"],
)
def test_a_file_that_is_no_word_is_told_and_the_unit_starts_with_its_own(
    unit: Unit, content: bytes, words: str
) -> None:
    unit.write_card(content, "hey momo.ww")
    unit.write_card(filled("hey momo.ww"))
    unit.start()
    assert [one.name for one in unit.device.ears.wake.listed] == ["okay_nabu"]
    assert words in unit.words
    assert "Until then the device's own word counts." in unit.words
    assert str(unit.state) not in unit.words


def test_a_file_that_is_not_on_the_card_is_told_and_the_devices_own_word_counts(unit: Unit) -> None:
    unit.write_card(filled("hey momo.ww"))
    unit.start()
    assert [one.name for one in unit.device.ears.wake.listed] == ["okay_nabu"]
    assert "There is no file hey momo.ww beside this one; put it there, or choose another wake word." in unit.words


def test_the_word_on_the_card_takes_the_place_of_those_of_the_built_in_device(unit: Unit) -> None:
    unit.write_card(filled("alexa", "duo"))
    unit.start()
    assert [one.name for one in unit.device.ears.wake.listed] == ["alexa"]
    assert "wake_word: alexa" in unit.report


def test_without_one_on_the_card_each_of_two_characters_keeps_its_own(unit: Unit) -> None:
    unit.write_card(filled("", "duo", "duo"))
    unit.start()
    assert unit.device.ears.wake.characters == {"okay_nabu": "Momo", "hey_jarvis": "Kiki"}
    assert "wake_word: okay_nabu, hey_jarvis (the file does not say)" in unit.words


def test_another_persona_is_woken_by_the_words_of_those_who_are_not_there(unit: Unit) -> None:
    unit.write_card(filled("", "duo", "go_prodigy"))
    unit.start()
    assert unit.device.persona.stem == "go_prodigy"
    assert [one.name for one in unit.device.ears.wake.listed] == ["okay_nabu", "hey_jarvis"]
    assert unit.device.ears.wake.characters == {}
    wake_words.check(unit.device, load_persona(unit.device.persona))
