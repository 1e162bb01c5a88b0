"""A body on a microcontroller, over a serial port (`firmware_bridge`). It may be unplugged and plugged in at any time.

A thread of its own opens the port, keeps the link and sends the newest frame; `show` only leaves the frame there, so
the event loop never waits for a wire. The link carries what has changed, as poses; the microcontroller limits and
smooths. When the body goes away, the next `show` raises `DeviceError` once; the thread tries again after 0.25 s, then
twice as long each time up to 5 s, and sends the current pose to the body that comes back.

Safety. The microcontroller goes to its neutral pose 300 ms after the host falls silent. The thread falls silent on
purpose when the event loop has not answered it for `LOOP_HANGS_S`: a hung runtime must not keep wheels turning.

Channels of the device file take the microcontroller's channels of their kind in order (the first servo is its first
servo), or those named in `body.serial.channels`. Degrees become tenths; motors and mouths become thousandths.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import os
import random
import threading
import time
from collections.abc import Callable, Mapping

from companion.body_settings import ChannelSettings
from companion.config import Device
from companion.errors import DeviceError, EngineUnavailable
from companion.events import BodyFrame
from companion.output_settings import SerialSettings
from companion.persona import Persona
from firmware_bridge import messages
from firmware_bridge.link import Answered, Connected, Event, Incompatible, Link, LinkNotReady, Lost
from firmware_bridge.messages import Channel, DeviceEvent, EventKind, Kind, Nack, Set, Stop
from firmware_bridge.port import Port, PortError

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 5.0
ANSWERS_WITHIN_S = 4.0
"""An Uno restarts when its port is opened, and its boot loader takes two seconds."""
LOOP_HANGS_S = 2.0
_ASK_LOOP_S = 0.5
_GOODBYE_S = 0.3

_KINDS = {"light": Kind.LIGHT, "servo": Kind.SERVO, "motor": Kind.MOTOR, "mouth": Kind.MOUTH}
_UNITS = {Kind.SERVO: 10, Kind.MOTOR: 1000, Kind.MOUTH: 1000}
"""How much of the wire's unit is 1 of ours."""


def log_event(event: DeviceEvent) -> None:
    """What the log says of a body's event."""
    trouble = event.kind in (EventKind.OVER_CURRENT, EventKind.LID) and event.value
    log.log(logging.WARNING if trouble else logging.INFO, "Body: %s %d: %d", event.kind.name, event.index, event.value)


class SerialBody:
    """The body at `settings.port`. `on_event` is called on the event loop; the first `show` opens the port."""

    def __init__(
        self,
        settings: SerialSettings,
        channels: Mapping[str, ChannelSettings],
        on_event: Callable[[DeviceEvent], object] = log_event,
    ) -> None:
        self._settings = settings
        self._channels = channels
        self._on_event = on_event
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loop_answered = threading.Event()
        self._closing = threading.Event()
        self._wake_read = self._wake_write = -1
        self._frame: BodyFrame | None = None
        # Given by the thread, taken by `show`; each reference is handed over whole.
        self._complaint: str | None = None
        self._away = False

    async def show(self, frame: BodyFrame) -> None:
        """Leave this picture for the body. Raises `DeviceError` once each time the body has gone away."""
        self._frame = frame
        if self._thread is None:
            self._start()
        self._wake()
        complaint, self._complaint = self._complaint, None
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
            conversation = _Conversation(self._settings, self._channels)
            try:
                with Port(self._settings.port, self._settings.baud) as port:
                    self._talk(port, conversation)
            except PortError as error:
                self._complain(str(error))
            if conversation.connected:
                pause = FIRST_PAUSE_S
            self._closing.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)

    def _talk(self, port: Port, conversation: _Conversation) -> None:
        link = conversation.link
        now = asked_loop = time.monotonic()
        silent_since: float | None = now
        link.connect(now)
        while not self._closing.is_set():
            port.write(link.outgoing())
            port.wait(link.next_timeout() - time.monotonic(), self._wake_read)
            self._drain_wake()
            data, now = port.read(), time.monotonic()
            if self._loop_answered.is_set() and now - asked_loop >= _ASK_LOOP_S:
                asked_loop = now
                self._ask_loop()
            elif not self._loop_answered.is_set() and now - asked_loop > LOOP_HANGS_S:
                raise PortError(f"{port.name}: the runtime hangs, so the body is left alone.")
            for event in [*link.receive(data, now), *link.tick(now)]:
                self._take(event, conversation)
            if link.device is not None:
                silent_since = None
                conversation.send(self._frame, now)
            elif silent_since is None:
                silent_since = now
            elif now - silent_since > ANSWERS_WITHIN_S:
                raise PortError(
                    f"{port.name}: nothing answers there: see that the board has the companion's firmware (make flash) "
                    f"and that body.serial.baud is right."
                )
        conversation.say_goodbye(port)

    def _take(self, event: Event, conversation: _Conversation) -> None:
        match event:
            case Connected(device):
                self._away = False
                log.info("Body: firmware %d.%d.%d with %d channels.", *device.firmware, len(device.channels))
                conversation.greet(device.channels)
            case Lost(sentence):
                self._complain(f"{self._settings.port}: {sentence} It is tried again.")
            case Incompatible(version):
                raise PortError(
                    f"{self._settings.port}: the body's firmware speaks protocol version {version}, and version "
                    f"{messages.VERSION} is needed: write the firmware that came with this program (make flash)."
                )
            case DeviceEvent():
                conversation.take_event(event)
                self._tell_loop(self._on_event, event)
            case Answered(_, Nack(reason)):
                log.warning("The body refused a command: %s.", reason.name.lower().replace("_", " "))
            case _:
                pass

    def _complain(self, sentence: str) -> None:
        if not self._away:
            self._away = True
            self._complaint = sentence

    def _tell_loop(self, call: Callable[..., object], *arguments: object) -> None:
        assert self._loop is not None
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(call, *arguments)

    def _ask_loop(self) -> None:
        self._loop_answered.clear()
        self._tell_loop(self._loop_answered.set)

    def _wait_for_loop(self) -> None:
        self._ask_loop()
        while not self._loop_answered.wait(_ASK_LOOP_S) and not self._closing.is_set():
            pass

    def _drain_wake(self) -> None:
        with contextlib.suppress(BlockingIOError):  # nothing but the body woke us
            os.read(self._wake_read, 4096)


