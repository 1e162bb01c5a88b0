"""The table `[body]` of the device file: channels (lights, servos, motors, mouths), their limits, and the outputs.

`companion.config.device` puts the tables together.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, Self

from pydantic import Field, model_validator

from companion.config.loading import ChannelName, Factory, FilePath, Settings, TimeSpan
from companion.config.outputs import GpioSettings, PageSettings, SerialSettings, output_problems

DUTY_WINDOW_S = 30.0
"""The window over which a channel's `duty` is measured."""

TIME_TO_FASTEST_S = 0.05
"""Time in which a channel reaches its `fastest` where its file gives no `acceleration`."""

MIN_LIGHT_SHARE = 0.1
"""Share of their full brightness that the current budget must leave for the lights."""

_CONTINUOUS: Mapping[str, float | None] = MappingProxyType({"duty": 1.0, "longest_s": None, "rest_s": 0.0})
_INTERMITTENT: Mapping[str, float | None] = MappingProxyType({"duty": 0.5, "longest_s": 10.0, "rest_s": 2.0})
_KIND_DEFAULTS: Mapping[str, Mapping[str, float | None]] = MappingProxyType(
    {
        "light": {"current_ma": 60.0, **_CONTINUOUS},
        # Lips that lag behind the voice look wrong, so a mouth is very fast by default.
        "mouth": {
            "low": 0.0,
            "high": 1.0,
            "fastest": 20.0,
            "acceleration": 2000.0,
            "current_ma": 150.0,
            **_CONTINUOUS,
        },
        "motor": {"low": -1.0, "high": 1.0, "fastest": 4.0, "current_ma": 500.0, **_INTERMITTENT},
    }
)
"""Defaults of the other kinds where they differ from a servo's, which are the fields' own."""


class ChannelSettings(Settings):
    kind: Literal["light", "servo", "motor", "mouth"]
    """What the channel is."""
    low: float = -90.0
    """Lowest position. Servo: degrees from the middle (-90). Motor: full speed backward (-1). Mouth: closed (0). Not
    used by lights."""
    high: float = 90.0
    """Highest position. Servo: degrees from the middle (90). Motor: full speed forward (1). Mouth: open (1). Not used
    by lights."""
    neutral: float = 0.0
    """Position at rest, between `low` and `high`."""
    fastest: float = Field(default=360.0, gt=0)
    """Largest speed (slew rate), in the channel's own unit per second. Motors 4; mouths 20."""
    acceleration: float | None = Field(default=None, gt=0)
    """Largest acceleration, in the channel's own unit per second squared. When absent, `fastest` is reached in a
    twentieth of a second; mouths 2000."""
    duty: float = Field(default=0.8, ge=0.05, le=1)
    """Duty cycle: the largest share of any 30 seconds in which it may move (a motor: turn). Motors 0.5; mouths 1."""
    longest_s: float | None = Field(default=30.0, ge=1, le=3600)
    """Longest time, in seconds, that it may move before it must rest. Motors 10; mouths without limit."""
    rest_s: float = Field(default=1.0, ge=0, le=600)
    """How long it rests then, in seconds. A shorter pause does not count as a rest. Motors 2; mouths 0."""
    current_ma: float = Field(default=250.0, ge=0, le=20_000)
    """Current in mA at full speed (a light: in full white). Motors 500, mouths 150, lights 60."""

    @model_validator(mode="before")
    @classmethod
    def _apply_kind_defaults(cls, value: object) -> object:
        """Motors, mouths and lights have other natural ranges and limits than servos."""
        if isinstance(value, Mapping):
            return {**_KIND_DEFAULTS.get(str(value.get("kind")), {}), **value}
        return value

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if not self.low <= self.neutral <= self.high:
            raise ValueError("low, neutral and high must be in this order: the lowest position first")
        return self

    @property
    def max_acceleration(self) -> float:
        """The acceleration in effect, in the channel's own unit per second squared."""
        return self.acceleration if self.acceleration is not None else self.fastest / TIME_TO_FASTEST_S


class BodySettings(Settings):
    outputs: tuple[Factory, ...] = ("simulated",)
    """Where the channels are shown: `gpio` (the board's pins), `serial` (a microcontroller), `page` (drawn in a
    browser), `simulated` (nowhere). Several work at the same time."""
    serial: SerialSettings | None = None
    """The microcontroller of the output `serial`."""
    gpio: GpioSettings | None = None
    """The board's own pins, for the output `gpio`."""
    page: PageSettings = PageSettings()
    """The web page of the output `page`."""
    choreography: FilePath | None = None
    """A choreography file: how each emotion, gesture and state looks. The built-in one when absent."""
    idle_life: bool = True
    """Breathing, blinking and small glances while nothing happens. Never while muted; at night without motion."""
    current_ma: float = Field(default=1500.0, gt=0, le=100_000)
    """Largest current of all channels together, in mA. Motions that would exceed it wait for each other."""
    night: TimeSpan = "20:00-07:00"
    """Local time during which the lights are dimmed; empty for never."""
    night_brightness: float = Field(default=0.3, ge=0, le=1)
    """Share of the usual brightness at night."""
    channels: dict[ChannelName, ChannelSettings] = Field(
        default={
            "glow": ChannelSettings(kind="light"),
            "head": ChannelSettings(kind="servo", low=-45, high=45),
            "mouth": ChannelSettings.model_validate({"kind": "mouth"}),
        }
    )
    """The channels of the body by name. Names that the choreography uses (`glow`, `head`, `mouth` ...) move by
    themselves."""

    @model_validator(mode="after")
    def _check_outputs(self) -> Self:
        kinds = {name: one.kind for name, one in self.channels.items()}
        problems = output_problems(self.outputs, self.serial, self.gpio, kinds)
        if problems:
            raise ValueError("\n".join(problems))
        return self

    @model_validator(mode="after")
    def _check_current(self) -> Self:
        needed = self.current_needed_ma
        if self.current_ma < needed:
            raise ValueError(
                f"current_ma: {self.current_ma:g} mA is too little: the mouth, a tenth of the lights "
                f"and the one channel that draws most need {needed:g} mA; correct it or the channels' current_ma"
            )
        return self

    @property
    def current_needed_ma(self) -> float:
        """The smallest budget with which every channel can move at some time."""
        drawn = {
            kind: [one.current_ma for one in self.channels.values() if one.kind in kinds]
            for kind, kinds in {"mouth": ("mouth",), "light": ("light",), "mover": ("servo", "motor")}.items()
        }
        return sum(drawn["mouth"]) + MIN_LIGHT_SHARE * sum(drawn["light"]) + max(drawn["mover"], default=0.0)
