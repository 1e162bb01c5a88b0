"""The station test of lights, motions, contacts and the microcontroller: on mock pins and a simulated body."""

from __future__ import annotations

import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import gpiozero
import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.body import gpio
from companion.config.body import ChannelSettings
from companion.config.device import Device
from companion.config.persona import load_persona
from companion.doctor import body_outputs, checks_body
from companion.doctor.body_outputs import motion_sequence
from companion.doctor.check import Answer, UnitUnderTest
from companion.doctor.checks_body import PinUse, check_contacts, check_lights, check_motions, check_pins, check_serial
from companion.errors import DeviceError
from firmware_bridge.messages import Channel, EventKind, Kind, Limits
from firmware_bridge.simulator import Simulator, serve
from tests.support.mock_pins import OwnedPins, Pins, owned_pins
from tests.support.paths import CONFIGS

TEDDY = load_persona(CONFIGS / "personas" / "teddy.toml")
CHANNELS = {
    "eyes": {"kind": "light"},
    "glow": {"kind": "light"},
    "head": {"kind": "servo", "low": -40, "high": 40},
    "wheels": {"kind": "motor", "low": -0.4, "high": 0.4},
    "mouth": {"kind": "mouth"},
}
PARTS = {
    "eyes": {"kind": "rgb_led", "red": 17, "green": 27, "blue": 22},
    "glow": {"kind": "led", "pin": 5},
    "head": {"kind": "servo", "pin": 12},
    "wheels": {"kind": "motor", "forward": 23, "backward": 24},
    "mouth": {"kind": "led", "pin": 6},
}
HURRY = 0.02


class ScriptedOperator:
    """A person who gives these answers one after the other, then yes; `told` does what they are told."""

    def __init__(self, *answers: Answer, told: Callable[[str], object] = lambda _: None) -> None:
        self._answers = list(answers)
        self._told = told
        self.heard: list[str] = []

    async def ask(self, question: str) -> Answer:
        self.heard.append(question)
        return self._answers.pop(0) if self._answers else "yes"

    def tell(self, text: str) -> None:
        self.heard.append(text)
        self._told(text)


def unit_with(
    operator: ScriptedOperator | None = None, *, outputs: list[str] | None = None, **body: Any
) -> UnitUnderTest:
    tables = {"outputs": outputs or ["gpio"], "channels": CHANNELS, **body}
    device = Device.model_validate({"persona": "x.toml", "body": tables})
    return UnitUnderTest(device=device, persona=TEDDY, state=Path("/nonexistent"), operator=operator, pace=HURRY)


def on_pins(operator: ScriptedOperator | None = None, **tables: Any) -> UnitUnderTest:
    return unit_with(operator, gpio={"channels": PARTS, **tables})


@pytest.fixture
async def outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OwnedPins]:
    """Pins for lights and motions, in the process that owns them."""
    # The entry point comes with the installed package; the look-up by module needs none.
    built = gpio.build
    monkeypatch.setattr(
        body_outputs.plugins, "build_engine", lambda _group, _name, device, persona: built(device, persona)
    )
    async with owned_pins(tmp_path) as pins:
        monkeypatch.setattr(gpio, "OWNER", pins.command)
        yield pins


def levels(pins: OwnedPins, number: int) -> set[float]:
    """What the pin was set to, but for nothing."""
    return {round(one.level, 4) for one in pins.changes if one.pin == f"GPIO{number}"} - {0.0}


@pytest.fixture
def board() -> Iterator[Pins]:
    """Pins for contacts, in this process."""
    before, factory = gpiozero.Device.pin_factory, Pins()
    gpiozero.Device.pin_factory = factory
    yield factory
    factory.reset()
    gpiozero.Device.pin_factory = before


@given(
    kind=st.sampled_from(["light", "servo", "motor", "mouth"]),
    low=st.floats(-1000, 0),
    high=st.floats(0, 1000),
    share=st.floats(0, 1),
    fastest=st.floats(5, 5000),
)
def test_no_motion_leaves_its_range_or_is_too_fast_and_all_end_at_rest(
    kind: str, low: float, high: float, share: float, fastest: float
) -> None:
    neutral = min(max(low + share * (high - low), low), high)
    channel = ChannelSettings.model_validate(
        {"kind": kind, "low": low, "high": high, "neutral": neutral, "fastest": fastest}
    )
    shown = motion_sequence("part", channel)
    if kind == "light":
        colours = [frame.lights["part"] for frame, _ in shown]
        assert {(255, 0, 0), (0, 255, 0), (0, 0, 255)} <= set(colours)
        assert colours[-1] == (0, 0, 0)
        return
    values = [frame.positions["part"] for frame, _ in shown]
    assert all(low - 1e-6 <= value <= high + 1e-6 for value in values)
    assert values[-1] == pytest.approx(neutral, abs=1e-6)
    if kind == "motor":
        assert max(abs(value - neutral) for value in values) <= 0.3 * (high - low) + 1e-6
    else:
        steps = [abs(b - a) for a, b in pairwise(values)]
        assert max(steps) <= fastest * shown[0][1] + 1e-6
        # Both ends are reached, nearly.
        assert max(values) >= neutral + 0.95 * (high - neutral) - 1e-6
        assert min(values) <= neutral - 0.95 * (neutral - low) + 1e-6


