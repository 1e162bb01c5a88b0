"""A PWM channel of the chip, through the kernel's files in /sys/class/pwm: servo pulses without jitter.

Names are `pwmchip0:1` (chip and channel). On a Raspberry Pi `dtoverlay=pwm-2chan` puts them onto pins: docs/body.md.
The kernel keeps the pulses going by itself, so whoever opens a channel must close it. Used from one thread.
Source: Documentation/ABI/testing/sysfs-class-pwm in the kernel's tree.
"""

from __future__ import annotations

from pathlib import Path

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
