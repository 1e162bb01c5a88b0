"""The board's own pins: LEDs, servos, motors and contacts. The only file that imports gpiozero.

gpiozero works on lgpio here, unless a test or `GPIOZERO_PIN_FACTORY` chose another pin factory before. Each object
belongs to the thread that made it, but for the callbacks of contacts: they come on threads of gpiozero's. Calls are
short (a write to a character device); the first one opens the chip.

Safety. Motors and servos are off until they are first shown something. When the process ends, however, the kernel takes
the pins back and they become inputs: a motor driver then stands still by its own pull-down resistors.

A PWM channel of the chip, through the kernel's files in /sys/class/pwm: servo pulses without jitter.

Names are `pwmchip0:1` (chip and channel). On a Raspberry Pi `dtoverlay=pwm-2chan` puts them onto pins: docs/body.md.
The kernel keeps the pulses going by itself, so whoever opens a channel must close it. Used from one thread.
Source: Documentation/ABI/testing/sysfs-class-pwm in the kernel's tree.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import gpiozero  # type: ignore[import-untyped]  # ships no types

from companion.config.outputs import LedPart, MotorPart, Part, RgbLedPart, ServoPart, SwitchPart
from companion.errors import DeviceError

SYSFS = Path("/sys/class/pwm")


class HardwarePwm:
    """One channel with pulses each `period_s` seconds; silent until the first `pulse`."""

    def __init__(self, name: str, period_s: float, root: Path = SYSFS) -> None:
        """Raises `DeviceError` where there is no such channel or it may not be used."""
        chip, _, number = name.partition(":")
        self._name = name
        self._chip = root / chip
        self._number = number
        self._channel = self._chip / f"pwm{number}"
        self._on = False
        if not self._chip.is_dir():
            raise DeviceError(
                f"{name}: there is no such PWM chip; add dtoverlay=pwm-2chan to /boot/firmware/config.txt."
            )
        if not self._channel.exists():
            self._write(self._chip / "export", number)
        # A duty cycle longer than the period is refused, and one may be left from before.
        self._write(self._channel / "duty_cycle", "0")
        self._write(self._channel / "period", str(round(period_s * 1e9)))

    def pulse(self, seconds: float) -> None:
        """Make pulses of this length; 0 ends them. Raises `DeviceError`."""
        self._write(self._channel / "duty_cycle", str(round(seconds * 1e9)))
        if bool(seconds) != self._on:
            self._write(self._channel / "enable", "1" if seconds else "0")
            self._on = bool(seconds)

    def close(self) -> None:
        """End the pulses and give the channel back. Raises `DeviceError`."""
        self.pulse(0.0)
        self._write(self._chip / "unexport", self._number)

    def _write(self, file: Path, text: str) -> None:
        try:
            file.write_text(text, encoding="ascii")
        except OSError as error:
            raise DeviceError(f"{self._name}: the PWM channel cannot be used: {error.strerror or error}.") from error


log = logging.getLogger("companion")

SERVO_PERIOD_S = 0.02
# lgpio makes these pulses in a thread of its own: the more, the more of the processor.
_LED_HZ = 100
_MOTOR_HZ = 200

_ERRORS: tuple[type[Exception], ...] = (gpiozero.GPIOZeroError, OSError, ImportError)
try:
    import lgpio  # type: ignore[import-not-found, unused-ignore]  # on boards only
except ImportError:
    log.debug("lgpio is not installed: there are no pins but those of another pin factory.")
else:
    _ERRORS += (lgpio.error,)


class Shown(Protocol):
    """Something on pins that shows a share of its range, or a colour."""

    def show(self, *values: float) -> None:
        """Take on this value (three for a colour). Raises `DeviceError`."""

    def rest(self) -> None:
        """Nothing has changed for a while: spend no more than is needed."""

    def close(self) -> None:
        """Let go of the pins."""


class _Led:
    def __init__(self, part: LedPart) -> None:
        options: dict[str, Any] = {"active_high": part.active_high, "pin_factory": _factory()}
        if part.pwm:
            self._led = gpiozero.PWMLED(part.pin, frequency=_LED_HZ, **options)
        else:
            self._led = gpiozero.LED(part.pin, **options)

    def show(self, *values: float) -> None:
        self._led.value = values[0] if isinstance(self._led, gpiozero.PWMLED) else values[0] >= 0.5

    def rest(self) -> None:
        """An LED that shines goes on shining."""

    def close(self) -> None:
        self._led.close()


class _RgbLed:
    def __init__(self, part: RgbLedPart) -> None:
        self._led = gpiozero.RGBLED(
            part.red, part.green, part.blue, active_high=part.active_high, pin_factory=_factory()
        )

    def show(self, *values: float) -> None:
        self._led.color = values

    def rest(self) -> None:
        """An LED that shines goes on shining."""

    def close(self) -> None:
        self._led.close()


class _Servo:
    """`show` takes -1 (the low pulse) to 1 (the high pulse)."""

    def __init__(self, part: ServoPart) -> None:
        self._sign = -1 if part.inverted else 1
        self._servo = gpiozero.Servo(
            part.pin,
            initial_value=None,
            min_pulse_width=part.low_us / 1e6,
            max_pulse_width=part.high_us / 1e6,
            frame_width=SERVO_PERIOD_S,
            pin_factory=_factory(),
        )

    def show(self, *values: float) -> None:
        self._servo.value = self._sign * values[0]

    def rest(self) -> None:
        self._servo.detach()

    def close(self) -> None:
        self._servo.close()


class _HardwareServo:
    """A servo on a PWM channel of the chip."""

    def __init__(self, part: ServoPart, channel: str) -> None:
        self._part = part
        self._pwm = HardwarePwm(channel, SERVO_PERIOD_S)

    def show(self, *values: float) -> None:
        part = self._part
        share = (1 + (-values[0] if part.inverted else values[0])) / 2
        self._pwm.pulse((part.low_us + share * (part.high_us - part.low_us)) / 1e6)

    def rest(self) -> None:
        self._pwm.pulse(0.0)

    def close(self) -> None:
        self._pwm.close()


class _Motor:
    """`show` takes -1 (backward at full speed) to 1."""

    def __init__(self, part: MotorPart) -> None:
        self._part = part
        self._motor = gpiozero.Motor(
            part.forward, part.backward, enable=part.enable, pwm=part.pwm, pin_factory=_factory()
        )
        if part.pwm:
            for device in (self._motor.forward_device, self._motor.backward_device):
                device.frequency = _MOTOR_HZ

    def show(self, *values: float) -> None:
        speed = -values[0] if self._part.inverted else values[0]
        self._motor.value = speed if self._part.pwm else (speed >= 0.5) - (speed <= -0.5)

    def rest(self) -> None:
        """A motor that stands still needs nothing."""

    def close(self) -> None:
        self._motor.stop()
        self._motor.close()


def open_part(name: str, part: Part) -> Shown:
    """What hangs on the pins of the channel `name`. Raises `DeviceError` where a pin is taken or there are none."""
    try:
        return _Guarded(name, _opened(part))
    except _ERRORS as error:
        raise _told(f"body.gpio.channels.{name}", error) from error


def _opened(part: Part) -> Shown:
    match part:
        case LedPart():
            return _Led(part)
        case RgbLedPart():
            return _RgbLed(part)
        case ServoPart(hardware_pwm=str(channel)):
            return _HardwareServo(part, channel)
        case ServoPart():
            return _Servo(part)
        case MotorPart():
            return _Motor(part)


class _Guarded:
    """Translates gpiozero's errors."""

    def __init__(self, name: str, shown: Shown) -> None:
        self._name = f"body.gpio.channels.{name}"
        self._shown = shown

    def show(self, *values: float) -> None:
        try:
            self._shown.show(*values)
        except _ERRORS as error:
            raise _told(self._name, error) from error

    def rest(self) -> None:
        try:
            self._shown.rest()
        except _ERRORS as error:
            raise _told(self._name, error) from error

    def close(self) -> None:
        try:
            self._shown.close()
        except _ERRORS as error:
            log.warning("%s", _told(self._name, error))


