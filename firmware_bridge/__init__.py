"""The link between the runtime and the microcontroller that holds the body: `PROTOCOL.md`, from the host's side.

`frames`, `messages` and `link` are pure (bytes in, events out, time given by the caller); `port` opens serial ports;
`simulator` is a device in Python. Nothing here knows of `companion`.
"""
