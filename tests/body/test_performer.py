"""What the body shows for states, cues and the voice, and that no sequence of them goes wrong."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.body.choreography import STATES
from companion.body.performer import Performer
from companion.config.body import BodySettings, ChannelSettings
from companion.events import EMOTIONS, GESTURES, BodyFrame, Colour
from tests.support.body_show import BUILT_IN, CHANNELS, FRAME, Show, cue, redness, swing


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


def test_listening_is_visible_at_once_even_during_an_emotion() -> None:
    show = Show()
    show.cue("angry")
    show.play(1)
    show.state("listening")
    colour = show.play(0.8)[-1].lights["glow"]
    assert redness(colour) < -100


def test_the_mouth_follows_the_voice_and_closes() -> None:
    show = Show()
    show.until_settled()
    show.performer.set_mouth(0.8)
    assert show.performer.next_change(show.t) == 0.0
    assert show.play(0.12)[-1].positions["mouth"] == pytest.approx(0.8)
    show.performer.set_mouth(0.0)
    assert show.play(0.12)[-1].positions["mouth"] == 0.0
    assert show.performer.at_rest(show.t)


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


def test_nothing_is_missed_when_frames_are_asked_for_only_at_changes() -> None:
    sparse, dense = Show(), Show()
    for show in (sparse, dense):
        show.cue("sad", "nod")
    sparse_end, dense_end = sparse.until_settled(), dense.play(10)[-1]
    assert sparse_end == dense_end


def test_a_flood_of_cues_leaves_no_more_work_than_a_few() -> None:
    show = Show()
    for _ in range(2000):
        show.cue("happy", "dance")
        show.cue("sad", "wave")
    assert show.until_settled() == Show().until_settled()


def test_two_equal_cues_at_one_place_count_as_one() -> None:
    once, twice = Show(), Show()
    for show in (once, twice):
        show.cue("happy", "nod")
    twice.cue("happy", "nod", 0.5)
    assert once.play(3) == twice.play(3)


def test_of_two_equal_cues_at_one_place_the_stronger_counts() -> None:
    strong, both = Show(), Show()
    strong.cue("happy", None, 1.0)
    both.cue("happy", None, 0.3)
    both.cue("happy", None, 1.0)
    assert strong.play(3) == both.play(3)


def test_only_the_lights_of_the_speaker_show_cues() -> None:
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
def test_no_sequence_of_calls_leaves_the_allowed_region(
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


def test_every_emotion_moves_something_if_there_are_arms_and_a_head() -> None:
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


def test_while_sound_is_recorded_every_light_breathes_red_over_what_it_shows() -> None:
    show = Show()
    show.state("listening")
    show.play(1.0)
    before = redness(show.play(4.0)[-1].lights["glow"])
    show.performer.show_recording(True)
    shown = [redness(frame.lights["glow"]) for frame in show.play(4.0)[50:]]
    assert before < 0
    assert min(shown) > before + 50
    assert max(shown) > 200
    assert show.performer.next_change(show.t) == pytest.approx(0.1)
    show.performer.show_recording(False)
    assert redness(show.until_settled().lights["glow"]) == before


def test_a_muted_body_shows_no_recording_for_there_is_none() -> None:
    show = Show()
    show.state("muted")
    still = show.until_settled()
    show.performer.show_recording(True)
    assert show.until_settled() == still
