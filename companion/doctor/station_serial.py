"""The body on the serial link, asked directly: what it is, and whether it takes on what it is shown.

The same link, channel places and commands as the product's own (`companion.body.serial_body`), but each step waits for
the microcontroller's answer, and its state is asked for afterwards. Blocks: for a thread; one call at a time. Between
two calls the link is silent and the microcontroller goes to its neutral pose; the next call opens a new session.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Mapping

from companion.body.serial_channels import SerialChannels
from companion.errors import DeviceError
from companion.events import BodyFrame
from companion.settings.body import ChannelSettings
from companion.settings.outputs import SerialSettings
from firmware_bridge.link import Answered, Connected, Event, Incompatible, Link, LinkNotReady, Lost
from firmware_bridge.messages import VERSION, Ack, Command, DeviceEvent, HelloReply, Query, State, Stop
from firmware_bridge.port import Port, PortError

ANSWERS_WITHIN_S = 4.0
"""An Uno restarts when its port is opened, and its boot loader takes two seconds."""
_STATE_WITHIN_S = 1.0
_REST_WITHIN_S = 2.0
_STEP_S = 0.05


class SerialStation:
    """The body at `settings.port`. Close it in the end. Every method raises `DeviceError`."""

    def __init__(self, settings: SerialSettings, channels: Mapping[str, ChannelSettings]) -> None:
        self._settings = settings
        self._channels = channels
        self._port: Port | None = None
        self._link = Link(random.getrandbits(16))
        self._places = SerialChannels(self._link, settings, channels)
        self._locked = False
        self._told: list[DeviceEvent] = []
        self._state: State | None = None

    def connect(self) -> HelloReply:
        """Open port and session, where they are not open; returns what the microcontroller says of itself."""
        if self._port is None:
            try:
                self._port = Port(self._settings.port, self._settings.baud)
            except PortError as error:
                raise DeviceError(str(error)) from error
            self._link.connect(time.monotonic())
        # After a silence the first command finds the session closed, and the link opens another.
        self._pump(2 * _STEP_S)
        give_up = time.monotonic() + ANSWERS_WITHIN_S
        while self._link.device is None and time.monotonic() < give_up:
            self._pump(_STEP_S)
        if self._link.device is None:
            raise DeviceError(
                f"{self._settings.port}: nothing answers there: see that the board has the companion's firmware "
                "(make flash) and that body.serial.baud is right."
            )
        return self._link.device

    def state(self) -> State:
        """What the microcontroller measures, and where its outputs are."""
        if self._port is None or self._link.device is None:
            self.connect()
        self._state = None
        self._send(Query())
        give_up = time.monotonic() + _STATE_WITHIN_S
        while (state := self._told_state()) is None:
            if time.monotonic() > give_up:
                raise DeviceError(f"{self._settings.port}: the body's microcontroller does not tell its state.")
            self._pump(_STEP_S / 5)
        return state

    def play(self, frames: Iterable[tuple[BodyFrame, float]]) -> bool:
        """Show each frame for its seconds; whether the microcontroller's outputs ever changed by it.

        False too where it has no channel for what the frames show.
        """
        before = self._at_rest().values
        self._locked = False
        self._places.forget()
        changed = False
        for frame, seconds in frames:
            until = time.monotonic() + seconds
            while (now := time.monotonic()) < until:
                self._places.send(frame, now)
                self._pump(min(_STEP_S, until - now))
            changed = changed or self.state().values != before
        if self._locked:
            raise DeviceError("The microcontroller keeps its motors locked: close the lid, and look for an overload.")
        return changed

    def watch(self, seconds: float) -> list[DeviceEvent]:
        """What its buttons and sensors tell in that time."""
        self._told.clear()
        self.connect()
        self._pump(seconds)
        return list(self._told)

    def close(self) -> None:
        """Ask for the neutral pose and close the port."""
        if self._port is None:
            return
        try:
            if self._link.device is not None:
                self._send(Stop())
                self._pump(2 * _STEP_S)
        finally:
            with self._port:
                self._port = None

    def _at_rest(self) -> State:
        """Its state, once nothing moves any more."""
        give_up = time.monotonic() + _REST_WITHIN_S
        while (state := self.state()).moving and time.monotonic() < give_up:
            self._pump(_STEP_S)
        return state

    def _send(self, command: Command) -> None:
        try:
            self._link.send(command, time.monotonic())
        except LinkNotReady as error:
            raise DeviceError(f"{self._settings.port}: the body broke off: {error}.") from error

    def _told_state(self) -> State | None:
        return self._state

    def _pump(self, seconds: float) -> None:
        """Keep the link going for so long."""
        assert self._port is not None
        now = time.monotonic()
        until = now + seconds
        try:
            while now < until:
                self._port.write(self._link.outgoing())
                self._port.wait(min(self._link.next_timeout(), until) - now)
                now = time.monotonic()
                for event in [*self._link.receive(self._port.read(), now), *self._link.tick(now)]:
                    self._take(event)
            self._port.write(self._link.outgoing())
        except PortError as error:
            raise DeviceError(str(error)) from error

    def _take(self, event: Event) -> None:
        match event:
            case Connected(device):
                self._places.greet(device.channels)
            case Incompatible(version):
                raise DeviceError(
                    f"{self._settings.port}: the body's firmware speaks protocol version {version}, and version "
                    f"{VERSION} is needed: write the firmware that came with this program (make flash)."
                )
            case Answered(_, State() as state):
                self._state = state
            case Answered(_, Ack(locked=True)):
                self._locked = True
            case DeviceEvent():
                self._told.append(event)
            case Answered() | Lost():
                # A refused command shows in the state; a lost session is opened again by the link.
                return
