"""Station test: pins, the microcontroller, lights, servos and motors, buttons and switches.

The operator is asked what they saw. In an automatic test the unit's own evidence has to do: that the pins accepted the
values, or what the microcontroller reports of its outputs. Motors turn: hold the unit, or lift its wheels.

Who uses a pin is read from the character devices /dev/gpiochip* (Linux 5.10 and later, include/uapi/linux/gpio.h),
without a library and without moving anything.
"""

from __future__ import annotations

import asyncio
import fcntl
import struct
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from companion.body.gpio_pins import Switch
from companion.config.body import ChannelSettings
from companion.config.outputs import GpioSettings, LedPart, SwitchPart
from companion.doctor.body_outputs import (
    SIMULATED_OUTPUTS,
    Output,
    motion_sequence,
    open_output,
    output_of_channels,
    serial_probe,
)
from companion.doctor.check import STOP_DAEMON_ADVICE, UnitUnderTest, run_in_thread
from companion.doctor.report import CheckResult, Measurement, failed, passed, skipped
from companion.errors import CompanionError
from firmware_bridge.messages import EventKind

PRESS_WITHIN_S = 15.0
WATCH_S = 6.0
MOST_REPEATS = 3
_NO_BODY = "this unit's body is only drawn"
_WIRING = "Check the plug and the wires of each that is named, and its pin in the device file."


def has_hardware_body(unit: UnitUnderTest) -> bool:
    """Whether any output of the unit is hardware."""
    return any(name not in SIMULATED_OUTPUTS for name in unit.device.body.outputs)


async def check_pins(unit: UnitUnderTest) -> CheckResult:
    """Whether another program uses one of the unit's pins."""
    gpio = unit.device.body.gpio
    if gpio is None:
        return skipped("the device file names no pins")
    reports = await run_in_thread(partial(read_pins, gpio))
    problems = [one.problem for one in reports if one.problem]
    if len(problems) == len(reports) > 0 and len({one.partition(": ")[2] for one in problems}) == 1:
        # The same for every pin: this machine has no pins at all.
        problems = problems[:1]
    taken = {f"GPIO{one.pin}": one.used_by for one in reports if one.used_by}
    if problems:
        return failed(
            "\n".join(dict.fromkeys(problems)),
            "Free the pin where it is taken (an overlay in /boot/firmware/config.txt, or another program), or wire it "
            "to another pin and name that in the device file.",
            **taken,
        )
    if taken and not unit.daemon_runs:
        return failed(
            f"another program has {', '.join(taken)}",
            "End the other program that uses gpiozero or lgpio; `sudo lsof /dev/gpiochip*` names it.",
            **taken,
        )
    held = "; the running companion has them" if taken else ""
    return passed(f"{len(reports)} pins, none taken by anybody else{held}", **taken)


async def check_serial(unit: UnitUnderTest) -> CheckResult:
    """Whether the microcontroller answers, its firmware version, and what it measures."""
    if unit.device.body.serial is None or "serial" not in unit.device.body.outputs:
        return skipped("the device file names no microcontroller")
    wire = serial_probe(unit)
    try:
        hello = await run_in_thread(wire.connect)
        state = await run_in_thread(wire.state)
    finally:
        await run_in_thread(wire.close)
    firmware = ".".join(map(str, hello.firmware))
    facts: dict[str, Measurement] = {
        "firmware": firmware,
        "protocol": hello.version,
        "channels": len(hello.channels),
        "battery_mv": state.battery_mv,
        "bad_frames": state.bad_frames,
        "lid_open": state.lid_open,
        "over_current": state.over_current,
    }
    battery = f", battery {state.battery_mv / 1000:.1f} V" if state.battery_mv else ""
    text = f"firmware {firmware} with {len(hello.channels)} channels{battery}"
    if state.over_current:
        return failed(f"{text}: too much current flows", "Look for a short circuit or a blocked servo.", **facts)
    if state.lid_open:
        return failed(f"{text}: the lid is open, so nothing may move", "Close it, or check its contact.", **facts)
    return passed(text, **facts)


async def check_lights(unit: UnitUnderTest) -> CheckResult:
    """Every light, in red, green, blue and white."""
    return await _check_channels(unit, ("light",))


async def check_motions(unit: UnitUnderTest) -> CheckResult:
    """Every servo and mouth through its range, every motor a short turn in each direction."""
    return await _check_channels(unit, ("servo", "mouth", "motor"))


