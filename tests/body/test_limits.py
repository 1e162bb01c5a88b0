"""Whatever is asked of the body, what comes out is allowed: range, speed, rest, current, and no flashes."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.body.flash_limit import LIGHT_SLEW_RATE
from companion.body.limits import FRAME_GAP_S, LONGEST_STEP_S, Limits, neutral_frame
from companion.config.body import DUTY_WINDOW_S, BodySettings, ChannelSettings
from companion.events import BodyFrame

CHANNELS = {
    "glow": ChannelSettings(kind="light"),
    "head": ChannelSettings(kind="servo", low=-45, high=30, neutral=5, fastest=300, acceleration=3000),
    "wheels": ChannelSettings.model_validate({"kind": "motor"}),
    "mouth": ChannelSettings.model_validate({"kind": "mouth"}),
}
REST = {"head": 5.0, "wheels": 0.0, "mouth": 0.0}
DARK = (0.0, 0.0, 0.0)
WILD = st.one_of(st.floats(), st.floats(-100, 300), st.sampled_from([math.nan, math.inf, -math.inf, 1e308]))
STEPS = st.one_of(st.floats(0, 0.2), st.sampled_from([0.0, 0.02, 0.1, 5.0, 1e6, -1.0]))
ASKED = st.lists(st.tuples(STEPS, st.tuples(WILD, WILD, WILD), WILD, WILD, WILD), min_size=1, max_size=60)


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


@given(ASKED)
def test_no_sequence_of_targets_leaves_the_allowed_region(
    asked: list[tuple[float, tuple[float, ...], float, float, float]],
) -> None:
    limits = Limits(CHANNELS)
    t, latest = 10.0, 10.0
    frames = [limits.apply({"glow": DARK}, REST, t)]
    steps = []
    for step, colour, head, wheels, mouth in asked:
        t += step
        steps.append(min(max(t - latest, 0.0), LONGEST_STEP_S))
        latest = max(t, latest)
        targets = {"head": head, "wheels": wheels, "mouth": mouth}
        frames.append(limits.apply({"glow": colour}, targets, t))  # type: ignore[dict-item]
    for (before, after), seconds in zip(pairwise(frames), steps, strict=True):
        assert set(after.positions) == {"head", "wheels", "mouth"}
        for name, value in after.positions.items():
            one = CHANNELS[name]
            assert one.low <= value <= one.high
            assert abs(value - before.positions[name]) <= one.fastest * seconds + 1e-6
        for old, new in zip(before.lights["glow"], after.lights["glow"], strict=True):
            assert isinstance(new, int)
            assert 0 <= new <= 255
            assert abs(new - old) <= LIGHT_SLEW_RATE * seconds + 1.001


@given(st.lists(st.tuples(st.floats(0.001, 0.1), WILD, WILD), min_size=2, max_size=80))
def test_speed_never_changes_faster_than_the_acceleration(asked: list[tuple[float, float, float]]) -> None:
    limits = Limits(CHANNELS)
    t = 0.0
    values = [(0.0, REST)]
    limits.apply({"glow": DARK}, REST, t)
    for step, head, wheels in asked:
        t += step
        frame = limits.apply({"glow": DARK}, {"head": head, "wheels": wheels, "mouth": 0.0}, t)
        values.append((t, frame.positions))
    for (t0, first), (t1, second), (t2, third) in zip(values, values[1:], values[2:], strict=False):
        for name in ("head", "wheels"):
            before = (second[name] - first[name]) / (t1 - t0)
            after = (third[name] - second[name]) / (t2 - t1)
            # A step from rest counts for 20 ms however long it took, so the real change is smaller still.
            allowed = CHANNELS[name].effective_acceleration * ((t2 - t0) / 2 + 0.05)
            assert abs(after - before) <= allowed + 1e-6


@given(st.floats(-45, 30), st.floats(0.001, 0.1))
def test_a_servo_comes_to_its_target_without_passing_it(target: float, step: float) -> None:
    limits = Limits({"head": CHANNELS["head"]})
    t, seen = 0.0, []
    for _ in range(round(1.5 / step) + 60):
        seen.append(limits.apply({}, {"head": target}, t).positions["head"])
        t += step
    assert seen[-1] == target
    assert min(5.0, target) - 1e-6 <= min(seen)
    assert max(seen) <= max(5.0, target) + 1e-6


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


def test_a_motor_that_stood_for_a_minute_does_not_jump() -> None:
    limits = Limits(CHANNELS)
    limits.apply({"glow": DARK}, REST, 0.0)
    frame = limits.apply({"glow": DARK}, REST | {"wheels": 1.0}, 60.0)
    assert 0 < frame.positions["wheels"] <= 4.0 * 0.02


@pytest.mark.parametrize("gap", [0.05, 0.09, 0.3, 2.0])
def test_skipped_frames_on_a_loaded_machine_make_no_jump(gap: float) -> None:
    limits = Limits(CHANNELS)
    t, before = 0.0, 5.0
    for number in range(40):
        t += gap if number in (7, 8, 15) else 0.02
        target = 30.0 if number < 12 else -45.0
        after = limits.apply({"glow": DARK}, REST | {"head": target}, t).positions["head"]
        assert abs(after - before) <= 300 * min(gap if number in (7, 8, 15) else 0.02, 0.1) + 1e-6
        if gap > FRAME_GAP_S:
            assert abs(after - before) <= 300 * 0.02 + 1e-6
        before = after


def test_a_target_within_reach_is_reached_and_then_nothing_is_left_to_do() -> None:
    limits = Limits(CHANNELS)
    targets = {"head": 1000.0, "wheels": -0.5, "mouth": 1.0}
    for frame in range(50):
        shown = limits.apply({"glow": (10, 200, 30)}, targets, frame / 50)
    assert shown == BodyFrame({"glow": (10, 200, 30)}, {"head": 30, "wheels": -0.5, "mouth": 1.0})
    assert limits.reached_targets


def test_what_is_not_a_number_leaves_a_channel_where_it_is() -> None:
    limits = Limits(CHANNELS)
    for frame in range(30):
        limits.apply({"glow": (50, 50, 50)}, {"head": -20, "wheels": 0.5, "mouth": 0.3}, frame / 50)
    nan = math.nan
    shown = limits.apply({"glow": (nan, nan, nan)}, {"head": nan, "wheels": nan, "mouth": nan}, 0.7)
    assert shown == BodyFrame({"glow": (50, 50, 50)}, {"head": -20, "wheels": 0.5, "mouth": 0.3})


def test_the_neutral_pose_is_dark_and_still() -> None:
    assert neutral_frame(CHANNELS) == BodyFrame({"glow": (0, 0, 0)}, REST)


def test_night_dims_every_light_along_a_ramp() -> None:
    limits = Limits({"glow": CHANNELS["glow"]})
    for frame in range(50):
        limits.apply({"glow": (200, 100, 0)}, {}, frame / 50)
    limits.set_brightness(0.3)
    assert not limits.reached_targets
    seen = [limits.apply({"glow": (200, 100, 0)}, {}, 1 + frame / 50).lights["glow"][0] for frame in range(150)]
    assert seen[-1] == 60
    assert max(before - after for before, after in pairwise(seen)) <= 3
    assert limits.reached_targets


# ---- endurance ----

MOTOR = st.builds(
    lambda duty, longest, rest: ChannelSettings.model_validate(
        {"kind": "motor", "duty": duty, "longest_s": longest, "rest_s": rest}
    ),
    st.sampled_from([0.1, 0.3, 0.5, 1.0]),
    st.sampled_from([1.0, 3.0, 10.0]),
    st.sampled_from([0.0, 0.5, 4.0]),
)
SPURTS = st.lists(
    st.tuples(st.floats(0.02, 12.0), st.sampled_from([-1.0, -0.2, 0.0, 0.4, 1.0]), st.sampled_from([0.02, 0.05, 0.1])),
    min_size=1,
    max_size=10,
)


def runs(channel: ChannelSettings, spurts: list[tuple[float, float, float]]) -> list[tuple[float, float, bool]]:
    """Start, end and whether it ran, of the time between each two frames."""
    limits = Limits({"one": channel})
    t, before = 0.0, limits.apply({}, {"one": channel.neutral}, 0.0).positions["one"]
    seen = []
    for seconds, target, step in spurts:
        for _ in range(math.ceil(seconds / step)):
            t += step
            after = limits.apply({}, {"one": target}, t).positions["one"]
            still = after == before and (channel.kind == "servo" or after == channel.neutral)
            seen.append((t - step, t, not still))
            before = after
    return seen


@settings(max_examples=50, deadline=None)
@given(MOTOR, SPURTS)
def test_a_motor_never_runs_longer_than_its_duty_its_longest_run_and_its_rest_allow(
    motor: ChannelSettings, spurts: list[tuple[float, float, float]]
) -> None:
    seen = runs(motor, spurts)
    begin, in_window = 0, 0.0
    for start, end, ran in seen:
        in_window += (end - start) if ran else 0.0
        while end - seen[begin][0] > DUTY_WINDOW_S:
            in_window -= (seen[begin][1] - seen[begin][0]) if seen[begin][2] else 0.0
            begin += 1
        assert in_window <= motor.duty * DUTY_WINDOW_S + 1e-6
    run = stood = 0.0
    for start, end, ran in seen:
        run, stood = (run + end - start, 0.0) if ran else (run, stood + end - start)
        if stood >= motor.rest_s - 1e-6 and not ran:
            run = 0.0
        assert motor.longest_s is None or run <= motor.longest_s + 1e-6


def test_a_servo_may_work_and_does_not_tire_for_ever() -> None:
    servo = ChannelSettings(kind="servo", duty=0.5, longest_s=5, rest_s=1)
    swings = [(1.0, 40.0 if number % 2 else -40.0, 0.02) for number in range(120)]
    ran = [end - start for start, end, moved in runs(servo, swings) if moved]
    assert 10 < sum(ran) <= 0.5 * 120 + 15


# ---- current ----

BODY = BodySettings(
    current_ma=800,
    channels={
        "glow": ChannelSettings(kind="light"),
        "mouth": ChannelSettings.model_validate({"kind": "mouth"}),
        "head": ChannelSettings(kind="servo"),
        "tilt": ChannelSettings(kind="servo"),
        "arm": ChannelSettings(kind="servo", current_ma=300),
        "wheels": ChannelSettings.model_validate({"kind": "motor", "duty": 1.0, "longest_s": 600}),
    },
)
MOVERS = ("head", "tilt", "arm", "wheels")


def drawn_by_movers(before: BodyFrame, after: BodyFrame) -> float:
    """What the servos and motors that moved between two frames draw, in mA."""
    moving = [
        name
        for name in MOVERS
        if after.positions[name] != before.positions[name] or (name == "wheels" and after.positions[name] != 0.0)
    ]
    return sum(BODY.channels[name].current_ma for name in moving)


@given(
    st.lists(
        st.tuples(
            st.floats(0.005, 0.1),
            st.fixed_dictionaries({name: st.floats(-90, 90) for name in MOVERS}),
            st.fixed_dictionaries({}, optional={name: st.integers(0, 9) for name in MOVERS}),
        ),
        min_size=10,
        max_size=80,
    )
)
def test_all_together_never_draw_more_than_the_budget(
    asked: list[tuple[float, dict[str, float], dict[str, int]]],
) -> None:
    limits = Limits(BODY.channels, BODY.current_ma)
    t = 0.0
    frame = limits.apply({"glow": DARK}, dict.fromkeys((*MOVERS, "mouth"), 0.0), t)
    for step, targets, priorities in asked:
        t += step
        before, frame = frame, limits.apply({"glow": (255, 255, 255)}, targets | {"mouth": 1.0}, t, priorities)
        lights = BODY.channels["glow"].current_ma * sum(frame.lights["glow"]) / 765
        assert drawn_by_movers(before, frame) + 150 + lights <= BODY.current_ma + 1.0


def test_the_mouth_never_waits_and_the_more_important_goes_first() -> None:
    limits = Limits(BODY.channels, BODY.current_ma)
    targets = {"head": 60.0, "tilt": 60.0, "arm": 60.0, "wheels": 1.0, "mouth": 1.0}
    limits.apply({"glow": DARK}, dict.fromkeys(targets, 0.0), 0.0)
    shown = limits.apply({"glow": DARK}, targets, 0.02, {"head": 0, "tilt": 5, "arm": 3, "wheels": 1})
    assert shown.positions["mouth"] > 0.0
    assert [name for name in MOVERS if shown.positions[name] != 0.0] == ["tilt", "arm"]


def test_nobody_starves_however_busy_the_important_ones_are() -> None:
    limits = Limits(BODY.channels, BODY.current_ma)
    priorities = {"head": 9, "tilt": 9, "arm": 9, "wheels": 0}
    most = 0.0
    for frame in range(300):
        busy = 60.0 if frame // 20 % 2 else -60.0
        targets = {"head": busy, "tilt": -busy, "arm": busy, "wheels": 1.0, "mouth": 0.0}
        most = max(most, limits.apply({"glow": DARK}, targets, frame / 50, priorities).positions["wheels"])
    assert most > 0.5


def test_all_get_there_in_the_end() -> None:
    limits = Limits(BODY.channels, BODY.current_ma)
    targets = {"head": 60.0, "tilt": -60.0, "arm": 45.0, "wheels": 0.0, "mouth": 0.5}
    for frame in range(200):
        shown = limits.apply({"glow": DARK}, targets, frame / 50)
    assert shown.positions == targets


def test_a_budget_that_is_too_small_is_told_with_what_is_needed() -> None:
    with pytest.raises(ValueError, match=r"current_ma: 300 mA is too little: .* need 406 mA"):
        BodySettings(current_ma=300)


def test_lights_are_dimmed_where_all_in_white_would_not_fit() -> None:
    channels = {f"pixel_{number}": ChannelSettings(kind="light") for number in range(20)}
    limits = Limits(channels, 600)
    for frame in range(50):
        shown = limits.apply(dict.fromkeys(channels, (255.0, 255.0, 255.0)), {}, frame / 50)
    drawn = sum(60 * sum(colour) / 765 for colour in shown.lights.values())
    assert 590 <= drawn <= 605


def test_lights_that_shall_be_brighter_than_they_can_keep_to_their_share_of_the_current() -> None:
    """An emotion's colour times a breath's brightness; found by a search over hostile cues."""
    channels = {name: ChannelSettings(kind="light", current_ma=100) for name in ("one", "two")}
    channels["head"] = ChannelSettings(kind="servo", current_ma=250)
    limits = Limits(channels, current_ma=350)
    blinding = (480.0, 1e9, math.inf)
    for frame in range(100):
        shown = limits.apply({"one": blinding, "two": blinding}, {"head": 0.0}, frame / 50)
        drawn = sum(sum(colour) / 765 * 100 for colour in shown.lights.values())
        assert drawn <= 100 + 0.5
