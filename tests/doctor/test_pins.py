"""The doctor reports which program uses which pin."""

from __future__ import annotations

import struct
from pathlib import Path

from companion.doctor.checks_body import GET_CHIP_INFO, read_pins
from tests.support.mock_pins import settings


class Kernel:
    """Two GPIO chips, as `ioctl` shows them."""

    def __init__(self, users: dict[int, str]) -> None:
        self._users = users

    def __call__(self, number: int, request: int, data: bytes) -> bytes:
        name = Path(f"/proc/self/fd/{number}").resolve().name
        if request == GET_CHIP_INFO:
            label = {"gpiochip0": b"raspberrypi-exp-gpio", "gpiochip1": b"pinctrl-rp1"}[name]
            return struct.pack("=32s32sI", name.encode(), label, 54)
        (pin,) = struct.unpack_from("=64xI", data)
        if name != "gpiochip1" or pin > 27:
            raise OSError(22, "Invalid argument")
        user = self._users.get(pin, "")
        return struct.pack("=32s32sII Q 176x", b"GPIO", user.encode(), pin, 0, int(pin in self._users))


def test_the_doctor_reports_who_uses_which_pin(tmp_path: Path) -> None:
    for name in ("gpiochip0", "gpiochip1"):
        (tmp_path / name).touch()
    gpio = settings(button=4, mute=13).gpio
    assert gpio is not None
    reports = read_pins(gpio, tmp_path, Kernel({4: "onewire@0", 17: "lg"}))
    problems = {one.pin: one.problem for one in reports if one.problem}
    assert problems == {4: "body.gpio.button: GPIO4 is taken by onewire@0; free it there, or name another pin."}
    assert {one.pin: one.used_by for one in reports if one.used_by} == {4: "onewire@0", 17: "lg"}
    assert [one.pin for one in reports] == [12, 17, 27, 22, 5, 23, 24, 25, 6, 4, 13]


def test_the_doctor_reports_that_there_are_no_pins(tmp_path: Path) -> None:
    gpio = settings().gpio
    assert gpio is not None
    assert all("no GPIO pins" in one.problem for one in read_pins(gpio, tmp_path))
