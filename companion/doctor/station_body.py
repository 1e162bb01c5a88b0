"""What the body is made to show at the station, and by which way each channel leaves the unit.

Colours one after the other, a slow sweep through a servo's range, a short turn of a motor to either side. Motors run
at less than a third of what they may. Pure but for the ways out themselves, whose calls take as long as the motion.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Protocol

from companion import plugins
from companion.doctor.examination import blocking
from companion.doctor.station import Station
from companion.doctor.station_serial import SerialStation
from companion.errors import DeviceError
from companion.events import BodyFrame, Colour
from companion.ports import Body
from companion.settings.body import ChannelSettings

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
