"""Which sound device a setting means: its name, its number, a part of its name, or ALSA's name of its card. Pure.

A setting that fits two devices, or none, is an error: a toy that listens with the wrong microphone looks broken, and
nothing says why.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from companion.errors import DeviceError

_ALSA_NAME = re.compile(r"(?:(?:plug)?hw:|\w+:card=)(?:card=)?(?P<card>[^,\s]+)(?:,(?:dev=)?(?P<device>\d+))?(?:,.*)?")
"""A name as `arecord -L` (`plughw:CARD=Device,DEV=0`) or ALSA's own settings (`hw:1,0`) write it, casefolded."""

_HARDWARE = re.compile(r"\(hw:(\d+),(\d+)\)$")
"""How PortAudio ends the name of a device of a card: the card's number, the device's number."""

_KERNEL_CARD = re.compile(r"^ *(\d+) \[(\S+) *\]:", re.MULTILINE)
"""A card in /proc/asound/cards: its number, its ALSA name."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A device that PortAudio lists."""

    number: int
    name: str


def choose_device(setting: str, noun: str, usable: Sequence[Listed], default: int, cards: str = "") -> Listed:
    """The device that `setting` means. `usable` are the devices of the direction, at least one.

    `default` is the number of the system's choice, `cards` the text of /proc/asound/cards, `noun` the word for the
    message. Raises `DeviceError`, whose message lists the devices.
    """
    wanted = setting.strip().casefold()
    if wanted in ("", "default"):
        return next((each for each in usable if each.number == default), usable[0])
    found = [each for each in usable if each.name.casefold() == wanted]
    if not found and wanted.isdecimal():
        found = [each for each in usable if each.number == int(wanted)]
    elif not found and (alsa := _ALSA_NAME.fullmatch(wanted)):
        found = [each for each in usable if _is_on_card(each, alsa["card"], alsa["device"], cards)]
    elif not found:
        found = [each for each in usable if wanted in each.name.casefold()]
    if len(found) == 1:
        return found[0]
    if found:
        fits = "write the whole name, or the number" if len({each.name for each in found}) > 1 else "write its number"
        raise DeviceError(f"more than one {noun} fits {setting!r}: {list_devices(found)}; {fits}")
    what = f"number {setting.strip()}" if wanted.isdecimal() else f"called {setting!r}"
    raise DeviceError(f"there is no {noun} {what}; there are: {list_devices(usable)}")


def list_devices(devices: Sequence[Listed]) -> str:
    """The devices for a message, each with the number and the name that a setting may have."""
    return ", ".join(f"{each.number} = {each.name}" for each in devices)


def _is_on_card(device: Listed, card: str, number: str | None, cards: str) -> bool:
    hardware = _HARDWARE.search(device.name)
    if hardware is None:
        return False
    names = {at: name.casefold() for at, name in _KERNEL_CARD.findall(cards)}
    on_card = card in (hardware[1], names.get(hardware[1]))
    return on_card and (number is None or int(number) == int(hardware[2]))