async def _check_channels(unit: UnitUnderTest, kinds: tuple[str, ...]) -> CheckResult:
    if not has_hardware_body(unit):
        return skipped(_NO_BODY)
    channels = {name: one for name, one in unit.device.body.channels.items() if one.kind in kinds}
    if not channels:
        return skipped("this unit has none")
    ways, outputs = output_of_channels(unit), dict[str, Output]()
    facts: dict[str, str] = {}
    async with AsyncExitStack() as stack:
        for name, channel in channels.items():
            output = ways[name]
            if not output:
                facts[name] = "no output shows it: give it a pin in body.gpio.channels"
                continue
            try:
                if output not in outputs:
                    outputs[output] = await open_output(unit, output)
                    stack.push_async_callback(outputs[output].close)
                facts[name] = await _demonstrate(unit, name, channel, outputs[output])
            except CompanionError as error:
                facts[name] = str(error)
    bad = {name: told for name, told in facts.items() if told not in ("seen", "shown")}
    text = ", ".join(name for name in facts if name not in bad)
    if not bad:
        asked = "seen by you" if unit.operator else "no error; nobody was asked"
        return passed(f"{text}: {asked}", **facts)
    told = "\n".join(f"{name}: {reason}" for name, reason in bad.items())
    return failed(told, f"{_WIRING} {STOP_DAEMON_ADVICE}" if unit.daemon_runs else _WIRING, **facts)


async def _demonstrate(unit: UnitUnderTest, name: str, channel: ChannelSettings, output: Output) -> str:
    """`seen` by the operator, `shown` without one, or what is wrong. Raises `CompanionError`."""
    operator = unit.operator
    for _ in range(MOST_REPEATS):
        if operator is not None:
            operator.tell(f"Look at {name} now.")
        await output.play(motion_sequence(name, channel, unit.pace))
        if operator is None:
            return "shown"
        answer = await operator.ask(_question(unit, name, channel))
        if answer != "again":
            return {"yes": "seen", "no": "you did not see it"}.get(answer, "nobody answered")
    return "could not be told, though it was shown again and again"


def _question(unit: UnitUnderTest, name: str, channel: ChannelSettings) -> str:
    gpio = unit.device.body.gpio
    part = gpio.channels.get(name) if gpio is not None else None
    match channel.kind:
        case "light" if isinstance(part, LedPart):
            return f"Did {name} light up?"
        case "light":
            return f"Did {name} shine red, green, blue and white?"
        case "mouth":
            return f"Did {name} open and close?"
        case "motor":
            return f"Did {name} turn a little forward, then backward?"
        case _:
            return f"Did {name} move to both sides and back, evenly?"


async def check_contacts(unit: UnitUnderTest) -> CheckResult:
    """Every button, touch sensor and switch: its state at rest, and that it changes when the operator uses it."""
    gpio, wake = unit.device.body.gpio, unit.device.ears.wake
    switches = {f"body.gpio.{name}": part for name, part in (gpio.switches() if gpio is not None else {}).items()}
    if wake.button_pin is not None:
        switches["ears.wake.button_pin"] = SwitchPart(pin=wake.button_pin)
    facts: dict[str, str] = {}
    for key, part in switches.items():
        try:
            facts[key] = await _contact(unit, key, part)
        except CompanionError as error:
            facts[key] = str(error)
    if (told := await _microcontroller_contacts(unit)) is not None:
        facts["the microcontroller's"] = told
    if not facts:
        return skipped("this unit has none, or only a person can try them")
    bad = {name: told for name, told in facts.items() if not told.startswith(_GOOD)}
    if not bad:
        return passed("; ".join(f"{name}: {told}" for name, told in facts.items()), **facts)
    told = "\n".join(f"{name}: {reason}" for name, reason in bad.items())
    return failed(told, f"{_WIRING} {STOP_DAEMON_ADVICE}" if unit.daemon_runs else _WIRING, **facts)


_GOOD = ("at rest", "active", "works")
_MOMENTARY = ("button", "touch", "button_pin")


async def _contact(unit: UnitUnderTest, key: str, part: SwitchPart) -> str:
    """The result for one contact; begins with one of `_GOOD` where nothing is wrong. Raises `DeviceError`."""
    loop = asyncio.get_running_loop()
    changes: asyncio.Queue[bool] = asyncio.Queue()
    switch = Switch(key, part, lambda active: loop.call_soon_threadsafe(changes.put_nowait, active))
    try:
        at_first = switch.active
        name = key.rpartition(".")[2]
        if at_first and name in _MOMENTARY:
            return "is closed though nobody presses it: it hangs, or active_high is wrong"
        operator = unit.operator
        if operator is None:
            return "at rest; nobody was asked to use it" if not at_first else "active; nobody was asked to use it"
        operator.tell(f"Use {name} now: press it and let go, or move it there and back.")
        problem = "did not answer"
        try:
            async with asyncio.timeout(PRESS_WITHIN_S):
                while await changes.get() == at_first:
                    pass
                problem = "was used and did not go back"
                while await changes.get() != at_first:
                    pass
        except TimeoutError:
            return f"{problem} within {PRESS_WITHIN_S:g} s"
        return "works"
    finally:
        switch.close()


