"""The report that is written again once the network is up, or is not: what Wi-Fi and key really did."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from companion.cli.provision import provision as command
from companion.emulator import EmulatorServer
from tests.support.paths import CONFIGS
from tests.support.provisioned_unit import FILLED, KEY, PASSWORD, Unit, new_unit

Radio = Callable[..., None]


@pytest.fixture
def unit(tmp_path: Path) -> Unit:
    return new_unit(tmp_path)


@pytest.fixture(autouse=True)
def no_key_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DASHSCOPE_API_KEY", "CREDENTIALS_DIRECTORY", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def radio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Radio:
    """Sets what NetworkManager says: the active connections, and the networks in reach."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder), prepend=":")

    def says(active: str = "", seen: str = "", status: int = 0) -> None:
        program = folder / "nmcli"
        program.write_text(
            f"#!/bin/sh\ncase \"$*\" in *--active*) printf '%s' '{active}' ;; *SSID*) printf '%s' '{seen}' ;; esac\n"
            f"exit {status}\n"
        )
        program.chmod(0o755)

    return says


@contextmanager
def service(**options: str) -> Iterator[str]:
    server = EmulatorServer(required_key=options.get("key", KEY))
    yield server.start()
    server.stop()


def report(unit: Unit, address: str, card: str = FILLED) -> Result:
    """One start with this card, and the report a minute later."""
    devices = unit.boot.parent / "configs" / "devices"
    if not devices.exists():
        devices.mkdir(parents=True)
        (devices.parent / "personas").symlink_to(CONFIGS / "personas")
    persona = CONFIGS / "personas" / "teddy.toml"
    (devices / "toy.toml").write_text(f"persona = '{persona}'\n[character]\nbase_url = '{address}'\n")
    unit.write_card(card)
    arguments = ["--boot", str(unit.boot), "--state", str(unit.state), "--network", str(unit.folders.network)]
    arguments += ["--configs", str(devices.parent)]
    CliRunner().invoke(command, arguments)
    assert "the network was not looked at yet" in unit.words
    done = CliRunner().invoke(command, [*arguments, "--online"])
    assert "the network was looked at" in unit.words
    for secret in (KEY, PASSWORD):
        assert secret not in unit.report
    return done


CONNECTED = "activated:802-11-wireless:companion\n"
GONE = "http://127.0.0.1:9/v1"


def test_a_network_and_a_key_that_work_are_named(unit: Unit, radio: Radio) -> None:
    radio(active=f"activated:loopback:lo\n{CONNECTED}")
    with service() as address:
        done = report(unit, address)
    assert done.exit_code == 0, unit.report
    assert "ALL IS WELL" in unit.report
    assert "wifi now: connected to Nursery Net" in unit.words
    assert "key now: the service takes it" in unit.words


def test_the_report_stays_as_it_is_when_nothing_has_changed(unit: Unit, radio: Radio) -> None:
    radio(active=CONNECTED)
    with service() as address:
        report(unit, address)
        before = unit.report
        report(unit, address, unit.file)
    assert unit.report == before


def test_a_key_that_the_service_refuses_is_something_to_do(unit: Unit, radio: Radio) -> None:
    radio(active=CONNECTED)
    with service(key="sk-of-somebody-else") as address:
        done = report(unit, address)
    assert done.exit_code == 78
    assert "TO DO" in unit.report
    assert "does not accept the key" in unit.words
    assert "wifi now: connected" in unit.words


def test_a_wrong_password_is_told_from_a_wrong_name(unit: Unit, radio: Radio) -> None:
    radio(active="activating:802-11-wireless:companion\n", seen="Nursery Net\nNeighbours: 2\n")
    assert report(unit, GONE).exit_code == 75
    assert "wifi: Nursery Net is in reach and does not let the unit in: check the password" in unit.words
    radio(seen="nursery net\nNeighbours\n")
    assert report(unit, GONE).exit_code == 75
    assert "Nursery Net cannot be seen from here. Check the name" in unit.words
    radio()
    report(unit, GONE)
    assert "no Wi-Fi at all can be seen" in unit.words


def test_a_service_that_cannot_be_reached_is_tried_again(unit: Unit, radio: Radio) -> None:
    radio(active=CONNECTED)
    assert report(unit, GONE).exit_code == 75
    assert "cannot be reached" in unit.words
    assert "Check the network" in unit.words


def test_by_a_cable_the_wifi_alone_is_something_to_do(unit: Unit, radio: Radio) -> None:
    radio(seen="Nursery Net\n")
    with service() as address:
        assert report(unit, address).exit_code == 78
    assert "key now: the service takes it" in unit.words
    assert "does not let the unit in" in unit.words


@pytest.mark.parametrize("status", [1, 8])
def test_without_networkmanager_the_key_is_tried_all_the_same(unit: Unit, radio: Radio, status: int) -> None:
    radio(status=status)
    with service() as address:
        assert report(unit, address).exit_code == 0
    assert "wifi now" not in unit.words


def test_a_unit_without_a_key_has_nothing_to_ask(unit: Unit, radio: Radio) -> None:
    radio(active=CONNECTED)
    assert report(unit, GONE, FILLED.replace(KEY, "")).exit_code == 78
    assert "there is none" in unit.words
    assert "key now" not in unit.words


def test_a_file_that_cannot_be_used_keeps_the_report_honest(unit: Unit, radio: Radio) -> None:
    radio(active=CONNECTED)
    with service() as address:
        report(unit, address)
        done = CliRunner().invoke(
            command, ["--boot", str(unit.boot / "nowhere"), "--state", str(unit.state), "--online", "--dry-run"]
        )
    assert done.exit_code == 78
    assert "Traceback" not in done.output