class _Conversation:
    """One opening of the port: which channel is which, and what the body has been told."""

    def __init__(self, settings: SerialSettings, channels: Mapping[str, ChannelSettings]) -> None:
        self._settings = settings
        self._channels = channels
        self._places: dict[str, tuple[int, Channel]] = {}
        self._told: dict[int, bytes] = {}
        self.link = Link(random.getrandbits(16))
        self.connected = False

    def greet(self, found: tuple[Channel, ...]) -> None:
        """A session is open: match the channels by their names or in order."""
        self.connected = True
        self._told.clear()
        self._places.clear()
        left = dict(enumerate(found))
        for name, number in self._settings.channels.items():
            if name in self._channels and number in left and left[number].kind == _KINDS[self._channels[name].kind]:
                self._places[name] = number, left.pop(number)
            else:
                log.warning("body.serial.channels: %s cannot be the body's channel %d.", name, number)
        for name, one in self._channels.items():
            if name in self._settings.channels:
                continue
            number = next((number for number, other in left.items() if other.kind == _KINDS[one.kind]), -1)
            if number >= 0:
                self._places[name] = number, left.pop(number)
            else:
                log.warning("The body has no %s for the channel %s.", one.kind, name)

    def send(self, frame: BodyFrame | None, now: float) -> None:
        """Queue what the body has not been told of this frame."""
        if frame is None:
            return
        wanted = {}
        for name, (number, channel) in self._places.items():
            value = _value(frame, name, channel)
            if value is not None and self._told.get(number) != value:
                wanted[number] = value
        if not wanted:
            return
        try:
            self.link.send(Set(wanted), now)
        except LinkNotReady:
            # The next turn of the thread asks again, with what is newest then.
            return
        self._told |= wanted

    def take_event(self, event: DeviceEvent) -> None:
        """When motion is no longer locked, the body must be told its pose again."""
        if event.kind in (EventKind.LID, EventKind.OVER_CURRENT) and not event.value:
            self._told.clear()

    def say_goodbye(self, port: Port) -> None:
        """Ask for the neutral pose; a body that does not answer takes it by itself."""
        until = time.monotonic() + _GOODBYE_S
        if self.link.device is None:
            return
        self.link.send(Stop(), time.monotonic())
        while not self.link.idle and time.monotonic() < until:
            port.write(self.link.outgoing())
            port.wait(min(self.link.next_timeout(), until) - time.monotonic())
            now = time.monotonic()
            self.link.receive(port.read(), now)
            self.link.tick(now)


def _value(frame: BodyFrame, name: str, channel: Channel) -> bytes | None:
    """A channel's three bytes, within what the body allows; None where the frame leaves it out."""
    if channel.kind is Kind.LIGHT:
        return messages.colour(*frame.lights[name]) if name in frame.lights else None
    value = frame.positions.get(name, math.nan)
    if not math.isfinite(value):
        return None
    return messages.position(round(min(max(value * _UNITS[channel.kind], channel.low), channel.high)))


def build(device: Device, persona: Persona) -> SerialBody:  # noqa: ARG001 - every factory takes both
    """The body of `[body.serial]`. Raises `EngineUnavailable` without that table."""
    if device.body.serial is None:
        raise EngineUnavailable('serial: the device file has no [body.serial] table; write one with port = "..."')
    return SerialBody(device.body.serial, device.body.channels)
