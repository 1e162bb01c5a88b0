"""One channel on the board's own pins: opened, shown, rested, and tried again when its pins cannot be used.

The caller gives the time (seconds of any clock that does not run backwards) and calls `update` whenever there is a new
frame, and at `due`. Belongs to one thread.
"""

from __future__ import annotations

import math

from companion.errors import DeviceError
from companion.events import BodyFrame
from companion.gpio.pins import Shown, open_part
from companion.settings.body import ChannelSettings
from companion.settings.outputs import LedPart, MotorPart, Part, RgbLedPart, ServoPart

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0

Values = tuple[float, ...]


class GpioChannel:
    """What `part` shows of the channel `name`. Its pins are taken with the first frame."""

    def __init__(self, name: str, part: Part, settings: ChannelSettings) -> None:
        self.name = name
        self._part = part
        self._settings = settings
        self._rest_s = (part.rest_s or math.inf) if isinstance(part, ServoPart) else math.inf
        self._shown: Shown | None = None
        self._values: Values | None = None
        self._pause = FIRST_PAUSE_S
        self._retry_at = -math.inf
        self._rest_at = math.inf

    @property
    def is_open(self) -> bool:
        """Whether its pins are ours."""
        return self._shown is not None

    @property
    def driving(self) -> bool:
        """Whether a motor turns."""
        return isinstance(self._part, MotorPart) and self._values is not None and self._values != (0.0,)

    @property
    def due(self) -> float:
        """When `update` has something to do though there is no new frame."""
        return self._retry_at if self._shown is None else self._rest_at

    def update(self, frame: BodyFrame, now: float, *, motors_may_run: bool = True) -> None:
        """Show what the frame says of this channel. Raises `DeviceError` each time its pins cannot be used."""
        values = pin_values(self._part, self._settings, frame, self.name)
        if values is None:
            return
        if isinstance(self._part, MotorPart) and not motors_may_run:
            values = (0.0,)
        try:
            self._show(values, now)
        except DeviceError:
            self.close()
            self._retry_at = now + self._pause
            self._pause = min(2 * self._pause, LONGEST_PAUSE_S)
            raise

    def close(self) -> None:
        """Let go of the pins: motors stop, pulses end."""
        shown, self._shown, self._values = self._shown, None, None
        self._rest_at = math.inf
        if shown is not None:
            shown.close()

    def _show(self, values: Values, now: float) -> None:
        if self._shown is None:
            if now < self._retry_at:
                return
            self._shown = open_part(self.name, self._part)
            self._pause = FIRST_PAUSE_S
        if values != self._values:
            self._shown.show(*values)
            self._values = values
            self._rest_at = now + self._rest_s
        elif now >= self._rest_at:
            self._shown.rest()
            self._rest_at = math.inf


def pin_values(part: Part, settings: ChannelSettings, frame: BodyFrame, name: str) -> Values | None:
    """What a part shows: 0 to 1 for an LED, red, green and blue for three, -1 to 1 for a servo or motor.

    None where the frame says nothing of the channel, or something that is no number.
    """
    if settings.kind == "light":
        if name not in frame.lights:
            return None
        red, green, blue = (part_of / 255 for part_of in frame.lights[name])
        # One LED shows the luminance (ITU-R BT.709).
        return (red, green, blue) if isinstance(part, RgbLedPart) else (0.2126 * red + 0.7152 * green + 0.0722 * blue,)
    value = frame.positions.get(name, math.nan)
    if not math.isfinite(value):
        return None
    value = min(max(value, settings.low), settings.high)
    if isinstance(part, LedPart):
        return (min(max(value, 0.0), 1.0),)
    if isinstance(part, ServoPart):
        reach = part.high_degrees - part.low_degrees
        share = value if settings.kind == "mouth" else (value - part.low_degrees) / reach
        return (min(max(2 * share - 1, -1.0), 1.0),)
    return (min(max(value, -1.0), 1.0),)
