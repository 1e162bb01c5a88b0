"""The key: found in its three places, refused with one clear sentence, never shown."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.config.character import CharacterSettings
from companion.errors import ConfigError
from companion.mind.api.key import Key, find_key
from tests.support.service_scene import Line, answer, event, on


@pytest.fixture(autouse=True)
def nothing_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    monkeypatch.delenv("DASHSCOPE_API_KEY", raising=False)


def key_file(folder: Path, content: bytes = b"sk-file\n", mode: int = 0o600) -> CharacterSettings:
    path = folder / "key"
    path.write_bytes(content)
    path.chmod(mode)
    return CharacterSettings(key_file=path)


def found(settings: CharacterSettings) -> str | None:
    key = find_key(settings)
    return None if key is None else key.reveal()


def test_no_key_is_none() -> None:
    assert find_key(CharacterSettings()) is None


def test_the_credential_comes_before_the_variable_and_that_before_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = key_file(tmp_path)
    assert found(settings) == "sk-file"
    monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-variable")
    assert found(settings) == "sk-variable"
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert found(settings) == "sk-variable"
    (tmp_path / "dashscope-key").write_text("sk-credential\n")
    assert found(settings) == "sk-credential"


def test_an_empty_variable_is_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHSCOPE_API_KEY", "")
    assert find_key(CharacterSettings()) is None


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_private_file_is_read(tmp_path: Path, mode: int) -> None:
    assert found(key_file(tmp_path, mode=mode)) == "sk-file"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o606, 0o660, 0o700])
def test_a_file_that_others_can_read_is_refused_with_the_command_that_mends_it(tmp_path: Path, mode: int) -> None:
    with pytest.raises(ConfigError, match=f"chmod 600 {tmp_path / 'key'}"):
        find_key(key_file(tmp_path, mode=mode))


def test_the_mode_that_counts_is_that_of_the_file_behind_a_link(tmp_path: Path) -> None:
    key_file(tmp_path, mode=0o644)
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "key")
    with pytest.raises(ConfigError, match="chmod 600"):
        find_key(CharacterSettings(key_file=link))


def test_what_is_no_regular_file_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    for path in (pipe, tmp_path):
        with pytest.raises(ConfigError, match="not a regular file"):
            find_key(CharacterSettings(key_file=path))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere: key_file: cannot be read"):
        find_key(CharacterSettings(key_file=tmp_path / "nowhere"))


@pytest.mark.parametrize("content", [b"sk-1\n", b"\xef\xbb\xbfsk-1", b"  sk-1\r\n\n", b"\tsk-1"])
def test_what_pasting_adds_is_taken_off(tmp_path: Path, content: bytes) -> None:
    assert found(key_file(tmp_path, content)) == "sk-1"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"sk-secret\nsk-secret\n", "line break"),
        (b"sk-sec ret", "space"),
        (b"sk-sec\x00ret", "invisible"),
        ("sk-sec\u200bret".encode(), "invisible"),
        (b'"sk-secret"', "quotation marks"),
        (b"sk-secret" * 1000, "too long"),
        ("sk-secret".encode("utf-16"), "plain text"),
    ],
)
def test_what_cannot_be_a_key_is_refused_and_not_shown(tmp_path: Path, content: bytes, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem) as caught:
        find_key(key_file(tmp_path, content))
    assert "sec" not in str(caught.value)


def test_a_bad_variable_is_refused_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-a sk-b")
    with pytest.raises(ConfigError, match="DASHSCOPE_API_KEY: key: has a space"):
        find_key(CharacterSettings())


def test_a_key_hides_itself() -> None:
    key = Key("sk-secret")
    shown = [repr(key), str(key), f"{key}", f"{[key]}", "%s" % key]  # noqa: UP031  # the way logging does it
    assert not any("sk-secret" in text for text in shown)
    with pytest.raises(TypeError):
        pickle.dumps(key)


SECRET = "sk-4f1c9a7e/2b8d+4c6f=AbCdEf"


@pytest.mark.parametrize(
    "said",
    [
        SECRET,
        f"Incorrect API key provided: {SECRET}.",
        f"Bearer{SECRET}",
        # As a code is written: without some signs, in other case, cut.
        SECRET.replace("/", "").replace("+", "").replace("=", ""),
        SECRET.upper(),
        SECRET[:12],
        f"{SECRET} {SECRET[8:]}",
    ],
)
def test_no_piece_of_the_key_is_left_in_what_the_service_says(said: str) -> None:
    left = Key(SECRET).redact(said)
    assert "(hidden)" in left
    for form in (SECRET.lower(), SECRET.lower().replace("/", "").replace("+", "").replace("=", "")):
        assert not any(form[at : at + 8] in left.lower() for at in range(len(form) - 7))


@given(st.text(max_size=40), st.text(max_size=40))
def test_all_else_of_what_it_says_stays(before: str, after: str) -> None:
    # What the texts have in common with the key is short.
    key = Key("\x7f".join("0123456789"))
    assert key.redact(before + after) == before + after
    assert Key("k").redact("lack") == "lac(hidden)"


@pytest.mark.looptime
@pytest.mark.parametrize("size", [1, 2, 5, 100])
async def test_an_answer_that_holds_the_key_is_said_without_it(size: int) -> None:
    said = f"I know {SECRET}, my friend."
    pieces = [event(said[at : at + size]) for at in range(0, len(said), size)]
    character = on(Line([*pieces, event("", "stop")]), key=Key(SECRET))
    heard = await answer(character)
    assert heard.startswith("I know (hidden)")
    assert heard.endswith(", my friend.")
    assert not any(SECRET[at : at + 8] in heard for at in range(len(SECRET) - 7))


@pytest.mark.looptime
async def test_a_key_that_is_a_word_stays_a_word_of_an_answer() -> None:
    character = on(Line([event("My cup is empty."), event("", "stop")]), key=Key("EMPTY"))
    assert await answer(character) == "My cup is empty."
