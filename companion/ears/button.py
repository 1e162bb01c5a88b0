"""The push-to-talk button of `ears.wake.button_pin`, between the pin and ground.

`[body.gpio]` knows more contacts. Calls back on a thread of gpiozero's; the caller hands over to its loop.
"""

from __future__ import annotations

from collections.abc import Callable

from companion.gpio.pins import Switch
from companion.settings.outputs import SwitchPart


class Button:
    """Calls `pressed` (on gpiozero's thread) each time the button goes down. `pin` is a BCM number."""

    def __init__(self, pin: int, pressed: Callable[[], object]) -> None:
        """Raises `DeviceError` when there are no GPIO pins here, or this one is taken."""
        self._switch = Switch("ears.wake.button_pin", SwitchPart(pin=pin), lambda down: down and pressed())

    def close(self) -> None:
        """Let go of the pin."""
        self._switch.close()
