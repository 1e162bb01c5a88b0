"""Switches on the board's own pins: a mute switch that cannot be missed, buttons, lid, and what they do."""

from __future__ import annotations

import asyncio
import itertools

import gpiozero
import pytest

from companion.body import gpio_switches
from companion.body.gpio_switches import PushToTalkButton
from companion.body.inputs import BodyEvent, BodySwitches
from companion.errors import DeviceError
from tests.support.mock_pins import PATIENCE_S, Pins, built, settings


class Heard:
    """Records the events of a body, and what the conversation is asked to do."""

    def __init__(self) -> None:
        self.events: list[BodyEvent] = []
        self.actions: list[str] = []
        self.switches = BodySwitches(
            self.actions.append,
            lambda reason: self.actions.append(f"+{reason}"),
            lambda reason: self.actions.append(f"-{reason}"),
            itertools.count().__next__,
        )
        self._changed = asyncio.Event()

    def handle(self, event: BodyEvent) -> None:
        self.events.append(event)
        self.switches.handle(event)
        self._changed.set()

    async def wait_for(self, count: int) -> list[str]:
        async with asyncio.timeout(PATIENCE_S):
            while len(self.actions) < count:
                self._changed.clear()
                await self._changed.wait()
        return self.actions


@pytest.fixture
async def heard() -> Heard:
    return Heard()


async def test_a_closed_mute_switch_mutes_before_anything_else(pins: Pins, heard: Heard) -> None:
    contact = pins.pin(4)
    body = built(settings(mute={"pin": 4, "pull": False}))
    contact.drive_low()
    body.events(heard.handle)
    assert heard.actions == ["mute"]
    assert heard.switches.muted
    assert not heard.switches.allows("unmute")
    assert not heard.switches.allows("wake")
    assert heard.switches.allows("stop")
    contact.drive_high()
    assert await heard.wait_for(2) == ["mute", "unmute"]
    assert heard.switches.allows("unmute")
    await body.close()


@pytest.mark.usefixtures("pins")
async def test_a_mute_switch_that_cannot_be_read_counts_as_closed(
    heard: Heard, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(gpio_switches, "FIRST_RETRY_S", 0.02)
    other = gpiozero.LED(4)
    body = built(settings(mute=4))
    body.events(heard.handle)
    assert heard.actions == ["mute"]
    assert "body.gpio.mute" in caplog.text
    other.close()
    assert await heard.wait_for(2) == ["mute", "unmute"]
    await body.close()


async def test_button_touch_and_lid_are_reported_on_the_event_loop(pins: Pins, heard: Heard) -> None:
    body = built(settings(button=4, touch={"pin": 26, "active_high": True}, lid=13, under_way=16))
    body.events(heard.handle)
    assert heard.actions == []
    pins.pin(4).drive_low()
    pins.pin(4).drive_high()
    pins.pin(26).drive_high()
    pins.pin(13).drive_low()
    pins.pin(16).drive_low()
    pins.pin(13).drive_high()
    assert await heard.wait_for(5) == ["wake", "wake", "+lid", "+under_way", "-lid"]
    await body.close()


async def test_a_lid_that_is_open_at_the_start_locks_motion_at_once(pins: Pins, heard: Heard) -> None:
    body = built(settings(lid={"pin": 13, "active_high": True, "pull": False}))
    pins.pin(13).drive_high()
    body.events(heard.handle)
    assert heard.actions == ["+lid"]
    await body.close()


def test_two_mute_switches_mute_until_both_are_open() -> None:
    done: list[str] = []
    switches = BodySwitches(done.append, done.append, done.append, lambda: 0.0)
    for kind, reason in (("mute", "a"), ("mute", "b"), ("unmute", "a")):
        switches.handle(BodyEvent(kind, reason))  # type: ignore[arg-type]
    assert switches.muted
    switches.handle(BodyEvent("wake", "button"))
    assert done == ["mute", "mute"]
    switches.handle(BodyEvent("unmute", "b"))
    assert done == ["mute", "mute", "unmute"]


def test_opening_a_switch_does_not_undo_a_mute_by_button_or_command() -> None:
    done: list[str] = []
    switches = BodySwitches(done.append, done.append, done.append, lambda: 0.0, muted_otherwise=lambda: True)
    switches.handle(BodyEvent("mute", "mute switch"))
    switches.handle(BodyEvent("unmute", "mute switch"))
    assert done == ["mute"]
    assert switches.allows("unmute")


def test_the_push_to_talk_button_calls_back_and_names_a_pin_in_use(pins: Pins) -> None:
    pressed: list[bool] = []
    button = PushToTalkButton(17, pressed.append)
    pins.pin(17).drive_low()
    pins.pin(17).drive_high()
    assert pressed == [True, False]
    with pytest.raises(DeviceError, match=r"ears\.wake\.button_pin"):
        PushToTalkButton(17, pressed.append)
    button.close()
