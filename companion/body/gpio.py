"""The body `gpio`: lights, servos, motors and switches on the board's own pins.

The output pins belong to a process of its own (`pin_owner`), which the first `show` starts. `show` writes the frame to
its pipe without waiting; a frame that finds the pipe full is dropped, for a newer one follows. A pin that is in use
costs its own channel only: the next `show` raises `DeviceError` once, and the process tries again with growing pauses.
A process that ended is started again in the same way.

Safety. Motors stand still and servos get no pulses until the first frame. The event loop writes the newest frame every
`BEAT_S`, and no thread does it for it: when the loop hangs, or a native call keeps Python's global lock, the process
hears nothing and lets go of everything (`pin_owner.SILENCE_S`). The same happens however the runtime ends.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import companion
from companion.body.gpio_switches import GpioSwitches
from companion.body.inputs import BodyEvent
from companion.body.log_limit import LogLimit
from companion.child_environment import child_environment
from companion.config.body import ChannelSettings
from companion.config.device import Device
from companion.config.outputs import GpioSettings, LedPart, Part, RgbLedPart, ServoPart
from companion.config.persona import Persona
from companion.errors import DeviceError, EngineUnavailable
from companion.events import BodyFrame

BEAT_S = 0.1
FIRST_RESTART_S = 0.5
LONGEST_RESTART_S = 30.0
LONG_LIFE_S = 60.0
"""A process that has lived this long is started again at once, as the first time."""
_CLOSED_WITHIN_S = 2.0
_ANSWERS_WITHIN_S = 10.0

OWNER = (sys.executable, "-m", "companion.body.pin_owner")

Values = tuple[float, ...]
"""One value, three for the colour of an RGB LED, or none."""


def pin_values(part: Part, settings: ChannelSettings, frame: BodyFrame, name: str) -> Values | None:
    """The values for a part: 0 to 1 for an LED, three of these for an RGB LED, -1 to 1 for a servo or motor.

    None if the frame leaves the channel out or its value is not finite; no value for a servo that must hold nothing.
    """
    if settings.kind == "light":
        if name not in frame.lights:
            return None
        red, green, blue = (part_of / 255 for part_of in frame.lights[name])
        # A single LED shows the luminance of the colour (ITU-R BT.709).
        return (red, green, blue) if isinstance(part, RgbLedPart) else (0.2126 * red + 0.7152 * green + 0.0722 * blue,)
    value = frame.positions.get(name, math.nan)
    if not math.isfinite(value):
        return None
    value = min(max(value, settings.low), settings.high)
    if isinstance(part, LedPart):
        return (min(max(value, 0.0), 1.0),)
    if isinstance(part, ServoPart):
        if frame.released:
            return ()
        reach = part.high_degrees - part.low_degrees
        share = value if settings.kind == "mouth" else (value - part.low_degrees) / reach
        return (min(max(2 * share - 1, -1.0), 1.0),)
    return (min(max(value, -1.0), 1.0),)


class GpioBody:
    """The switches and channels of `settings`. `events` opens the switches, the first `show` the channels."""

    def __init__(
        self, settings: GpioSettings, channels: Mapping[str, ChannelSettings], owner: Sequence[str] = OWNER
    ) -> None:
        """`owner` is the command of the process that owns the pins; tests give one with other pins."""
        self._settings = settings
        self._channels = {name: channels[name] for name in settings.channels if name in channels}
        self._command = owner
        self._switches: GpioSwitches | None = None
        self._owner: subprocess.Popen[bytes] | None = None
        self._said = b""
        self._started_at = 0.0
        self._pause = FIRST_RESTART_S
        self._timer: asyncio.TimerHandle | None = None
        self._closing = False
        self._log = LogLimit(time.monotonic)
        self._errors: deque[str] = deque()
        self._asking: list[asyncio.Future[None]] = []
        self._line = b""
        """The newest frame for the process."""

    def events(self, callback: Callable[[BodyEvent], object]) -> None:
        """See `BodyEvents`. A switch that cannot be opened is logged and tried again."""
        self._switches = GpioSwitches(self._settings, callback)

    async def show(self, frame: BodyFrame) -> None:
        """Show this frame. Raises `DeviceError` once for each channel that cannot be used."""
        if self._closing:
            return
        values = [pin_values(self._settings.channels[name], one, frame, name) for name, one in self._channels.items()]
        self._line = json.dumps(values, separators=(",", ":")).encode() + b"\n"
        if self._owner is not None:
            self._write()
        elif self._timer is None:
            self._start()
        if self._errors:
            raise DeviceError(self._errors.popleft())

    async def shown(self) -> None:
        """Return when the newest frame is on the pins, as far as they can be used. Raises `DeviceError`."""
        if self._owner is None:
            raise DeviceError("body.gpio: the process that owns the pins does not run.")
        answered = asyncio.get_running_loop().create_future()
        self._asking.append(answered)
        assert self._owner.stdin is not None
        try:
            os.write(self._owner.stdin.fileno(), self._line + b"null\n")
            async with asyncio.timeout(_ANSWERS_WITHIN_S):
                await answered
        except (OSError, TimeoutError) as error:
            raise DeviceError("body.gpio: the process that owns the pins does not answer.") from error

    async def close(self) -> None:
        """Stop motors, end pulses, and release all pins."""
        self._closing = True
        if self._switches is not None:
            self._switches.close()
        if self._timer is not None:
            self._timer.cancel()
        if self._owner is not None:
            owner, self._owner = self._owner, None
            _forget(owner)
            await asyncio.to_thread(_end, owner)

    def _start(self) -> None:
        """Start the process, and give it the newest frame from now on."""
        loop = asyncio.get_running_loop()
        parts = [[name, self._settings.channels[name].model_dump(mode="json")] for name in self._channels]
        try:
            # From the folder that this very program was imported from, so that it is of the same version.
            self._owner = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=Path(companion.__file__).resolve().parents[1],
                bufsize=0,
                env=child_environment(),
            )
        except OSError as error:
            self._errors.append(f"body.gpio: the process that owns the pins cannot be started: {error.strerror}.")
            self._restart_later()
            return
        assert self._owner.stdin is not None
        assert self._owner.stdout is not None
        self._started_at, self._said = loop.time(), b""
        loop.add_reader(self._owner.stdout.fileno(), self._read, self._owner)
        self._owner.stdin.write(json.dumps(parts).encode() + b"\n")
        os.set_blocking(self._owner.stdin.fileno(), False)
        self._beat(loop)

    def _beat(self, loop: asyncio.AbstractEventLoop) -> None:
        """Say every `BEAT_S` that the loop is alive. This must stay on the loop."""
        self._write()
        self._timer = loop.call_later(BEAT_S, self._beat, loop)

    def _write(self) -> None:
        assert self._owner is not None
        assert self._owner.stdin is not None
        try:
            # Up to PIPE_BUF bytes are written as a whole or not at all, and no board has pins for more.
            os.write(self._owner.stdin.fileno(), self._line)
        except (BlockingIOError, BrokenPipeError):
            # The pipe is full, or `_read` will notice that the process has ended.
            return

    def _read(self, owner: subprocess.Popen[bytes]) -> None:
        """The process says something, or has ended."""
        assert owner.stdout is not None
        data = os.read(owner.stdout.fileno(), 1 << 16)
        if not data:
            self._owner = None
            _forget(owner)
            _end(owner)
            self._errors.append(
                f"body.gpio: the process that owns the pins has ended (status {owner.returncode}); it is started again."
            )
            self._restart_later()
            return
        *lines, self._said = (self._said + data).split(b"\n")
        for name, what in map(json.loads, lines):
            if name:
                self._errors.append(what)
            elif what == 0:
                for answered in self._asking:
                    if not answered.done():
                        answered.set_result(None)
                self._asking.clear()
            else:
                self._log.log(
                    logging.WARNING, "Body: the runtime hung for %d ms, so its pins were let go of meanwhile.", what
                )

    def _restart_later(self) -> None:
        loop = asyncio.get_running_loop()
        if self._timer is not None:
            self._timer.cancel()
        if loop.time() - self._started_at > LONG_LIFE_S:
            self._pause = FIRST_RESTART_S
        self._timer = loop.call_later(self._pause, self._start)
        self._pause = min(2 * self._pause, LONGEST_RESTART_S)


def _forget(owner: subprocess.Popen[bytes]) -> None:
    assert owner.stdout is not None
    asyncio.get_running_loop().remove_reader(owner.stdout.fileno())


def _end(owner: subprocess.Popen[bytes]) -> None:
    """End the process by closing its pipe, and wait for it. What does not hear that is killed: pins become inputs."""
    assert owner.stdin is not None
    assert owner.stdout is not None
    owner.stdin.close()
    try:
        owner.wait(_CLOSED_WITHIN_S)
    except subprocess.TimeoutExpired:
        owner.kill()
        owner.wait()
    owner.stdout.close()


def build(device: Device, persona: Persona) -> GpioBody:  # noqa: ARG001 - every factory takes both
    """Build the body of `[body.gpio]`. Raises `EngineUnavailable` if that table is missing."""
    if device.body.gpio is None:
        raise EngineUnavailable("gpio: the device file has no [body.gpio] table; write one that says what is where")
    return GpioBody(device.body.gpio, device.body.channels, OWNER)