async def test_every_light_is_driven_in_every_colour(outputs: OwnedPins) -> None:
    found = await check_lights(on_pins())
    assert found.outcome == "pass"
    assert found.measured == {"eyes": "shown", "glow": "shown"}
    assert [levels(outputs, number) for number in (17, 27, 22)] == [{1.0}] * 3
    # One LED shows the luminance of red, green, blue and white.
    assert levels(outputs, 5) == {0.2126, 0.7152, 0.0722, 1.0}
    await outputs.reach(lambda: outputs.level(5) == 0.0)


async def test_servos_motors_and_mouths_move_and_rest_in_the_end(outputs: OwnedPins) -> None:
    found = await check_motions(on_pins())
    assert found.outcome == "pass"
    assert found.measured == {"head": "shown", "wheels": "shown", "mouth": "shown"}
    assert levels(outputs, 23) == {0.12}
    assert levels(outputs, 24) == {0.12}
    widths = sorted(level * 20_000 for level in levels(outputs, 12))
    # 40 degrees of 90 to either side of 1500 us; frames that come while one is written take its place.
    assert widths[0] < 1200
    assert widths[-1] > 1800
    assert min(widths) > 1050
    assert max(widths) < 1950
    await outputs.reach(lambda: outputs.level(23) == outputs.level(24) == 0.0)


async def test_what_the_person_did_not_see_fails_and_is_named(outputs: OwnedPins) -> None:
    operator = ScriptedOperator("again", "yes", "no")
    found = await check_lights(on_pins(operator))
    assert found.outcome == "fail"
    assert found.text == "glow: you did not see it"
    assert "pin" in found.advice
    assert found.measured == {"eyes": "seen", "glow": "you did not see it"}
    assert sum("Look at eyes" in one for one in operator.heard) == 2
    assert "Did eyes shine red, green, blue and white?" in operator.heard
    assert "Did glow light up?" in operator.heard
    assert levels(outputs, 17)


@pytest.mark.usefixtures("outputs")
async def test_no_answer_is_no_pass() -> None:
    assert (await check_lights(on_pins(ScriptedOperator("none")))).text == "eyes: nobody answered"
    assert (await check_lights(on_pins(ScriptedOperator(*["again"] * 5)))).outcome == "fail"


async def test_a_pin_in_use_fails_only_its_own_channel(outputs: OwnedPins, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpio, "OWNER", (*outputs.command, "5"))
    found = await check_lights(on_pins())
    assert found.outcome == "fail"
    assert found.measured["eyes"] == "shown"
    assert "body.gpio.channels.glow" in str(found.measured["glow"])


@pytest.mark.usefixtures("outputs")
async def test_a_channel_without_an_output_is_reported() -> None:
    found = await check_lights(unit_with(gpio={"channels": {"eyes": PARTS["eyes"]}}))
    assert found.outcome == "fail"
    assert "glow: no output shows it" in found.text


async def test_a_drawn_body_is_skipped() -> None:
    for check in (check_lights, check_motions, check_serial, check_pins, check_contacts):
        assert (await check(unit_with(outputs=["simulated"]))).outcome == "skip"


async def test_contacts_at_rest_and_one_that_is_stuck(board: Pins) -> None:
    unit = on_pins(button={"pin": 4, "pull": False}, mute=13)
    board.pin(4).drive_high()
    found = await check_contacts(unit)
    assert found.outcome == "pass"
    assert "nobody was asked" in found.text
    board.pin(4).drive_low()
    found = await check_contacts(unit)
    assert found.outcome == "fail"
    assert "closed though nobody presses it" in str(found.measured["body.gpio.button"])
    assert str(found.measured["body.gpio.mute"]).startswith("at rest")


