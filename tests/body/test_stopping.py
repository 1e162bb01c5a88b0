"""Motion stops when it must: barge-in, motion locks, and wheels that never run on."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from companion.events import GESTURES
from tests.support.body_show import CHANNELS, FRAME, MANY, Show, minutes, shown_with, swing


def test_relax_ends_motion_along_a_ramp() -> None:
    show = Show()
    rest = show.until_settled()
    show.cue(None, "dance")
    show.cue("excited")
    show.play(0.7)
    show.performer.relax(show.t)
    frames = show.play(0.7)
    assert {name: value for name, value in frames[-1].positions.items() if name != "mouth"} == {
        name: value for name, value in rest.positions.items() if name != "mouth"
    }
    for before, after in pairwise(frames):
        assert abs(after.positions["head"] - before.positions["head"]) <= 5
    assert abs(frames[0].positions["head"] - frames[-1].positions["head"]) > 3


def test_wheels_stop_after_their_last_keyframe(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text("[state.speaking.move]\nwheels = [[0.5, 1.0]]\n", encoding="utf-8")
    show = Show(own=own)
    show.state("speaking")
    frames = show.play(2)
    assert max(frame.positions["wheels"] for frame in frames) > 0.5
    assert frames[-1].positions["wheels"] == 0.0


@pytest.mark.parametrize("gesture", GESTURES)
@pytest.mark.parametrize("after", [0.25, 0.6, 1.1])
def test_barge_in_reaches_the_listening_pose_within_four_tenths_of_a_second(gesture: str, after: float) -> None:
    show = Show(MANY)
    show.state("speaking")
    show.cue("happy", gesture)
    show.play(after)
    show.performer.relax(show.t)
    show.state("listening")
    frames = show.play(1.5)
    rest = frames[-1].positions
    for name in ("head", "tilt", "roll", "right_arm", "left_arm"):
        way = [frame.positions[name] for frame in frames]
        assert way[20] == pytest.approx(rest[name], abs=0.3), name
        # It turns back at most once, within its braking distance, and does not swing about its goal.
        turns = sum((b - a) * (c - b) < -1e-9 for a, b, c in zip(way, way[1:], way[2:], strict=False))
        assert turns <= 1, name
        if abs(way[0] - rest[name]) > 1:
            beyond = [(value - rest[name]) / (way[0] - rest[name]) for value in way]
            assert min(beyond) * abs(way[0] - rest[name]) >= -1.0, name


@pytest.mark.parametrize("reason", ["lid", "over_current"])
@pytest.mark.parametrize("after", [0.1, 0.25, 0.6, 1.1])
def test_an_open_lid_and_a_jam_stop_everything_where_it_is_while_lights_go_on(reason: str, after: float) -> None:
    show = Show()
    show.state("speaking")
    show.cue("excited", "jump")
    show.performer.set_mouth(0.7)
    before = show.play(after)[-1]
    stood = {name: 0.0 if CHANNELS[name].kind == "motor" else value for name, value in before.positions.items()}
    show.performer.lock(reason)
    show.cue("angry", "dance")
    show.state("listening")
    frames = show.play(1.5)
    assert all(frame.positions == stood and frame.released for frame in frames)
    assert len({frame.lights["glow"] for frame in frames}) > 5
    show.performer.lock("stopping")
    assert all(frame.positions == stood and frame.released for frame in show.play(0.5)), "nor when it is switched off"
    show.performer.unlock("stopping")
    show.performer.unlock(reason)
    way = [frames[-1], *show.play(2.0)]
    assert not any(frame.released for frame in way[1:])
    assert abs(way[1].positions["head"] - stood["head"]) < 1.0, "it sets out slowly, within its limits"
    fastest = CHANNELS["head"].fastest * FRAME * 1.01
    assert all(abs(b.positions["head"] - a.positions["head"]) <= fastest for a, b in pairwise(way))


def test_a_lock_moves_everything_to_neutral_and_keeps_it_there_while_lights_go_on() -> None:
    show = Show()
    show.state("speaking")
    show.cue("excited", "jump")
    show.performer.set_mouth(0.7)
    show.play(0.4)
    show.performer.lock("under_way")
    frames = show.play(0.8)
    neutral = {name: one.neutral for name, one in CHANNELS.items() if one.kind != "light"}
    assert frames[-1].positions == neutral
    show.cue("angry", "dance")
    show.state("listening")
    frames = show.play(1.5)
    assert all(frame.positions == neutral for frame in frames)
    assert len({frame.lights["glow"] for frame in frames}) > 5


def test_wheels_stop_at_once_when_locked() -> None:
    show = Show()
    show.cue(None, "jump")
    while show.play(FRAME)[-1].positions["wheels"] < 0.3:
        assert show.t < 2
    show.performer.lock("under_way")
    speeds = [abs(frame.positions["wheels"]) for frame in show.play(0.4)]
    assert speeds[-1] == 0.0
    assert sum(after > before for before, after in pairwise(speeds)) <= 4


def test_every_reason_for_a_lock_must_be_taken_back_and_missed_cues_are_not_played_later() -> None:
    show = Show()
    show.performer.lock("lid")
    show.performer.lock("under_way")
    show.performer.lock("under_way")
    show.cue(None, "look_left")
    show.performer.unlock("lid")
    assert swing(show.play(0.5), "head") == 0.0
    assert show.performer.locks == {"under_way"}
    show.performer.unlock("no such reason")
    show.performer.unlock("under_way")
    assert swing(show.play(3.0), "head") == 0.0
    show.cue(None, "look_left")
    assert swing(show.play(1.0), "head") > 20


def test_a_motor_that_turns_is_stopped_in_time_though_nothing_changes(tmp_path: Path) -> None:
    show = shown_with(tmp_path, "[gesture.dance.move]\nwheels = [[0.3, 0.8], [50, 0.8]]\n")
    show.cue(None, "dance")
    frames, _ = minutes(show, 1.2)
    running = [frame.positions["wheels"] != 0.0 for frame in frames]
    assert True in running
    longest = CHANNELS["wheels"].longest_s
    assert longest is not None
    show = shown_with(tmp_path, "[gesture.dance.move]\nwheels = [[0.3, 0.8], [50, 0.8]]\n")
    show.cue(None, "dance")
    began = None
    while show.t < 40:
        turning = show.performer.frame(show.t).positions["wheels"] != 0.0
        began = (began if began is not None else show.t) if turning else None
        assert began is None or show.t - began <= longest
        show.t += max(show.performer.next_change(show.t) or 1.0, FRAME)
