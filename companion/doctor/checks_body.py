"""Station test: pins, the microcontroller, lights, servos and motors, buttons and switches.

A person is asked what they saw; where nobody is, what the unit itself can tell must do: that the pins took it, or what
the microcontroller says its outputs did. Motors turn: hold the unit, or lift its wheels.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from functools import partial

from companion.body.gpio_pins import Switch
from companion.config.body import ChannelSettings
from companion.config.outputs import LedPart, SwitchPart
from companion.doctor.examination import blocking
from companion.doctor.gpio_lines import pins_report
from companion.doctor.report import Finding, Measured, failed, passed, skipped
from companion.doctor.station import STOP_IT, Station
from companion.doctor.station_body import DRAWN, WayOut, motion, open_way, serial_station, ways_out
from companion.errors import CompanionError
from firmware_bridge.messages import EventKind

PRESS_WITHIN_S = 15.0
WATCH_S = 6.0
MOST_REPEATS = 3
_NO_BODY = "this unit's body is only drawn"
_WIRING = "Check the plug and the wires of each that is named, and its pin in the device file."


def moves(station: Station) -> bool:
    """Whether there is a body of hardware."""
    return any(name not in DRAWN for name in station.device.body.outputs)


async def pins(station: Station) -> Finding:
    """Whether somebody else has one of the unit's pins."""
    gpio = station.device.body.gpio
    if gpio is None:
        return skipped("the device file names no pins")
    reports = await blocking(partial(pins_report, gpio))
    problems = [one.problem for one in reports if one.problem]
    if len(problems) == len(reports) > 0 and len({one.partition(": ")[2] for one in problems}) == 1:
        # There are no pins at all.
        problems = problems[:1]
    taken = {f"GPIO{one.pin}": one.taken_by for one in reports if one.taken_by}
    if problems:
        return failed(
            "\n".join(dict.fromkeys(problems)),
            "Free the pin where it is taken (an overlay in /boot/firmware/config.txt, or another program), or wire it "
            "to another pin and name that in the device file.",
            **taken,
        )
    if taken and not station.daemon_runs:
        return failed(
            f"another program has {', '.join(taken)}",
            "End the other program that uses gpiozero or lgpio; `sudo lsof /dev/gpiochip*` names it.",
            **taken,
        )
    held = "; the running companion has them" if taken else ""
    return passed(f"{len(reports)} pins, none taken by anybody else{held}", **taken)


