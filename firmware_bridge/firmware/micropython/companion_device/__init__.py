"""The device of `PROTOCOL.md` in Python: for boards with MicroPython, and for `firmware_bridge.simulator`.

It uses only what MicroPython supports and no hardware; the pins are in `main.py` beside this package. `frames` parses
bytes, `motion` moves the channels, and `device` handles messages.
"""
