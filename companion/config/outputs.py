"""Where channels leave the unit: a microcontroller on a serial link, the board's own pins, or a page that draws them.

A part of the device file: `companion.config.device` puts the parts together. Pins are numbered as the chip does
(BCM): 17 is `GPIO17`. What hangs on the pins is checked here against the channels, so that a wrong file is refused
before anything moves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from companion.config.loading import Settings

Pin = Annotated[int, Field(ge=0, le=27)]
ChannelKind = Literal["light", "servo", "motor", "mouth"]


class SerialSettings(Settings):
    port: str = Field(min_length=1)
    """`/dev/ttyACM0`, `usb:2341:0043` (vendor and product, perhaps `:` and a serial number) or `socket://host:port`."""
    baud: int = Field(default=115_200, ge=1_200, le=4_000_000)
    channels: dict[str, Annotated[int, Field(ge=0, le=255)]] = Field(default_factory=dict)
    """Number of the microcontroller's channel for each of ours. Without it they are matched by kind, in order."""


class PageSettings(Settings):
    """The page on this machine's loopback interface that draws the toy."""

    port: int = Field(default=0, ge=0, le=65_535)
    """0 takes a free one; the log tells the address."""
    path: str = Field(default="", pattern=r"^$|^[\w-]{16,64}$")
    """The last part of the page's address; a new random one at each start where empty."""
    open: bool = False
    """Whether the page is opened in this machine's browser."""


class LedPart(Settings):
    """One LED. A light shows its brightness, a mouth its opening."""

    kind: Literal["led"]
    pin: Pin
    active_high: bool = True
    """False where the LED hangs between the supply and the pin."""
    pwm: bool = True
    """False for what can only be on or off: it is on from half brightness."""


class RgbLedPart(Settings):
    """A red, a green and a blue LED."""

    kind: Literal["rgb_led"]
    red: Pin
    green: Pin
    blue: Pin
    active_high: bool = True
    """False for a common anode."""


class ServoPart(Settings):
    """A servo. Degrees count from its middle; a mouth's 0 to 1 goes from `low_degrees` to `high_degrees`."""

    kind: Literal["servo"]
    pin: Pin
    hardware_pwm: str | None = Field(default=None, pattern=r"^pwmchip\d+:\d+$")
    """`pwmchip0:1`: the PWM channel that the board's overlay puts on this pin; without jitter. See docs/body.md."""
    low_us: int = Field(default=500, ge=300, le=3000)
    """Pulse at `low_degrees`, in microseconds."""
    high_us: int = Field(default=2500, ge=300, le=3000)
    low_degrees: float = -90.0
    high_degrees: float = 90.0
    inverted: bool = False
    """Whether it turns the other way round."""
    rest_s: float = Field(default=1.0, ge=0, le=60)
    """So long after its last motion the pulses end, and the servo neither hums nor heats. 0: they never do."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.low_us >= self.high_us or self.low_degrees >= self.high_degrees:
            raise ValueError("low_us must be below high_us, and low_degrees below high_degrees")
        return self


class MotorPart(Settings):
    """A DC motor behind a driver with a forward and a backward input (DRV8833, L9110, L298N, TB6612)."""

    kind: Literal["motor"]
    forward: Pin
    backward: Pin
    enable: Pin | None = None
    """The driver's enable or standby input, high while the motor is used."""
    pwm: bool = True
    """False where the driver takes no PWM: the motor then runs at full speed from half of it."""
    inverted: bool = False


Part = Annotated[LedPart | RgbLedPart | ServoPart | MotorPart, Field(discriminator="kind")]
_SHOWS: dict[str, tuple[ChannelKind, ...]] = {
    "led": ("light", "mouth"),
    "rgb_led": ("light",),
    "servo": ("servo", "mouth"),
    "motor": ("motor",),
}


class SwitchPart(Settings):
    """A contact: `button = 17` is short for `button = { pin = 17 }`, a contact to ground."""

    pin: Pin
    active_high: bool = False
    """True for a sensor that drives its pin high (touch); False for a contact to ground."""
    pull: bool = True
    """Whether the board's own resistor holds the pin at rest; False where there is one outside."""
    debounce_ms: int = Field(default=30, ge=0, le=1000)

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: object) -> object:
        return {"pin": value} if type(value) is int else value


class GpioSettings(Settings):
    """What hangs on the board's own pins."""

    channels: dict[str, Part] = Field(default_factory=dict)
    """What shows each channel. Those that are not named here belong to the other outputs."""
    button: SwitchPart | None = None
    """Push to talk: wakes."""
    touch: SwitchPart | None = None
    """A touch sensor: wakes as well."""
    mute: SwitchPart | None = None
    """The mute switch. While it is closed nothing is listened to, whatever anybody says or sends."""
    lid: SwitchPart | None = None
    """Active while the lid is open: motors and servos rest."""
    under_way: SwitchPart | None = None
    """Active while the car is under way: motors and servos rest."""

    @model_validator(mode="after")
    def _each_pin_once(self) -> Self:
        seen: dict[int, str] = {}
        for name, pin in self.pins():
            if pin in seen:
                raise ValueError(f"GPIO{pin} is given twice: to {seen[pin]} and to {name}")
            seen[pin] = name
        return self

    def switches(self) -> dict[str, SwitchPart]:
        """The contacts that are there, by what they do."""
        named = {
            "button": self.button,
            "touch": self.touch,
            "mute": self.mute,
            "lid": self.lid,
            "under_way": self.under_way,
        }
        return {name: part for name, part in named.items() if part is not None}

    def pins(self) -> Iterator[tuple[str, int]]:
        """Every pin with the key that names it, in the words of the device file."""
        for name, part in self.channels.items():
            for key in ("pin", "red", "green", "blue", "forward", "backward", "enable"):
                pin = getattr(part, key, None)
                if pin is not None:
                    yield f"body.gpio.channels.{name}.{key}", pin
        for name, switch in self.switches().items():
            yield f"body.gpio.{name}", switch.pin


def output_problems(
    outputs: Sequence[str],
    serial: SerialSettings | None,
    gpio: GpioSettings | None,
    kinds: Mapping[str, ChannelKind],
) -> list[str]:
    """What does not fit between the outputs and the channels (name to kind), one sentence each."""
    problems = []
    if "serial" in outputs and serial is None:
        problems.append('outputs names serial: add a table [body.serial] with port = "..."')
    if "gpio" in outputs and gpio is None:
        problems.append("outputs names gpio: add a table [body.gpio] that says what hangs on which pin")
    for table, named in (("serial", serial.channels if serial else ()), ("gpio", gpio.channels if gpio else ())):
        unknown = sorted(set(named) - set(kinds))
        if unknown:
            problems.append(f"{table}.channels: there is no channel called {', '.join(unknown)}")
    for name, part in gpio.channels.items() if gpio else ():
        kind = kinds.get(name)
        if kind is not None and kind not in _SHOWS[part.kind]:
            able = [one for one, shown in _SHOWS.items() if kind in shown]
            problems.append(f"gpio.channels.{name}: a {kind} is shown by {' or '.join(able)}, not by {part.kind}")
    if gpio and serial:
        twice = sorted(set(gpio.channels) & set(serial.channels))
        problems += [f"gpio.channels.{name} and serial.channels.{name}: a channel has one way out" for name in twice]
    return problems
