"""The push-to-talk button on a GPIO pin, between the pin and ground.

gpiozero calls back on a thread of its own; the caller hands over to its loop.
"""

from __future__ import annotations

from collections.abc import Callable

from companion.errors import DeviceError

_DEBOUNCE_S = 0.03


class Button:
    """Calls `pressed` (on gpiozero's thread) each time the button goes down. `pin` is a BCM number."""

    def __init__(self, pin: int, pressed: Callable[[], object]) -> None:
        """Raises `DeviceError` when there are no GPIO pins here, or this one is taken."""
        import gpiozero  # type: ignore[import-untyped]  # ships no types

        try:
            self._button = gpiozero.Button(pin, bounce_time=_DEBOUNCE_S)
        except (gpiozero.GPIOZeroError, OSError) as error:
            raise DeviceError(f"GPIO {pin}: the button cannot be used here: {error}") from error
        self._button.when_pressed = pressed

    def close(self) -> None:
        """Let go of the pin."""
        self._button.close()
