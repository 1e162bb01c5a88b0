"""The process that owns the output pins: `python -m companion.body.pin_owner`, started by `gpio.GpioBody`.

It exists for fingers. A thread of the runtime cannot be trusted to stop a motor, since a native call that keeps
Python's global lock stops all threads. This process shares nothing with the runtime but two pipes. If no line has
arrived for `SILENCE_S`, motors stop, pulses end and lights go dark until the next line. When the pipe is closed,
however the runtime ended, it does the same and exits. Signals that end the runtime do not end it before that.

Standard input: first a list of `[name, part]`, then frames, all as JSON in one line each. A frame has one list of
values for each part, in the same order: one value, three for the colour of an RGB LED, none where the part should hold
nothing; or null for a part that stays as it is. A line with null asks whether all that came before it is on the pins.
Standard output: `[name, sentence]` for each part that cannot be used (again once it has worked meanwhile), `["", 0]` as
the answer, and `["", milliseconds]` when a line arrives after a silence.

It imports nothing large: gpiozero, the standard library, and the drivers in `gpio_pins`.
"""

from __future__ import annotations

import json
import math
import os
import select
import signal
import time
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from companion.body.gpio_pins import Output, open_output
from companion.errors import DeviceError

if TYPE_CHECKING:
    from companion.config.outputs import Part

SILENCE_S = 0.3
"""After this long without a line the runtime is taken to hang."""

FIRST_RETRY_S = 0.5
LONGEST_RETRY_S = 30.0

Values = Sequence[float]


class GpioChannel:
    """The channel `name` on the pins of `part`, which are opened with the first frame.

    The caller gives the time (seconds of any clock that does not run backwards) and calls `update` whenever there is a
    new frame, and at `next_update_at`.
    """

    def __init__(self, name: str, part: Part) -> None:
        self.name = name
        self._part = part
        self._rest_s = (part.rest_s or math.inf) if part.kind == "servo" else math.inf
        self._output: Output | None = None
        self._values: Values | None = None
        self._pause = FIRST_RETRY_S
        self._retry_at = -math.inf
        self._rest_at = math.inf

    @property
    def is_open(self) -> bool:
        """Whether its pins are open."""
        return self._output is not None

    @property
    def next_update_at(self) -> float:
        """When to call `update` even if there is no new frame."""
        return self._rest_at if self._output is not None else self._retry_at if self._retry_at > -math.inf else math.inf

    def update(self, values: Values | None, now: float) -> None:
        """Show these values; none: let go; None: leave it as it is. Raises `DeviceError` if its pins cannot be used."""
        if self._output is None and not values:
            self._retry_at = -math.inf
            return
        if values is None:
            return
        try:
            self._show(tuple(values), now)
        except DeviceError:
            self.close()
            self._retry_at = now + self._pause
            self._pause = min(2 * self._pause, LONGEST_RETRY_S)
            raise

    def close(self) -> None:
        """Release the pins: motors stop, pulses end."""
        output, self._output, self._values = self._output, None, None
        self._rest_at = math.inf
        if output is not None:
            output.close()

    def _show(self, values: Values, now: float) -> None:
        if self._output is None:
            if now < self._retry_at:
                return
            self._output = open_output(self.name, self._part)
            self._pause = FIRST_RETRY_S
        if values != self._values:
            if values:
                self._output.show(*values)
            else:
                self._output.let_go()
            self._values = values
            self._rest_at = now + self._rest_s if values else math.inf
        elif now >= self._rest_at:
            self._output.let_go()
            self._rest_at = math.inf


class PinOwner:
    """All channels, and the switch that lets go of them when nobody says anything any more."""

    def __init__(self, channels: Sequence[GpioChannel], tell: Callable[[str, str | int], object]) -> None:
        """`tell` is called with what goes to standard output."""
        self._channels = channels
        self._tell = tell
        self._frame: Sequence[Values | None] = [None] * len(channels)
        self._failed: set[str] = set()
        self._heard_at = math.inf
        self._silent = False

    def next_update_at(self) -> float:
        """When to call `update` even if no frame has arrived."""
        end = math.inf if self._silent else self._heard_at + SILENCE_S
        return min([end, *(channel.next_update_at for channel in self._channels)])

    def take(self, frame: Sequence[Values | None], now: float) -> None:
        """A frame has arrived."""
        if self._silent:
            self._silent = False
            self._tell("", round(1000 * (now - self._heard_at)))
        self._heard_at = now
        self._frame = frame

    def update(self, now: float) -> None:
        """Bring all pins up to date."""
        self._silent = self._silent or now - self._heard_at >= SILENCE_S
        frame = [()] * len(self._channels) if self._silent else self._frame
        for channel, values in zip(self._channels, frame, strict=True):
            try:
                channel.update(values, now)
            except DeviceError as error:
                if channel.name not in self._failed:
                    self._tell(channel.name, str(error))
                self._failed.add(channel.name)
            if channel.is_open:
                self._failed.discard(channel.name)

    def close(self) -> None:
        """Release all pins."""
        for channel in self._channels:
            channel.close()


def main() -> None:
    """Serve standard input until it ends."""
    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(one, signal.SIG_IGN)
    owner: PinOwner | None = None
    began, asked = b"", False
    try:
        while True:
            timeout = None
            if owner is not None and (due := owner.next_update_at()) < math.inf:
                timeout = max(due - time.monotonic(), 0.0)
            readable, _, _ = select.select([0], [], [], timeout)
            if readable:
                data = os.read(0, 1 << 16)
                if not data:
                    return
                *lines, began = (began + data).split(b"\n")
                if lines and owner is None:
                    parts = json.loads(lines.pop(0))
                    owner = PinOwner([GpioChannel(name, _part(table)) for name, table in parts], tell)
                said = [json.loads(line) for line in lines]
                frames = [frame for frame in said if frame is not None]
                if frames and owner is not None:
                    owner.take(frames[-1], time.monotonic())
                asked = asked or None in said
            if owner is not None:
                owner.update(time.monotonic())
            if asked:
                asked = False
                tell("", 0)
    finally:
        if owner is not None:
            owner.close()


def _part(table: dict[str, Any]) -> Any:
    """The settings of a part. They were checked in the runtime, which has the classes for it."""
    return SimpleNamespace(**table)


def tell(name: str, what: str | int) -> None:
    """Write a line to standard output. A runtime that has gone is noticed at standard input."""
    try:
        os.write(1, json.dumps([name, what]).encode() + b"\n")
    except OSError:
        return


if __name__ == "__main__":
    main()
