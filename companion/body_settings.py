"""What a unit moves and lights up: channels, their limits, and the outputs that they leave by.

A part of the device file: `companion.config` puts the parts together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from companion.output_settings import GpioSettings, SerialSettings
from companion.settings_file import Factory, FilePath, Settings


class ChannelSettings(Settings):
    kind: Literal["light", "servo", "motor", "mouth"]
    low: float = -90.0
    """Servo: degrees from the middle. Motor: -1 to 1. Mouth: 0 to 1. Not used by lights."""
    high: float = 90.0
    neutral: float = 0.0
    fastest: float = Field(default=360.0, gt=0)
    """Largest change in a second, in the channel's own unit: the slew rate."""

    @model_validator(mode="before")
    @classmethod
    def _unit_of_kind(cls, value: object) -> object:
        """Motors and mouths have other natural ranges than servos."""
        if isinstance(value, Mapping):
            low = {"motor": -1.0, "mouth": 0.0}.get(str(value.get("kind")))
            if low is not None:
                return {"low": low, "high": 1.0, "fastest": 4.0 if low else 20.0, **value}
        return value

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.low <= self.neutral <= self.high:
            raise ValueError("low, neutral and high must be in this order")
        return self


class BodySettings(Settings):
    outputs: tuple[Factory, ...] = ("simulated",)
    serial: SerialSettings | None = None
    """The microcontroller that the output `serial` talks to."""
    gpio: GpioSettings | None = None
    """The board's own pins, for the output `gpio`."""
    choreography: FilePath | None = None
    """The built-in choreography when absent."""
    channels: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], ChannelSettings] = Field(
        default={
            "glow": ChannelSettings(kind="light"),
            "head": ChannelSettings(kind="servo", low=-45, high=45),
            "mouth": ChannelSettings.model_validate({"kind": "mouth"}),
        }
    )

    @model_validator(mode="after")
    def _serial_is_whole(self) -> Self:
        if "serial" in self.outputs and self.serial is None:
            raise ValueError('outputs names serial: add a table [body.serial] with port = "..."')
        unknown = sorted(set(self.serial.channels) - set(self.channels)) if self.serial else []
        if unknown:
            raise ValueError(f"serial.channels: there is no channel called {', '.join(unknown)}")
        return self
