"""A filled-in companion.toml configures the unit: what is stored, blanked, reported and kept on the next start."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from companion.cli.provision import provision as command
from companion.config.device import load_device
from companion.config.persona import load_persona
from companion.errors import ConfigError
from companion.identity import parse_unit_number
from companion.provisioning.device_file import check_installer_file
from companion.provisioning.run import CONFIGS
from tests.support.provisioned_unit import FILLED, KEY, PASSWORD, SERIAL, Unit, new_unit


def test_a_filled_in_file_sets_the_unit_up(unit: Unit) -> None:
    unit.write_card(FILLED)
    outcome = unit.start()
    assert outcome.to_do == ()
    assert "ALL IS WELL" in unit.report
    assert unit.key == KEY
    assert unit.wifi == {"ssid": "Nursery Net", "password": PASSWORD, "country": "DE", "hidden": False}
    device = unit.device
    assert device.voice.speaker.volume == 0.8
    assert device.memory.person == "Ana"
    assert device.body == load_device(CONFIGS / "devices" / "toy.toml").body
    assert load_persona(device.persona).name == "Momo"


def test_the_secrets_are_blanked_and_every_other_byte_stays(unit: Unit) -> None:
    unit.write_card(FILLED.replace("\n", "\r\n"))
    unit.start()
    expected = FILLED.replace(KEY, "").replace(PASSWORD, "")
    assert unit.file == expected.replace("\n", "\r\n")


def test_only_root_can_read_what_was_stored(unit: Unit) -> None:
    unit.write_card(FILLED)
    unit.start()
    for path in (unit.credentials).iterdir():
        assert path.stat().st_mode & 0o777 == 0o600, path
    assert (unit.credentials).stat().st_mode & 0o777 == 0o700
    assert (unit.boot.parent / "network" / "companion.nmconnection").stat().st_mode & 0o777 == 0o600


def test_the_report_is_readable_on_any_laptop_and_holds_no_secret_and_no_serial(unit: Unit) -> None:
    unit.write_card(FILLED)
    number = unit.start().number
    raw = (unit.boot / "companion-report.txt").read_bytes()
    assert raw.count(b"\n") == raw.count(b"\r\n") > 10
    assert parse_unit_number(number) in unit.report
    for secret in (KEY, PASSWORD, SERIAL):
        assert secret not in unit.report


def test_a_second_start_changes_nothing_and_writes_nothing(unit: Unit) -> None:
    unit.write_card(FILLED)
    first = unit.start()
    times = {path: path.stat().st_mtime_ns for path in unit.boot.parent.rglob("*")}
    second = unit.start()
    assert second == first
    assert {path: path.stat().st_mtime_ns for path in unit.boot.parent.rglob("*")} == times
    assert unit.key == KEY


def test_networkmanager_gets_the_wifi(unit: Unit) -> None:
    unit.write_card(FILLED.replace("Nursery Net", "Küche 7").replace(PASSWORD, " back\\\\slash; "))
    unit.start()
    profile = (unit.boot.parent / "network" / "companion.nmconnection").read_text()
    # A name with other letters goes as its bytes.
    assert f"ssid={''.join(f'{byte};' for byte in 'Küche 7'.encode())}" in profile
    assert "psk=\\sback\\\\slash;\\s" in profile
    assert "key-mgmt=wpa-psk" in profile


def test_a_new_key_takes_the_old_ones_place_and_remove_takes_it_away(unit: Unit) -> None:
    unit.write_card(FILLED)
    unit.start()
    unit.write_card(unit.file.replace('key = ""', 'key = "sk-another-key-77"'))
    unit.start()
    assert unit.key == "sk-another-key-77"
    unit.write_card(unit.file.replace('key = ""', 'key = "remove"'))
    unit.start()
    assert unit.key is None
    assert 'key = "remove"' in unit.file


def test_the_wifi_stays_when_it_is_not_named_any_more_and_another_one_needs_its_own_password(unit: Unit) -> None:
    unit.write_card(FILLED)
    unit.start()
    unit.write_card('persona = "teddy"\n')
    unit.start()
    assert unit.wifi["password"] == PASSWORD
    unit.write_card('[wifi]\nssid = "Guests"\npassword = "open"\ncountry = "DE"\n')
    unit.start()
    assert unit.wifi == {"ssid": "Guests", "password": "", "country": "DE", "hidden": False}
    assert 'password = "open"' in unit.file
    unit.write_card('[wifi]\nssid = "remove"\n')
    unit.start()
    assert unit.wifi == {}
    assert not (unit.boot.parent / "network" / "companion.nmconnection").exists()


def test_a_wrong_password_leaves_the_old_wifi_and_stays_in_the_file(unit: Unit) -> None:
    unit.write_card(FILLED)
    unit.start()
    wrong = '[wifi]\nssid = "Guests"\npassword = "short"\ncountry = "DE"\n'
    unit.write_card(wrong)
    assert unit.start().to_do[0].name == "wifi.password"
    assert unit.wifi["ssid"] == "Nursery Net"
    assert unit.file == wrong
    assert "short" not in unit.report


def test_a_password_without_its_wifi_is_not_lost(unit: Unit) -> None:
    alone = f'key = "{KEY}"\npassword = "{PASSWORD}"\n'
    unit.write_card(alone)
    unit.start()
    assert PASSWORD in unit.file
    assert KEY not in unit.file
    assert "wifi.ssid: is missing" in unit.words


def test_a_persona_file_beside_it_is_checked_and_taken_along(unit: Unit) -> None:
    own = (CONFIGS / "personas" / "teddy.toml").read_text("utf-8").replace('name = "Momo"', 'name = "Bruno"', 1)
    unit.write_card(own, "Bruno.toml")
    unit.write_card('persona = "bruno"\n')
    unit.start()
    assert load_persona(unit.device.persona).name == "Bruno"
    assert unit.device.persona.parent == unit.state
    unit.write_card(own.replace("[profile]", "[profil]"), "Bruno.toml")
    unit.start()
    assert "profil: there is no such key here; did you mean profile?" in unit.words
    assert load_persona(unit.device.persona).name == "Momo"


def test_the_language_chooses_a_persona_that_speaks_it(unit: Unit) -> None:
    unit.write_card('language = "Chinese"\n')
    unit.start()
    assert load_persona(unit.device.persona).language == "zh"
    unit.write_card('language = "zh"\npersona = "teddy"\n')
    unit.start()
    assert "The persona speaks en" in unit.words


def test_a_fleets_salt_gives_a_number_that_its_maker_can_work_out(unit: Unit, tmp_path: Path) -> None:
    salted = FILLED.replace('salt = ""', 'salt = "batch 7 of the blue bears"')
    unit.write_card(salted)
    number = unit.start().number
    assert "batch 7" not in unit.file
    other = new_unit(tmp_path / "bench") if (tmp_path / "bench").mkdir() is None else unit
    other.write_card(salted)
    assert other.start().number == number
    (unit.state / "companion.db").write_bytes(b"memories")
    unit.write_card(FILLED.replace('salt = ""', 'salt = "another batch"'))
    assert unit.start().number == number
    assert "cannot be set any more" in unit.words
    assert "another batch" in unit.file


def test_a_secret_in_another_place_is_not_shown_either(unit: Unit) -> None:
    unit.write_card(f'name = "{KEY}"\nperson = "{PASSWORD} and more"\n[wifi]\nssid = "x"\npassword = "{PASSWORD}"\n')
    outcome = unit.start()
    assert KEY not in unit.report
    assert PASSWORD not in unit.report
    assert "looks like the key" in unit.words
    assert KEY not in json.dumps(outcome.as_json())


def test_a_dry_run_reports_and_writes_nothing(unit: Unit) -> None:
    unit.write_card(FILLED.replace("volume = 80", "volume = 800"))
    arguments = ["--boot", str(unit.boot), "--state", str(unit.state), "--dry-run"]
    done = CliRunner().invoke(command, arguments)
    assert done.exit_code == 78
    assert "a number from 0 to 100" in done.output
    assert KEY not in done.output
    assert [path.name for path in unit.boot.iterdir()] == ["companion.toml"]
    assert list(unit.state.iterdir()) == []


def test_the_command_speaks_json_and_puts_the_key_where_systemd_looks_for_it(unit: Unit, tmp_path: Path) -> None:
    unit.write_card(FILLED)
    store = tmp_path / "credstore"
    arguments = ["--boot", str(unit.boot), "--state", str(unit.state), "--credstore", str(store), "--json"]
    done = CliRunner().invoke(command, arguments)
    assert done.exit_code == 0
    told = json.loads(done.output)
    assert told["ok"] is True
    assert told["well"]["wifi"] == "Nursery Net"
    assert (store / "dashscope-key").read_text() == f"{KEY}\n"
    assert (store / "dashscope-key").stat().st_mode & 0o777 == 0o600


def test_the_shipped_file_is_valid_and_an_edited_one_can_be_checked(unit: Unit) -> None:
    check_installer_file(CONFIGS / "boot" / "companion.toml")
    unit.write_card(FILLED.replace("volume = 80", "volume = 800"))
    with pytest.raises(ConfigError, match=r"companion\.toml:18: volume: write a number") as error:
        check_installer_file(unit.boot / "companion.toml")
    assert KEY not in str(error.value)
