"""An emulator of the character service: scripted answers in its wire format, without a language model.

`routes` is the HTTP side, `scripted_service` makes the answers, `faults` breaks them on purpose.
"""

from companion.emulator.server import EmulatorServer

__all__ = ["EmulatorServer"]