async def test_contacts_that_a_person_uses(board: Pins, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks_body, "PRESS_WITHIN_S", 0.05)

    def use(told: str) -> None:
        if "button" in told:
            board.pin(4).drive_low()
            board.pin(4).drive_high()
        elif "lid" in told:
            board.pin(16).drive_low()

    found = await check_contacts(
        on_pins(ScriptedOperator(told=use), button={"pin": 4, "debounce_ms": 0}, mute=13, lid=16)
    )
    assert found.outcome == "fail"
    assert found.measured["body.gpio.button"] == "works"
    assert "did not answer" in str(found.measured["body.gpio.mute"])
    assert "did not go back" in str(found.measured["body.gpio.lid"])


async def test_pins_and_who_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    def reported(*reports: PinUse) -> None:
        monkeypatch.setattr(checks_body, "read_pins", lambda _: list(reports))

    free, ours = PinUse(5, "body.gpio.a"), PinUse(6, "body.gpio.b", "lg")
    reported(free)
    assert (await check_pins(on_pins())).outcome == "pass"
    reported(free, ours)
    found = await check_pins(on_pins())
    assert found.outcome == "fail"
    assert "GPIO6" in found.text
    running = UnitUnderTest(**{**vars(on_pins()), "daemon": {"state": "idle"}})
    assert (await check_pins(running)).outcome == "pass"
    reported(free, PinUse(4, "body.gpio.c", "onewire", "body.gpio.c: GPIO4 is taken by onewire."))
    found = await check_pins(on_pins())
    assert (found.outcome, found.measured) == ("fail", {"GPIO4": "onewire"})
    none = "there are no GPIO pins on this machine."
    reported(*(PinUse(n, f"body.gpio.{n}", problem=f"body.gpio.{n}: {none}") for n in (1, 2, 3)))
    assert (await check_pins(on_pins())).text.count(none) == 1


@contextmanager
def simulated(simulator: Simulator) -> Iterator[UnitUnderTest]:
    """A body on a wire, in real time, and its station."""
    running = threading.Event()
    running.set()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener, simulator, running.is_set))
        thread.start()
        try:
            port = f"socket://127.0.0.1:{listener.getsockname()[1]}"
            yield unit_with(outputs=["serial"], serial={"port": port})
        finally:
            running.clear()
            with socket.create_connection(listener.getsockname()):
                thread.join(10)


async def test_the_microcontroller_reports_its_firmware_and_measurements() -> None:
    simulator = Simulator()
    simulator.battery_mv = 3700
    with simulated(simulator) as unit:
        found = await check_serial(unit)
        assert found.outcome == "pass", found
        assert found.measured["channels"] == 8
        assert found.measured["battery_mv"] == 3700
        simulator.activate(EventKind.LID)
        # It believes its contacts after three frames; a whole station test lasts longer.
        await check_serial(unit)
        found = await check_serial(unit)
    assert found.outcome == "fail"
    assert "lid is open" in found.text


async def test_the_microcontroller_shows_the_frames() -> None:
    simulator = Simulator()
    with simulated(simulator) as unit:
        found = await check_lights(unit)
        assert found.outcome == "pass", found
        slow = UnitUnderTest(**{**vars(unit), "pace": 0.2})
        found = await check_motions(slow)
        assert found.outcome == "pass", found
    assert set(found.measured) == {"head", "wheels", "mouth"}


async def test_a_microcontroller_without_such_a_channel_fails() -> None:
    one = Simulator((Channel(Kind.SERVO, -900, 0, 900, 6000),), (Limits(0, 60_000, 0, 0, 250, 1200),))
    with simulated(one) as unit:
        found = await check_lights(unit)
    assert found.outcome == "fail"
    assert "showed nothing of it" in str(found.measured["eyes"])


async def test_a_port_without_a_device_is_reported() -> None:
    with pytest.raises(DeviceError, match="cannot be opened"):
        await check_serial(unit_with(outputs=["serial"], serial={"port": "/dev/nonexistent"}))
    found = await check_lights(unit_with(outputs=["serial"], serial={"port": "/dev/nonexistent"}))
    assert found.outcome == "fail"
    assert "cannot be opened" in found.text


async def test_buttons_of_the_microcontroller_are_counted_when_they_are_pressed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(checks_body, "WATCH_S", 20.0)
    simulator = Simulator()
    with simulated(simulator) as unit:
        operator = ScriptedOperator(told=lambda _: simulator.activate(EventKind.BUTTON, 1))
        found = await check_contacts(UnitUnderTest(**{**vars(unit), "operator": operator}))
        assert found.text == "the microcontroller's: works: button 1"
        assert (
            await check_contacts(UnitUnderTest(**{**vars(unit), "operator": ScriptedOperator("no")}))
        ).outcome == "skip"
