"""All limits together: no sequence of targets leaves the allowed region, and the current is shared fairly."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.body.flash_limit import LIGHT_SLEW_RATE
from companion.body.limits import LONGEST_STEP_S, Limits, neutral_frame
from companion.config.body import BodySettings, ChannelSettings
from companion.events import BodyFrame
from tests.support.limited_body import CHANNELS, DARK, REST, WILD

STEPS = st.one_of(st.floats(0, 0.2), st.sampled_from([0.0, 0.02, 0.1, 5.0, 1e6, -1.0]))
ASKED = st.lists(st.tuples(STEPS, st.tuples(WILD, WILD, WILD), WILD, WILD, WILD), min_size=1, max_size=60)


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


def test_a_target_within_reach_is_reached_and_then_nothing_is_left_to_do() -> None:
    limits = Limits(CHANNELS)
    targets = {"head": 1000.0, "wheels": -0.5, "mouth": 1.0}
    for frame in range(50):
        shown = limits.apply({"glow": (10, 200, 30)}, targets, frame / 50)
    assert shown == BodyFrame({"glow": (10, 200, 30)}, {"head": 30, "wheels": -0.5, "mouth": 1.0})
    assert limits.reached_targets


def test_nan_leaves_a_channel_where_it_is() -> None:
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


def test_the_mouth_never_waits_and_higher_priorities_go_first() -> None:
    limits = Limits(BODY.channels, BODY.current_ma)
    targets = {"head": 60.0, "tilt": 60.0, "arm": 60.0, "wheels": 1.0, "mouth": 1.0}
    limits.apply({"glow": DARK}, dict.fromkeys(targets, 0.0), 0.0)
    shown = limits.apply({"glow": DARK}, targets, 0.02, {"head": 0, "tilt": 5, "arm": 3, "wheels": 1})
    assert shown.positions["mouth"] > 0.0
    assert [name for name in MOVERS if shown.positions[name] != 0.0] == ["tilt", "arm"]


def test_no_channel_starves_however_busy_those_with_high_priority_are() -> None:
    limits = Limits(BODY.channels, BODY.current_ma)
    priorities = {"head": 9, "tilt": 9, "arm": 9, "wheels": 0}
    most = 0.0
    for frame in range(300):
        busy = 60.0 if frame // 20 % 2 else -60.0
        targets = {"head": busy, "tilt": -busy, "arm": busy, "wheels": 1.0, "mouth": 0.0}
        most = max(most, limits.apply({"glow": DARK}, targets, frame / 50, priorities).positions["wheels"])
    assert most > 0.5


def test_all_channels_reach_their_targets_in_the_end() -> None:
    limits = Limits(BODY.channels, BODY.current_ma)
    targets = {"head": 60.0, "tilt": -60.0, "arm": 45.0, "wheels": 0.0, "mouth": 0.5}
    for frame in range(200):
        shown = limits.apply({"glow": DARK}, targets, frame / 50)
    assert shown.positions == targets


def test_a_current_budget_that_is_too_small_is_refused_with_what_is_needed() -> None:
    with pytest.raises(ValueError, match=r"current_ma: 300 mA is too little: .* need 406 mA"):
        BodySettings(current_ma=300)


def test_lights_are_dimmed_where_all_in_white_would_not_fit() -> None:
    channels = {f"pixel_{number}": ChannelSettings(kind="light") for number in range(20)}
    limits = Limits(channels, 600)
    for frame in range(50):
        shown = limits.apply(dict.fromkeys(channels, (255.0, 255.0, 255.0)), {}, frame / 50)
    drawn = sum(60 * sum(colour) / 765 for colour in shown.lights.values())
    assert 590 <= drawn <= 605


def test_lights_asked_to_be_brighter_than_possible_keep_to_their_share_of_the_current() -> None:
    """An emotion's colour times a breath's brightness; found by a search over hostile cues."""
    channels = {name: ChannelSettings(kind="light", current_ma=100) for name in ("one", "two")}
    channels["head"] = ChannelSettings(kind="servo", current_ma=250)
    limits = Limits(channels, current_ma=350)
    blinding = (480.0, 1e9, math.inf)
    for frame in range(100):
        shown = limits.apply({"one": blinding, "two": blinding}, {"head": 0.0}, frame / 50)
        drawn = sum(sum(colour) / 765 * 100 for colour in shown.lights.values())
        assert drawn <= 100 + 0.5
