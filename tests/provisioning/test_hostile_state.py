"""Whoever broke into the daemon owns its folder: nothing put there gives them root's files or the network."""

from __future__ import annotations

import json
import os
import shutil

import pytest

from companion.provisioning.provision import provision
from tests.support.paths import ROOT
from tests.support.provisioned_unit import FILLED, KEY, PASSWORD, Unit

SECRET = "root:$6$abcdefgh"


def store(unit: Unit, name: str, data: bytes) -> None:
    unit.credentials.mkdir(mode=0o700, exist_ok=True)
    (unit.credentials / name).write_bytes(data)


def start(unit: Unit) -> str:
    """One start with the copy for systemd; what the daemon would be handed."""
    credstore = unit.boot.parent / "credstore"
    folders = unit.folders
    provision(
        type(folders)(folders.boot, folders.state, folders.credentials, folders.network, credstore),
        machine_files=[unit.machine],
    )
    handed = credstore / "dashscope-key"
    return handed.read_text() if handed.exists() else ""


def test_secrets_lie_outside_the_daemons_folder(unit: Unit) -> None:
    unit.write_card(FILLED)
    assert start(unit) == f"{KEY}\n"
    assert not (unit.state / "credentials").exists()
    for path in unit.state.rglob("*"):
        assert KEY.encode() not in path.read_bytes()
        assert PASSWORD.encode() not in path.read_bytes()


@pytest.mark.parametrize("name", ["dashscope-key", "wifi.json", "wifi2.json"])
@pytest.mark.parametrize("kind", ["link", "fifo", "folder", "second name", "long"])
@pytest.mark.parametrize("folder", ["state-provision", "state/credentials"])
def test_nothing_but_a_plain_file_is_read(unit: Unit, name: str, kind: str, folder: str) -> None:
    target = unit.boot.parent / "shadow"
    target.write_text(SECRET)
    place = unit.boot.parent / folder / name
    place.parent.mkdir(mode=0o700)
    match kind:
        case "link":
            place.symlink_to(target)
        case "fifo":
            os.mkfifo(place)
        case "folder":
            place.mkdir()
        case "second name":
            os.link(target, place)
        case "long":
            place.write_bytes(b"k" * 100_000)
    unit.write_card("volume = 50\n")
    assert start(unit) == ""
    assert SECRET not in unit.report
    assert f"{name} cannot be used" in unit.words
    assert not (unit.folders.network / "companion.nmconnection").exists()


def test_a_folder_in_the_old_place_that_is_a_link_is_not_followed(unit: Unit) -> None:
    elsewhere = unit.boot.parent / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    (elsewhere / "dashscope-key").write_text("sk-of-somebody-else")
    (unit.state / "credentials").symlink_to(elsewhere)
    unit.write_card("volume = 50\n")
    assert start(unit) == ""
    assert (elsewhere / "dashscope-key").exists()
    assert "is not a folder of our own" in unit.words


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files of another user")
@pytest.mark.parametrize("what", ["folder", "file"])
def test_what_belongs_to_another_user_is_not_taken_for_a_secret(unit: Unit, what: str) -> None:
    old = unit.state / "credentials"
    old.mkdir(mode=0o700)
    (old / "dashscope-key").write_text("sk-of-the-intruder")
    os.chown(old if what == "folder" else old / "dashscope-key", 65534, 65534)
    unit.write_card("volume = 50\n")
    assert start(unit) == ""
    assert "cannot be used" in unit.words


def test_an_older_units_secrets_are_moved_and_stay_in_force(unit: Unit) -> None:
    unit.write_card(FILLED)
    unit.start()
    (unit.credentials / "wifi-country").unlink()
    shutil.move(unit.credentials, unit.state / "credentials")
    (unit.credentials.parent / "network" / "companion.nmconnection").unlink()
    unit.write_card(unit.file)
    assert start(unit) == f"{KEY}\n"
    assert unit.wifi["password"] == PASSWORD
    assert not (unit.state / "credentials").exists()
    assert (unit.folders.network / "companion.nmconnection").exists()
    assert "ALL IS WELL" in unit.report


@pytest.mark.parametrize(
    "forged",
    [
        {"ssid": "x\n[vpn]", "password": PASSWORD, "country": "DE"},
        {"ssid": "x", "password": "12345678\n[connection]\ntype=vpn", "country": "DE"},
        {"ssid": "x", "password": "12345678\r[ipv4]\rdns=10.0.0.1", "country": "DE"},
        {"ssid": "x", "password": "short", "country": "DE"},
        {"ssid": "x", "password": PASSWORD, "country": "DE; reboot"},
        {"ssid": "x", "password": PASSWORD, "country": "D\n"},
        {"ssid": "x" * 33, "password": PASSWORD, "country": "DE"},
        {"ssid": "", "password": PASSWORD, "country": "DE"},
        {"ssid": "open", "password": ["12345678"], "country": "DE"},
        {"ssid": "x", "password": PASSWORD, "country": "DE", "hidden": "true\n[vpn]"},
        [1, 2],
        "text",
        None,
    ],
)
def test_a_stored_network_is_checked_like_one_on_the_card(unit: Unit, forged: object) -> None:
    store(unit, "wifi.json", json.dumps(forged).encode())
    unit.write_card(f'key = "{KEY}"\n')
    unit.start()
    assert not (unit.folders.network / "companion.nmconnection").exists()
    assert not (unit.credentials / "wifi-country").exists()
    assert "wifi: what was stored is damaged" in unit.words


@pytest.mark.parametrize("forged", [b"sk-a key\n", b"sk-one\nsk-two\n", b"\0" * 40, b"\xff" * 40, b"sk"])
def test_a_stored_key_is_checked_like_one_on_the_card(unit: Unit, forged: bytes) -> None:
    store(unit, "dashscope-key", forged)
    unit.write_card("volume = 50\n")
    assert start(unit) == ""
    assert "what was stored is damaged. Write the key again" in unit.words


@pytest.mark.parametrize("kind", ["fifo", "endless", "link"])
@pytest.mark.parametrize(
    "name", ["identity-salt", "device-identity", "device.toml", "persona.toml", "companion-report.txt"]
)
def test_no_pipe_or_device_in_the_daemons_folder_holds_the_start_up(unit: Unit, name: str, kind: str) -> None:
    target = unit.boot.parent / "shadow"
    target.write_text(SECRET)
    place = unit.state / name
    if kind == "fifo":
        os.mkfifo(place)
    else:
        place.symlink_to("/dev/zero" if kind == "endless" else target)
    unit.write_card(FILLED)
    assert start(unit) == f"{KEY}\n"
    assert SECRET not in unit.report
    assert target.read_text() == SECRET


def test_the_daemons_folder_is_never_where_root_takes_the_country_from() -> None:
    for line in (ROOT / "systemd" / "companion-provision.service").read_text().splitlines():
        if line.startswith("Exec") and "<" in line:
            assert "/var/lib/companion/" not in line
