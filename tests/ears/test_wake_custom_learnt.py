"""What a unit's wake word has learnt: where it lies, when it counts, and the way back."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from companion.config.wake import WakeSettings
from companion.config.word_file import WordFile, read, write
from companion.ears.wake_custom.learnt import (
    forget_learnt,
    keep_learnt,
    learnt_file,
    must_be_writable,
    outdated,
    read_learnt,
)
from companion.ears.wake_words import not_used, word_file
from companion.errors import ConfigError, DeviceError
from tests.support.own_words import own_word


def word(enrolled: int = 0, phrase: str = "hey momo") -> WordFile:
    return own_word(phrase, enrolled=enrolled)


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    path = tmp_path / "hey_momo.ww"
    write(path, word())
    return path


def wake(made: Path) -> WakeSettings:
    return WakeSettings.model_validate({"word": str(made)})


def test_what_was_learnt_is_used_in_place_of_the_installed_file(made: Path) -> None:
    kept = keep_learnt(made, word(10))
    assert kept.parent.name == "wake_words"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert kept.parent.stat().st_mode & 0o777 == 0o700
    assert (learnt_file(made), outdated(made)) == (kept, [])
    used = word_file(wake(made).listed[0])
    assert used is not None
    assert used.card.enrolled == 10
    assert read(made).card.enrolled == 0


def test_another_installed_file_is_used_as_it_is_and_that_is_told(made: Path) -> None:
    kept = keep_learnt(made, word(10))
    write(made, word(phrase="hello momo"))
    assert learnt_file(made) is None
    assert outdated(made) == [kept]
    assert read_learnt(made).phrase == "hello momo"
    (told,) = not_used(wake(made))
    assert "teach it again" in told
    assert str(kept) in told
    # The first one is back: what it has learnt counts again.
    write(made, word())
    assert (read_learnt(made).card.enrolled, [*not_used(wake(made))]) == (10, [])


def test_learning_anew_removes_what_belongs_to_an_earlier_file(made: Path) -> None:
    keep_learnt(made, word(10))
    write(made, word(phrase="hello momo"))
    kept = keep_learnt(made, word(7, "hello momo"))
    assert [*kept.parent.iterdir()] == [kept]


def test_words_with_similar_names_are_told_apart(made: Path) -> None:
    other = made.with_name("hey.ww")
    write(other, word())
    keep_learnt(made, word(10))
    assert (learnt_file(other), outdated(other)) == (None, [])
    similar = made.with_name("hey_momo-2.ww")
    write(similar, word())
    keep_learnt(similar, word(3))
    assert outdated(made) == []


def test_a_damaged_file_leaves_the_unit_with_the_installed_word(made: Path, caplog: pytest.LogCaptureFixture) -> None:
    keep_learnt(made, word(10)).write_bytes(b"companion-wake-word 1\n{")
    with caplog.at_level(logging.WARNING):
        assert read_learnt(made).card.enrolled == 0
    assert "What hey_momo.ww has learnt of voices is not used" in caplog.text


def test_forgetting_removes_it_all(made: Path) -> None:
    kept = keep_learnt(made, word(10))
    forget_learnt(made)
    assert [*kept.parent.iterdir()] == []
    with pytest.raises(ConfigError, match="has learnt nothing on this unit"):
        forget_learnt(made)


def test_what_cannot_be_kept_is_a_sentence_and_changes_nothing(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = keep_learnt(made, word(10))

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.write", full)
    with pytest.raises(DeviceError, match=r"cannot be written \(No space left on device\); nothing was changed"):
        keep_learnt(made, word(20))
    assert [*kept.parent.iterdir()] == [kept]
    assert read_learnt(made).card.enrolled == 10


def test_a_folder_that_is_none_is_told_before_anybody_speaks(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    must_be_writable(made, of_unit=True)
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(ConfigError, match="may not be written by this user; run this with sudo"):
        must_be_writable(made, of_unit=True)


def test_a_user_without_a_home_has_learnt_nothing(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STATE_DIRECTORY", "XDG_STATE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", lambda _: (_ for _ in ()).throw(KeyError("nobody")))
    assert (learnt_file(made), outdated(made)) == (None, [])
    with pytest.raises(DeviceError, match="no home folder"):
        keep_learnt(made, word(10))
