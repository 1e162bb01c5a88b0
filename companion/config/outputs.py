"""The outputs of the body in the device file: a microcontroller on a serial link, the board's pins, or a web page.

`companion.config.device` puts the tables together. Pins have BCM numbers: 17 is `GPIO17`. What is connected to the pins
is checked here against the channels, so that a wrong file is refused before anything moves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from companion.config.loading import Settings
from companion.config.wording import Form, nearest

Pin = Annotated[int, Field(ge=0, le=27)]
ChannelKind = Literal["light", "servo", "motor", "mouth"]
PagePath = Annotated[
    str, Form(r"^$|^[\w-]{16,64}$", 'is too easy to guess; write 16 to 64 letters, digits, - or _, or "" for a new one')
]
PortName = Annotated[
    str,
    Form(
        r"^/.|^usb:[0-9a-fA-F]{1,4}:[0-9a-fA-F]{1,4}(:.+)?$|^socket://.+:[0-9]+$",
        "is no serial port; write /dev/ttyACM0, usb:2341:0043 or socket://host:port",
    ),
]
HardwarePwm = Annotated[str, Form(r"^pwmchip\d+:\d+$", "is no PWM channel; write it as pwmchip0:1")]


class SerialSettings(Settings):
    port: PortName
    """The serial port: `/dev/ttyACM0`, `usb:2341:0043` (vendor and product, optionally `:` and a serial number) or
    `socket://host:port`."""
    baud: int = Field(default=115_200, ge=1_200, le=4_000_000)
    """Bits per second; must be the firmware's value."""
    channels: dict[str, Annotated[int, Field(ge=0, le=255)]] = Field(default_factory=dict)
    """Number of the microcontroller's channel for each channel of the body. When empty they are matched by kind, in
    order."""


class PageSettings(Settings):
    """A web page on this machine's loopback interface that draws the body."""

    port: int = Field(default=0, ge=0, le=65_535)
    """Port of the page; 0 takes a free one. The log shows the address."""
    path: PagePath = ""
    """The last part of the page's address; a new random one at each start when empty."""
    open: bool = False
    """Whether to open the page in this machine's browser."""


class LedPart(Settings):
    """One LED. A light channel sets its brightness, a mouth channel too, by its opening."""

    kind: Literal["led"]
    pin: Pin
    """The LED's pin."""
    active_high: bool = True
    """False where the LED is connected between the supply and the pin."""
    pwm: bool = True
    """False for an LED that can only be on or off; it is on from half brightness."""


class RgbLedPart(Settings):
    """A red, a green and a blue LED."""

    kind: Literal["rgb_led"]
    red: Pin
    """Pin of the red LED."""
    green: Pin
    """Pin of the green LED."""
    blue: Pin
    """Pin of the blue LED."""
    active_high: bool = True
    """False for a common anode."""


class ServoPart(Settings):
    """A servo. Degrees are measured from its middle. A mouth moves it from `low_degrees` (0) to `high_degrees` (1)."""

    kind: Literal["servo"]
    pin: Pin
    """The servo's signal pin."""
    hardware_pwm: HardwarePwm | None = None
    """The PWM channel that the board's overlay connects to this pin, such as `pwmchip0:1`; it is free of jitter. See
    docs/body.md."""
    low_us: int = Field(default=500, ge=300, le=3000)
    """Pulse length at `low_degrees`, in microseconds."""
    high_us: int = Field(default=2500, ge=300, le=3000)
    """Pulse length at `high_degrees`, in microseconds."""
    low_degrees: float = -90.0
    """Degrees at the pulse length `low_us`."""
    high_degrees: float = 90.0
    """Degrees at the pulse length `high_us`."""
    inverted: bool = False
    """Whether the servo is mounted so that it turns the other way round."""
    rest_s: float = Field(default=1.0, ge=0, le=60)
    """Seconds after the last motion until the pulses stop, so that the servo neither hums nor gets hot. 0: they never
    stop."""

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        # `inverted` is for a servo that turns the other way round.
        for what, low, high in (("us", self.low_us, self.high_us), ("degrees", self.low_degrees, self.high_degrees)):
            if low >= high:
                raise ValueError(f"low_{what}: must be below high_{what}; write the smaller one here")
        return self


