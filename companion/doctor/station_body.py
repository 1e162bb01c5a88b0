"""What the body is made to show at the station, and by which way each channel leaves the unit.

Colours one after the other, a slow sweep through a servo's range, a short turn of a motor to either side. Motors run
at less than a third of what they may.

The body on the serial link, asked directly: what it is, and whether it takes on what it is shown.

The same link, channel places and commands as the product's own (`companion.body.serial`), but each step waits for
the microcontroller's answer, and its state is asked for afterwards. Blocks: for a thread; one call at a time. Between
two calls the link is silent and the microcontroller goes to its neutral pose; the next call opens a new session.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Protocol

from companion import plugins
from companion.body.serial_channels import SerialChannels
from companion.config.body import ChannelSettings
from companion.config.outputs import SerialSettings
from companion.doctor.examination import blocking
from companion.doctor.station import Station
from companion.errors import DeviceError
from companion.events import BodyFrame, Colour
from companion.ports import Body
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
        self._places.resend_all()
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
                self._places.open_session(device.channels)
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


DRAWN = ("simulated", "page")
"""Outputs that are no hardware."""

COLOURS: tuple[Colour, ...] = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255))
COLOUR_S = 0.5
SWEEP_S = 2.0
TURN_S = 0.4
TURN = 0.3
_FRAME_S = 0.05

Motion = Sequence[tuple[BodyFrame, float]]
"""Frames, each with the seconds for which it is shown."""


def motion(name: str, channel: ChannelSettings, pace: float = 1.0) -> Motion:
    """What the channel `name` is made to show; it ends dark, or in its neutral position."""
    if channel.kind == "light":
        return [(BodyFrame({name: colour}, {}), COLOUR_S * pace) for colour in (*COLOURS, (0, 0, 0))]
    if channel.kind == "motor":
        forward, backward = (channel.neutral + TURN * (end - channel.neutral) for end in (channel.high, channel.low))
        values = [(forward, TURN_S), (channel.neutral, TURN_S), (backward, TURN_S), (channel.neutral, TURN_S)]
    else:
        values = [(value, _FRAME_S) for value in _sweep(channel)]
    return [(BodyFrame({}, {name: value}), seconds * pace) for value, seconds in values]


def _sweep(channel: ChannelSettings) -> Iterator[float]:
    """Neutral, high, low and back, slow at the ends, never faster than the channel may."""
    reach = max(channel.high - channel.neutral, channel.neutral - channel.low)
    # The fastest part of a sine is pi / 2 times as fast as its mean.
    seconds = max(SWEEP_S, math.tau * reach / channel.fastest)
    steps = math.ceil(seconds / _FRAME_S)
    for step in range(steps + 1):
        share = math.sin(math.tau * step / steps)
        yield channel.neutral + share * (channel.high - channel.neutral if share > 0 else channel.neutral - channel.low)


class WayOut(Protocol):
    """Where channels leave the unit."""

    async def play(self, shown: Motion) -> None:
        """Show it. Raises `DeviceError` where that cannot be seen to have happened."""

    async def close(self) -> None:
        """Leave the body in its neutral pose."""


class BodyWay:
    """An output of the product's own. Whether anything was seen, only a person can tell."""

    def __init__(self, body: Body) -> None:
        self._body = body

    async def play(self, shown: Motion) -> None:
        """See `WayOut.play`."""
        for frame, seconds in shown:
            await self._body.show(frame)
            await asyncio.sleep(seconds)
        # An output tells of a failure when it is given the next frame.
        await self._body.show(shown[-1][0])

    async def close(self) -> None:
        """See `WayOut.close`."""
        await self._body.close()


class SerialWay:
    """The microcontroller, which tells what it did."""

    def __init__(self, serial: SerialStation) -> None:
        self._serial = serial

    async def play(self, shown: Motion) -> None:
        """See `WayOut.play`."""
        if not await blocking(partial(self._serial.play, shown)):
            raise DeviceError(
                "The microcontroller showed nothing of it: has its firmware such a channel (body.serial.channels)?"
            )

    async def close(self) -> None:
        """See `WayOut.close`."""
        await blocking(self._serial.close)


def ways_out(station: Station) -> dict[str, str]:
    """The output by which each channel leaves; empty for one that leaves by none, or is only drawn."""
    body = station.device.body
    real = [name for name in body.outputs if name not in DRAWN]
    on_pins = body.gpio.channels if body.gpio is not None and "gpio" in real else {}
    ways = {}
    for name in body.channels:
        if name in on_pins:
            ways[name] = "gpio"
        else:
            ways[name] = next((output for output in real if output != "gpio"), "")
    return ways


async def open_way(station: Station, output: str) -> WayOut:
    """The way out called `output`. Raises `DeviceError`, `EngineUnavailable`."""
    if output == "serial":
        return SerialWay(serial_station(station))
    body: Body = await blocking(partial(plugins.build_engine, "bodies", output, station.device, station.persona))
    return BodyWay(body)


def serial_station(station: Station) -> SerialStation:
    """The microcontroller of the device file, which has a [body.serial] table."""
    settings = station.device.body.serial
    assert settings is not None
    ways = ways_out(station)
    return SerialStation(
        settings, {name: one for name, one in station.device.body.channels.items() if ways[name] == "serial"}
    )