class Switch:
    """A contact. `changed` is called with whether it is active, on a thread of gpiozero's, at each change."""

    def __init__(self, name: str, part: SwitchPart, changed: Callable[[bool], object]) -> None:
        """Raises `DeviceError` when there are no GPIO pins here, or this one is taken."""
        try:
            self._contact = gpiozero.DigitalInputDevice(
                part.pin,
                pull_up=not part.active_high if part.pull else None,
                active_state=None if part.pull else part.active_high,
                bounce_time=part.debounce_ms / 1000 or None,
                pin_factory=_factory(),
            )
        except _ERRORS as error:
            raise _told(name, error) from error
        self._contact.when_activated = lambda: changed(True)
        self._contact.when_deactivated = lambda: changed(False)

    @property
    def active(self) -> bool:
        """Whether the contact is closed, or its sensor says yes, at this moment."""
        return bool(self._contact.is_active)

    def close(self) -> None:
        """Let go of the pin."""
        self._contact.close()


def _factory() -> Any:
    """The pin factory that everything on this board shares."""
    if gpiozero.Device.pin_factory is None and "GPIOZERO_PIN_FACTORY" not in os.environ:
        # gpiozero would go on to try libraries that fight with the kernel for the pins.
        from gpiozero.pins.lgpio import LGPIOFactory  # type: ignore[import-untyped]

        gpiozero.Device.pin_factory = LGPIOFactory()
    gpiozero.Device.ensure_pin_factory()
    return gpiozero.Device.pin_factory


def _told(name: str, error: Exception) -> DeviceError:
    if isinstance(error, ImportError):
        return DeviceError(f"{name}: there are no GPIO pins on this machine, or lgpio is not installed ({error}).")
    reason = str(getattr(error, "strerror", None) or error).strip("'\"")
    return DeviceError(f"{name}: its pin cannot be used: {reason}. `companion doctor` tells who has which pin.")
