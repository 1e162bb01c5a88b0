"""The host's side of `PROTOCOL.md`: the link to the microcontroller that drives the body.

`frames`, `messages` and `link` are pure (bytes in, events out, the caller gives the time). `port` opens serial ports,
`simulator` is a device in Python, and `firmware` has the code for the microcontrollers. Nothing here imports
`companion`.
"""
