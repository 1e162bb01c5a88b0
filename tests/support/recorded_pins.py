"""The process that owns the pins, with mock pins: it tells each change, with its own clock, to a socket.

    python -m tests.support.recorded_pins SOCKET [PIN ...]     in place of  python -m companion.body.pin_owner

The pins named are in use by something else.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time

import gpiozero
from gpiozero.pins.mock import MockFactory, MockPWMPin

from companion.body import pin_owner


class RecordedPin(MockPWMPin):
    """A mock pin that tells its factory of each change."""

    _recorded = False

    def __init__(self, factory: RecordedPins, info: object) -> None:
        super().__init__(factory, info)
        self._recorded = True

    def _change_state(self, value: float) -> bool:
        changed = bool(super()._change_state(value))
        if self._recorded:
            self.factory.record(self)
        return changed

    def _set_frequency(self, value: float | None) -> None:
        super()._set_frequency(value)
        self.factory.record(self)


class RecordedPins(MockFactory):
    def __init__(self, path: str) -> None:
        super().__init__(pin_class=RecordedPin)
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(path)
        self._socket.sendall(b"%d\n" % os.getpid())

    def record(self, pin: RecordedPin) -> None:
        line = [time.monotonic(), pin.info.name, float(pin.state), pin.frequency]
        self._socket.sendall(json.dumps(line).encode() + b"\n")


if __name__ == "__main__":
    gpiozero.Device.pin_factory = RecordedPins(sys.argv[1])
    in_use = [gpiozero.LED(int(pin)) for pin in sys.argv[2:]]
    pin_owner.main()
