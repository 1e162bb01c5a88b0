"""The button that is held at power-on: a factory reset, and nothing where it is let go in time."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from companion.body.gpio_switches import PushToTalkButton
from companion.factory_reset import is_asked
from companion.service.reset import HELD_S, ResetAsked, reset_if_held
from tests.support.mock_pins import Pins


@pytest.mark.looptime
async def test_a_button_that_is_held_from_power_on_says_so_and_has_everything_erased(
    tmp_path: Path, pins: Pins
) -> None:
    said: list[float] = []
    loop = asyncio.get_running_loop()
    began = loop.time()
    button = PushToTalkButton(17, lambda _: None)
    pins.pin(17).drive_low()
    assert button.is_down
    with pytest.raises(ResetAsked):
        await reset_if_held(lambda: button.is_down, tmp_path, lambda: said.append(loop.time() - began))
    assert said == [pytest.approx(HELD_S, abs=0.2)]
    assert is_asked(tmp_path)
    button.close()


@pytest.mark.looptime
@pytest.mark.parametrize("released_at", [0.0, 9.8])
async def test_a_button_that_is_let_go_before_erases_nothing(tmp_path: Path, pins: Pins, released_at: float) -> None:
    button = PushToTalkButton(17, lambda _: None)
    pins.pin(17).drive_low()
    assert button.is_down
    asyncio.get_running_loop().call_later(released_at, pins.pin(17).drive_high)
    await reset_if_held(lambda: button.is_down, tmp_path, lambda: pytest.fail("it says that it begins anew"))
    assert not is_asked(tmp_path)
    button.close()
