"""One servo or motor: its acceleration, no jumps after a pause, and how long it may run."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.body.limits import FRAME_GAP_S, Limits
from companion.config.body import DUTY_WINDOW_S, ChannelSettings
from tests.support.limited_body import CHANNELS, DARK, REST, WILD


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
            allowed = CHANNELS[name].max_acceleration * ((t2 - t0) / 2 + 0.05)
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


def test_a_motor_that_stood_for_a_minute_does_not_jump() -> None:
    limits = Limits(CHANNELS)
    limits.apply({"glow": DARK}, REST, 0.0)
    frame = limits.apply({"glow": DARK}, REST | {"wheels": 1.0}, 60.0)
    assert 0 < frame.positions["wheels"] <= 4.0 * 0.02


@pytest.mark.parametrize("gap", [0.05, 0.09, 0.3, 2.0])
def test_skipped_frames_on_a_loaded_machine_cause_no_jump(gap: float) -> None:
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


def test_a_servo_rests_after_work_and_then_works_again() -> None:
    servo = ChannelSettings(kind="servo", duty=0.5, longest_s=5, rest_s=1)
    swings = [(1.0, 40.0 if number % 2 else -40.0, 0.02) for number in range(120)]
    ran = [end - start for start, end, moved in runs(servo, swings) if moved]
    assert 10 < sum(ran) <= 0.5 * 120 + 15
