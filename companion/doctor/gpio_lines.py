"""Who has which GPIO pin, as the kernel tells it: for `companion doctor`. Reads only, and moves nothing.

Asks the character devices /dev/gpiochip* (Linux 5.10 and later, include/uapi/linux/gpio.h). Needs no library.
"""

from __future__ import annotations

import fcntl
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from companion.config.outputs import GpioSettings

GET_CHIP_INFO = 0x8044_B401
GET_LINE_INFO = 0xC100_B405
"""`GPIO_GET_CHIPINFO_IOCTL` and `GPIO_V2_GET_LINEINFO_IOCTL`."""
LINE_USED = 1
CHIP_LABELS = ("pinctrl-bcm", "pinctrl-rp1")
"""The chips whose lines are the pins of a Raspberry Pi's header."""

Control = Callable[[int, int, bytes], bytes]


@dataclass(frozen=True, slots=True)
class PinReport:
    """One pin of the device file."""

    pin: int
    """Its BCM number."""
    key: str
    """What names it in the device file: `body.gpio.mute`."""
    taken_by: str = ""
    """Who has it, as the kernel names them; empty while it is free."""
    problem: str = ""
    """One sentence for a person; empty where all is well."""


def pins_report(
    settings: GpioSettings, devices: Path = Path("/dev"), control: Control = fcntl.ioctl
) -> list[PinReport]:
    """Every pin that the device file names, with who has it now.

    A running companion shows up as the one who has them (`lg`): then nothing is wrong.
    """
    chip = _header_chip(devices, control)
    if chip is None:
        words = "there are no GPIO pins on this machine, or this user may not use them (add it to the group gpio)"
        return [PinReport(pin, key, problem=f"{key}: {words}.") for key, pin in settings.pins()]
    return [_pin(chip, key, pin, control) for key, pin in settings.pins()]


def _pin(chip: Path, key: str, pin: int, control: Control) -> PinReport:
    asked = struct.pack("=64xI188x", pin)
    try:
        answer = _asked(chip, GET_LINE_INFO, asked, control)
    except OSError as error:
        return PinReport(pin, key, problem=f"{key}: {chip.name} has no GPIO{pin}: {error.strerror or error}.")
    _, user, flags = struct.unpack_from("=32s32s8xQ", answer)
    if not flags & LINE_USED:
        return PinReport(pin, key)
    name = user.partition(b"\0")[0].decode("utf-8", "replace") or "the kernel"
    if name == "lg":
        return PinReport(pin, key, name)
    return PinReport(pin, key, name, f"{key}: GPIO{pin} is taken by {name}; free it there, or name another pin.")


def _header_chip(devices: Path, control: Control) -> Path | None:
    """The chip of the board's header; the first one where none of them is known."""
    chips = []
    for path in sorted(devices.glob("gpiochip*")):
        try:
            answer = _asked(path, GET_CHIP_INFO, bytes(68), control)
        except OSError:
            # Another user's chip, or one that went away: no use to us either way.
            continue
        label = struct.unpack_from("=32x32s", answer)[0].partition(b"\0")[0].decode("utf-8", "replace")
        if label.startswith(CHIP_LABELS):
            return path
        chips.append(path)
    return chips[0] if chips else None


def _asked(path: Path, request: int, data: bytes, control: Control) -> bytes:
    with path.open("rb", buffering=0) as device:
        return control(device.fileno(), request, data)