async def _microcontroller_contacts(unit: UnitUnderTest) -> str | None:
    """The result for the microcontroller's buttons; None where it has none, or there is no operator."""
    operator, body = unit.operator, unit.device.body
    if operator is None or body.serial is None or "serial" not in body.outputs:
        return None
    if await operator.ask("Are there buttons or touch sensors on the body's microcontroller?") != "yes":
        return None
    wire = serial_probe(unit)
    try:
        # An Uno restarts when its port is opened, and does not answer for two seconds.
        await run_in_thread(wire.connect)
        operator.tell(f"Press each of them once, within {WATCH_S:g} seconds.")
        events = await run_in_thread(partial(wire.watch, WATCH_S * unit.pace))
    finally:
        await run_in_thread(wire.close)
    presses = [one for one in events if one.value and one.kind in (EventKind.BUTTON, EventKind.TOUCH)]
    seen = dict.fromkeys(f"{one.kind.name.lower().replace('_', ' ')} {one.index}" for one in presses)
    return f"works: {', '.join(seen)}" if seen else "none of them told anything"


GET_CHIP_INFO = 0x8044_B401
GET_LINE_INFO = 0xC100_B405
"""`GPIO_GET_CHIPINFO_IOCTL` and `GPIO_V2_GET_LINEINFO_IOCTL`."""
LINE_USED = 1
CHIP_LABELS = ("pinctrl-bcm", "pinctrl-rp1")
"""The chips whose lines are the pins of a Raspberry Pi's header."""

Control = Callable[[int, int, bytes], bytes]


@dataclass(frozen=True, slots=True)
class PinUse:
    """One pin of the device file."""

    pin: int
    """Its BCM number."""
    key: str
    """Its key in the device file: `body.gpio.mute`."""
    used_by: str = ""
    """The kernel's name for its user (a driver or `lg`); empty while it is free."""
    problem: str = ""
    """One sentence; empty where nothing is wrong."""


def read_pins(settings: GpioSettings, devices: Path = Path("/dev"), control: Control = fcntl.ioctl) -> list[PinUse]:
    """Who uses each pin of the device file now.

    A running companion appears as `lg` (as does any other program that uses lgpio), which is not a problem here.
    """
    chip = _header_chip(devices, control)
    if chip is None:
        words = "there are no GPIO pins on this machine, or this user may not use them (add it to the group gpio)"
        return [PinUse(pin, key, problem=f"{key}: {words}.") for key, pin in settings.pins()]
    return [_pin_use(chip, key, pin, control) for key, pin in settings.pins()]


def _pin_use(chip: Path, key: str, pin: int, control: Control) -> PinUse:
    asked = struct.pack("=64xI188x", pin)
    try:
        answer = _ioctl(chip, GET_LINE_INFO, asked, control)
    except OSError as error:
        return PinUse(pin, key, problem=f"{key}: {chip.name} has no GPIO{pin}: {error.strerror or error}.")
    _, user, flags = struct.unpack_from("=32s32s8xQ", answer)
    if not flags & LINE_USED:
        return PinUse(pin, key)
    name = user.partition(b"\0")[0].decode("utf-8", "replace") or "the kernel"
    if name == "lg":
        return PinUse(pin, key, name)
    return PinUse(pin, key, name, f"{key}: GPIO{pin} is taken by {name}; free it there, or name another pin.")


def _header_chip(devices: Path, control: Control) -> Path | None:
    """The chip of the board's header; the first chip where none is known."""
    chips = []
    for path in sorted(devices.glob("gpiochip*")):
        try:
            answer = _ioctl(path, GET_CHIP_INFO, bytes(68), control)
        except OSError:
            # Not permitted, or just unplugged: not usable either way.
            continue
        label = struct.unpack_from("=32x32s", answer)[0].partition(b"\0")[0].decode("utf-8", "replace")
        if label.startswith(CHIP_LABELS):
            return path
        chips.append(path)
    return chips[0] if chips else None


def _ioctl(path: Path, request: int, data: bytes, control: Control) -> bytes:
    with path.open("rb", buffering=0) as device:
        return control(device.fileno(), request, data)