async def serial(station: Station) -> Finding:
    """Whether the microcontroller answers, which firmware it has, and what it measures."""
    if station.device.body.serial is None or "serial" not in station.device.body.outputs:
        return skipped("the device file names no microcontroller")
    wire = serial_station(station)
    try:
        hello = await blocking(wire.connect)
        state = await blocking(wire.state)
    finally:
        await blocking(wire.close)
    firmware = ".".join(map(str, hello.firmware))
    facts: dict[str, Measured] = {
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


async def lights(station: Station) -> Finding:
    """Every light, in red, green, blue and white."""
    return await _shown(station, ("light",))


async def motions(station: Station) -> Finding:
    """Every servo and mouth through its range, every motor a little to either side."""
    return await _shown(station, ("servo", "mouth", "motor"))


async def _shown(station: Station, kinds: tuple[str, ...]) -> Finding:
    if not moves(station):
        return skipped(_NO_BODY)
    channels = {name: one for name, one in station.device.body.channels.items() if one.kind in kinds}
    if not channels:
        return skipped("this unit has none")
    ways, outputs = ways_out(station), dict[str, WayOut]()
    facts: dict[str, str] = {}
    async with AsyncExitStack() as stack:
        for name, channel in channels.items():
            output = ways[name]
            if not output:
                facts[name] = "no output shows it: give it a pin in body.gpio.channels"
                continue
            try:
                if output not in outputs:
                    outputs[output] = await open_way(station, output)
                    stack.push_async_callback(outputs[output].close)
                facts[name] = await _judged(station, name, channel, outputs[output])
            except CompanionError as error:
                facts[name] = str(error)
    bad = {name: told for name, told in facts.items() if told not in ("seen", "shown")}
    text = ", ".join(name for name in facts if name not in bad)
    if not bad:
        asked = "seen by you" if station.person else "no error; nobody was asked"
        return passed(f"{text}: {asked}", **facts)
    told = "\n".join(f"{name}: {reason}" for name, reason in bad.items())
    return failed(told, f"{_WIRING} {STOP_IT}" if station.daemon_runs else _WIRING, **facts)


async def _judged(station: Station, name: str, channel: ChannelSettings, output: WayOut) -> str:
    """`seen`, `shown` where nobody is asked, or what is wrong. Raises `CompanionError`."""
    person = station.person
    for _ in range(MOST_REPEATS):
        if person is not None:
            person.tell(f"Look at {name} now.")
        await output.play(motion(name, channel, station.pace))
        if person is None:
            return "shown"
        answer = await person.ask(_question(station, name, channel))
        if answer != "again":
            return {"yes": "seen", "no": "you did not see it"}.get(answer, "nobody answered")
    return "could not be told, though it was shown again and again"


def _question(station: Station, name: str, channel: ChannelSettings) -> str:
    gpio = station.device.body.gpio
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


async def contacts(station: Station) -> Finding:
    """Every button, touch sensor and switch: at rest, and changing when a person uses it."""
    gpio, wake = station.device.body.gpio, station.device.ears.wake
    switches = {f"body.gpio.{name}": part for name, part in (gpio.switches() if gpio is not None else {}).items()}
    if wake.button_pin is not None:
        switches["ears.wake.button_pin"] = SwitchPart(pin=wake.button_pin)
    facts: dict[str, str] = {}
    for key, part in switches.items():
        try:
            facts[key] = await _contact(station, key, part)
        except CompanionError as error:
            facts[key] = str(error)
    if (told := await _far_contacts(station)) is not None:
        facts["the microcontroller's"] = told
    if not facts:
        return skipped("this unit has none, or only a person can try them")
    bad = {name: told for name, told in facts.items() if not told.startswith(_WELL)}
    if not bad:
        return passed("; ".join(f"{name}: {told}" for name, told in facts.items()), **facts)
    told = "\n".join(f"{name}: {reason}" for name, reason in bad.items())
    return failed(told, f"{_WIRING} {STOP_IT}" if station.daemon_runs else _WIRING, **facts)


_WELL = ("at rest", "active", "works")
_MOMENTARY = ("button", "touch", "button_pin")


async def _contact(station: Station, key: str, part: SwitchPart) -> str:
    """What is to be said of one contact; begins with one of `_WELL` where nothing is wrong. Raises `DeviceError`."""
    loop = asyncio.get_running_loop()
    changes: asyncio.Queue[bool] = asyncio.Queue()
    switch = Switch(key, part, lambda active: loop.call_soon_threadsafe(changes.put_nowait, active))
    try:
        at_first = switch.active
        name = key.rpartition(".")[2]
        if at_first and name in _MOMENTARY:
            return "is closed though nobody presses it: it hangs, or active_high is wrong"
        person = station.person
        if person is None:
            return "at rest; nobody was asked to use it" if not at_first else "active; nobody was asked to use it"
        person.tell(f"Use {name} now: press it and let go, or move it there and back.")
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


async def _far_contacts(station: Station) -> str | None:
    """What is to be said of the buttons on the microcontroller; None where there are none, or nobody is asked."""
    person, body = station.person, station.device.body
    if person is None or body.serial is None or "serial" not in body.outputs:
        return None
    if await person.ask("Are there buttons or touch sensors on the body's microcontroller?") != "yes":
        return None
    wire = serial_station(station)
    try:
        # An Uno starts anew when its port is opened, and is deaf for two seconds.
        await blocking(wire.connect)
        person.tell(f"Press each of them once, within {WATCH_S:g} seconds.")
        events = await blocking(partial(wire.watch, WATCH_S * station.pace))
    finally:
        await blocking(wire.close)
    presses = [one for one in events if one.value and one.kind in (EventKind.BUTTON, EventKind.TOUCH)]
    seen = dict.fromkeys(f"{one.kind.name.lower().replace('_', ' ')} {one.index}" for one in presses)
    return f"works: {', '.join(seen)}" if seen else "none of them told anything"
