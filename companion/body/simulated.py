"""The body `simulated`: draws itself as one line on the terminal. A fake that ships with the product.

It replaces lights and motors on a desk, in the demonstration and in tests, and is stricter than real ones: an unknown
channel, or a value that is out of range or not a number, is a bug in the runtime and raises ValueError. Without a
terminal on stderr it draws nothing but still checks. It runs on the event loop, keeps only the last frame, and draws at
most `DRAWS_PER_SECOND` times a second of the loop's time.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Mapping

from companion.body.limits import neutral_frame
from companion.config.body import ChannelSettings
from companion.config.device import Device
from companion.config.persona import Persona
from companion.events import BodyFrame, Colour
from companion.terminal import Terminal, terminal_on_stderr

log = logging.getLogger(__name__)

DRAWS_PER_SECOND = 20
_BAR = 9
"""Width of a bar in characters; odd, so that it has a middle."""
_MOUTHS = "▁▂▃▄▅▆▇█"


class SimulatedBody:
    """Checks every frame and draws it on `terminal`; without one it only checks."""

    def __init__(self, channels: Mapping[str, ChannelSettings], terminal: Terminal | None = None) -> None:
        self._channels = dict(channels)
        self._terminal = terminal
        self._drawn_at = -math.inf
        self._due: asyncio.TimerHandle | None = None
        self._closed = False
        self.frame = neutral_frame(channels)
        """The last frame that was shown."""

    @property
    def is_seen(self) -> bool:
        """Whether it draws anywhere."""
        return self._terminal is not None

    async def show(self, frame: BodyFrame) -> None:
        """Show this frame. Raises ValueError if no real body could show it, or after `close`."""
        if self._closed:
            raise ValueError("the simulated body was closed and cannot show a frame")
        self._check(frame)
        merged = self.frame.lights | frame.lights, self.frame.positions | frame.positions
        self.frame = BodyFrame(*merged, frame.released)
        if self._terminal is None or self._due is not None:
            return
        loop = asyncio.get_running_loop()
        wait = self._drawn_at + 1 / DRAWS_PER_SECOND - loop.time()
        if wait <= 0:
            self._draw()
        else:
            self._due = loop.call_later(wait, self._draw)

    async def close(self) -> None:
        """Draw the neutral pose and end the line."""
        if self._closed:
            return
        self.frame = neutral_frame(self._channels)
        if self._terminal is not None:
            self._draw(last=True)
        self._closed = True

    def _check(self, frame: BodyFrame) -> None:
        for name, colour in frame.lights.items():
            if name not in self.frame.lights:
                raise ValueError(f"the body has no light called {name}")
            if len(colour) != 3 or not all(type(part) is int and 0 <= part <= 255 for part in colour):
                raise ValueError(f"{name}: a colour is three whole numbers from 0 to 255, not {colour}")
        for name, value in frame.positions.items():
            if name not in self.frame.positions:
                raise ValueError(f"the body has no servo, motor or mouth called {name}")
            settings = self._channels[name]
            # Written so that NaN fails too.
            if not settings.low <= value <= settings.high:
                raise ValueError(f"{name}: {value} is outside {settings.low} to {settings.high}")

    def _draw(self, *, last: bool = False) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None
        terminal = self._terminal
        if terminal is None:
            return
        self._drawn_at = asyncio.get_running_loop().time()
        try:
            terminal.draw(draw_line(self._channels, self.frame, terminal.width))
            if last:
                terminal.end_line()
        except (OSError, ValueError) as error:
            # The terminal window was closed: stop drawing and let the conversation go on.
            log.warning("The terminal went away (%s); the simulated body is drawn no more.", error)
            self._terminal = None


def draw_line(channels: Mapping[str, ChannelSettings], frame: BodyFrame, width: int) -> str:
    """The frame as one line of at most `width` columns with ANSI colours; channels that do not fit are left out."""
    line, free = "", width
    for name, settings in channels.items():
        if settings.kind == "light":
            picture, columns = _block(frame.lights[name]), 2
        elif settings.kind == "mouth":
            picture, columns = _MOUTHS[round(_share(frame.positions[name], settings) * (len(_MOUTHS) - 1))], 1
        else:
            picture, columns = _bar(_share(frame.positions[name], settings)), _BAR
        columns += len(name) + 3
        if columns <= free:
            line += f"{name} {picture}  "
            free -= columns
    return line.rstrip(" ")


def build(device: Device, persona: Persona) -> SimulatedBody:  # noqa: ARG001 - every factory takes both
    """Build a body that draws the device's channels on stderr if that is a terminal."""
    return SimulatedBody(device.body.channels, terminal_on_stderr())


def _share(value: float, settings: ChannelSettings) -> float:
    """The position of a value within its range, 0 to 1."""
    reach = settings.high - settings.low
    return (value - settings.low) / reach if reach else 0.5


def _bar(share: float) -> str:
    at = round(share * (_BAR - 1))
    return "─" * at + "●" + "─" * (_BAR - 1 - at)


def _block(colour: Colour) -> str:
    red, green, blue = colour
    return f"\x1b[48;2;{red};{green};{blue}m  \x1b[0m"
