"""Drivers for the board's own pins: LEDs, servos, motors and switches. The only file that imports gpiozero.

Outputs are used in the process of `pin_owner`, which must stay small, and switches in the runtime.

gpiozero uses lgpio here, unless a test or `GPIOZERO_PIN_FACTORY` has chosen another pin factory. Each object belongs to
the thread that made it, except for the callbacks of switches, which arrive on threads of gpiozero. Calls are short (a
write to a character device); the first one opens the chip.

`HardwarePwm` drives a PWM channel of the chip through the kernel's files in /sys/class/pwm, for servo pulses without
jitter.

Safety. Motors and servos are off until they are first shown a value. However the process ends, the kernel takes the
pins back and they become inputs; a motor driver then stops because of its own pull-down resistors. Hardware PWM is
different: see `HardwarePwm`; `pin_owner` ends it, however the runtime ended.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import gpiozero  # type: ignore[import-untyped]  # ships no types

from companion.errors import DeviceError

if TYPE_CHECKING:
    from companion.config.outputs import LedPart, MotorPart, Part, RgbLedPart, ServoPart, SwitchPart

log = logging.getLogger("companion")

SYSFS = Path("/sys/class/pwm")
SERVO_PERIOD_S = 0.02
# lgpio makes these pulses in a thread of its own, so a higher frequency costs more processor time.
_LED_HZ = 100
_MOTOR_HZ = 200

_ERRORS: tuple[type[Exception], ...] = (gpiozero.GPIOZeroError, OSError, ImportError)
try:
    import lgpio  # type: ignore[import-not-found, unused-ignore]  # on boards only
except ImportError:
    log.debug("lgpio is not installed: there are no pins but those of another pin factory.")
else:
    _ERRORS += (lgpio.error,)


class HardwarePwm:
    """One PWM channel with a pulse every `period_s` seconds; silent until the first `set_pulse`. Used from one thread.

    The kernel keeps the pulses going by itself, so whoever opens a channel must close it. Channels are named like
    `pwmchip0:1` (chip and channel). On a Raspberry Pi `dtoverlay=pwm-2chan` connects them to pins: docs/body.md.
    Source: Documentation/ABI/testing/sysfs-class-pwm in the kernel's tree.
    """

    def __init__(self, name: str, period_s: float, root: Path = SYSFS) -> None:
        """Raises `DeviceError` if there is no such channel or it cannot be used."""
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
        # The kernel refuses a duty cycle longer than the period, and an earlier use may have left one.
        self._write(self._channel / "duty_cycle", "0")
        self._write(self._channel / "period", str(round(period_s * 1e9)))

    def set_pulse(self, seconds: float) -> None:
        """Make pulses of this length; 0 ends them. Raises `DeviceError`."""
        self._write(self._channel / "duty_cycle", str(round(seconds * 1e9)))
        if bool(seconds) != self._on:
            self._write(self._channel / "enable", "1" if seconds else "0")
            self._on = bool(seconds)

    def close(self) -> None:
        """End the pulses and give the channel back. Raises `DeviceError`."""
        self.set_pulse(0.0)
        self._write(self._chip / "unexport", self._number)

    def _write(self, file: Path, text: str) -> None:
        try:
            file.write_text(text, encoding="ascii")
        except OSError as error:
            raise DeviceError(f"{self._name}: the PWM channel cannot be used: {error.strerror or error}.") from error


class Output(Protocol):
    """Something on pins that shows a value or a colour."""

    def show(self, *values: float) -> None:
        """Show this value (three values for a colour). Raises `DeviceError`."""

    def let_go(self) -> None:
        """Hold nothing: a servo gets no pulses, a motor stops, a light is dark. `show` takes hold again."""

    def close(self) -> None:
        """Release the pins."""


class _Led:
    def __init__(self, part: LedPart) -> None:
        options: dict[str, Any] = {"active_high": part.active_high, "pin_factory": _pin_factory()}
        if part.pwm:
            self._led = gpiozero.PWMLED(part.pin, frequency=_LED_HZ, **options)
        else:
            self._led = gpiozero.LED(part.pin, **options)

    def show(self, *values: float) -> None:
        self._led.value = values[0] if isinstance(self._led, gpiozero.PWMLED) else values[0] >= 0.5

    def let_go(self) -> None:
        self._led.off()

    def close(self) -> None:
        self._led.close()


class _RgbLed:
    def __init__(self, part: RgbLedPart) -> None:
        self._led = gpiozero.RGBLED(
            part.red, part.green, part.blue, active_high=part.active_high, pin_factory=_pin_factory()
        )

    def show(self, *values: float) -> None:
        self._led.color = values

    def let_go(self) -> None:
        self._led.off()

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
            pin_factory=_pin_factory(),
        )

    def show(self, *values: float) -> None:
        self._servo.value = self._sign * values[0]

    def let_go(self) -> None:
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
        self._pwm.set_pulse((part.low_us + share * (part.high_us - part.low_us)) / 1e6)

    def let_go(self) -> None:
        self._pwm.set_pulse(0.0)

    def close(self) -> None:
        self._pwm.close()


class _Motor:
    """`show` takes -1 (backward at full speed) to 1."""

    def __init__(self, part: MotorPart) -> None:
        self._part = part
        self._motor = gpiozero.Motor(
            part.forward, part.backward, enable=part.enable, pwm=part.pwm, pin_factory=_pin_factory()
        )
        if part.pwm:
            for device in (self._motor.forward_device, self._motor.backward_device):
                device.frequency = _MOTOR_HZ

    def show(self, *values: float) -> None:
        speed = -values[0] if self._part.inverted else values[0]
        self._motor.value = speed if self._part.pwm else (speed >= 0.5) - (speed <= -0.5)

    def let_go(self) -> None:
        self._motor.stop()

    def close(self) -> None:
        self._motor.stop()
        self._motor.close()


def open_output(name: str, part: Part) -> Output:
    """Open the pins of the channel `name`. Raises `DeviceError` if a pin is in use or there are no pins."""
    try:
        return _CheckedOutput(name, _make_output(part))
    except _ERRORS as error:
        raise _device_error(f"body.gpio.channels.{name}", error) from error


def _make_output(part: Part) -> Output:
    # By kind, not by class: the classes of the settings are too large for the process that owns the pins.
    if part.kind == "led":
        return _Led(part)
    if part.kind == "rgb_led":
        return _RgbLed(part)
    if part.kind == "motor":
        return _Motor(part)
    return _Servo(part) if part.hardware_pwm is None else _HardwareServo(part, part.hardware_pwm)


class _CheckedOutput:
    """Passes every call on, and translates gpiozero's errors to `DeviceError`."""

    def __init__(self, name: str, output: Output) -> None:
        self._name = f"body.gpio.channels.{name}"
        self._output = output

    def show(self, *values: float) -> None:
        try:
            self._output.show(*values)
        except _ERRORS as error:
            raise _device_error(self._name, error) from error

    def let_go(self) -> None:
        try:
            self._output.let_go()
        except _ERRORS as error:
            raise _device_error(self._name, error) from error

    def close(self) -> None:
        try:
            self._output.close()
        except _ERRORS as error:
            log.warning("%s", _device_error(self._name, error))