class MotorPart(Settings):
    """A DC motor behind a driver with a forward and a backward input (DRV8833, L9110, L298N, TB6612)."""

    kind: Literal["motor"]
    forward: Pin
    """Pin of the driver's forward input."""
    backward: Pin
    """Pin of the driver's backward input."""
    enable: Pin | None = None
    """Pin of the driver's enable or standby input, which is high while the motor is in use."""
    pwm: bool = True
    """False where the driver accepts no PWM; the motor then runs at full speed or not at all, from half speed on."""
    inverted: bool = False
    """Whether the motor is connected the other way round."""


Part = Annotated[LedPart | RgbLedPart | ServoPart | MotorPart, Field(discriminator="kind")]
_SHOWS: dict[str, tuple[ChannelKind, ...]] = {
    "led": ("light", "mouth"),
    "rgb_led": ("light",),
    "servo": ("servo", "mouth"),
    "motor": ("motor",),
}


class SwitchPart(Settings):
    """A contact. `button = 17` is a short form of `button = { pin = 17 }`, a contact to ground."""

    pin: Pin
    """The contact's pin."""
    active_high: bool = False
    """True for a sensor that drives its pin high (touch); False for a contact to ground."""
    pull: bool = True
    """Whether to use the board's own pull resistor; False where there is one outside."""
    debounce_ms: int = Field(default=30, ge=0, le=1000)
    """Time in milliseconds during which further changes are ignored."""

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: object) -> object:
        if isinstance(value, str):
            raise ValueError("is the number of a pin; write it without quotation marks, as 17 for GPIO17")
        return {"pin": value} if type(value) is int else value


class GpioSettings(Settings):
    """What is connected to the board's own pins."""

    channels: dict[str, Part] = Field(default_factory=dict)
    """The part of each channel of the body. Channels that are missing here use the other outputs."""
    button: SwitchPart | None = None
    """Push-to-talk button: wakes the unit."""
    touch: SwitchPart | None = None
    """Touch sensor: wakes the unit as well."""
    mute: SwitchPart | None = None
    """Mute switch. While it is closed the unit does not listen, and nothing else can unmute it."""
    lid: SwitchPart | None = None
    """Active while the lid is open: motors and servos then rest."""
    under_way: SwitchPart | None = None
    """Active while the car is moving: motors and servos then rest."""

    @model_validator(mode="after")
    def _check_pins(self) -> Self:
        seen: dict[int, str] = {}
        for name, pin in self.pins():
            if pin in seen:
                raise ValueError(
                    f"{name.removeprefix('body.gpio.')}: GPIO{pin} is given to {seen[pin]} already; take another pin"
                )
            seen[pin] = name
        driven: dict[str, str] = {}
        for name, part in self.channels.items():
            pwm = part.hardware_pwm if isinstance(part, ServoPart) else None
            if pwm is not None and (other := driven.setdefault(pwm, name)) != name:
                raise ValueError(f"channels.{name}.hardware_pwm: {pwm} is given to {other} already; take another one")
        return self

    def switches(self) -> dict[str, SwitchPart]:
        """The contacts that are connected, by their key."""
        named = {
            "button": self.button,
            "touch": self.touch,
            "mute": self.mute,
            "lid": self.lid,
            "under_way": self.under_way,
        }
        return {name: part for name, part in named.items() if part is not None}

    def pins(self) -> Iterator[tuple[str, int]]:
        """Every pin in use, with its dotted key in the device file."""
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
    """Where outputs and channels (`kinds`: name to kind) do not fit together, one sentence per problem."""
    problems = []
    if "serial" in outputs and serial is None:
        problems.append('outputs: names serial; add a table [body.serial] with port = "..."')
    if "gpio" in outputs and gpio is None:
        problems.append("outputs: names gpio; add a table [body.gpio] that says what is connected to which pin")
    for table, named in (("serial", serial.channels if serial else ()), ("gpio", gpio.channels if gpio else ())):
        for name in sorted(set(named) - set(kinds)):
            problems.append(f"{table}.channels.{name}: there is no channel called {name}; {nearest(name, kinds)}")
    for name, part in gpio.channels.items() if gpio else ():
        kind = kinds.get(name)
        if kind is not None and kind not in _SHOWS[part.kind]:
            able = [one for one, shown in _SHOWS.items() if kind in shown]
            problems.append(f"gpio.channels.{name}: a {kind} is shown by {' or '.join(able)}, not by {part.kind}")
    if gpio and serial:
        twice = sorted(set(gpio.channels) & set(serial.channels))
        problems += [f"gpio.channels.{name} and serial.channels.{name}: a channel has one way out" for name in twice]
    return problems
