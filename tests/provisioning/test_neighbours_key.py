"""The secret that units in one room share, on the card: stored, blanked, and in force."""

from __future__ import annotations

from dataclasses import replace

import pytest

from companion.config.wake import WakeSettings
from companion.ears.neighbour_link import CREDENTIAL, find_neighbours_key
from companion.provisioning.provision import provision
from companion.provisioning.secrets import NEIGHBOURS_FILE
from tests.support.provisioned_unit import FILLED, Unit

SECRET = "p3+jkX/qQ2m9wLr7TtVb0aZc5yEu8NfD"
WITH_SECRET = FILLED.replace('neighbours = ""', f'neighbours = "{SECRET}"')


def test_one_secret_on_every_card_makes_the_units_ask_each_other(unit: Unit) -> None:
    unit.write_card(WITH_SECRET)
    assert unit.start().to_do == ()
    assert unit.device.ears.wake.neighbours
    settings = WakeSettings(neighbours_key_file=unit.credentials / NEIGHBOURS_FILE)
    assert find_neighbours_key(settings) == SECRET.encode()
    assert NEIGHBOURS_FILE == CREDENTIAL


def test_it_is_blanked_on_the_card_never_shown_and_stays_in_force(unit: Unit) -> None:
    unit.write_card(WITH_SECRET)
    unit.start()
    assert 'neighbours = ""' in unit.file
    assert SECRET not in unit.report
    assert SECRET not in (unit.state / "device.toml").read_text()
    assert unit.start().to_do == ()
    assert unit.device.ears.wake.neighbours
    assert "neighbours: is stored on the unit" in unit.report


def test_systemd_finds_it(unit: Unit) -> None:
    unit.write_card(WITH_SECRET)
    credstore = unit.boot.parent / "credstore"
    provision(replace(unit.folders, credstore=credstore), machine_files=[unit.machine])
    assert (credstore / CREDENTIAL).read_text().strip() == SECRET


def test_without_it_the_unit_answers_for_itself(unit: Unit) -> None:
    unit.write_card(FILLED)
    assert unit.start().to_do == ()
    assert not unit.device.ears.wake.neighbours


def test_it_can_be_taken_away(unit: Unit) -> None:
    unit.write_card(WITH_SECRET)
    unit.start()
    unit.write_card(FILLED.replace('neighbours = ""', 'neighbours = "remove"'))
    unit.start()
    assert not unit.device.ears.wake.neighbours
    assert not (unit.credentials / NEIGHBOURS_FILE).exists()


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("living-room", "16 characters"),
        ("four words with spaces", "16 characters"),
        ("sk-4f1c9a7e2b8d4c6f0", "looks like the key of the service"),
    ],
)
def test_what_cannot_be_a_secret_is_left_out(unit: Unit, value: str, sentence: str) -> None:
    unit.write_card(FILLED.replace('neighbours = ""', f'neighbours = "{value}"'))
    (problem,) = unit.start().to_do
    assert problem.name == "neighbours"
    assert sentence in problem.text
    assert value not in unit.report
    assert not unit.device.ears.wake.neighbours


def test_also_called_neighbors_and_anywhere_in_the_file(unit: Unit) -> None:
    unit.write_card(f"{FILLED}\nneighbors: {SECRET}\n")
    assert unit.start().to_do == ()
    assert unit.device.ears.wake.neighbours
