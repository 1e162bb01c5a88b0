"""Whatever is asked of the body, what comes out is allowed: range, slew rate, and no flashes."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.body.limits import LIGHT_FASTEST, LONGEST_STEP_S, Limits
from companion.body_settings import ChannelSettings
from companion.events import BodyFrame

CHANNELS = {
    "glow": ChannelSettings(kind="light"),
    "head": ChannelSettings(kind="servo", low=-45, high=30, neutral=5, fastest=300),
    "wheels": ChannelSettings.model_validate({"kind": "motor"}),
    "mouth": ChannelSettings.model_validate({"kind": "mouth"}),
}
WILD = st.one_of(st.floats(), st.floats(-100, 300), st.sampled_from([math.nan, math.inf, -math.inf, 1e308]))
STEPS = st.one_of(st.floats(0, 0.2), st.sampled_from([0.0, 0.02, 0.1, 5.0, 1e6, -1.0]))
ASKED = st.lists(st.tuples(STEPS, st.tuples(WILD, WILD, WILD), WILD, WILD, WILD), min_size=1, max_size=60)


def luminance(frame: BodyFrame) -> float:
    red, green, blue = frame.lights["glow"]
    return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255


def rises(levels: list[float]) -> int:
    """How often a level turns from falling to rising, wiggles of 2 % of full contrast left out."""
    count, lowest, highest, rising = 0, levels[0], levels[0], False
    for level in levels:
        if rising:
            highest = max(highest, level)
            if level < highest - 0.02:
                rising, lowest = False, level
        else:
            lowest = min(lowest, level)
            if level > lowest + 0.02:
                rising, highest, count = True, level, count + 1
    return count


@given(ASKED)
def test_no_sequence_of_targets_leaves_the_allowed_region(
    asked: list[tuple[float, tuple[float, ...], float, float, float]],
) -> None:
    limits = Limits(CHANNELS)
    t, latest = 10.0, 10.0
    frames = [limits.frame({"glow": (0, 0, 0)}, {"head": 5, "wheels": 0, "mouth": 0}, t)]
    steps = []
    for step, colour, head, wheels, mouth in asked:
        t += step
        steps.append(min(max(t - latest, 0.0), LONGEST_STEP_S))
        latest = max(t, latest)
        targets = {"head": head, "wheels": wheels, "mouth": mouth}
        frames.append(limits.frame({"glow": colour}, targets, t))  # type: ignore[dict-item]
    for (before, after), seconds in zip(pairwise(frames), steps, strict=True):
        assert set(after.positions) == {"head", "wheels", "mouth"}
        for name, value in after.positions.items():
            settings = CHANNELS[name]
            assert settings.low <= value <= settings.high
            assert abs(value - before.positions[name]) <= settings.fastest * seconds + 1e-6
        for old, new in zip(before.lights["glow"], after.lights["glow"], strict=True):
            assert isinstance(new, int)
            assert 0 <= new <= 255
            assert abs(new - old) <= LIGHT_FASTEST * seconds + 1.001


@given(
    st.lists(
        st.tuples(st.floats(0.001, 0.1), st.tuples(*[st.sampled_from([0, 40, 128, 255])] * 3)),
        min_size=50,
        max_size=200,
    )
)
def test_a_light_rises_at_most_three_times_a_second(asked: list[tuple[float, tuple[int, int, int]]]) -> None:
    limits = Limits({"glow": CHANNELS["glow"]})
    t, frames = 0.0, []
    for step, colour in asked:
        t += step
        frames.append(limits.frame({"glow": colour}, {}, t))
    assert rises([luminance(frame) for frame in frames]) <= 3 * t + 1
    assert rises([frame.lights["glow"][0] / 255 for frame in frames]) <= 3 * t + 1


@pytest.mark.parametrize("hertz", [3.5, 5, 8, 10, 15, 25])
def test_a_light_that_is_asked_to_flash_does_not(hertz: float) -> None:
    limits = Limits({"glow": CHANNELS["glow"]})
    seen = []
    for frame in range(500):
        on = math.sin(2 * math.pi * hertz * frame / 50 + 0.1) > 0
        seen.append(luminance(limits.frame({"glow": (255, 255, 255) if on else (0, 0, 0)}, {}, frame / 50)))
    assert rises(seen) <= 31


def test_a_calm_light_is_shown_as_asked() -> None:
    limits = Limits({"glow": CHANNELS["glow"]})
    shown, asked = [], []
    for frame in range(200):
        level = 127.5 - 127.5 * math.cos(2 * math.pi * 1.5 * frame / 50)
        asked.append(level)
        shown.append(limits.frame({"glow": (level, level, level)}, {}, frame / 50).lights["glow"][0])
    assert max(abs(one - two) for one, two in zip(shown, asked, strict=True)) <= 1


def test_a_motor_that_stood_for_a_minute_does_not_jump() -> None:
    limits = Limits(CHANNELS)
    rest = {"head": 5.0, "wheels": 0.0, "mouth": 0.0}
    limits.frame({"glow": (0, 0, 0)}, rest, 0.0)
    frame = limits.frame({"glow": (0, 0, 0)}, rest | {"wheels": 1.0}, 60.0)
    assert 0 < frame.positions["wheels"] <= 4.0 * LONGEST_STEP_S


def test_a_target_within_reach_is_reached_and_then_nothing_is_left_to_do() -> None:
    limits = Limits(CHANNELS)
    targets = {"head": 1000.0, "wheels": -0.5, "mouth": 1.0}
    for frame in range(50):
        shown = limits.frame({"glow": (10, 200, 30)}, targets, frame / 50)
    assert shown == BodyFrame({"glow": (10, 200, 30)}, {"head": 30, "wheels": -0.5, "mouth": 1.0})
    assert limits.arrived


def test_what_is_not_a_number_leaves_a_channel_where_it_is() -> None:
    limits = Limits(CHANNELS)
    for frame in range(20):
        limits.frame({"glow": (50, 50, 50)}, {"head": -20, "wheels": 0.5, "mouth": 0.3}, frame / 50)
    nan = math.nan
    shown = limits.frame({"glow": (nan, nan, nan)}, {"head": nan, "wheels": nan, "mouth": nan}, 0.5)
    assert shown == BodyFrame({"glow": (50, 50, 50)}, {"head": -20, "wheels": 0.5, "mouth": 0.3})
