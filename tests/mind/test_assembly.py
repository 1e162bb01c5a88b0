"""The identity of a unit, from which its sessions are made."""

from __future__ import annotations

from pathlib import Path

import pytest

from companion.config.device import Device
from companion.mind.assembly import device_identity

SERIAL = "10000000abcdef01"


def device(identity: str | None = None) -> Device:
    return Device(persona=Path("p.toml"), identity=identity)


def file(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.write_text(content)
    return path


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
