"""A body on a microcontroller, over a serial port (`firmware_bridge`). It may be unplugged and plugged in at any time.

A thread of its own opens the port, keeps the link and sends the newest frame (`serial_channels` says how); `show` only
leaves the frame there, so the event loop never waits for a wire. When the body goes away, the next `show` raises
`DeviceError` once; the thread tries again after 0.25 s, then twice as long each time up to 5 s, and sends the current
pose to the body that comes back.

Safety. The microcontroller goes to its neutral pose 300 ms after the host falls silent. The thread falls silent on
purpose when the event loop has not answered it for `LOOP_HANGS_S`: a hung runtime must not keep wheels turning.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import queue
import random
import threading
import time
from collections.abc import Callable, Mapping

from companion.body.inputs import BodyEvent
from companion.body.serial_channels import SerialChannels
from companion.config.body import ChannelSettings
from companion.config.device import Device
from companion.config.outputs import SerialSettings
from companion.config.persona import Persona
from companion.errors import DeviceError, EngineUnavailable
from companion.events import BodyFrame
from firmware_bridge import messages
from firmware_bridge.link import Answered, Connected, Event, Incompatible, Link, Lost
from firmware_bridge.messages import DeviceEvent, EventKind, Nack, Stop
from firmware_bridge.port import Port, PortError

log = logging.getLogger("companion")

FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 5.0
ANSWERS_WITHIN_S = 4.0
"""An Uno restarts when its port is opened, and its boot loader takes two seconds."""
LOOP_HANGS_S = 2.0
ASK_LOOP_S = 0.5
_GOODBYE_S = 0.3
_REASONS = {EventKind.LID: "lid", EventKind.OVER_CURRENT: "over_current"}


def body_event(event: DeviceEvent) -> BodyEvent | None:
    """What a microcontroller's event means to the runtime; None where it means nothing (a button let go)."""
    match event.kind:
        case EventKind.BUTTON | EventKind.TOUCH:
            return BodyEvent("wake", event.kind.name.lower(), event.index) if event.value else None
        case EventKind.LID | EventKind.OVER_CURRENT:
            return BodyEvent("lock" if event.value else "unlock", _REASONS[event.kind])
        case EventKind.BATTERY:
            return BodyEvent("battery", "battery", event.value)


def log_event(event: BodyEvent) -> None:
    """What the log says of a body's event where nobody listens."""
    level = logging.WARNING if event.kind == "lock" else logging.INFO
    log.log(level, "Body: %s (%s %d)", event.kind, event.reason, event.value)


