"""What the body shows in answer to states, cues and the voice."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.body.choreography import STATES, load_choreography
from companion.body.performer import Performer
from companion.config.body import BodySettings, ChannelSettings
from companion.events import EMOTIONS, GESTURES, BodyFrame, Colour, Cue

CHANNELS = {
    "glow": ChannelSettings(kind="light"),
    "head": ChannelSettings(kind="servo", low=-45, high=45),
    "tilt": ChannelSettings(kind="servo", low=-30, high=30, neutral=4, fastest=200),
    "right_arm": ChannelSettings(kind="servo", low=-90, high=90),
    "wheels": ChannelSettings.model_validate({"kind": "motor"}),
    "mouth": ChannelSettings.model_validate({"kind": "mouth"}),
}
BUILT_IN = load_choreography(None)
FRAME = 0.02


def cue(emotion: str | None = None, gesture: str | None = None, intensity: float = 1.0) -> Cue:
    return Cue(emotion, gesture, intensity, 0, "emoji")


class Show:
    """A performer and the time that passes before it."""

    def __init__(
        self, channels: dict[str, ChannelSettings] = CHANNELS, own: Path | None = None, **options: Any
    ) -> None:
        self.performer = Performer(load_choreography(own) if own else BUILT_IN, channels, **options)
        self.t = 0.0

    def play(self, seconds: float) -> list[BodyFrame]:
        frames = []
        for _ in range(round(seconds / FRAME)):
            frames.append(self.performer.frame(self.t))
            self.t += FRAME
        return frames

    def until_settled(self, longest: float = 30.0) -> BodyFrame:
        end = self.t + longest
        while True:
            frame = self.performer.frame(self.t)
            wait = self.performer.next_change(self.t)
            if wait is None:
                return frame
            assert self.t < end, "never comes to rest"
            self.t += max(wait, 0.001)

    def state(self, name: str) -> None:
        self.performer.show_state(name, self.t)

    def cue(self, *args: object, **kwargs: object) -> None:
        self.performer.play_cue(cue(*args, **kwargs), self.t)  # type: ignore[arg-type]


def swing(frames: list[BodyFrame], channel: str) -> float:
    values = [frame.positions[channel] for frame in frames]
    return max(values) - min(values)


def redness(colour: Colour) -> int:
    return colour[0] - colour[2]


@pytest.mark.parametrize("state", ["idle", "muted"])
def test_a_resting_body_needs_no_frames(state: str) -> None:
    show = Show()
    show.state(state)
    show.until_settled()
    assert show.t < 1.5
    assert show.performer.at_rest(show.t + 3600)


@pytest.mark.parametrize("state", STATES)
def test_states_can_be_told_apart_by_their_light(state: str) -> None:
    def colours(name: str) -> list[Colour]:
        show = Show()
        show.state(name)
        return [frame.lights["glow"] for frame in show.play(2)]

    assert [other for other in STATES if colours(other) == colours(state)] == [state]


@pytest.mark.parametrize("gesture", GESTURES)
def test_every_gesture_moves_and_ends_where_it_began(gesture: str) -> None:
    show = Show()
    before = show.until_settled()
    show.cue(gesture=gesture)
    frames = show.play(1.5)
    assert max(swing(frames, name) for name in ("head", "tilt", "right_arm", "wheels")) > 0.2
    assert show.until_settled() == before


@pytest.mark.parametrize("gesture", GESTURES)
def test_every_gesture_is_seen_on_a_desk_with_one_light_and_one_servo(gesture: str) -> None:
    show = Show(BodySettings().channels)
    before = show.until_settled()
    show.cue(gesture=gesture)
    assert any(frame != before for frame in show.play(1))


@pytest.mark.parametrize("emotion", [name for name in EMOTIONS if name != "neutral"])
def test_an_emotion_colours_the_light_and_fades_back(emotion: str) -> None:
    show = Show()
    before = show.until_settled()
    show.cue(emotion)
    frames = show.play(1.0)
    assert any(frame.lights["glow"] != before.lights["glow"] for frame in frames)
    assert show.until_settled() == before


def test_intensity_makes_motion_larger_and_colour_richer() -> None:
    def shown(intensity: float) -> list[BodyFrame]:
        show = Show()
        show.cue("happy", None, intensity)
        return show.play(1)

    faint, whole = shown(0.2), shown(1.0)
    assert swing(faint, "head") < 0.5 * swing(whole, "head")
    assert redness(faint[-1].lights["glow"]) < redness(whole[-1].lights["glow"])


def test_the_newest_cue_of_a_kind_wins_and_other_kinds_go_on() -> None:
    show = Show()
    show.cue("sad", "wave")
    show.play(0.5)
    show.cue("angry")
    frames = show.play(1.0)
    assert redness(frames[-1].lights["glow"]) > 0
    assert swing(frames, "right_arm") > 10


def test_neutral_ends_an_emotion() -> None:
    show = Show()
    rest = show.until_settled()
    show.cue("sad")
    show.play(1)
    show.cue("neutral")
    assert show.play(1.5)[-1] == rest


def test_relaxing_ends_motion_along_a_ramp() -> None:
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


def test_listening_is_seen_at_once_even_amid_an_emotion() -> None:
    show = Show()
    show.cue("angry")
    show.play(1)
    show.state("listening")
    colour = show.play(0.8)[-1].lights["glow"]
    assert redness(colour) < -100


def test_the_mouth_follows_the_voice_and_shuts() -> None:
    show = Show()
    show.until_settled()
    show.performer.set_mouth(0.8)
    assert show.performer.next_change(show.t) == 0.0
    assert show.play(0.12)[-1].positions["mouth"] == pytest.approx(0.8)
    show.performer.set_mouth(0.0)
    assert show.play(0.12)[-1].positions["mouth"] == 0.0
    assert show.performer.at_rest(show.t)


def test_wheels_stop_after_their_last_keyframe_whatever_the_file_says(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text("[state.speaking.move]\nwheels = [[0.5, 1.0]]\n", encoding="utf-8")
    show = Show(own=own)
    show.state("speaking")
    frames = show.play(2)
    assert max(frame.positions["wheels"] for frame in frames) > 0.5
    assert frames[-1].positions["wheels"] == 0.0


def test_channels_that_the_device_lacks_are_not_played() -> None:
    show = Show({"lamp": ChannelSettings(kind="light")})
    show.cue("happy", "wave")
    frames = show.play(1)
    assert all(set(frame.lights) == {"lamp"} and not frame.positions for frame in frames)


def test_a_ring_of_lights_spins() -> None:
    show = Show({f"ring_{number}": ChannelSettings(kind="light") for number in range(8)})
    show.state("thinking")
    brightest = [max(frame.lights, key=lambda name: sum(frame.lights[name])) for frame in show.play(2)[25:]]
    assert len(set(brightest)) == 8


def test_nothing_is_missed_by_asking_only_when_something_changes() -> None:
    sparse, dense = Show(), Show()
    for show in (sparse, dense):
        show.cue("sad", "nod")
    sparse_end, dense_end = sparse.until_settled(), dense.play(10)[-1]
    assert sparse_end == dense_end


def test_a_flood_of_cues_costs_no_more_than_a_few() -> None:
    show = Show()
    for _ in range(2000):
        show.cue("happy", "dance")
        show.cue("sad", "wave")
    assert show.until_settled() == Show().until_settled()


# ---- the newest, the same, the different ----


def test_two_cues_for_the_same_at_one_place_are_one() -> None:
    once, twice = Show(), Show()
    for show in (once, twice):
        show.cue("happy", "nod")
    twice.cue("happy", "nod", 0.5)
    assert once.play(3) == twice.play(3)


def test_of_two_cues_for_the_same_at_one_place_the_stronger_counts() -> None:
    strong, both = Show(), Show()
    strong.cue("happy", None, 1.0)
    both.cue("happy", None, 0.3)
    both.cue("happy", None, 1.0)
    assert strong.play(3) == both.play(3)


MANY = {name: CHANNELS[name] for name in ("glow", "head", "tilt", "right_arm")} | {
    "left_arm": ChannelSettings(kind="servo"),
    "roll": ChannelSettings(kind="servo"),
}


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


def test_left_and_right_change_places_where_the_file_says_so() -> None:
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


def test_what_a_device_cannot_mirror_is_never_lost() -> None:
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


# ---- what a file can ask for ----


def shown_with(tmp_path: Path, text: str, channels: dict[str, ChannelSettings] = CHANNELS) -> Show:
    own = tmp_path / "own.toml"
    own.write_text(text, encoding="utf-8")
    return Show(channels, own)


def test_an_added_gesture_is_put_on_top_of_the_emotions_pose(tmp_path: Path) -> None:
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


def test_a_held_pose_stays_until_the_state_changes_and_a_motor_never_is(tmp_path: Path) -> None:
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


def test_brightness_keyframes_dip_a_light_and_let_it_go(tmp_path: Path) -> None:
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


# ---- barge-in and lock ----


@pytest.mark.parametrize("gesture", GESTURES)
@pytest.mark.parametrize("after", [0.25, 0.6, 1.1])
def test_barge_in_comes_to_the_listening_pose_within_four_tenths_of_a_second(gesture: str, after: float) -> None:
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


def test_a_lock_brings_everything_to_neutral_and_keeps_it_there_while_the_lights_live() -> None:
    show = Show()
    show.state("speaking")
    show.cue("excited", "jump")
    show.performer.set_mouth(0.7)
    show.play(0.4)
    show.performer.lock("lid")
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


def test_every_reason_must_be_taken_back_and_nothing_is_made_up_for() -> None:
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


# ---- idle life ----

LIVELY = MANY | {"eyes": ChannelSettings(kind="light"), "lids": ChannelSettings(kind="servo")}


def minutes(show: Show, count: float) -> tuple[list[BodyFrame], int]:
    """Frames asked for only when something changes, and how many were asked for."""
    frames, asked, end = [], 0, show.t + 60 * count
    while show.t < end:
        frames.append(show.performer.frame(show.t))
        asked += 1
        wait = show.performer.next_change(show.t)
        show.t += end if wait is None else max(wait, FRAME)
    return frames, asked


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


def test_idle_life_is_never_the_same_twice() -> None:
    show = Show(MANY, idle_life=True)
    glances = []
    while len(glances) < 6:
        frames, _ = minutes(show, 0.5)
        heads = tuple(round(frame.positions["head"], 2) for frame in frames if frame.positions["head"] != 0.0)
        if heads:
            glances.append(heads)
    assert len(set(glances)) == len(glances)


@pytest.mark.parametrize(("state", "lives"), [("idle", True), ("listening", True), ("follow_up", True)])
def test_what_waits_for_words_looks_alive(state: str, lives: bool) -> None:
    show = Show(LIVELY, idle_life=True)
    show.state(state)
    show.play(2)
    frames, _ = minutes(show, 1)
    assert (len({(*frame.lights.values(), *frame.positions.values()) for frame in frames}) > 20) is lives


def test_listening_moves_nothing_that_could_be_heard_but_its_eyes() -> None:
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


def test_at_night_lights_are_dimmed_and_nothing_stirs_by_itself() -> None:
    show = Show(MANY, idle_life=True)
    day, _ = minutes(show, 1)
    show.performer.set_brightness(0.3)
    minutes(show, 0.1)
    night, _ = minutes(show, 8)
    assert swing(night, "head") == swing(night, "tilt") == 0.0
    brightest = max(sum(frame.lights["glow"]) for frame in night)
    assert brightest < 0.4 * max(sum(frame.lights["glow"]) for frame in day)
    assert brightest > 0


def test_a_motor_that_turns_is_watched_though_nothing_changes(tmp_path: Path) -> None:
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


# ---- a group ----


def test_only_the_speakers_lights_show_what_the_speaker_feels() -> None:
    channels = {name: ChannelSettings(kind="light") for name in ("bear", "fox")}
    show = Show(channels)
    show.performer.spotlight(["fox"])
    show.state("speaking")
    show.cue("angry")
    lights = show.play(1)[-1].lights
    assert lights["fox"][0] > 100
    assert sum(lights["bear"]) < 100
    show.performer.spotlight([])
    show.cue("happy")
    lights = show.play(1)[-1].lights
    assert lights["bear"] == lights["fox"]


# ---- hostile sequences ----

WILD = st.one_of(st.floats(), st.floats(0, 1))
STEPS = st.one_of(st.just(FRAME), st.floats(0, 0.1), st.sampled_from([0.0, 3.0, 1e9, -1.0, math.nan, math.inf]))
DEEDS = st.one_of(
    st.sampled_from(STATES).map(lambda name: lambda p, t: p.show_state(name, t)),
    st.builds(cue, st.sampled_from([None, *EMOTIONS]), st.sampled_from([None, *GESTURES]), WILD).map(
        lambda one: lambda p, t: p.play_cue(one, t)
    ),
    WILD.map(lambda opening: lambda p, _: p.set_mouth(opening)),
    st.just(lambda p, t: p.relax(t)),
    st.sampled_from(["lid", "under_way"]).map(lambda reason: lambda p, _: p.lock(reason)),
    st.sampled_from(["lid", "under_way", "never given"]).map(lambda reason: lambda p, _: p.unlock(reason)),
    WILD.map(lambda share: lambda p, _: p.set_brightness(share)),
    st.sampled_from([(), ("glow",), ("no such light",)]).map(lambda lights: lambda p, _: p.spotlight(lights)),
    st.just(lambda _p, _t: None),
)


@settings(deadline=None)
@given(st.lists(st.tuples(STEPS, DEEDS), max_size=60))
def test_nothing_that_happens_leaves_the_allowed_region(
    deeds: list[tuple[float, Callable[[Performer, float], None]]],
) -> None:
    performer = Performer(BUILT_IN, CHANNELS, idle_life=True, current_ma=700)
    t = 0.0
    last = performer.frame(t)
    for step, deed in deeds:
        t = t + step if math.isfinite(t + step) else step
        deed(performer, t)
        frame = performer.frame(t)
        for name, value in frame.positions.items():
            one = CHANNELS[name]
            assert one.low <= value <= one.high
            assert abs(value - last.positions[name]) <= 0.1 * one.fastest + 1e-6
        assert all(0 <= part <= 255 for part in frame.lights["glow"])
        wait = performer.next_change(t)
        assert wait is None or wait > 0
        last = frame


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 0.5), st.sampled_from(EMOTIONS), st.sampled_from(GESTURES)), max_size=5))
def test_after_any_cues_the_body_comes_to_rest_in_its_idle_pose(cues: list[tuple[float, str, str]]) -> None:
    show = Show()
    for pause, emotion, gesture in cues:
        show.play(pause)
        show.cue(emotion, gesture)
    show.play(0.1)
    show.state("idle")
    assert show.until_settled() == Show().until_settled()


def heads(show: Show, seconds: float) -> set[float]:
    return {frame.positions["head"] for frame in show.play(seconds)}


def test_a_speaker_moves_its_head_a_little_without_a_cue_and_on_top_of_an_emotion() -> None:
    show = Show(idle_life=True, seed=4)
    show.performer.show_state("speaking", show.t)
    plain = heads(show, 10)
    assert 2 < max(plain) - min(plain) < 20
    show.performer.play_cue(cue("thoughtful"), show.t)
    show.play(1)
    posed = [frame.positions["tilt"] for frame in show.play(2.8)]
    assert max(posed) - min(posed) > 2


def test_a_device_without_signs_of_life_and_one_at_night_speak_without_them() -> None:
    for options, share in (({"idle_life": False}, 1.0), ({"idle_life": True}, 0.3)):
        show = Show(**options)
        show.performer.set_brightness(share)
        show.performer.show_state("speaking", show.t)
        assert heads(show, 10) == {0.0}


def test_no_two_emotions_are_told_by_colour_alone_where_there_are_arms_and_a_head() -> None:
    """Each but neutral moves something by more than a twitch, and longer than the first second."""
    channels = {**CHANNELS, "left_arm": ChannelSettings(kind="servo", low=-90, high=90)}
    for name in set(EMOTIONS) - {"neutral"}:
        show = Show(channels, seed=1)
        show.play(1)
        show.performer.play_cue(cue(name), show.t)
        frames = [frame.positions for frame in show.play(3.5)]
        spans = [
            max(one[key] for one in frames) - min(one[key] for one in frames) for key in ("head", "tilt", "left_arm")
        ]
        assert max(spans) > 6, name
