"""The unit's body outputs as the station test drives them, and the motion sequence that each channel demonstrates.

Lights show one colour after the other, servos sweep slowly through their range, motors turn briefly in each direction
at less than a third of their limits.

`SerialProbe` uses the same link, channel mapping and commands as the product (`companion.body.serial`), but every step
waits for the microcontroller's answer, and its state is read afterwards. It blocks, so it runs in a thread, one call at
a time. Between two calls the link is silent and the microcontroller returns to its neutral pose; the next call opens a
new session.
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
from companion.body.gpio import GpioBody
from companion.body.log_limit import LogLimit
from companion.body.serial_channels import SerialChannels
from companion.config.body import ChannelSettings
from companion.config.outputs import SerialSettings
from companion.doctor.check import UnitUnderTest, run_in_thread
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

SIMULATED_OUTPUTS = ("simulated", "page")
"""Outputs that are not hardware."""

COLOURS: tuple[Colour, ...] = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255))
COLOUR_S = 0.5
SWEEP_S = 2.0
TURN_S = 0.4
TURN = 0.3
_FRAME_S = 0.05

Motion = Sequence[tuple[BodyFrame, float]]
"""Frames, each with the seconds for which it is shown."""


class SerialProbe:
    """The microcontroller at `settings.port`. Must be closed. Every method raises `DeviceError`."""

    def __init__(self, settings: SerialSettings, channels: Mapping[str, ChannelSettings]) -> None:
        self._settings = settings
        self._channels = channels
        self._port: Port | None = None
        self._link = Link(random.getrandbits(16))
        self._places = SerialChannels(self._link, settings, channels, LogLimit(time.monotonic))
        self._locked = False
        self._events: list[DeviceEvent] = []
        self._state: State | None = None

    def connect(self) -> HelloReply:
        """Open port and session where necessary; returns the microcontroller's description of itself."""
        if self._port is None:
            try:
                self._port = Port(self._settings.port, self._settings.baud)
            except PortError as error:
                raise DeviceError(str(error)) from error
            self._link.connect(time.monotonic())
        # After a silence the first command finds the session closed, and the link opens a new one.
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
        """The microcontroller's measurements and the values of its outputs."""
        if self._port is None or self._link.device is None:
            self.connect()
        self._state = None
        self._send(Query())
        give_up = time.monotonic() + _STATE_WITHIN_S
        while (state := self._last_state()) is None:
            if time.monotonic() > give_up:
                raise DeviceError(f"{self._settings.port}: the body's microcontroller does not tell its state.")
            self._pump(_STEP_S / 5)
        return state

    def play(self, frames: Iterable[tuple[BodyFrame, float]]) -> bool:
        """Show each frame for its duration. Returns whether any output of the microcontroller changed.

        False also where it has no channel for what the frames show.
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
        """The events of its buttons and sensors during this time."""
        self._events.clear()
        self.connect()
        self._pump(seconds)
        return list(self._events)

    def close(self) -> None:
        """Request the neutral pose and close the port."""
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
        """Its state once nothing moves any more."""
        give_up = time.monotonic() + _REST_WITHIN_S
        while (state := self.state()).moving and time.monotonic() < give_up:
            self._pump(_STEP_S)
        return state

    def _send(self, command: Command) -> None:
        try:
            self._link.send(command, time.monotonic())
        except LinkNotReady as error:
            raise DeviceError(f"{self._settings.port}: the body broke off: {error}.") from error

    def _last_state(self) -> State | None:
        return self._state

    def _pump(self, seconds: float) -> None:
        """Run the link for this long."""
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
                self._events.append(event)
            case Answered() | Lost():
                # A refused command is visible in the state; the link reopens a lost session by itself.
                return


def motion_sequence(name: str, channel: ChannelSettings, pace: float = 1.0) -> Motion:
    """The frames that demonstrate the channel `name`; they end dark, or in its neutral position."""
    if channel.kind == "light":
        return [(BodyFrame({name: colour}, {}), COLOUR_S * pace) for colour in (*COLOURS, (0, 0, 0))]
    if channel.kind == "motor":
        forward, backward = (channel.neutral + TURN * (end - channel.neutral) for end in (channel.high, channel.low))
        values = [(forward, TURN_S), (channel.neutral, TURN_S), (backward, TURN_S), (channel.neutral, TURN_S)]
    else:
        values = [(value, _FRAME_S) for value in _sweep(channel)]
    return [(BodyFrame({}, {name: value}), seconds * pace) for value, seconds in values]


def _sweep(channel: ChannelSettings) -> Iterator[float]:
    """Neutral, high, low and back along a sine, never faster than the channel's limit."""
    reach = max(channel.high - channel.neutral, channel.neutral - channel.low)
    # A sine is fastest at its zero crossing: 2 pi times its amplitude per period.
    seconds = max(SWEEP_S, math.tau * reach / channel.fastest)
    steps = math.ceil(seconds / _FRAME_S)
    for step in range(steps + 1):
        share = math.sin(math.tau * step / steps)
        yield channel.neutral + share * (channel.high - channel.neutral if share > 0 else channel.neutral - channel.low)


