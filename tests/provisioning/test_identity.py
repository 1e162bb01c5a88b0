"""The unit's identity and the number that people read out."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from companion.cli.identity import identity
from companion.config.device import Device
from companion.errors import ConfigError
from companion.identity import ensure_salt, machine_identity, parse_unit_number, unit_number
from companion.mind.assembly import device_identity

SERIAL = "10000000abcdef01"
LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

identities = st.text("0123456789abcdef", min_size=32, max_size=32)


def board(folder: Path, serial: str = SERIAL) -> list[Path]:
    path = folder / "serial-number"
    path.write_text(serial + "\0")
    return [path]


def state(folder: Path) -> Path:
    path = folder / "state"
    path.mkdir(exist_ok=True)
    return path


def test_a_unit_without_a_salt_keeps_the_identity_that_its_sessions_were_made_from(tmp_path: Path) -> None:
    machine = board(tmp_path)
    old = device_identity(Device(persona=Path("p.toml")), machine)
    assert machine_identity(state(tmp_path), machine) == old


def test_a_unit_with_memories_never_gets_a_salt(tmp_path: Path) -> None:
    machine, folder = board(tmp_path), state(tmp_path)
    before = machine_identity(folder, machine)
    (folder / "companion.db").write_bytes(b"memories")
    assert ensure_salt(folder) == "none"
    assert ensure_salt(folder, "the fleet's salt") == "refused"
    assert machine_identity(folder, machine) == before


def test_a_fresh_unit_gets_a_salt_once_that_only_its_owner_can_read(tmp_path: Path) -> None:
    machine, folder = board(tmp_path), state(tmp_path)
    unsalted = machine_identity(folder, machine)
    assert ensure_salt(folder) == "made"
    salted = machine_identity(folder, machine)
    assert salted != unsalted
    assert (folder / "identity-salt").stat().st_mode & 0o777 == 0o600
    (folder / "companion.db").write_bytes(b"memories")
    assert ensure_salt(folder) == "kept"
    assert machine_identity(folder, machine) == salted


def test_one_salt_for_a_fleet_gives_the_maker_the_same_number_and_each_board_its_own(tmp_path: Path) -> None:
    first, second = state(tmp_path), tmp_path / "bench"
    second.mkdir()
    assert ensure_salt(first) == "made"
    assert ensure_salt(first, "a fleet of toys") == "set"
    assert ensure_salt(second, "a fleet of toys") == "set"
    assert machine_identity(first, board(tmp_path)) == machine_identity(second, board(tmp_path))
    assert machine_identity(first, board(tmp_path)) != machine_identity(first, board(tmp_path, "10000000abcdef02"))


def test_a_damaged_salt_is_logged_and_the_unit_keeps_one_identity(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    machine, folder = board(tmp_path), state(tmp_path)
    (folder / "identity-salt").write_bytes(b"\xff half")
    with caplog.at_level(logging.WARNING):
        assert machine_identity(folder, machine) == machine_identity(folder, machine)
    assert "damaged" in caplog.text


@pytest.mark.parametrize("serial", ["", "uninitialized", "0000000000000000"])
def test_a_machine_without_a_number_keeps_a_random_identity(tmp_path: Path, serial: str) -> None:
    folder = state(tmp_path)
    kept = machine_identity(folder, board(tmp_path, serial))
    assert machine_identity(folder, board(tmp_path, serial)) == kept
    # What hangs on it must not change.
    assert ensure_salt(folder) == "none"


def test_an_identity_that_cannot_be_kept_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "in the way").write_text("")
    assert len(machine_identity(tmp_path / "in the way" / "state", [])) == 32
    assert "for this run only" in caplog.text


@given(identities)
def test_the_number_is_read_back_however_it_was_written_down(one: str) -> None:
    number = unit_number(one)
    assert parse_unit_number(number) == number
    spoken = number.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert parse_unit_number(f" {spoken} ") == number


@given(identities, st.integers(0, 11), st.sampled_from(LETTERS))
def test_one_wrong_character_is_always_noticed(one: str, place: int, wrong: str) -> None:
    number = unit_number(one).replace("-", "")
    if number[place] != wrong:
        with pytest.raises(ConfigError, match="read out again"):
            parse_unit_number(number[:place] + wrong + number[place + 1 :])


@given(identities, st.integers(0, 10))
def test_two_swapped_characters_are_always_noticed(one: str, place: int) -> None:
    number = unit_number(one).replace("-", "")
    if number[place] != number[place + 1]:
        with pytest.raises(ConfigError, match="read out again"):
            parse_unit_number(number[:place] + number[place + 1] + number[place] + number[place + 2 :])


@given(st.text(max_size=30))
def test_anything_else_is_refused(said: str) -> None:
    try:
        number = parse_unit_number(said)
    except ConfigError:
        return
    assert len(number) == 17


def test_the_command_prints_the_number_and_its_code_but_never_the_serial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(state(tmp_path)))
    shown = CliRunner().invoke(identity, [])
    number = shown.output.splitlines()[0]
    assert parse_unit_number(number) == number
    assert "█" in shown.output
    machine = [Path("/etc/machine-id"), Path("/proc/device-tree/serial-number")]
    raw = [path.read_text().strip("\0\n") for path in machine if path.exists()]
    assert not any(one and one in shown.output for one in raw)
    assert json.loads(CliRunner().invoke(identity, ["--json"]).output) == {"number": number}


def test_the_command_writes_the_code_for_printing(tmp_path: Path) -> None:
    svg = tmp_path / "unit.svg"
    done = CliRunner().invoke(identity, ["--state", str(state(tmp_path)), "--svg", str(svg)])
    assert done.exit_code == 0
    assert done.output.strip() in svg.read_text()
    assert svg.read_text().startswith("<?xml")


def test_the_command_uses_the_identity_that_the_device_file_names(tmp_path: Path) -> None:
    device = tmp_path / "device.toml"
    device.write_text('persona = "p.toml"\nidentity = "unit-7"\n')
    done = CliRunner().invoke(identity, ["--device", str(device), "--json"])
    assert json.loads(done.output) == {"number": unit_number("unit-7")}


def test_the_command_checks_a_number() -> None:
    number = unit_number("a" * 32)
    assert number in CliRunner().invoke(identity, ["--check", number.lower()]).output
    refused = CliRunner().invoke(identity, ["--check", number[:-1]])
    assert isinstance(refused.exception, ConfigError)
