"""A button that is held for five seconds opens the owner's page; a short press only wakes. On virtual time."""

from __future__ import annotations

import asyncio

import pytest

from companion.body.inputs import HELD_S, BodyEvent, BodySwitches
from companion.service.owner_access import HeldButton
from tests.support.mock_pins import Pins, built, settings

pytestmark = pytest.mark.looptime


async def moments(seconds: float) -> None:
    """Let this much of the loop's time pass."""
    passed = asyncio.Event()
    asyncio.get_running_loop().call_later(seconds, passed.set)
    await passed.wait()


async def test_a_short_press_wakes_and_a_long_one_opens() -> None:
    done: list[str] = []
    button = HeldButton(lambda: done.append("wake"), lambda: done.append("open"))
    button.changed(True)
    await moments(HELD_S - 0.2)
    button.changed(False)
    await moments(HELD_S)
    assert done == ["wake"]
    button.changed(True)
    await moments(HELD_S + 0.1)
    button.changed(False)
    assert done == ["wake", "wake", "open"]


async def test_the_bodys_own_button_does_too(pins: Pins) -> None:
    contact = pins.pin(4)
    body = built(settings(button={"pin": 4}))
    heard: list[BodyEvent] = []
    body.events(heard.append)
    contact.drive_low()
    await moments(HELD_S + 0.1)
    contact.drive_high()
    await body.close()
    assert heard == [BodyEvent("wake", "button"), BodyEvent("hold", "button")]
    opened: list[bool] = []
    switches = BodySwitches(lambda _: None, lambda _: None, lambda _: None, lambda: 0.0)
    switches.on_hold = lambda: opened.append(True)
    switches.handle(BodyEvent("hold", "button"))
    assert opened == [True]
