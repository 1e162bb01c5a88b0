"""A body on the board's own pins: lights, servos, motors, and the contacts of its hull.

A thread of its own writes the newest frame to the pins; `show` only leaves the frame there, so the event loop never
waits. A frame that comes while one is written takes the place of the one before: there is no queue. Each channel is
opened by itself: a pin that is taken costs its own channel and no other. The next `show` then raises `DeviceError`
once, and the thread tries that channel again, with back-off (`gpio_channel`).

Safety. Motors stand still and servos are silent until the first frame. When the event loop has not answered for
`LOOP_HANGS_S`, motors stop until it does. When the process ends, however, so do pulses and speeds (`gpio_pins`).

One channel on the board's own pins: opened, shown, rested, and tried again when its pins cannot be used.

The caller gives the time (seconds of any clock that does not run backwards) and calls `update` whenever there is a new
frame, and at `due`. Belongs to one thread.
"""

from __future__ import annotations

import asyncio
import logging
import math
import queue
import threading
import time
from collections.abc import Callable, Mapping

from companion.body.gpio_pins import Shown, open_part
from companion.body.gpio_switches import GpioSwitches
from companion.body.inputs import BodyEvent
from companion.config.body import ChannelSettings
from companion.config.device import Device
from companion.config.outputs import GpioSettings, LedPart, MotorPart, Part, RgbLedPart, ServoPart
from companion.config.persona import Persona
from companion.errors import DeviceError, EngineUnavailable
from companion.events import BodyFrame

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


log = logging.getLogger("companion")

LOOP_HANGS_S = 2.0
ASK_LOOP_S = 0.5
_LONGEST_WAIT_S = 60.0


class GpioBody:
    """What `settings` hangs on the pins. They are taken by `events` (contacts) and the first `show` (channels)."""

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
        self._woken = threading.Event()
        self._closing = False
        self._complaints: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._frame: BodyFrame | None = None
        """Handed over to the thread whole."""

    def events(self, callback: Callable[[BodyEvent], object]) -> None:
        """See `BodyEvents`. A contact that cannot be used is tried again, and the log says so."""
        self._switches = GpioSwitches(self._settings, callback)

    async def show(self, frame: BodyFrame) -> None:
        """Leave this picture for the pins. Raises `DeviceError` once for each channel that cannot be used."""
        if self._closing:
            return
        complaint = None if self._complaints.empty() else self._complaints.get()
        self._frame = frame
        if self._thread is None:
            self._loop = asyncio.get_running_loop()
            self._thread = threading.Thread(target=self._run, name="gpio", daemon=True)
            self._thread.start()
        self._woken.set()
        if complaint is not None:
            raise DeviceError(complaint)

    async def close(self) -> None:
        """Stop motors, end pulses, and let go of all pins."""
        self._closing = True
        self._woken.set()
        if self._switches is not None:
            self._switches.close()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)

    # What follows runs in the thread.

    def _run(self) -> None:
        asked_at = 0.0
        gone: set[str] = set()
        while not self._closing:
            self._woken.clear()
            frame, now = self._frame, time.monotonic()
            assert frame is not None
            if self._loop_answered.is_set() and now - asked_at >= ASK_LOOP_S:
                asked_at = now
                self._ask_loop()
            hangs = not self._loop_answered.is_set() and now - asked_at > LOOP_HANGS_S
            for channel in self._channels:
                try:
                    channel.update(frame, now, motors_may_run=not hangs)
                except DeviceError as error:
                    if channel.name not in gone:
                        self._complaints.put(str(error))
                    gone.add(channel.name)
                if channel.is_open:
                    gone.discard(channel.name)
            due = min((channel.due for channel in self._channels), default=now + _LONGEST_WAIT_S)
            if hangs or any(channel.driving for channel in self._channels):
                due = min(due, now + ASK_LOOP_S)
            self._woken.wait(min(max(due - time.monotonic(), 0.0), _LONGEST_WAIT_S))
        for channel in self._channels:
            channel.close()

    def _ask_loop(self) -> None:
        assert self._loop is not None
        self._loop_answered.clear()
        if self._loop.is_closed():
            return
        self._loop.call_soon_threadsafe(self._loop_answered.set)


def build(device: Device, persona: Persona) -> GpioBody:  # noqa: ARG001 - every factory takes both
    """The body of `[body.gpio]`. Raises `EngineUnavailable` without that table."""
    if device.body.gpio is None:
        raise EngineUnavailable("gpio: the device file has no [body.gpio] table; write one that says what is where")
    return GpioBody(device.body.gpio, device.body.channels)
