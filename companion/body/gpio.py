"""The body `gpio`: lights, servos, motors and switches on the board's own pins.

A separate thread writes the newest frame to the pins. `show` only stores the frame, so the event loop never waits, and
a newer frame replaces one that is not written yet: there is no queue. Each channel (`GpioChannel`) is opened on its
own, so a pin that is in use costs that channel only. The next `show` then raises `DeviceError` once, and the thread
tries the channel again with growing pauses.

Safety. Motors stand still and servos get no pulses until the first frame. If the event loop has not answered for
`LOOP_TIMEOUT_S`, motors stop until it does. However the process ends, motors and pulses stop with it; only hardware PWM
needs `close` (`gpio_pins`).
"""

from __future__ import annotations

import asyncio
import logging
import math
import queue
import threading
import time
from collections.abc import Callable, Mapping

from companion.body.gpio_pins import Output, open_output
from companion.body.gpio_switches import GpioSwitches
from companion.body.inputs import BodyEvent
from companion.config.body import ChannelSettings
from companion.config.device import Device
from companion.config.outputs import GpioSettings, LedPart, MotorPart, Part, RgbLedPart, ServoPart
from companion.config.persona import Persona
from companion.errors import DeviceError, EngineUnavailable
from companion.events import BodyFrame

log = logging.getLogger("companion")

FIRST_RETRY_S = 0.5
LONGEST_RETRY_S = 30.0
LOOP_TIMEOUT_S = 2.0
LOOP_PING_S = 0.5
_LONGEST_WAIT_S = 60.0

Values = tuple[float, ...]
"""One value, or three for the colour of an RGB LED."""


class GpioChannel:
    """The channel `name` on the pins of `part`, which are opened with the first frame. Belongs to one thread.

    The caller gives the time (seconds of any clock that does not run backwards) and calls `update` whenever there is a
    new frame, and at `next_update_at`.
    """

    def __init__(self, name: str, part: Part, settings: ChannelSettings) -> None:
        self.name = name
        self._part = part
        self._settings = settings
        self._rest_s = (part.rest_s or math.inf) if isinstance(part, ServoPart) else math.inf
        self._output: Output | None = None
        self._values: Values | None = None
        self._pause = FIRST_RETRY_S
        self._retry_at = -math.inf
        self._rest_at = math.inf

    @property
    def is_open(self) -> bool:
        """Whether its pins are open."""
        return self._output is not None

    @property
    def motor_running(self) -> bool:
        """Whether it is a motor that turns."""
        return isinstance(self._part, MotorPart) and self._values is not None and self._values != (0.0,)

    @property
    def next_update_at(self) -> float:
        """When to call `update` even if there is no new frame."""
        return self._retry_at if self._output is None else self._rest_at

    def update(self, frame: BodyFrame, now: float, *, motors_may_run: bool = True) -> None:
        """Show this channel's part of the frame. Raises `DeviceError` each time its pins cannot be used."""
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
            self._pause = min(2 * self._pause, LONGEST_RETRY_S)
            raise

    def close(self) -> None:
        """Release the pins: motors stop, pulses end."""
        output, self._output, self._values = self._output, None, None
        self._rest_at = math.inf
        if output is not None:
            output.close()

    def _show(self, values: Values, now: float) -> None:
        if self._output is None:
            if now < self._retry_at:
                return
            self._output = open_output(self.name, self._part)
            self._pause = FIRST_RETRY_S
        if values != self._values:
            self._output.show(*values)
            self._values = values
            self._rest_at = now + self._rest_s
        elif now >= self._rest_at:
            self._output.rest()
            self._rest_at = math.inf


def pin_values(part: Part, settings: ChannelSettings, frame: BodyFrame, name: str) -> Values | None:
    """The values for a part: 0 to 1 for an LED, three of these for an RGB LED, -1 to 1 for a servo or motor.

    None if the frame leaves the channel out or its value is not finite.
    """
    if settings.kind == "light":
        if name not in frame.lights:
            return None
        red, green, blue = (part_of / 255 for part_of in frame.lights[name])
        # A single LED shows the luminance of the colour (ITU-R BT.709).
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


class GpioBody:
    """The switches and channels of `settings`. `events` opens the switches, the first `show` the channels."""

    def __init__(self, settings: GpioSettings, channels: Mapping[str, ChannelSettings]) -> None:
        self._settings = settings
        self._channels = [
            GpioChannel(name, part, channels[name]) for name, part in settings.channels.items() if name in channels
        ]
        self._switches: GpioSwitches | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loop_answered = threading.Event()
        self._loop_answered.set()
        self._wake = threading.Event()
        self._closing = False
        self._errors: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._frame: BodyFrame | None = None
        """The newest frame. It is only ever replaced as a whole, so the thread needs no lock."""

    def events(self, callback: Callable[[BodyEvent], object]) -> None:
        """See `BodyEvents`. A switch that cannot be opened is logged and tried again."""
        self._switches = GpioSwitches(self._settings, callback)

    async def show(self, frame: BodyFrame) -> None:
        """Store this frame for the thread. Raises `DeviceError` once for each channel that cannot be used."""
        if self._closing:
            return
        error = None if self._errors.empty() else self._errors.get()
        self._frame = frame
        if self._thread is None:
            self._loop = asyncio.get_running_loop()
            self._thread = threading.Thread(target=self._run, name="gpio", daemon=True)
            self._thread.start()
        self._wake.set()
        if error is not None:
            raise DeviceError(error)

    async def close(self) -> None:
        """Stop motors, end pulses, and release all pins."""
        self._closing = True
        self._wake.set()
        if self._switches is not None:
            self._switches.close()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)

    # The methods below run in the thread.

    def _run(self) -> None:
        pinged_at = 0.0
        failed: set[str] = set()
        while not self._closing:
            self._wake.clear()
            frame, now = self._frame, time.monotonic()
            assert frame is not None
            if self._loop_answered.is_set() and now - pinged_at >= LOOP_PING_S:
                pinged_at = now
                self._ping_loop()
            loop_hangs = not self._loop_answered.is_set() and now - pinged_at > LOOP_TIMEOUT_S
            for channel in self._channels:
                try:
                    channel.update(frame, now, motors_may_run=not loop_hangs)
                except DeviceError as error:
                    if channel.name not in failed:
                        self._errors.put(str(error))
                    failed.add(channel.name)
                if channel.is_open:
                    failed.discard(channel.name)
            due = min((channel.next_update_at for channel in self._channels), default=now + _LONGEST_WAIT_S)
            if loop_hangs or any(channel.motor_running for channel in self._channels):
                due = min(due, now + LOOP_PING_S)
            self._wake.wait(min(max(due - time.monotonic(), 0.0), _LONGEST_WAIT_S))
        for channel in self._channels:
            channel.close()

    def _ping_loop(self) -> None:
        assert self._loop is not None
        self._loop_answered.clear()
        if self._loop.is_closed():
            return
        self._loop.call_soon_threadsafe(self._loop_answered.set)


def build(device: Device, persona: Persona) -> GpioBody:  # noqa: ARG001 - every factory takes both
    """Build the body of `[body.gpio]`. Raises `EngineUnavailable` if that table is missing."""
    if device.body.gpio is None:
        raise EngineUnavailable("gpio: the device file has no [body.gpio] table; write one that says what is where")
    return GpioBody(device.body.gpio, device.body.channels)
