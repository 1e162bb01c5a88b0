"""Mock pins of gpiozero that a test can wait for, and a device with something on each of them.

`Pins` are in the process of the test, `OwnedPins` in a process of their own, as those of a real body.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

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


class PinChange(NamedTuple):
    at: float
    """By `time.monotonic` of the process that owns the pins."""
    pin: str
    level: float
    hertz: float | None


class OwnedPins:
    """What the mock pins of another process do: `recorded_pins`, started by a body with `command`."""

    def __init__(self, path: Path) -> None:
        self.command = (sys.executable, "-m", "tests.support.recorded_pins", str(path))
        self.changes: list[PinChange] = []
        self.owners = 0
        """How many processes have owned them so far."""
        self.process = 0
        """The id of the one that owns them."""
        self._now: dict[str, PinChange] = {}
        self._news = asyncio.Event()

    def level(self, number: int) -> float:
        """0 to 1: the duty cycle, or the level."""
        change = self._now.get(f"GPIO{number}")
        return 0.0 if change is None else change.level

    def width_us(self, number: int) -> float | None:
        """A servo's pulse; None while there is none."""
        change = self._now.get(f"GPIO{number}")
        return None if change is None or change.hertz is None else round(change.level * 1e6 / change.hertz, 3)

    async def reach(self, wanted: Callable[[], bool]) -> None:
        """Wait until a change of some pin makes this true."""
        async with asyncio.timeout(PATIENCE_S):
            while not wanted():
                self._news.clear()
                await self._news.wait()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hear one owner to its end; then its pins are inputs again."""
        self.owners += 1
        try:
            self.process = int(await reader.readline())
            while line := await reader.readline():
                change = PinChange(*json.loads(line))
                self.changes.append(change)
                self._now[change.pin] = change
                self._news.set()
            self._now.clear()
            self._news.set()
        finally:
            # The test may end before the owner does.
            writer.close()


@asynccontextmanager
async def owned_pins(folder: Path) -> AsyncIterator[OwnedPins]:
    """Pins that a body with their `command` can own while this is open."""
    pins = OwnedPins(folder / "pins")
    server = await asyncio.start_unix_server(pins.serve, folder / "pins")
    async with server:
        yield pins


def settings(**tables: object) -> BodySettings:
    """Settings of a body on the pins; `tables` are more of `[body.gpio]`."""
    return BodySettings.model_validate(
        {"outputs": ["gpio"], "channels": CHANNELS, "gpio": {"channels": PARTS, **tables}}
    )


def built(body: BodySettings, pins: OwnedPins | None = None) -> GpioBody:
    """That body on these pins, which the test must close. Its switches are in the test's own process."""
    assert body.gpio is not None
    return GpioBody(body.gpio, body.channels, *(() if pins is None else (pins.command,)))
