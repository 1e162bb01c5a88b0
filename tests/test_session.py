"""The session's identity, and the history that goes with every request."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.config import Device
from companion.mind.session import History, device_identity, session_id

SERIAL = "10000000abcdef01"


def device(identity: str | None = None) -> Device:
    return Device(persona=Path("p.toml"), identity=identity)


def file(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.write_text(content)
    return path


def test_the_session_is_the_same_for_the_same_and_another_for_all_others() -> None:
    ids = [
        session_id("unit", "Momo"),
        session_id("unit2", "Momo"),
        session_id("unit", "Mimi"),
        session_id("unit", "Momo", "Ana"),
        session_id("unit", "Momo", "Ana", 1),
        session_id("unit", "MomoAna"),
    ]
    assert len(set(ids)) == len(ids)
    assert session_id("unit", "Momo") == ids[0]
    assert {uuid.UUID(one).version for one in ids} == {5}


def test_the_given_identity_is_used(tmp_path: Path) -> None:
    assert device_identity(device("unit-7"), [file(tmp_path, "serial", SERIAL)]) == "unit-7"


def test_the_machine_gives_a_lasting_identity_that_does_not_show_its_number(tmp_path: Path) -> None:
    serial = file(tmp_path, "serial", SERIAL + "\0")
    identity = device_identity(device(), [serial])
    assert identity == device_identity(device(), [serial])
    assert SERIAL not in identity
    assert identity != device_identity(device(), [file(tmp_path, "other", "10000000abcdef02")])


def test_boards_flashed_from_one_image_differ(tmp_path: Path) -> None:
    machine_id = file(tmp_path, "machine-id", "0123456789abcdef0123456789abcdef\n")
    first = device_identity(device(), [file(tmp_path, "a", SERIAL), machine_id])
    second = device_identity(device(), [file(tmp_path, "b", "10000000abcdef02"), machine_id])
    assert first != second


@pytest.mark.parametrize("nothing", ["", "\n", "uninitialized\n", "0000000000000000"])
def test_a_machine_without_a_number_gets_a_random_identity_that_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nothing: str
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", f"{tmp_path / 'state'}:/elsewhere")
    empty = [tmp_path / "missing", file(tmp_path, "machine-id", nothing)]
    identity = device_identity(device(), empty)
    assert identity == device_identity(device(), empty)
    assert (tmp_path / "state" / "device-identity").read_text() == identity


def test_a_damaged_identity_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    (tmp_path / "companion").mkdir()
    kept = tmp_path / "companion" / "device-identity"
    kept.write_bytes(b"\xff\x00half")
    identity = device_identity(device(), [])
    assert kept.read_text() == identity


def test_where_nothing_can_be_kept_the_identity_holds_for_this_run_and_the_log_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(file(tmp_path, "in the way", "") / "state"))
    assert device_identity(device(), []) != device_identity(device(), [])
    assert "for this run only" in caplog.text


def roles(history: History) -> str:
    return "".join(message["role"][0] for message in history.messages("next"))


def test_the_request_begins_with_the_character_and_ends_with_the_person() -> None:
    history = History("You are Momo.", "Hello!", 10)
    history.add("hi", "Hi there.")
    assert history.messages("sing") == [
        {"role": "system", "content": "You are Momo."},
        {"role": "assistant", "content": "Hello!"},
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "Hi there."},
        {"role": "user", "content": "sing"},
    ]


def test_without_an_opening_line_there_is_no_empty_message() -> None:
    assert roles(History("You are Momo.", " ", 10)) == "su"


def test_words_that_got_no_answer_stay_and_no_empty_message_is_made() -> None:
    history = History("s", "o", 10)
    history.add("first", " ")
    history.add("second", "Yes.")
    assert roles(history) == "sauuau"
    assert all(message["content"] for message in history.messages("x"))


heard_or_not = st.sampled_from(["", "Yes."])


@given(st.integers(2, 30), st.lists(heard_or_not, max_size=120))
def test_the_history_is_bounded_and_holds_whole_exchanges_the_newest_among_them(
    longest: int, answers: list[str]
) -> None:
    history = History("s", "o", longest)
    for number, heard in enumerate(answers):
        history.add(f"q{number}", heard and f"a{number}")
        recent = history.messages("now")[2:-1]
        assert len(recent) <= max(longest, 2)
        kept = [int(message["content"][1:]) for message in recent if message["role"] == "user"]
        assert kept == list(range(kept[0], number + 1))
        expected = [content for n in kept for content in (f"q{n}", *([f"a{n}"] if answers[n] else []))]
        assert [message["content"] for message in recent] == expected


def test_the_prefix_changes_only_once_in_many_turns() -> None:
    history = History("s", "o", 40)
    changes = 0
    for number in range(200):
        before = history.messages("x")[:-1]
        history.add(f"q{number}", f"a{number}")
        changes += history.messages("x")[: len(before)] != before
    # Each cut makes room for ten exchanges.
    assert changes == pytest.approx(18, abs=1)


def test_a_history_that_is_too_long_for_the_service_can_be_shortened_to_nothing() -> None:
    history = History("s", "", 40)
    for number in range(5):
        history.add(f"q{number}", "a")
    lengths = []
    while history.shorten():
        lengths.append(len(history.messages("x")))
    assert lengths == [6, 4, 2]
