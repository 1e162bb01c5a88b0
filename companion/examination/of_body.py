"""The body: whether each channel has a way out, something that moves it, and pins that are free. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from companion.body.choreography import ALL_LIGHTS, Choreography, Routine
from companion.config.body import BodySettings
from companion.config.device import Device
from companion.config.outputs import ServoPart
from companion.config.persona import Persona
from companion.config.wording import nearest
from companion.examination.findings import Remark, warning

_ON_PINS = ("gpio", "serial")
"""Outputs that show only the channels that are connected to them."""
_NOWHERE = "simulated"

_LIMITS = {"motor": (-1.0, 1.0), "mouth": (0.0, 1.0)}
"""The unit of each kind of channel, where it has ends."""
_PWM_PINS = (12, 13, 18, 19)
"""Pins to which an overlay of a Raspberry Pi can connect a PWM channel."""

_BUS_PINS = {
    0: "the board reads the memory of a HAT there",
    1: "the board reads the memory of a HAT there",
    2: "it belongs to the I2C bus and is held high by a resistor on the board",
    3: "it belongs to the I2C bus and is held high by a resistor on the board",
}


def body_remarks(device: Device, built_in: Choreography, own: Choreography | None) -> Iterator[Remark]:
    """What is wrong with the table `[body]`. `own` is the device's choreography file, without the built-in one."""
    yield from _channels_without_output(device.body)
    yield from _channels_that_nothing_moves(device.body, [built_in, *([own] if own else [])])
    yield from _bus_pins(device)
    yield from _ranges(device.body)
    if device.body.gpio is not None and "gpio" not in device.body.outputs:
        yield warning("body.gpio", 'does not count, because body.outputs does not name it; write outputs = ["gpio"]')
    for at, name in enumerate(device.body.outputs):
        if name in device.body.outputs[:at]:
            yield warning("body.outputs", f"{name} stands there twice; take one out")


def light_remarks(body: BodySettings, persona: Persona) -> Iterator[Remark]:
    """Lights of the persona and its group that the device lacks."""
    lights = [name for name, one in body.channels.items() if one.kind == "light"]
    named: list[tuple[tuple[str | int, ...], tuple[str, ...]]] = [(("lights",), persona.lights)]
    named += [(("cast", at, "lights"), member.lights) for at, member in enumerate(persona.cast)]
    for key, names in named:
        for name in names:
            if name not in lights:
                text = f"the device has no light {name}; {nearest(name, lights)}"
                yield Remark("warning", key, text, of_persona=True)


def choreography_remarks(own: Choreography, body: BodySettings) -> Iterator[Remark]:
    """Where a choreography file of one's own moves or lights a channel that the device lacks."""
    kinds = {name: one.kind for name, one in body.channels.items()}
    movers = [name for name, kind in kinds.items() if kind != "light"]
    lights = [name for name, kind in kinds.items() if kind == "light"]
    for kind, name, routine in _routines(own):
        for performance in routine.performances():
            for name_of in performance.move:
                if name_of not in movers:
                    text = f"the device has no channel {name_of} that moves; {nearest(name_of, movers)}"
                    yield Remark("warning", (kind, name, "move", name_of), text)
            for key, named in (("lights", performance.lights), ("brightness", performance.brightness)):
                for name_of in named:
                    if name_of not in (*lights, ALL_LIGHTS):
                        text = f"the device has no light {name_of}; {nearest(name_of, lights)}"
                        yield Remark("warning", (kind, name, key, name_of), text)


def _channels_without_output(body: BodySettings) -> Iterator[Remark]:
    outputs = [name for name in body.outputs if name != _NOWHERE]
    if not outputs or any(name not in _ON_PINS for name in outputs):
        return
    connected: set[str] = set()
    if "gpio" in outputs and body.gpio is not None:
        connected |= body.gpio.channels.keys()
    if "serial" in outputs and body.serial is not None:
        # Without a list the channels are matched with the firmware's by kind, which only the firmware can tell.
        connected |= body.serial.channels.keys() or body.channels.keys()
    for name in body.channels:
        if name not in connected:
            tables = " or ".join(f"body.{output}.channels" for output in outputs)
            text = f"is shown by no output; say in {tables} what it is connected to, or remove it"
            yield warning(f"body.channels.{name}", text)


def _channels_that_nothing_moves(body: BodySettings, choreographies: Iterable[Choreography]) -> Iterator[Remark]:
    known = {
        channel
        for choreography in choreographies
        for _, _, routine in _routines(choreography)
        for performance in routine.performances()
        for channel in performance.move
    }
    for name, channel in body.channels.items():
        if channel.kind in ("servo", "motor") and name not in known:
            text = f"no motion moves a channel {name} (move it in a choreography of your own); {nearest(name, known)}"
            yield warning(f"body.channels.{name}", text)


def _ranges(body: BodySettings) -> Iterator[Remark]:
    """Channels that cannot move, or whose limits are not in their unit or beyond what their part can do."""
    gpio = body.gpio.channels if body.gpio is not None and "gpio" in body.outputs else {}
    for name, channel in body.channels.items():
        key, part = f"body.channels.{name}", gpio.get(name)
        low, high = _LIMITS.get(channel.kind, (-math.inf, math.inf))
        if isinstance(part, ServoPart) and channel.kind == "servo":
            low, high = part.low_degrees, part.high_degrees
        if channel.kind == "light":
            continue
        if channel.low == channel.high:
            yield warning(key, "cannot move: low and high are the same; write the lowest and the highest position")
        elif channel.low < low or channel.high > high:
            what = "its pulses reach" if channel.kind == "servo" else f"a {channel.kind} knows"
            yield warning(key, f"goes from {channel.low:g} to {channel.high:g}, and {what} only {low:g} to {high:g}")
        if isinstance(part, ServoPart) and part.hardware_pwm is not None and part.pin not in _PWM_PINS:
            text = f"the board has hardware PWM at the pins {', '.join(map(str, _PWM_PINS))} only; take one of these"
            yield warning(f"body.gpio.channels.{name}.pin", text)


def _bus_pins(device: Device) -> Iterator[Remark]:
    pins = list(device.body.gpio.pins()) if device.body.gpio is not None else []
    if device.ears.wake.button_pin is not None:
        pins.append(("ears.wake.button_pin", device.ears.wake.button_pin))
    for key, pin in pins:
        if pin in _BUS_PINS:
            yield warning(key, f"GPIO{pin} is a poor choice: {_BUS_PINS[pin]}; take one of 4 to 27")


def _routines(choreography: Choreography) -> Iterator[tuple[str, str, Routine]]:
    for kind in ("emotion", "gesture", "state", "idle"):
        for name, routine in getattr(choreography, kind).items():
            yield kind, name, routine
