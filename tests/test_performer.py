"""What the body shows in answer to states, cues and the voice."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.body.choreography import STATES, load_choreography
from companion.body.performer import Performer
from companion.body_settings import BodySettings, ChannelSettings
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

    def __init__(self, channels: dict[str, ChannelSettings] = CHANNELS, own: Path | None = None) -> None:
        self.performer = Performer(load_choreography(own) if own else BUILT_IN, channels)
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
        self.performer.state(name, self.t)

    def cue(self, *args: object, **kwargs: object) -> None:
        self.performer.cue(cue(*args, **kwargs), self.t)  # type: ignore[arg-type]


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
    assert show.performer.settled(show.t + 3600)


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
    show.performer.mouth(0.8)
    assert show.performer.next_change(show.t) == 0.0
    assert show.play(0.1)[-1].positions["mouth"] == pytest.approx(0.8)
    show.performer.mouth(0.0)
    assert show.play(0.1)[-1].positions["mouth"] == 0.0
    assert show.performer.settled(show.t)


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


WILD = st.one_of(st.floats(), st.floats(0, 1))
STEPS = st.one_of(st.just(FRAME), st.floats(0, 0.1), st.sampled_from([0.0, 3.0, 1e9, -1.0, math.nan, math.inf]))
DEEDS = st.one_of(
    st.sampled_from(STATES).map(lambda name: lambda p, t: p.state(name, t)),
    st.builds(cue, st.sampled_from([None, *EMOTIONS]), st.sampled_from([None, *GESTURES]), WILD).map(
        lambda one: lambda p, t: p.cue(one, t)
    ),
    WILD.map(lambda opening: lambda p, _: p.mouth(opening)),
    st.just(lambda p, t: p.relax(t)),
    st.just(lambda _p, _t: None),
)


@given(st.lists(st.tuples(STEPS, DEEDS), max_size=60))
def test_nothing_that_happens_leaves_the_allowed_region(
    deeds: list[tuple[float, Callable[[Performer, float], None]]],
) -> None:
    performer = Performer(BUILT_IN, CHANNELS)
    t = 0.0
    last = performer.frame(t)
    for step, deed in deeds:
        t = t + step if math.isfinite(t + step) else step
        deed(performer, t)
        frame = performer.frame(t)
        for name, value in frame.positions.items():
            settings = CHANNELS[name]
            assert settings.low <= value <= settings.high
            assert abs(value - last.positions[name]) <= 0.1 * settings.fastest + 1e-6
        assert all(0 <= part <= 255 for part in frame.lights["glow"])
        wait = performer.next_change(t)
        assert wait is None or wait > 0
        last = frame


@given(st.lists(st.tuples(st.floats(0, 0.5), st.sampled_from(EMOTIONS), st.sampled_from(GESTURES)), max_size=5))
def test_after_any_cues_the_body_comes_to_rest_in_its_idle_pose(cues: list[tuple[float, str, str]]) -> None:
    show = Show()
    for pause, emotion, gesture in cues:
        show.play(pause)
        show.cue(emotion, gesture)
    show.play(0.1)
    show.state("idle")
    assert show.until_settled() == Show().until_settled()
