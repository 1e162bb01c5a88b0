"""A factory reset that the owner asked for on the page or by the button: root's part of it, at the next start."""

from __future__ import annotations

from companion.factory_reset import SECRETS_ASKED_FILE, ask_reset, is_asked
from tests.support.provisioned_unit import FILLED, KEY, PASSWORD, Unit

OWNERS = (KEY, PASSWORD, "Nursery Net", "Ana")


def held(unit: Unit) -> set[str]:
    texts = [one.read_text("utf-8", "replace") for one in unit.boot.parent.rglob("*") if one.is_file()]
    return {word for word in OWNERS if any(word in text for text in texts)}


def test_key_wifi_and_names_go_from_the_unit_and_from_the_card_once(unit: Unit) -> None:
    unit.write_card(FILLED)
    unit.start()
    assert held(unit) == set(OWNERS)
    ask_reset(unit.state)
    unit.start()
    assert held(unit) == set()
    assert (unit.key, unit.wifi, unit.device.memory.person) == (None, {}, "")
    assert "factory reset: keys and Wi-Fi were erased" in unit.words
    assert not is_asked(unit.state, SECRETS_ASKED_FILE)
    unit.write_card(FILLED)
    unit.start()
    assert unit.key == KEY


def test_without_it_a_start_changes_nothing(unit: Unit) -> None:
    unit.write_card(FILLED)
    unit.start()
    unit.start()
    assert unit.key == KEY
    assert unit.wifi["ssid"] == "Nursery Net"
