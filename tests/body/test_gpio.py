"""Outputs on the board's own pins: what LEDs, servos and motors get, and what happens when a pin is in use."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import gpiozero
import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.body import gpio
from companion.body.gpio import GpioBody, GpioChannel, pin_values
from companion.body.gpio_pins import HardwarePwm
from companion.config.body import BodySettings
from companion.config.device import Device
from companion.config.persona import load_persona
from companion.errors import DeviceError, EngineUnavailable
from companion.events import BodyFrame
from tests.support.mock_pins import CHANNELS, PARTS, PATIENCE_S, Pins, built, settings
from tests.support.paths import CONFIGS


def channel(name: str, **changes: object) -> GpioChannel:
    body = BodySettings.model_validate(
        {"channels": CHANNELS, "gpio": {"channels": {name: {**PARTS[name], **changes}}}}  # type: ignore[dict-item]
    )
    assert body.gpio is not None
    return GpioChannel(name, body.gpio.channels[name], body.channels[name])


def at(name: str, value: float) -> BodyFrame:
    return BodyFrame({}, {name: value})


def test_a_servo_gets_the_pulse_of_its_angle_and_none_before_it_is_asked(pins: Pins) -> None:
    one = channel("head")
    one.update(at("mouth", 1.0), 0.0)
    assert pins.width_us(12) is None
    for angle, width in ((0, 1500), (45, 2000), (-80, 611.111), (400, 2388.889)):
        one.update(at("head", angle), 1.0)
        assert pins.width_us(12) == pytest.approx(width, abs=0.01)
    one.close()


def test_a_servo_that_has_rested_gets_no_pulses_until_it_moves(pins: Pins) -> None:
    one = channel("head", rest_s=2.0)
    one.update(at("head", 10), 100.0)
    assert one.next_update_at == 102.0
    one.update(at("head", 10), 101.9)
    assert pins.width_us(12) is not None
    one.update(at("head", 10), 102.0)
    assert pins.width_us(12) is None
    one.update(at("head", 10), 110.0)
    assert pins.width_us(12) is None
    one.update(at("head", 20), 111.0)
    assert pins.width_us(12) is not None


def test_an_inverted_servo_turns_the_other_way(pins: Pins) -> None:
    one = channel("head", inverted=True, low_us=1000, high_us=2000)
    one.update(at("head", 45), 0.0)
    assert pins.width_us(12) == pytest.approx(1250)


def test_a_motor_runs_forward_or_backward_and_never_both(pins: Pins) -> None:
    one = channel("wheels")
    seen = []
    for speed in (0.5, -1.0, 0.0):
        one.update(at("wheels", speed), 0.0)
        seen.append((pins.level(23), pins.level(24)))
    assert seen == [(0.5, 0.0), (0.0, 1.0), (0.0, 0.0)]
    one.update(at("wheels", 1.0), 0.0, motors_may_run=False)
    assert pins.level(23) == 0.0
    one.update(at("wheels", 1.0), 0.0)
    assert pins.level(25) == 1.0
    one.close()
    assert pins.level(23) == pins.level(24) == 0.0


def test_lights_have_their_colour_and_a_single_led_its_luminance(pins: Pins) -> None:
    eyes, glow, mouth = channel("eyes"), channel("glow"), channel("mouth")
    frame = BodyFrame({"eyes": (255, 51, 0), "glow": (0, 255, 0)}, {"mouth": 0.25})
    for one in (eyes, glow, mouth):
        one.update(frame, 0.0)
    assert (pins.level(17), pins.level(27), pins.level(22)) == pytest.approx((1.0, 0.2, 0.0))
    assert pins.level(5) == pytest.approx(0.7152)
    assert pins.level(6) == pytest.approx(0.75), "this one hangs on the supply"


def test_an_led_without_pwm_is_on_or_off(pins: Pins) -> None:
    one = channel("glow", pwm=False)
    levels = []
    for grey in (100, 200, 0):
        one.update(BodyFrame({"glow": (grey, grey, grey)}, {}), 0.0)
        levels.append(pins.level(5))
    assert levels == [0.0, 1.0, 0.0]


def test_a_pin_in_use_is_named_and_tried_again_with_growing_pauses(pins: Pins) -> None:
    other = gpiozero.LED(12)
    one = channel("head")
    with pytest.raises(DeviceError, match=r"body\.gpio\.channels\.head.*companion doctor"):
        one.update(at("head", 0), 10.0)
    assert one.next_update_at == 10.5
    one.update(at("head", 0), 10.4)
    with pytest.raises(DeviceError):
        one.update(at("head", 0), 10.5)
    assert one.next_update_at == 11.5
    other.close()
    one.update(at("head", 0), 11.5)
    assert pins.width_us(12) == pytest.approx(1500)


@given(
    st.sampled_from(sorted(PARTS)),
    st.floats(),
    st.tuples(*[st.integers(0, 255)] * 3),
)
def test_whatever_a_frame_holds_a_pin_stays_in_its_range(name: str, value: float, rgb: tuple[int, int, int]) -> None:
    body = settings()
    assert body.gpio is not None
    frame = BodyFrame({name: rgb}, {name: value})
    found = pin_values(body.gpio.channels[name], body.channels[name], frame, name)
    assert found is None or all(-1.0 <= one <= 1.0 for one in found)


async def test_a_frame_reaches_all_pins_and_closing_lets_go_of_them(pins: Pins) -> None:
    body = built(settings())
    await body.show(BodyFrame({"eyes": (0, 255, 0)}, {"head": 45, "wheels": 0.25, "mouth": 1.0}))
    await pins.reach(lambda: pins.width_us(12) == 2000 and pins.level(23) == 0.25 and pins.level(27) == 1.0)
    await body.close()
    assert pins.level(23) == 0.0
    assert pins.width_us(12) is None
    for number in (12, 17, 23):
        gpiozero.LED(number).close()


async def test_a_pin_in_use_disables_only_its_own_channel_until_it_is_free(
    pins: Pins, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("companion.body.gpio.FIRST_RETRY_S", 0.02)
    other = gpiozero.LED(12)
    body = built(settings())
    frame = BodyFrame({"glow": (255, 255, 255)}, {"head": 0.0})
    await body.show(frame)
    await pins.reach(lambda: pins.level(5) == pytest.approx(1.0))
    with pytest.raises(DeviceError, match=r"channels\.head"):
        await body.show(frame)
    for _ in range(50):
        await body.show(frame)
    other.close()
    await pins.reach(lambda: pins.width_us(12) == pytest.approx(1500))
    await body.close()


async def test_a_machine_without_pins_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpiozero.Device, "pin_factory", None)
    monkeypatch.delenv("GPIOZERO_PIN_FACTORY", raising=False)
    one = channel("glow")
    with pytest.raises(DeviceError) as told:
        one.update(BodyFrame({"glow": (1, 1, 1)}, {}), 0.0)
    assert "\n" not in str(told.value)
    assert str(told.value).startswith("body.gpio.channels.glow: ")


async def test_showing_never_waits_for_the_pins(pins: Pins) -> None:
    gate = threading.Event()
    pins.changed = gate.wait
    body = built(settings())
    loop = asyncio.get_running_loop()
    began = loop.time()
    for angle in range(1000):
        await body.show(at("head", angle % 80))
    took = loop.time() - began
    gate.set()
    await body.close()
    assert took < 1.0


async def test_motors_stop_while_the_runtime_hangs_and_run_again_after(
    pins: Pins, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpio, "LOOP_TIMEOUT_S", 0.1)
    monkeypatch.setattr(gpio, "LOOP_PING_S", 0.02)
    body = built(settings())
    await body.show(at("wheels", 1.0))
    await pins.reach(lambda: pins.level(23) == 1.0)
    stopped = threading.Event()
    pins.changed = lambda: stopped.set() if pins.level(23) == 0.0 else None
    assert stopped.wait(PATIENCE_S), "the loop hangs here, and the wheels must stop meanwhile"
    await pins.reach(lambda: pins.level(23) == 1.0)
    await body.close()


@pytest.mark.parametrize(
    ("gpio", "words"),
    [
        ({"button": 12, "channels": {"head": PARTS["head"]}}, r"GPIO12 .*channels\.head\.pin.*body\.gpio\.button"),
        ({"channels": {"eyes": {**PARTS["eyes"], "blue": 17}}}, r"GPIO17 .*eyes\.red.*eyes\.blue"),
        ({"channels": {"nose": PARTS["head"]}}, "no channel called nose"),
        ({"channels": {"eyes": PARTS["head"]}}, "a light is shown by led or rgb_led, not by servo"),
        ({"channels": {"head": {**PARTS["head"], "low_us": 2600}}}, "low_us must be below high_us"),
        ({"channels": {"head": {**PARTS["head"], "pin": 40}}}, "less than or equal to 27"),
        ({"channels": {"head": {"kind": "laser", "pin": 3}}}, "led"),
        ({"button": True}, "valid dictionary|SwitchPart"),
    ],
)
def test_a_wrong_table_is_refused_with_the_reason(gpio: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        BodySettings.model_validate({"outputs": ["gpio"], "channels": CHANNELS, "gpio": gpio})


def test_a_channel_cannot_have_two_outputs() -> None:
    with pytest.raises(ValueError, match="one way out"):
        BodySettings.model_validate(
            {"channels": CHANNELS, "gpio": {"channels": PARTS}, "serial": {"port": "x", "channels": {"head": 0}}}
        )


def test_the_body_is_built_from_the_device_file() -> None:
    persona = load_persona(CONFIGS / "personas" / "teddy.toml")
    assert isinstance(gpio.build(Device(persona=Path("x"), body=settings()), persona), GpioBody)
    with pytest.raises(EngineUnavailable, match=r"\[body.gpio\]"):
        gpio.build(Device(persona=Path("x")), persona)
    with pytest.raises(ValueError, match=r"\[body.gpio\]"):
        BodySettings(outputs=("gpio",))


@pytest.fixture
def sysfs(tmp_path: Path) -> Path:
    """The kernel's files, as they are after `export`."""
    (tmp_path / "pwmchip0" / "pwm1").mkdir(parents=True)
    return tmp_path


def test_hardware_pwm_writes_what_the_kernel_reads(sysfs: Path) -> None:
    pwm = HardwarePwm("pwmchip0:1", 0.02, sysfs)
    files = sysfs / "pwmchip0" / "pwm1"
    assert (files / "period").read_text() == "20000000"
    pwm.set_pulse(0.0015)
    assert ((files / "duty_cycle").read_text(), (files / "enable").read_text()) == ("1500000", "1")
    pwm.set_pulse(0.0)
    assert (files / "enable").read_text() == "0"
    pwm.close()
    assert (sysfs / "pwmchip0" / "unexport").read_text() == "1"


def test_hardware_pwm_that_is_not_there_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="dtoverlay=pwm-2chan"):
        HardwarePwm("pwmchip0:1", 0.02, tmp_path)
