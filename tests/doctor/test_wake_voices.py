"""The voices in which the station test says a wake word."""

from __future__ import annotations

from pathlib import Path

from companion.config.persona import load_persona
from companion.config.wake import WakeWordSettings
from companion.config.word_file import write
from companion.doctor.checks_wake import WAKE_VOICES, voices_of
from tests.support.own_words import own_word
from tests.support.paths import CONFIGS


def test_a_word_of_ones_own_is_said_in_the_language_that_it_is_made_for(tmp_path: Path) -> None:
    teddy = load_persona(CONFIGS / "personas" / "teddy.toml")
    write(tmp_path / "halt.ww", own_word("halt", language="de"))
    write(tmp_path / "ciao.ww", own_word("ciao", language="xx"))
    assert voices_of(WakeWordSettings(word=tmp_path / "halt.ww"), teddy)[:2] == ("de", "de+f4")
    assert voices_of(WakeWordSettings(word=tmp_path / "another_engines.ww"), teddy)[0] == "en"
    assert voices_of(WakeWordSettings(word=tmp_path / "ciao.ww"), teddy) == WAKE_VOICES
    assert voices_of(WakeWordSettings(word="alexa"), teddy) == WAKE_VOICES
