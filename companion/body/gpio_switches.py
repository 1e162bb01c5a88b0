"""Switches on the board's own pins: button, touch sensor, mute switch, lid, and "car under way".

`GpioSwitches` serves the switches of `[body.gpio]`, `PushToTalkButton` the single button of `ears.wake.button_pin`.
Switches are read on the event loop's thread (a read takes microseconds). Changes arrive on threads of gpiozero and are
handed over to the loop. A switch that cannot be opened is tried again after 1 s, then after twice as long each time, up
to 30 s.

Safety. The mute switch is read before anything else happens, and one that cannot be read counts as closed, so the
device never listens by mistake.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial

from companion.body.gpio_pins import Switch
from companion.body.inputs import HELD_S, BodyEvent
from companion.config.outputs import GpioSettings, SwitchPart
from companion.errors import DeviceError

log = logging.getLogger("companion")

FIRST_RETRY_S = 1.0
LONGEST_RETRY_S = 30.0

_EVENTS_WHEN_ACTIVE = {
    "button": BodyEvent("wake", "button"),
    "touch": BodyEvent("wake", "touch"),
    "mute": BodyEvent("mute", "mute switch"),
    "lid": BodyEvent("lock", "lid"),
    "under_way": BodyEvent("lock", "under_way"),
}
_EVENTS_WHEN_INACTIVE = {
    "mute": BodyEvent("unmute", "mute switch"),
    "lid": BodyEvent("unlock", "lid"),
    "under_way": BodyEvent("unlock", "under_way"),
}


class GpioSwitches:
    """The switches of `settings`. Create it on the event loop; `callback` is called there."""

    def __init__(self, settings: GpioSettings, callback: Callable[[BodyEvent], object]) -> None:
        """Opens the switches that can be opened, and reports those that are active. Raises nothing."""
        self._parts = settings.switches()
        self._callback = callback
        self._loop = asyncio.get_running_loop()
        self._open: dict[str, Switch] = {}
        self._reported: dict[str, bool] = {}
        self._pause = FIRST_RETRY_S
        self._warned = False
        self._retry: asyncio.TimerHandle | None = None
        self._hold: asyncio.TimerHandle | None = None
        self._open_missing()

    def close(self) -> None:
        """Release the pins. Nothing is reported any more."""
        if self._retry is not None:
            self._retry.cancel()
        if self._hold is not None:
            self._hold.cancel()
        self._parts = {}
        for switch in self._open.values():
            switch.close()
        self._open.clear()

    def _open_missing(self) -> None:
        self._retry = None
        for name, part in self._parts.items():
            if name in self._open:
                continue
            try:
                switch = Switch(f"body.gpio.{name}", part, partial(self._changed, name))
            except DeviceError as error:
                if not self._warned:
                    log.warning("%s It is tried again%s.", error, "; until then it counts as closed" * (name == "mute"))
                if name == "mute":
                    self._report(name, True)
            else:
                self._open[name] = switch
                self._report(name, switch.active)
        missing = self._parts.keys() - self._open.keys()
        self._warned = bool(missing)
        if missing:
            self._retry = self._loop.call_later(self._pause, self._open_missing)
            self._pause = min(2 * self._pause, LONGEST_RETRY_S)

    def _changed(self, name: str, active: bool) -> None:
        """A switch has changed. Called on a thread of gpiozero."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._report, name, active)

    def _report(self, name: str, active: bool) -> None:
        if name not in self._parts or self._reported.get(name, False) == active:
            return
        self._reported[name] = active
        if name == "button":
            self._time_hold(active)
        event = (_EVENTS_WHEN_ACTIVE if active else _EVENTS_WHEN_INACTIVE).get(name)
        if event is not None:
            self._callback(event)

    def _time_hold(self, down: bool) -> None:
        if self._hold is not None:
            self._hold.cancel()
        self._hold = self._loop.call_later(HELD_S, self._callback, BodyEvent("hold", "button")) if down else None


class PushToTalkButton:
    """The button of `ears.wake.button_pin`, wired between the pin (a BCM number) and ground.

    `on_change` is called with whether it is down, on a thread of gpiozero.
    """

    def __init__(self, pin: int, on_change: Callable[[bool], object]) -> None:
        """Raises `DeviceError` if this machine has no GPIO pins or this one is in use."""
        self._switch = Switch("ears.wake.button_pin", SwitchPart(pin=pin), on_change)

    @property
    def is_down(self) -> bool:
        """Whether it is pressed at this moment."""
        return self._switch.active

    def close(self) -> None:
        """Release the pin."""
        self._switch.close()
