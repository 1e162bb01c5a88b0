"""The device of `PROTOCOL.md` in Python: for boards with MicroPython, and for `firmware_bridge.simulator`.

Written in the part of the language that MicroPython knows, and without hardware: `main.py` beside this package has the
pins. `frames` parses, `motion` moves, `device` answers.
"""
