"""Which of the listed sound devices a setting means, and that what fits none or two is refused in a sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.errors import DeviceError
from companion.sound.device_name import Listed, choose_device

CARDS = """\
 0 [Headphones     ]: bcm2835_headphonbcm2835 Headphones - bcm2835 Headphones
                      bcm2835 Headphones
 1 [Device         ]: USB-Audio - USB PnP Sound Device
                      C-Media Electronics Inc. USB PnP Sound Device at usb-1.2, full speed
12 [Device_1       ]: USB-Audio - USB PnP Sound Device
"""
PULSE, HDMI = Listed(0, "pulse"), Listed(3, "hdmi1")
USB, USB_TOO = Listed(4, "USB PnP Sound Device: Audio (hw:1,0)"), Listed(5, "USB PnP Sound Device: Audio (hw:12,0)")
LISTED = [PULSE, HDMI, USB, USB_TOO]


def chosen(setting: str, *devices: Listed) -> Listed:
    return choose_device(setting, "microphone", devices or LISTED, 3, CARDS)


def refusal(setting: str, *devices: Listed) -> str:
    with pytest.raises(DeviceError) as refused:
        chosen(setting, *devices)
    return str(refused.value)


@pytest.mark.parametrize("setting", ["", " ", "default", "Default"])
def test_nothing_and_default_are_the_systems_choice(setting: str) -> None:
    assert chosen(setting) == HDMI
    assert chosen(setting, PULSE, USB) == PULSE


def test_digits_are_a_number_of_the_list_and_never_a_part_of_a_name() -> None:
    assert chosen("0") == PULSE
    assert chosen(" 4 ") == USB
    assert refusal("1", PULSE, HDMI) == "there is no microphone number 1; there are: 0 = pulse, 3 = hdmi1"
    assert chosen("7", PULSE, Listed(9, "7")) == Listed(9, "7")  # its whole name


@given(st.from_regex(r"[0-9]{1,3}", fullmatch=True), st.lists(st.text(max_size=6), min_size=1, max_size=9))
def test_digits_mean_the_device_of_that_name_or_that_number(setting: str, names: list[str]) -> None:
    devices = [Listed(number, name) for number, name in enumerate(names)]
    try:
        found = chosen(setting, *devices)
    except DeviceError:
        assert int(setting) >= len(names) or names.count(setting) > 1
    else:
        assert setting in (found.name, str(found.number).zfill(len(setting)))


def test_a_whole_name_counts_more_than_a_part() -> None:
    assert chosen("HDMI1", Listed(0, "hdmi10"), HDMI) == HDMI
    assert chosen("pul") == PULSE


def test_two_that_fit_are_refused_and_listed() -> None:
    told = refusal("usb pnp")
    assert told.startswith("more than one microphone fits 'usb pnp': 4 = USB PnP Sound Device: Audio (hw:1,0), 5 = ")
    assert told.endswith("; write the whole name, or the number")
    same = Listed(1, "Mic"), Listed(2, "Mic")
    assert refusal("mic", *same) == "more than one microphone fits 'mic': 1 = Mic, 2 = Mic; write its number"


@pytest.mark.parametrize(
    "setting",
    ["plughw:CARD=Device,DEV=0", "hw:CARD=device", "sysdefault:CARD=Device", "front:CARD=Device,DEV=0", "hw:1,0",
     "plughw:1", "hw:Device,0", "dsnoop:CARD=Device,DEV=0,SUBDEV=0"],
)  # fmt: skip
def test_alsas_names_are_found_by_their_card(setting: str) -> None:
    assert chosen(setting) == USB


@pytest.mark.parametrize("setting", ["plughw:CARD=Gone,DEV=0", "hw:1,3", "hw:9", "hw:CARD=,DEV=0", "hw:2"])
def test_alsas_name_of_no_device_here_says_what_there_is(setting: str) -> None:
    told = refusal(setting)
    assert told.startswith(f"there is no microphone called {setting!r}; there are: 0 = pulse, 3 = hdmi1, 4 = USB")
