"""A host that knows only PROTOCOL.md, with a simulated device at the other end."""

from __future__ import annotations

from firmware_bridge.frames import Receiver
from firmware_bridge.messages import Heartbeat, Hello, Message, decode, encode
from firmware_bridge.simulator import Simulator

HEAD, MOUTH, MOTOR, LIGHT = 0, 4, 5, 6
"""Numbers of channels: one of the four servos, and the first of each other kind."""

SETTLED = 12
"""Frames after which a device that starts holds all its servos and counts none as running."""


class Host:
    """Says one thing after the other, with the right sequence numbers."""

    def __init__(self) -> None:
        self.device = Simulator()
        for _ in range(SETTLED):
            self.device.frame()
        self._receiver = Receiver()
        self.seq = 0
        self.say(Hello(1), seq=0)

    def say(self, message: Message, seq: int | None = None) -> list[Message]:
        if seq is None:
            self.seq = seq = self.seq + 1 & 0xFF
        self.device.receive(encode(message, seq))
        return self.heard()

    def heard(self) -> list[Message]:
        return [decode(body)[0] for body in self._receiver.feed(self.device.outgoing())]

    def wait(self, frames: int, *, alive: bool = True) -> list[Message]:
        """Let frames pass; what the device said of its own accord."""
        heard = []
        for _ in range(frames):
            if alive:
                self.say(Heartbeat())
            self.device.frame()
            heard += self.heard()
        return heard
