"""What a unit moves and lights up: channels, their limits, and the outputs that they leave by.

A part of the device file: `companion.config.device` puts the parts together.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from companion.config.loading import Factory, FilePath, Settings
from companion.config.outputs import GpioSettings, PageSettings, SerialSettings, output_problems

DUTY_WINDOW_S = 30.0
"""The window over which a channel's `duty` is counted."""

REACHED_S = 0.05
"""Time in which a channel reaches its fastest where its file gives no acceleration."""

LEAST_LIGHT = 0.1
"""Share of their full brightness that the current budget must leave to the lights."""

_NEVER_TIRES: Mapping[str, float | None] = MappingProxyType({"duty": 1.0, "longest_s": None, "rest_s": 0.0})
_TIRES_SOON: Mapping[str, float | None] = MappingProxyType({"duty": 0.5, "longest_s": 10.0, "rest_s": 2.0})
_OF_KIND: Mapping[str, Mapping[str, float | None]] = MappingProxyType(
    {
        "light": {"current_ma": 60.0, **_NEVER_TIRES},
        # Lips that lag behind the voice look wrong: a mouth is as quick as it may be.
        "mouth": {
            "low": 0.0,
            "high": 1.0,
            "fastest": 20.0,
            "acceleration": 2000.0,
            "current_ma": 150.0,
            **_NEVER_TIRES,
        },
        "motor": {"low": -1.0, "high": 1.0, "fastest": 4.0, "current_ma": 500.0, **_TIRES_SOON},
    }
)
"""Where a kind differs from a servo, whose values stand with the fields."""


class ChannelSettings(Settings):
    kind: Literal["light", "servo", "motor", "mouth"]
    low: float = Field(default=-90.0, allow_inf_nan=False)
    """Servo: degrees from the middle. Motor: -1 to 1. Mouth: 0 to 1. Not used by lights."""
    high: float = Field(default=90.0, allow_inf_nan=False)
    neutral: float = Field(default=0.0, allow_inf_nan=False)
    fastest: float = Field(default=360.0, gt=0, allow_inf_nan=False)
    """Largest change in a second, in the channel's own unit: the slew rate."""
    acceleration: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """Largest change of that rate in a second. When absent, `fastest` is reached in a twentieth of a second; mouths
    2000."""
    duty: float = Field(default=0.8, ge=0.05, le=1)
    """Largest share of any `DUTY_WINDOW_S` seconds in which it may move (a motor: turn). Motors 0.5; mouths 1."""
    longest_s: float | None = Field(default=30.0, ge=1, le=3600)
    """Longest run, in seconds of motion, before it must rest. Motors 10; mouths none."""
    rest_s: float = Field(default=1.0, ge=0, le=600)
    """How long it stands still then. Shorter pauses count as part of a run. Motors 2; mouths none."""
    current_ma: float = Field(default=250.0, ge=0, le=20_000)
    """What it draws at full speed, a light in full white. Motors 500, mouths 150, lights 60."""

    @model_validator(mode="before")
    @classmethod
    def _as_its_kind(cls, value: object) -> object:
        """Motors, mouths and lights have other natural ranges and bounds than servos."""
        if isinstance(value, Mapping):
            return {**_OF_KIND.get(str(value.get("kind")), {}), **value}
        return value

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.low <= self.neutral <= self.high:
            raise ValueError("low, neutral and high must be in this order")
        return self

    @property
    def max_acceleration(self) -> float:
        """The acceleration in effect, in the channel's own unit per second squared."""
        return self.acceleration if self.acceleration is not None else self.fastest / REACHED_S


class BodySettings(Settings):
    outputs: tuple[Factory, ...] = ("simulated",)
    serial: SerialSettings | None = None
    """The microcontroller that the output `serial` talks to."""
    gpio: GpioSettings | None = None
    """The board's own pins, for the output `gpio`."""
    page: PageSettings = PageSettings()
    """Where the output `page` draws the toy."""
    choreography: FilePath | None = None
    """The built-in choreography when absent."""
    idle_life: bool = True
    """Breathing, blinking and small glances while nothing happens. Never while muted; at night without motion."""
    current_ma: float = Field(default=1500.0, gt=0, le=100_000)
    """What all channels together may draw. Where it is too little for all at once, motions wait for each other."""
    night: str = Field(default="20:00-07:00", pattern=r"^$|^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$")
    """Local time in which the lights are dimmed; empty: there is none."""
    night_brightness: float = Field(default=0.3, ge=0, le=1)
    """Share of the brightness that is left then."""
    channels: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], ChannelSettings] = Field(
        default={
            "glow": ChannelSettings(kind="light"),
            "head": ChannelSettings(kind="servo", low=-45, high=45),
            "mouth": ChannelSettings.model_validate({"kind": "mouth"}),
        }
    )

    @model_validator(mode="after")
    def _outputs_are_whole(self) -> Self:
        kinds = {name: one.kind for name, one in self.channels.items()}
        problems = output_problems(self.outputs, self.serial, self.gpio, kinds)
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @model_validator(mode="after")
    def _current_is_enough(self) -> Self:
        needed = self.current_needed_ma
        if self.current_ma < needed:
            raise ValueError(
                f"current_ma: {self.current_ma:g} mA is too little: the mouth, a tenth of the lights "
                f"and the one channel that draws most need {needed:g} mA; correct it or the channels' current_ma"
            )
        return self

    @property
    def current_needed_ma(self) -> float:
        """The least with which every channel can have its turn."""
        drawn = {
            kind: [one.current_ma for one in self.channels.values() if one.kind in kinds]
            for kind, kinds in {"mouth": ("mouth",), "light": ("light",), "mover": ("servo", "motor")}.items()
        }
        return sum(drawn["mouth"]) + LEAST_LIGHT * sum(drawn["light"]) + max(drawn["mover"], default=0.0)
