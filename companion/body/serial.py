"""The body `serial`: a microcontroller on a serial port (`firmware_bridge`), unplugged and plugged in at any time.

A separate thread opens the port, keeps the link and sends the newest frame (`serial_channels` says how). `show` only
stores the frame, so the event loop never waits for the wire. If the body goes away, the next `show` raises
`DeviceError` once. The thread then tries to connect after 0.25 s, then after twice as long each time, up to 5 s, and
sends the current pose to the body when it is back.

Safety. The microcontroller goes to its neutral pose 300 ms after the host falls silent. The event loop says every
`BEAT_S` that it is alive, and the thread says nothing while it has not for `LOOP_TIMEOUT_S`: a hung runtime must not
keep wheels turning, so their motion ends within half a second.
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
from companion.body.log_limit import LogLimit
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

FIRST_RETRY_S = 0.25
LONGEST_RETRY_S = 5.0
FIRST_ANSWER_S = 4.0
"""How long to wait for an answer: an Uno restarts when its port is opened, and its boot loader takes two seconds."""
BEAT_S = 0.05
LOOP_TIMEOUT_S = 0.12
"""With the 300 ms of the microcontroller this stays below half a second."""
_STOP_TIMEOUT_S = 0.3
_LOCK_REASONS = {EventKind.LID: "lid", EventKind.OVER_CURRENT: "over_current"}


def body_event(event: DeviceEvent) -> BodyEvent | None:
    """Translate an event of the microcontroller; None if it means nothing to the runtime (a released button)."""
    match event.kind:
        case EventKind.BUTTON | EventKind.TOUCH:
            return BodyEvent("wake", event.kind.name.lower(), event.index) if event.value else None
        case EventKind.LID | EventKind.OVER_CURRENT:
            return BodyEvent("lock" if event.value else "unlock", _LOCK_REASONS[event.kind])
        case EventKind.BATTERY:
            return BodyEvent("battery", "battery", event.value)


def log_event(event: BodyEvent) -> None:
    """Log a body's event; used while nobody has called `events`."""
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
        self._beat_timer: asyncio.TimerHandle | None = None
        self._beat_at = 0.0
        """When the event loop was last alive, by `time.monotonic`."""
        self._closing = threading.Event()
        self._wake_read = self._wake_write = -1
        self._frame: BodyFrame | None = None
        """The newest frame. It is only ever replaced as a whole, so the thread needs no lock."""
        self._errors: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._away = False
        self.trouble = f"{settings.port}: nothing has answered there yet."
        """What is wrong with the link; empty once the body does what it is told, which takes more than its hello."""
        self._locks: set[str] = set()
        self._log = LogLimit(time.monotonic)

    def events(self, callback: Callable[[BodyEvent], object]) -> None:
        """See `BodyEvents`. Inputs that are active are reported once the link is up."""
        self._callback = callback

    async def show(self, frame: BodyFrame) -> None:
        """Store this frame for the thread. Raises `DeviceError` once each time the body has gone away."""
        error = None if self._errors.empty() else self._errors.get()
        self._frame = frame
        if self._thread is None:
            self._start()
        self._wake()
        if error is not None:
            raise DeviceError(error)

    async def close(self) -> None:
        """Send the body to its neutral pose and close the port."""
        if self._thread is None or self._closing.is_set():
            return
        self._closing.set()
        if self._beat_timer is not None:
            self._beat_timer.cancel()
        self._wake()
        await asyncio.to_thread(self._thread.join)
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _start(self) -> None:
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self._loop = asyncio.get_running_loop()
        self._beat(self._loop)
        self._thread = threading.Thread(target=self._run, name="body", daemon=True)
        self._thread.start()

    def _beat(self, loop: asyncio.AbstractEventLoop) -> None:
        """Note that the loop is alive. This must stay on the loop."""
        self._beat_at = time.monotonic()
        self._beat_timer = loop.call_later(BEAT_S, self._beat, loop)

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError):  # the pipe is full, so the thread will wake up anyway
            os.write(self._wake_write, b"\0")

    # The methods below run in the thread.

    def _run(self) -> None:
        pause = FIRST_RETRY_S
        while not self._closing.is_set():
            link = Link(random.getrandbits(16))
            channels = SerialChannels(link, self._settings, self._channels, self._log)
            try:
                with Port(self._settings.port, self._settings.baud) as port:
                    self._serve_link(port, channels)
            except PortError as error:
                self._report_error(str(error))
            self._release_locks()
            if channels.was_connected:
                pause = FIRST_RETRY_S
            self._closing.wait(pause)
            pause = min(2 * pause, LONGEST_RETRY_S)

    def _serve_link(self, port: Port, channels: SerialChannels) -> None:
        link = channels.link
        now = time.monotonic()
        silent_since: float | None = now
        link.connect(now)
        while not self._closing.is_set():
            port.write(link.outgoing())
            port.wait(min(link.next_timeout(), channels.next_send_at) - time.monotonic(), self._wake_read)
            self._drain_wake()
            if time.monotonic() - self._beat_at > LOOP_TIMEOUT_S:
                # Whatever arrives waits in the port, and the device soon takes its host for dead.
                self._closing.wait(BEAT_S)
                continue
            data, now = port.read(), time.monotonic()
            for event in [*link.receive(data, now), *link.tick(now)]:
                if isinstance(event, Answered):
                    self.trouble = ""
                self._handle_link_event(event, channels)
            if link.device is not None:
                silent_since = None
                channels.send(self._frame, now)
            elif silent_since is None:
                silent_since = now
            elif now - silent_since > FIRST_ANSWER_S:
                raise PortError(
                    f"{port.name}: nothing answers there: see that the board has the companion's firmware (make flash) "
                    f"and that body.serial.baud is right."
                )
        _stop_device(link, port)

    def _handle_link_event(self, event: Event, channels: SerialChannels) -> None:
        match event:
            case Connected(device):
                self._away = False
                said = (*device.firmware, len(device.channels))
                self._log.log(logging.INFO, "Body: firmware %d.%d.%d with %d channels.", *said)
                if device.version < messages.VERSION:
                    self._log.log(
                        logging.WARNING,
                        "Body: this firmware still moves everything to neutral, and fast, when the lid opens: "
                        "write the one that came with this program (make flash).",
                    )
                channels.open_session(device.channels)
            case Lost(sentence):
                self._release_locks()
                self._report_error(f"{self._settings.port}: {sentence} It is tried again.")
            case Incompatible(version):
                raise PortError(
                    f"{self._settings.port}: the body's firmware speaks protocol version {version}, and version "
                    f"{messages.VERSION} is needed: write the firmware that came with this program (make flash)."
                )
            case DeviceEvent():
                self._handle_device_event(event, channels)
            case Answered(_, Nack() as nack):
                channels.handle_refusal(nack)
            case _:
                pass

    def _handle_device_event(self, device_event: DeviceEvent, channels: SerialChannels) -> None:
        event = body_event(device_event)
        if event is None:
            return
        if event.kind == "lock":
            self._locks.add(event.reason)
        elif event.kind == "unlock":
            self._locks.discard(event.reason)
            channels.resend_all()
        self._call_on_loop(self._callback, event)

    def _release_locks(self) -> None:
        """Unlock motion when the body is gone: once it is back, it reports its active inputs again."""
        for reason in sorted(self._locks):
            self._call_on_loop(self._callback, BodyEvent("unlock", reason))
        self._locks.clear()

    def _report_error(self, sentence: str) -> None:
        """Let the next `show` raise this, unless the body was away already."""
        self.trouble = sentence
        if not self._away:
            self._away = True
            self._errors.put(sentence)

    def _call_on_loop(self, call: Callable[..., object], *arguments: object) -> None:
        assert self._loop is not None
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(call, *arguments)

    def _drain_wake(self) -> None:
        with contextlib.suppress(BlockingIOError):  # the pipe is empty: only the body woke us
            os.read(self._wake_read, 4096)


def _stop_device(link: Link, port: Port) -> None:
    """Send the body to its neutral pose. A body that does not answer goes there by itself."""
    until = time.monotonic() + _STOP_TIMEOUT_S
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
    """Build the body of `[body.serial]`, without the channels that are on the board's own pins.

    Raises `EngineUnavailable` if that table is missing.
    """
    body = device.body
    if body.serial is None:
        raise EngineUnavailable('serial: the device file has no [body.serial] table; write one with port = "..."')
    on_pins = body.gpio.channels if body.gpio is not None and "gpio" in body.outputs else {}
    return SerialBody(body.serial, {name: one for name, one in body.channels.items() if name not in on_pins})
