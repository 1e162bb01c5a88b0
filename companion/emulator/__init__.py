"""A local stand-in for the character service: scripted answers in its wire format, and no language model."""

from companion.emulator.server import EmulatorServer

__all__ = ["EmulatorServer"]