class SerialBody:
    """The body at `settings.port`. The first `show` opens the port."""

    def __init__(self, settings: SerialSettings, channels: Mapping[str, ChannelSettings]) -> None:
        self._settings = settings
        self._channels = channels
        self._callback: Callable[[BodyEvent], object] = log_event
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loop_answered = threading.Event()
        self._closing = threading.Event()
        self._wake_read = self._wake_write = -1
        self._frame: BodyFrame | None = None
        """Handed over to the thread whole."""
        self._complaints: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._away = False
        self._locks: set[str] = set()

    def events(self, callback: Callable[[BodyEvent], object]) -> None:
        """See `BodyEvents`. What is not at rest is told once the link stands."""
        self._callback = callback

    @property
    def shows(self) -> set[str]:
        """The channels that leave by this link."""
        return set(self._channels)

    async def show(self, frame: BodyFrame) -> None:
        """Leave this picture for the body. Raises `DeviceError` once each time the body has gone away."""
        complaint = None if self._complaints.empty() else self._complaints.get()
        self._frame = frame
        if self._thread is None:
            self._start()
        self._wake()
        if complaint is not None:
            raise DeviceError(complaint)

    async def close(self) -> None:
        """Send the body to its neutral pose and close the port."""
        if self._thread is None or self._closing.is_set():
            return
        self._closing.set()
        self._wake()
        await asyncio.to_thread(self._thread.join)
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _start(self) -> None:
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="body", daemon=True)
        self._thread.start()

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError):  # the pipe is full while the body is away: the thread will wake
            os.write(self._wake_write, b"\0")

    # What follows runs in the thread.

    def _run(self) -> None:
        pause = FIRST_PAUSE_S
        while not self._closing.is_set():
            self._wait_for_loop()
            link = Link(random.getrandbits(16))
            channels = SerialChannels(link, self._settings, self._channels)
            try:
                with Port(self._settings.port, self._settings.baud) as port:
                    self._talk(port, channels)
            except PortError as error:
                self._complain(str(error))
            self._unlock()
            if channels.connected:
                pause = FIRST_PAUSE_S
            self._closing.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)

    def _talk(self, port: Port, channels: SerialChannels) -> None:
        link = channels.link
        now = asked_loop = time.monotonic()
        silent_since: float | None = now
        link.connect(now)
        while not self._closing.is_set():
            port.write(link.outgoing())
            port.wait(min(link.next_timeout(), channels.due) - time.monotonic(), self._wake_read)
            self._drain_wake()
            data, now = port.read(), time.monotonic()
            if self._loop_answered.is_set() and now - asked_loop >= ASK_LOOP_S:
                asked_loop = now
                self._ask_loop()
            elif not self._loop_answered.is_set() and now - asked_loop > LOOP_HANGS_S:
                raise PortError(f"{port.name}: the runtime hangs, so the body is left alone.")
            for event in [*link.receive(data, now), *link.tick(now)]:
                self._take(event, channels)
            if link.device is not None:
                silent_since = None
                channels.send(self._frame, now)
            elif silent_since is None:
                silent_since = now
            elif now - silent_since > ANSWERS_WITHIN_S:
                raise PortError(
                    f"{port.name}: nothing answers there: see that the board has the companion's firmware (make flash) "
                    f"and that body.serial.baud is right."
                )
        _say_goodbye(link, port)

    def _take(self, event: Event, channels: SerialChannels) -> None:
        match event:
            case Connected(device):
                self._away = False
                log.info("Body: firmware %d.%d.%d with %d channels.", *device.firmware, len(device.channels))
                channels.greet(device.channels)
            case Lost(sentence):
                self._unlock()
                self._complain(f"{self._settings.port}: {sentence} It is tried again.")
            case Incompatible(version):
                raise PortError(
                    f"{self._settings.port}: the body's firmware speaks protocol version {version}, and version "
                    f"{messages.VERSION} is needed: write the firmware that came with this program (make flash)."
                )
            case DeviceEvent():
                self._take_event(event, channels)
            case Answered(_, Nack() as nack):
                channels.refused(nack)
            case _:
                pass

    def _take_event(self, event: DeviceEvent, channels: SerialChannels) -> None:
        told = body_event(event)
        if told is None:
            return
        if told.kind == "lock":
            self._locks.add(told.reason)
        elif told.kind == "unlock":
            self._locks.discard(told.reason)
            channels.forget()
        self._tell_loop(self._callback, told)

    def _unlock(self) -> None:
        """A body that is gone locks nothing; when it is back it tells anew what is not at rest."""
        for reason in sorted(self._locks):
            self._tell_loop(self._callback, BodyEvent("unlock", reason))
        self._locks.clear()

    def _complain(self, sentence: str) -> None:
        if not self._away:
            self._away = True
            self._complaints.put(sentence)

    def _tell_loop(self, call: Callable[..., object], *arguments: object) -> None:
        assert self._loop is not None
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(call, *arguments)

    def _ask_loop(self) -> None:
        self._loop_answered.clear()
        self._tell_loop(self._loop_answered.set)

    def _wait_for_loop(self) -> None:
        self._ask_loop()
        while not self._loop_answered.wait(ASK_LOOP_S) and not self._closing.is_set():
            pass

    def _drain_wake(self) -> None:
        with contextlib.suppress(BlockingIOError):  # nothing but the body woke us
            os.read(self._wake_read, 4096)


def _say_goodbye(link: Link, port: Port) -> None:
    """Ask for the neutral pose; a body that does not answer takes it by itself."""
    until = time.monotonic() + _GOODBYE_S
    if link.device is None:
        return
    link.send(Stop(), time.monotonic())
    while not link.idle and time.monotonic() < until:
        port.write(link.outgoing())
        port.wait(min(link.next_timeout(), until) - time.monotonic())
        now = time.monotonic()
        link.receive(port.read(), now)
        link.tick(now)


def build(device: Device, persona: Persona) -> SerialBody:  # noqa: ARG001 - every factory takes both
    """The body of `[body.serial]`; channels that have pins of the board leave by those.

    Raises `EngineUnavailable` without that table.
    """
    body = device.body
    if body.serial is None:
        raise EngineUnavailable('serial: the device file has no [body.serial] table; write one with port = "..."')
    on_pins = body.gpio.channels if body.gpio is not None and "gpio" in body.outputs else {}
    return SerialBody(body.serial, {name: one for name, one in body.channels.items() if name not in on_pins})
