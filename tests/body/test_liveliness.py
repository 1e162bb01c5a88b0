"""The body never looks mechanical: no cue is played the same way twice, and an idle body is alive at little cost."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from companion.config.body import BodySettings, ChannelSettings
from companion.events import EMOTIONS, GESTURES, BodyFrame
from tests.support.body_show import MANY, Show, cue, minutes, swing


@pytest.mark.parametrize(
    ("emotion", "gesture"),
    [*((name, None) for name in EMOTIONS if name != "neutral"), *((None, name) for name in GESTURES)],
)
def test_no_cue_is_played_the_same_way_twice_in_a_row(emotion: str | None, gesture: str | None) -> None:
    show, played = Show(MANY), []
    for _ in range(4):
        show.cue(emotion, gesture)
        played.append([frame.positions for frame in show.play(8)])
    assert all(before != after for before, after in pairwise(played))


def test_the_same_seed_plays_the_same_and_another_seed_does_not() -> None:
    def played(seed: int) -> list[BodyFrame]:
        show = Show(MANY, seed=seed, idle_life=True)
        show.cue("happy", "wave")
        return show.play(20)

    assert played(7) == played(7)
    assert played(7) != played(8)


def test_left_and_right_alternate_only_if_the_file_says_so() -> None:
    show, arms = Show(MANY), set()
    for _ in range(4):
        show.cue(None, "wave")
        frames = show.play(4)
        arms.add(max(("left_arm", "right_arm"), key=lambda name: swing(frames, name)))
    assert arms == {"left_arm", "right_arm"}
    heads = []
    for _ in range(4):
        show.cue(None, "look_left")
        heads.append(max(frame.positions["head"] for frame in show.play(3)))
    assert min(heads) > 20, "left is left"


def test_a_gesture_that_the_device_cannot_mirror_is_still_played() -> None:
    show = Show()
    for _ in range(6):
        show.cue(None, "wave")
        assert swing(show.play(4), "right_arm") > 10


def test_alternatives_take_turns(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    way = "[[0.3, 9], [0.6, 0]]"
    text = f"[gesture.nod.move]\ntilt = {way}\n[[gesture.nod.alternatives]]\nmove.head = {way}"
    own.write_text(text, encoding="utf-8")
    show, moved = Show(own=own), []
    for _ in range(6):
        show.cue(None, "nod")
        frames = show.play(2)
        moved.append(max(("head", "tilt"), key=lambda name: swing(frames, name)))
    assert all(before != after for before, after in pairwise(moved))


LIVELY = MANY | {"eyes": ChannelSettings(kind="light"), "lids": ChannelSettings(kind="servo")}


def test_an_idle_body_breathes_blinks_and_looks_about_and_costs_little() -> None:
    show = Show(LIVELY, idle_life=True)
    frames, asked = minutes(show, 10)
    assert swing(frames, "head") > 4
    assert swing(frames, "lids") > 20
    glow = [sum(frame.lights["glow"]) for frame in frames[20:]]
    assert max(glow) > 1.3 * min(glow)
    assert min(sum(frame.lights["eyes"]) for frame in frames[20:]) < 0.4 * min(glow)
    assert asked / 600 < 15


def test_a_desk_with_a_light_and_a_head_hardly_wakes_the_processor() -> None:
    _, asked = minutes(Show(BodySettings().channels, idle_life=True), 10)
    assert asked / 600 < 6


def test_no_two_glances_of_idle_life_are_the_same() -> None:
    show = Show(MANY, idle_life=True)
    glances = []
    while len(glances) < 6:
        frames, _ = minutes(show, 0.5)
        heads = tuple(round(frame.positions["head"], 2) for frame in frames if frame.positions["head"] != 0.0)
        if heads:
            glances.append(heads)
    assert len(set(glances)) == len(glances)


@pytest.mark.parametrize(("state", "lives"), [("idle", True), ("listening", True), ("follow_up", True)])
def test_a_body_that_waits_for_words_looks_alive(state: str, lives: bool) -> None:
    show = Show(LIVELY, idle_life=True)
    show.state(state)
    show.play(2)
    frames, _ = minutes(show, 1)
    assert (len({(*frame.lights.values(), *frame.positions.values()) for frame in frames}) > 20) is lives


def test_while_listening_no_servo_moves_that_the_microphone_could_hear() -> None:
    show = Show(LIVELY, idle_life=True)
    show.state("listening")
    show.play(2)
    frames, _ = minutes(show, 2)
    assert swing(frames, "head") == swing(frames, "tilt") == 0.0


def test_a_muted_body_keeps_a_still_dim_light() -> None:
    show = Show(LIVELY, idle_life=True)
    show.state("muted")
    still = show.until_settled()
    assert show.performer.at_rest(show.t + 3600)
    assert 0 < sum(still.lights["glow"]) < 200


def test_idle_life_ends_when_something_happens() -> None:
    show = Show(MANY, idle_life=True)
    while swing(minutes(show, 0.02)[0], "head") == 0.0:
        assert show.t < 600
    show.state("thinking")
    show.play(2.0)
    show.state("muted")
    show.until_settled()
    assert show.performer.at_rest(show.t + 3600)


def test_at_night_lights_are_dimmed_and_nothing_moves_by_itself() -> None:
    show = Show(MANY, idle_life=True)
    day, _ = minutes(show, 1)
    show.performer.set_brightness(0.3)
    minutes(show, 0.1)
    night, _ = minutes(show, 8)
    assert swing(night, "head") == swing(night, "tilt") == 0.0
    brightest = max(sum(frame.lights["glow"]) for frame in night)
    assert brightest < 0.4 * max(sum(frame.lights["glow"]) for frame in day)
    assert brightest > 0


def heads(show: Show, seconds: float) -> set[float]:
    return {frame.positions["head"] for frame in show.play(seconds)}


def test_speaking_moves_the_head_a_little_without_a_cue_and_on_top_of_an_emotion() -> None:
    show = Show(idle_life=True, seed=4)
    show.performer.show_state("speaking", show.t)
    plain = heads(show, 10)
    assert 2 < max(plain) - min(plain) < 20
    show.performer.play_cue(cue("thoughtful"), show.t)
    show.play(1)
    posed = [frame.positions["tilt"] for frame in show.play(2.8)]
    assert max(posed) - min(posed) > 2


def test_without_idle_life_and_at_night_the_head_stays_still_while_speaking() -> None:
    for options, share in (({"idle_life": False}, 1.0), ({"idle_life": True}, 0.3)):
        show = Show(**options)
        show.performer.set_brightness(share)
        show.performer.show_state("speaking", show.t)
        assert heads(show, 10) == {0.0}
