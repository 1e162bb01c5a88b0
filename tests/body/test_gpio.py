"""Outputs on the board's own pins: what LEDs, servos and motors get, and what happens when a pin is in use."""

from __future__ import annotations

from pathlib import Path

import gpiozero
import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.body import gpio
from companion.body.gpio import GpioBody, pin_values
from companion.body.gpio_pins import HardwarePwm
from companion.body.pin_owner import GpioChannel, PinOwner
from companion.config.body import BodySettings, ChannelSettings
from companion.config.device import Device
from companion.config.outputs import Part
from companion.config.persona import load_persona
from companion.errors import DeviceError, EngineUnavailable
from companion.events import BodyFrame
from tests.support.mock_pins import CHANNELS, PARTS, Pins, settings
from tests.support.paths import CONFIGS


class Channel:
    """One channel of a body with its pins in this process."""

    def __init__(self, name: str, part: Part, settings: ChannelSettings) -> None:
        self._name, self._part, self._settings = name, part, settings
        self.on_pins = GpioChannel(name, part)

    def update(self, frame: BodyFrame, now: float) -> None:
        self.on_pins.update(pin_values(self._part, self._settings, frame, self._name), now)


def channel(name: str, **changes: object) -> Channel:
    body = BodySettings.model_validate(
        {"channels": CHANNELS, "gpio": {"channels": {name: {**PARTS[name], **changes}}}}  # type: ignore[dict-item]
    )
    assert body.gpio is not None
    return Channel(name, body.gpio.channels[name], body.channels[name])


def at(name: str, value: float) -> BodyFrame:
    return BodyFrame({}, {name: value})


def test_a_servo_gets_the_pulse_of_its_angle_and_none_before_it_is_asked(pins: Pins) -> None:
    one = channel("head")
    one.update(at("mouth", 1.0), 0.0)
    assert pins.width_us(12) is None
    for angle, width in ((0, 1500), (45, 2000), (-80, 611.111), (400, 2388.889)):
        one.update(at("head", angle), 1.0)
        assert pins.width_us(12) == pytest.approx(width, abs=0.01)
    one.on_pins.close()


def test_a_servo_that_has_rested_gets_no_pulses_until_it_moves(pins: Pins) -> None:
    one = channel("head", rest_s=2.0)
    one.update(at("head", 10), 100.0)
    assert one.on_pins.next_update_at == 102.0
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
    one.update(at("wheels", 1.0), 0.0)
    assert pins.level(25) == 1.0
    one.on_pins.close()
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
    assert one.on_pins.next_update_at == 10.5
    one.update(at("head", 0), 10.4)
    with pytest.raises(DeviceError):
        one.update(at("head", 0), 10.5)
    assert one.on_pins.next_update_at == 11.5
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


def test_a_servo_that_must_hold_nothing_gets_no_pulses_and_a_motor_stands(pins: Pins) -> None:
    head, mouth, glow = channel("head"), channel("mouth"), channel("glow")
    for released in (False, True, True, False):
        frame = BodyFrame({"glow": (255, 255, 255)}, {"head": 45.0, "mouth": 0.5}, released)
        for one in (head, mouth, glow):
            one.update(frame, 1.0)
        assert pins.width_us(12) == (None if released else 2000)
        assert (pins.level(5), pins.level(6)) == pytest.approx((1.0, 0.5)), "lights go on, and a mouth that is an LED"


def test_an_owner_that_hears_nothing_for_300_ms_lets_go_of_everything_until_it_hears_again(pins: Pins) -> None:
    body, told = settings(), []
    assert body.gpio is not None
    names = ("head", "wheels", "glow")
    owner = PinOwner([GpioChannel(name, body.gpio.channels[name]) for name in names], lambda *words: told.append(words))
    assert owner.next_update_at() == float("inf")
    owner.take([[0.5], [1.0], [0.25]], 10.0)
    for now, silent in ((10.0, False), (10.29, False), (10.3, True), (12.0, True)):
        owner.update(now)
        assert (pins.width_us(12), pins.level(23), pins.level(5)) == ((None, 0, 0) if silent else (2000, 1, 0.25)), now
        assert silent or owner.next_update_at() == 10.3
    owner.take([[0.5], [1.0], [0.25]], 12.5)
    owner.update(12.5)
    assert (pins.width_us(12), pins.level(23), pins.level(5)) == (2000, 1, 0.25)
    assert told == [("", 2500)]
    owner.close()


@pytest.mark.parametrize(
    ("gpio", "words"),
    [
        (
            {"button": 12, "channels": {"head": PARTS["head"]}},
            r"GPIO12 is given to body\.gpio\.\S+ already|GPIO12 .*channels\.head\.pin",
        ),
        ({"channels": {"eyes": {**PARTS["eyes"], "blue": 17}}}, r"eyes\.blue: GPIO17 is given to .*eyes\.red"),
        ({"channels": {"nose": PARTS["head"]}}, "no channel called nose"),
        ({"channels": {"eyes": PARTS["head"]}}, "a light is shown by led or rgb_led, not by servo"),
        ({"channels": {"head": {**PARTS["head"], "low_us": 2600}}}, "low_us: must be below high_us"),
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
            {"channels": CHANNELS, "gpio": {"channels": PARTS}, "serial": {"port": "/dev/x", "channels": {"head": 0}}}
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


async def test_a_machine_without_pins_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpiozero.Device, "pin_factory", None)
    monkeypatch.delenv("GPIOZERO_PIN_FACTORY", raising=False)
    one = channel("glow")
    with pytest.raises(DeviceError) as told:
        one.update(BodyFrame({"glow": (1, 1, 1)}, {}), 0.0)
    assert "\n" not in str(told.value)
    assert str(told.value).startswith("body.gpio.channels.glow: ")
