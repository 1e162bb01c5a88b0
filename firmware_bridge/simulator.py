"""A simulated microcontroller at the other end of the wire. A fake that ships with the product.

It runs the device code of the MicroPython firmware, which the tests compare step by step with the C firmware.
`Simulator` is pure: bytes in, bytes out, and `frame` lets 20 ms pass. `python -m firmware_bridge.simulator [PORT]` runs
one in real time on a TCP port of this machine; `port = "socket://127.0.0.1:8765"` in a device file connects to it.
"""

from __future__ import annotations

import dataclasses
import select
import socket
import sys
import time
from collections.abc import Callable, Sequence

from firmware_bridge.firmware.micropython.companion_device.device import Device
from firmware_bridge.messages import Channel, EventKind, Kind, Limits

FRAME_S = 0.02
PORT = 8765

CHANNELS = (
    Channel(Kind.SERVO, -900, 0, 900, 6000),
    Channel(Kind.SERVO, -900, 0, 900, 6000),
    Channel(Kind.SERVO, -300, 0, 1500, 6000),
    Channel(Kind.SERVO, -300, 0, 1500, 6000),
    Channel(Kind.MOUTH, 0, 0, 1000, 20000),
    Channel(Kind.MOTOR, -1000, 0, 1000, 4000),
    Channel(Kind.LIGHT, 0, 0, 255, 1530),
    Channel(Kind.LIGHT, 0, 0, 255, 1530),
)
"""The channels of the Uno firmware, from `firmware/avr/channels.h`."""

LIMITS = (
    *(Limits(number, 60_000, 0, 0, 250, 1200) for number in range(4)),
    Limits(4, 0, 0, 0, 0, 1200),
    Limits(5, 0, 20_000, 5_000, 600, 1200),
    Limits(6, 0, 0, 0, 0, 1200),
    Limits(7, 0, 0, 0, 0, 1200),
)
"""The limits from the same file; the current budget is the same for all."""

INPUTS = (
    (EventKind.BUTTON, 0, 3, 3),
    (EventKind.BUTTON, 1, 3, 3),
    (EventKind.TOUCH, 0, 3, 3),
    (EventKind.LID, 0, 3, 3),
    (EventKind.OVER_CURRENT, 0, 1, 50),
)


class Simulator:
    """One simulated device."""

    def __init__(self, channels: Sequence[Channel] = CHANNELS, limits: Sequence[Limits] = LIMITS) -> None:
        self.battery_mv = 0
        self._out = bytearray()
        self._active = [False] * len(INPUTS)
        tables = [
            (one.kind, one.low, one.neutral, one.high, one.fastest, *dataclasses.astuple(more)[1:5])
            for one, more in zip(channels, limits, strict=True)
        ]
        self._device = Device(tables, INPUTS, self._out.extend, limits[0].budget_ma)

    @property
    def values(self) -> list[list[int]]:
        """The output of each channel: red, green and blue for a light, one number for others."""
        return [list(channel.value) for channel in self._device.channels]

    @property
    def released(self) -> list[bool]:
        """Whether each channel is a servo or mouth that gets no pulses, so that it neither moves nor holds."""
        return [channel.released for channel in self._device.channels]

    def activate(self, kind: EventKind, index: int = 0, *, active: bool = True) -> None:
        """Activate an input (press, touch, open, overload) or deactivate it. Raises KeyError for an unknown input."""
        numbers = {(one, place): number for number, (one, place, *_) in enumerate(INPUTS)}
        self._active[numbers[kind, index]] = active

    def receive(self, data: bytes) -> None:
        """Take bytes from the host."""
        self._device.take(data)

    def frame(self) -> None:
        """Let 20 ms pass."""
        self._device.frame(self._active, self.battery_mv)

    def outgoing(self) -> bytes:
        """The bytes for the host; each is returned once."""
        data = bytes(self._out)
        self._out.clear()
        return data


def serve(
    listener: socket.socket,
    simulator: Simulator,
    running: Callable[[], bool],
    on_change: Callable[[list[list[int]]], object] = lambda _values: None,
) -> None:
    """Serve one host after the other in real time while `running`. `on_change` is called with every change."""
    host: socket.socket | None = None
    due = time.monotonic()
    before: list[list[int]] = []
    while running():
        readable, _, _ = select.select([host or listener], [], [], max(0.0, due - time.monotonic()))
        if readable and host is None:
            host, _ = listener.accept()
        elif readable and host is not None:
            try:
                data = host.recv(4096)
            except OSError:
                data = b""
            if data:
                simulator.receive(data)
            else:
                host.close()
                host = None
        if time.monotonic() >= due:
            # Frames that this process came too late for are not made up for: they would all pass before the host, which
            # was late for the same reason, could say a word, and the device would take it for dead.
            due = max(due + FRAME_S, time.monotonic())
            simulator.frame()
            if simulator.values != before:
                before = simulator.values
                on_change(before)
        data = simulator.outgoing()
        if host is not None and data:
            try:
                host.sendall(data)
            except OSError:
                host.close()
                host = None
    if host is not None:
        host.close()


def main() -> None:
    port = int(sys.argv[1]) if len(sys.argv) > 1 else PORT
    with socket.create_server(("127.0.0.1", port)) as listener:
        print(f"A simulated body listens on socket://127.0.0.1:{port}")
        try:
            serve(listener, Simulator(), lambda: True, lambda values: print(*values))
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
