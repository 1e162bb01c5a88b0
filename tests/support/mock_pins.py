"""Mock pins of gpiozero that a test can wait for, and a device with something on each of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from gpiozero.pins.mock import MockFactory, MockPWMPin

from companion.body.gpio import GpioBody
from companion.config.body import BodySettings

PATIENCE_S = 10.0


CHANNELS = {
    "eyes": {"kind": "light"},
    "glow": {"kind": "light"},
    "head": {"kind": "servo", "low": -80, "high": 80},
    "wheels": {"kind": "motor"},
    "mouth": {"kind": "mouth"},
}


PARTS = {
    "head": {"kind": "servo", "pin": 12},
    "eyes": {"kind": "rgb_led", "red": 17, "green": 27, "blue": 22},
    "glow": {"kind": "led", "pin": 5},
    "wheels": {"kind": "motor", "forward": 23, "backward": 24, "enable": 25},
    "mouth": {"kind": "led", "pin": 6, "active_high": False},
}


class NoticedPin(MockPWMPin):
    """A mock pin that tells its factory of each change."""

    def _change_state(self, value: float) -> bool:
        changed = bool(super()._change_state(value))
        self.factory.changed()
        return changed


class Pins(MockFactory):
    """Mock pins that a test can wait for."""

    def __init__(self) -> None:
        super().__init__(pin_class=NoticedPin)
        self.changed: Callable[[], object] = lambda: None

    def level(self, number: int) -> float:
        """0 to 1: the duty cycle, or the level."""
        return float(self.pin(number).state)

    def width_us(self, number: int) -> float | None:
        """A servo's pulse; None while there is none."""
        pin = self.pin(number)
        return None if pin.frequency is None else round(pin.state * 1e6 / pin.frequency, 3)

    async def reach(self, wanted: Callable[[], bool]) -> None:
        """Wait until a change of some pin makes this true."""
        loop, event = asyncio.get_running_loop(), asyncio.Event()
        self.changed = lambda: loop.call_soon_threadsafe(event.set)
        async with asyncio.timeout(PATIENCE_S):
            while not wanted():
                await event.wait()
                event.clear()


def settings(**tables: object) -> BodySettings:
    """Settings of a body on the pins; `tables` are more of `[body.gpio]`."""
    return BodySettings.model_validate(
        {"outputs": ["gpio"], "channels": CHANNELS, "gpio": {"channels": PARTS, **tables}}
    )


def built(body: BodySettings) -> GpioBody:
    """That body, which the test must close."""
    assert body.gpio is not None
    return GpioBody(body.gpio, body.channels)
