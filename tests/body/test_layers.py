"""How layers blend: additive and held routines, priorities, lights by name, brightness and mouth factors."""

from __future__ import annotations

from pathlib import Path

import pytest

from companion.config.body import ChannelSettings
from tests.support.body_show import CHANNELS, redness, shown_with


def test_an_additive_gesture_is_added_to_the_pose_of_the_emotion(tmp_path: Path) -> None:
    text = """
[emotion.confident.move]
tilt = [[0.3, 10]]
[gesture.nod]
blend = "add"
move.tilt = [[0.3, -8], [0.8, 0]]
"""
    show = shown_with(tmp_path, text)
    show.cue("confident")
    held = show.play(1.0)[-1].positions["tilt"]
    show.cue(None, "nod")
    frames = [frame.positions["tilt"] for frame in show.play(1.2)]
    assert held - 11 < min(frames) < held - 5
    assert frames[-1] == pytest.approx(held, abs=0.5)


def test_a_held_pose_stays_until_the_state_changes_but_a_motor_stops(tmp_path: Path) -> None:
    text = """
[gesture.sleep]
blend = "hold"
move.tilt = [[0.5, -20]]
move.wheels = [[0.5, 0.5]]
"""
    show = shown_with(tmp_path, text)
    show.cue(None, "sleep")
    show.play(30)
    kept = show.play(0.1)[-1].positions
    assert kept["tilt"] < -10
    assert kept["wheels"] == 0.0
    show.state("speaking")
    assert show.play(2)[-1].positions["tilt"] == pytest.approx(CHANNELS["tilt"].neutral)


def test_the_higher_priority_lies_on_top(tmp_path: Path) -> None:
    text = """
[emotion.sad]
priority = 8
light = { colour = "#0000ff" }
[gesture.wave]
light = { colour = "#ff0000" }
"""
    show = shown_with(tmp_path, text)
    show.cue("sad", "wave")
    assert redness(show.play(1)[-1].lights["glow"]) < -200


def test_lights_by_name_show_their_own(tmp_path: Path) -> None:
    text = """
[emotion.happy]
light = { colour = "#ffff00" }
lights.eyes = { colour = "#0000ff" }
"""
    channels = {name: ChannelSettings(kind="light") for name in ("eyes", "chest")}
    show = shown_with(tmp_path, text, channels)
    show.cue("happy")
    lights = show.play(1)[-1].lights
    assert lights["eyes"][2] > 200 > lights["eyes"][0]
    assert lights["chest"][0] > 200 > lights["chest"][2]


def test_brightness_keyframes_dim_a_light_and_restore_it(tmp_path: Path) -> None:
    show = shown_with(tmp_path, "[gesture.nod]\nbrightness.all = [[0.2, 0.1], [0.6, 1.0]]\n")
    show.state("speaking")
    before = show.until_settled().lights["glow"]
    show.cue(None, "nod")
    frames = [sum(frame.lights["glow"]) for frame in show.play(1.5)]
    assert min(frames) < 0.3 * sum(before)
    assert frames[-1] == sum(before)


def test_the_mouth_gain_of_an_emotion_scales_the_mouth(tmp_path: Path) -> None:
    show = shown_with(tmp_path, "[emotion.sleepy]\nmouth_gain = 0.5\nmove.tilt = [[0.5, -5]]\n")
    show.performer.set_mouth(0.8)
    assert show.play(0.3)[-1].positions["mouth"] == pytest.approx(0.8)
    show.cue("sleepy")
    assert show.play(0.3)[-1].positions["mouth"] == pytest.approx(0.4)