class Output(Protocol):
    """One output of the body, as the test drives it."""

    async def play(self, shown: Motion) -> None:
        """Show the frames. Raises `DeviceError` where the output can tell that this failed."""

    async def close(self) -> None:
        """Leave the body in its neutral pose."""


class BodyOutput:
    """One of the product's own outputs. Only the operator can tell whether anything was visible."""

    def __init__(self, body: Body) -> None:
        self._body = body

    async def play(self, shown: Motion) -> None:
        """See `Output.play`."""
        for frame, seconds in shown:
            await self._body.show(frame)
            if isinstance(self._body, GpioBody):
                # Their process has only just been started.
                await self._body.shown()
            await asyncio.sleep(seconds)
        # An output reports a failure with the next frame.
        await self._body.show(shown[-1][0])

    async def close(self) -> None:
        """See `Output.close`."""
        await self._body.close()


class SerialOutput:
    """The microcontroller, which reports what it did."""

    def __init__(self, serial: SerialProbe) -> None:
        self._serial = serial

    async def play(self, shown: Motion) -> None:
        """See `Output.play`."""
        if not await run_in_thread(partial(self._serial.play, shown)):
            raise DeviceError(
                "The microcontroller showed nothing of it: has its firmware such a channel (body.serial.channels)?"
            )

    async def close(self) -> None:
        """See `Output.close`."""
        await run_in_thread(self._serial.close)


def output_of_channels(unit: UnitUnderTest) -> dict[str, str]:
    """The name of each channel's output; empty for a channel that has none, or only a simulated one."""
    body = unit.device.body
    real = [name for name in body.outputs if name not in SIMULATED_OUTPUTS]
    on_pins = body.gpio.channels if body.gpio is not None and "gpio" in real else {}
    ways = {}
    for name in body.channels:
        if name in on_pins:
            ways[name] = "gpio"
        else:
            ways[name] = next((output for output in real if output != "gpio"), "")
    return ways


async def open_output(unit: UnitUnderTest, output: str) -> Output:
    """Open the output of this name. Raises `DeviceError`, `EngineUnavailable`."""
    if output == "serial":
        return SerialOutput(serial_probe(unit))
    body: Body = await run_in_thread(partial(plugins.build_engine, "bodies", output, unit.device, unit.persona))
    return BodyOutput(body)


def serial_probe(unit: UnitUnderTest) -> SerialProbe:
    """The microcontroller of the unit, whose device file must have a [body.serial] table."""
    settings = unit.device.body.serial
    assert settings is not None
    ways = output_of_channels(unit)
    return SerialProbe(
        settings, {name: one for name, one in unit.device.body.channels.items() if ways[name] == "serial"}
    )