class Switch:
    """A switch, button or sensor. `on_change` is called with whether it is active, on a thread of gpiozero."""

    def __init__(self, name: str, part: SwitchPart, on_change: Callable[[bool], object]) -> None:
        """Raises `DeviceError` if this machine has no GPIO pins or this one is in use."""
        try:
            self._device = gpiozero.DigitalInputDevice(
                part.pin,
                pull_up=not part.active_high if part.pull else None,
                active_state=None if part.pull else part.active_high,
                bounce_time=part.debounce_ms / 1000 or None,
                pin_factory=_pin_factory(),
            )
        except _ERRORS as error:
            raise _device_error(name, error) from error
        self._device.when_activated = lambda: on_change(True)
        self._device.when_deactivated = lambda: on_change(False)

    @property
    def active(self) -> bool:
        """Whether the switch is closed, or its sensor is active, at this moment."""
        return bool(self._device.is_active)

    def close(self) -> None:
        """Release the pin."""
        self._device.close()


def _pin_factory() -> Any:
    """The pin factory shared by everything on this board."""
    if gpiozero.Device.pin_factory is None and "GPIOZERO_PIN_FACTORY" not in os.environ:
        # Otherwise gpiozero would also try libraries that compete with the kernel for the pins.
        from gpiozero.pins.lgpio import LGPIOFactory  # type: ignore[import-untyped]

        gpiozero.Device.pin_factory = LGPIOFactory()
    gpiozero.Device.ensure_pin_factory()
    return gpiozero.Device.pin_factory


def _device_error(name: str, error: Exception) -> DeviceError:
    if isinstance(error, ImportError):
        return DeviceError(f"{name}: there are no GPIO pins on this machine, or lgpio is not installed ({error}).")
    reason = str(getattr(error, "strerror", None) or error).strip("'\"")
    return DeviceError(f"{name}: its pin cannot be used: {reason}. `companion doctor` tells who has which pin.")
