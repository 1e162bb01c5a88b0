"""Where channels leave the unit: a microcontroller on a serial link, or the board's own pins.

A part of the device file: `companion.config` puts the parts together.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from companion.settings_file import Settings


class SerialSettings(Settings):
    port: str = Field(min_length=1)
    """`/dev/ttyACM0`, `usb:2341:0043` (vendor and product, perhaps `:` and a serial number) or `socket://host:port`."""
    baud: int = Field(default=115_200, ge=1_200, le=4_000_000)
    channels: dict[str, Annotated[int, Field(ge=0, le=255)]] = Field(default_factory=dict)
    """Number of the microcontroller's channel for each of ours. Without it they are matched by kind, in order."""


class GpioSettings(Settings):
    """What hangs on the board's own pins. Numbers are those of the chip (BCM), as in `GPIO17`."""

    button_pin: int | None = Field(default=None, ge=0, le=27)
