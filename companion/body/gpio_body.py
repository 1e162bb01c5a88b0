"""A body on the board's own pins: lights, servos, motors, and the contacts of its hull.

A thread of its own writes the newest frame to the pins; `show` only leaves the frame there, so the event loop never
waits. A frame that comes while one is written takes the place of the one before: there is no queue. Each channel is
opened by itself: a pin that is taken costs its own channel and no other. The next `show` then raises `DeviceError`
once, and the thread tries that channel again, with back-off (`gpio_channel`).

Safety. Motors stand still and servos are silent until the first frame. When the event loop has not answered for
`LOOP_HANGS_S`, motors stop until it does. When the process ends, however, so do pulses and speeds (`gpio_pins`).
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping

from companion.body.gpio_channel import GpioChannel
from companion.body.gpio_switches import GpioSwitches
from companion.body_events import BodyEvent
from companion.config import Device
from companion.errors import DeviceError, EngineUnavailable
from companion.events import BodyFrame
from companion.persona import Persona
from companion.settings.body import ChannelSettings
from companion.settings.outputs import GpioSettings

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
