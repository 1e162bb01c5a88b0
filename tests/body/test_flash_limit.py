"""No light flashes, and neither do all lights together; calm light is shown as asked."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.body.limits import Limits
from companion.config.body import ChannelSettings
from companion.events import BodyFrame
from tests.support.limited_body import CHANNELS, DARK


def luminance(frame: BodyFrame, light: str = "glow") -> float:
    red, green, blue = frame.lights[light]
    return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255


def rises(levels: list[float], swing: float = 0.02) -> int:
    """How often a level turns from falling to rising, wiggles below `swing` left out."""
    count, lowest, highest, rising = 0, levels[0], levels[0], False
    for level in levels:
        if rising:
            highest = max(highest, level)
            if level < highest - swing:
                rising, lowest = False, level
        else:
            lowest = min(lowest, level)
            if level > lowest + swing:
                rising, highest, count = True, level, count + 1
    return count


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
        frames.append(limits.apply({"glow": colour}, {}, t))
    assert rises([luminance(frame) for frame in frames]) <= 3 * t + 1
    assert rises([frame.lights["glow"][0] / 255 for frame in frames]) <= 3 * t + 1


SHADES = st.tuples(*[st.sampled_from([0, 90, 255])] * 3)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.floats(0.01, 0.1), SHADES, SHADES, SHADES), min_size=40, max_size=80))
def test_all_lights_together_flash_at_most_three_times_a_second(asked: list[tuple[float, ...]]) -> None:
    names = ("one", "two", "three")
    limits = Limits({name: ChannelSettings(kind="light") for name in names})
    t, frames = 0.0, []
    for step, *shades in asked:
        t += step
        frames.append(limits.apply(dict(zip(names, shades, strict=True)), {}, t))  # type: ignore[arg-type]
    together = [sum(luminance(frame, name) for name in names) for frame in frames]
    red = [sum(frame.lights[name][0] for name in names) / 255 for frame in frames]
    assert rises(together, 0.1) <= 3 * t + 1
    assert rises(red, 0.1) <= 3 * t + 1


def test_lights_that_take_turns_do_not_flash_together() -> None:
    """Each blinks 2.4 times a second, which one light may; four of them in turn would be 9.6 flashes."""
    names = tuple("abcd")
    limits = Limits({name: ChannelSettings(kind="light") for name in names})
    seen = []
    for frame in range(500):
        t = frame / 50
        lights = {
            name: (255.0, 255.0, 255.0) if (2.4 * t + place / 4) % 1 < 0.1 else DARK for place, name in enumerate(names)
        }
        shown = limits.apply(lights, {}, t)
        seen.append(sum(luminance(shown, name) for name in names))
    assert 5 < rises(seen, 0.1) <= 31


@pytest.mark.parametrize("hertz", [3.5, 5, 8, 10, 15, 25])
def test_a_light_that_is_asked_to_flash_does_not(hertz: float) -> None:
    limits = Limits({"glow": CHANNELS["glow"]})
    seen = []
    for frame in range(500):
        on = math.sin(2 * math.pi * hertz * frame / 50 + 0.1) > 0
        seen.append(luminance(limits.apply({"glow": (255, 255, 255) if on else DARK}, {}, frame / 50)))
    assert rises(seen) <= 31


def test_a_calm_light_is_shown_as_asked() -> None:
    limits = Limits({"glow": CHANNELS["glow"]})
    shown, asked = [], []
    for frame in range(200):
        level = 127.5 - 127.5 * math.cos(2 * math.pi * 1.5 * frame / 50)
        asked.append(level)
        shown.append(limits.apply({"glow": (level, level, level)}, {}, frame / 50).lights["glow"][0])
    assert max(abs(one - two) for one, two in zip(shown, asked, strict=True)) <= 1


def test_a_ring_may_spin_though_each_light_of_it_pulses() -> None:
    names = [f"ring_{number}" for number in range(8)]
    limits = Limits({name: ChannelSettings(kind="light") for name in names})
    worst = 0.0
    for frame in range(200):
        t = frame / 50
        asked = {
            name: (255 * (0.5 + 0.5 * math.cos(2 * math.pi * (t - place / 8))) ** 2,) * 3
            for place, name in enumerate(names)
        }
        shown = limits.apply(asked, {}, t)  # type: ignore[arg-type]
        if t > 0.5:
            worst = max(worst, *(abs(shown.lights[name][0] - asked[name][0]) for name in names))
    assert worst <= 1
