"""The contacts of a hull on the board's own pins: button, touch sensor, mute switch, lid, a car under way.

Read on the event loop's thread (a read takes microseconds); changes come from threads of gpiozero's and are handed over
to it. A contact that cannot be opened is tried again after a second, then twice as long each time up to 30 s.

Safety. A mute switch is read before anything else happens, and one that cannot be read counts as closed: nobody is
listened to by mistake.

The push-to-talk button of `ears.wake.button_pin`, between the pin and ground.

`[body.gpio]` knows more contacts. Calls back on a thread of gpiozero's; the caller hands over to its loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial

from companion.body.gpio_pins import Switch
from companion.body.inputs import BodyEvent
from companion.config.outputs import GpioSettings, SwitchPart
from companion.errors import DeviceError

log = logging.getLogger("companion")

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0

_AT_WORK = {
    "button": BodyEvent("wake", "button"),
    "touch": BodyEvent("wake", "touch"),
    "mute": BodyEvent("mute", "mute switch"),
    "lid": BodyEvent("lock", "lid"),
    "under_way": BodyEvent("lock", "under_way"),
}
_AT_REST = {
    "mute": BodyEvent("unmute", "mute switch"),
    "lid": BodyEvent("unlock", "lid"),
    "under_way": BodyEvent("unlock", "under_way"),
}


class GpioSwitches:
    """The contacts of `settings`. `callback` is called on the event loop; build it there."""

    def __init__(self, settings: GpioSettings, callback: Callable[[BodyEvent], object]) -> None:
        """Opens what can be opened, and tells what is not at rest. Raises nothing."""
        self._parts = settings.switches()
        self._callback = callback
        self._loop = asyncio.get_running_loop()
        self._open: dict[str, Switch] = {}
        self._told: dict[str, bool] = {}
        self._pause = FIRST_PAUSE_S
        self._complained = False
        self._retry: asyncio.TimerHandle | None = None
        self._try()

    def close(self) -> None:
        """Let go of the pins. Nothing is told any more."""
        if self._retry is not None:
            self._retry.cancel()
        self._parts = {}
        for switch in self._open.values():
            switch.close()
        self._open.clear()

    def _try(self) -> None:
        self._retry = None
        for name, part in self._parts.items():
            if name in self._open:
                continue
            try:
                switch = Switch(f"body.gpio.{name}", part, partial(self._changed, name))
            except DeviceError as error:
                if not self._complained:
                    log.warning("%s It is tried again%s.", error, "; until then it counts as closed" * (name == "mute"))
                if name == "mute":
                    self._take(name, True)
            else:
                self._open[name] = switch
                self._take(name, switch.active)
        missing = self._parts.keys() - self._open.keys()
        self._complained = bool(missing)
        if missing:
            self._retry = self._loop.call_later(self._pause, self._try)
            self._pause = min(2 * self._pause, LONGEST_PAUSE_S)

    def _changed(self, name: str, at_work: bool) -> None:
        """A contact changed; on a thread of gpiozero's."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._take, name, at_work)

    def _take(self, name: str, at_work: bool) -> None:
        if name not in self._parts or self._told.get(name, False) == at_work:
            return
        self._told[name] = at_work
        event = (_AT_WORK if at_work else _AT_REST).get(name)
        if event is not None:
            self._callback(event)


class Button:
    """Calls `pressed` (on gpiozero's thread) each time the button goes down. `pin` is a BCM number."""

    def __init__(self, pin: int, pressed: Callable[[], object]) -> None:
        """Raises `DeviceError` when there are no GPIO pins here, or this one is taken."""
        self._switch = Switch("ears.wake.button_pin", SwitchPart(pin=pin), lambda down: down and pressed())

    def close(self) -> None:
        """Let go of the pin."""
        self._switch.close()
