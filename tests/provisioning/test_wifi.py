"""The networks on the card: hidden ones, a second one, open ones, and those that cannot be set up from a file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.provisioning.wifi import Wifi, networkmanager_profile, wifi_from_json
from tests.support.provisioned_unit import FILLED, KEY, PASSWORD, Unit


def profile(unit: Unit, name: str = "companion") -> str | None:
    path = unit.folders.network / f"{name}.nmconnection"
    return path.read_text() if path.exists() else None


def network(*lines: str) -> str:
    return "\n".join([f'key = "{KEY}"', "[wifi]", 'ssid = "Nursery Net"', 'country = "DE"', *lines, ""])


@pytest.mark.parametrize(
    "line",
    [
        "",
        'password = ""',
        "password =",
        f'password "{PASSWORD}"',
        f"password {PASSWORD}",
        f'pass\x01word = "{PASSWORD}"',
        f'psswd_x = "{PASSWORD}"',
        f'# password = "{PASSWORD}"',
        f'passwort = "{PASSWORD}',
        f'Kennwort: "{PASSWORD}"',
        'password = "short"',
        f'password = ["{PASSWORD}"]',
    ],
)
def test_a_password_that_got_lost_never_makes_an_open_network(unit: Unit, line: str) -> None:
    unit.write_card(network(line))
    outcome = unit.start()
    assert profile(unit) is None
    assert unit.wifi == {}
    assert outcome.to_do
    assert "wifi.password" in {one.name for one in outcome.to_do}
    assert PASSWORD not in unit.report


@pytest.mark.parametrize("word", ["open", "Open", "none"])
def test_an_open_network_is_asked_for_in_words(unit: Unit, word: str) -> None:
    unit.write_card(network(f'password = "{word}"'))
    assert unit.start().to_do == ()
    assert "key-mgmt" not in (profile(unit) or "key-mgmt")
    assert "wifi.password: none: an open network" in unit.words
    assert unit.start().to_do == ()


def test_a_hidden_network_is_asked_for_by_its_name(unit: Unit) -> None:
    unit.write_card(network(f'password = "{PASSWORD}"', "hidden = true"))
    assert unit.start().to_do == ()
    assert "hidden=true" in (profile(unit) or "")
    assert "wifi: Nursery Net (hidden)" in unit.words
    # Whoever leaves the network to the unit keeps that, too.
    unit.write_card("volume = 50\n")
    unit.start()
    assert "hidden=true" in (profile(unit) or "")
    unit.write_card(network(""))
    unit.start()
    assert "hidden" not in (profile(unit) or "hidden")


def test_a_second_network_is_used_where_the_first_is_out_of_reach(unit: Unit) -> None:
    second = '[wifi2]\nssid = "Grandma"\npassword = "strudel & plums"\nhidden = true\n'
    unit.write_card(network(f'password = "{PASSWORD}"') + second)
    assert unit.start().to_do == ()
    assert "autoconnect-priority=1" in (profile(unit) or "")
    other = profile(unit, "companion-2") or ""
    assert "ssid=Grandma" in other
    assert "autoconnect-priority=0" in other
    assert "hidden=true" in other
    assert "strudel" not in unit.file
    assert "strudel" not in unit.report
    assert "wifi2: Grandma (hidden)" in unit.words
    unit.write_card('[wifi2]\nssid = "remove"\n')
    unit.start()
    assert profile(unit, "companion-2") is None
    assert profile(unit) is not None


def test_the_same_network_twice_is_a_sentence(unit: Unit) -> None:
    unit.write_card(network(f'password = "{PASSWORD}"') + f'[wifi2]\nssid = "Nursery Net"\npassword = "{PASSWORD}"\n')
    unit.start()
    assert "wifi2.ssid: is the network of [wifi] already" in unit.words
    assert profile(unit, "companion-2") is None


@pytest.mark.parametrize(
    "line",
    [
        'identity = "ana@school.example"',
        'username = "ana"',
        'eap = "peap"',
        'security = "WPA2-Enterprise"',
        'key_mgmt = "WPA-EAP"',
        'phase2 = "mschapv2"',
    ],
)
def test_a_network_where_people_sign_in_gets_a_sentence_and_no_profile(unit: Unit, line: str) -> None:
    unit.write_card(network(f'password = "{PASSWORD}"', line))
    outcome = unit.start()
    assert profile(unit) is None
    assert [one.name for one in outcome.to_do] == ["wifi"]
    assert "WPA Enterprise" in unit.words
    assert unit.key == KEY
    # What is not in force stays in the file.
    assert PASSWORD in unit.file


def test_a_network_that_already_works_stays_when_a_wrong_kind_is_asked_for(unit: Unit) -> None:
    unit.write_card(FILLED)
    unit.start()
    unit.write_card('[wifi]\nssid = "School"\nidentity = "ana"\npassword = "not so secret"\n')
    unit.start()
    assert "ssid=Nursery Net" in (profile(unit) or "")


anything = st.text(max_size=40)


@given(anything, anything)
def test_a_profile_never_has_more_lines_than_it_should(ssid: str, password: str) -> None:
    plain = networkmanager_profile(Wifi("Home", "x" * 8, "DE")).decode()
    said = networkmanager_profile(Wifi(ssid, f"{password}x", "DE")).decode("utf-8", "surrogatepass")
    assert len(said.split("\n")) == len(plain.split("\n"))
    assert [line for line in said.split("\n") if line.startswith("[")] == [
        line for line in plain.split("\n") if line.startswith("[")
    ]


@given(st.one_of(st.binary(max_size=80), st.text(max_size=80).map(str.encode)))
def test_whatever_was_stored_is_read_or_refused(data: bytes) -> None:
    found = wifi_from_json(data)
    assert found is None or found.ssid
