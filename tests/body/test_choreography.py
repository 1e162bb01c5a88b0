"""A manufacturer writes a choreography file: what is understood, what is refused, and what the curves do."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.body.choreography import STATES, Choreography, Routine, load_choreography
from companion.body.tracks import Easing, Keyframe, Pattern, constant_for_s, ease, pattern_brightness, value_at
from companion.errors import ConfigError
from companion.events import EMOTIONS, GESTURES
from tests.support.paths import CONFIGS

OWN = sorted((CONFIGS / "choreography").glob("*.toml"))


def written(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("path", [None, *OWN], ids=lambda path: path.stem if path else "built_in")
def test_every_emotion_gesture_and_state_is_played(path: Path | None) -> None:
    choreography = load_choreography(path)
    assert set(choreography.emotion) == set(EMOTIONS)
    assert set(choreography.gesture) == set(GESTURES)
    assert set(choreography.state) == set(STATES)
    for name, routine in choreography.emotion.items():
        assert name == "neutral" or (routine.light and routine.move), f"{name} shows nothing"
    for name, routine in choreography.gesture.items():
        assert routine.move, f"{name} does not move"


def test_two_ready_made_choreographies_are_shipped() -> None:
    assert [path.stem for path in OWN] == ["calm", "lively"]


@pytest.mark.parametrize("name", EMOTIONS)
def test_emotions_look_different_from_each_other(name: str) -> None:
    choreography = load_choreography(None)
    assert [one for one in EMOTIONS if choreography.emotion[one] == choreography.emotion[name]] == [name]


def test_a_file_changes_what_it_names_and_leaves_the_rest(tmp_path: Path) -> None:
    mine = load_choreography(written(tmp_path, "[gesture.nod.move]\nhead = [[0.1, 5], [0.4, 0]]\n"))
    built_in = load_choreography(None)
    assert mine.gesture["nod"].move == {"head": (Keyframe(0.1, 5), Keyframe(0.4, 0))}
    assert mine.gesture["wave"] == built_in.gesture["wave"]
    assert mine.emotion == built_in.emotion


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[emotion.happy.light]\ncolour = "yellow"', "emotion.happy.light.colour: "),
        ('[emotion.happy.light]\ncolour = "#ff0000"\npattern = "blink"', "emotion.happy.light.pattern: "),
        (
            '[emotion.hapy.light]\ncolour = "#ff0000"',
            "emotion.hapy: there is no emotion called hapy; did you mean happy?",
        ),
        ("[gesture.bow]\n", "gesture.bow: there is no gesture called bow; "),
        ("[state.asleep]\n", "state.asleep: there is no state called asleep; "),
        ("[gesture.nod.move]\nhead = [[0, 0], [0.5, 9], [0.5, 0]]", "gesture.nod.move.head: the times of the"),
        ("[gesture.nod.move]\nhead = [[0, nan]]", "gesture.nod.move.head.0.1: "),
        ("[gesture.nod.move]\nhead = [[inf, 0]]", "gesture.nod.move.head.0.0: "),
        ("[gesture.nod.move]\nhead = []", "gesture.nod.move.head: "),
        ('[gesture.nod.move]\nhead = [[0.5, 9, "bouncy"]]', "gesture.nod.move.head.0.2: "),
        ("[gesture.nod.move]\nhead = [[0.5]]", "gesture.nod.move.head.0: a keyframe is"),
        ("[gesture.nod.move]\nhead = [[0.5, 9, 9, 9]]", "gesture.nod.move.head.0: a keyframe is"),
        ("[gesture.nod]\nbrightness.all = [[0.5, 4.1]]", "gesture.nod.brightness.all.0.1: "),
        ('[gesture.nod]\nblend = "mix"', "gesture.nod.blend: "),
        ("[gesture.nod]\npriority = 10", "gesture.nod.priority: "),
        ("[gesture.nod]\nmouth_gain = 3", "gesture.nod.mouth_gain: "),
        ("[[gesture.nod.alternatives]]\nblend = 'add'", "gesture.nod.alternatives.0.blend: there is no such key here"),
        ("[idle.blink]\nevery_s = [9, 3]", "idle.blink.every_s: the shortest pause stands first"),
        ("[idle.blink]\nstates = ['muted']", "idle.blink.states.0: "),
        (
            '[state.muted.lights.eyes]\ncolour = "#ff0000"\npattern = "flicker"',
            "state.muted: a resting device does no work",
        ),
        ("[gesture.nod]\nmoves = 1", "gesture.nod.moves: there is no such key here"),
        ("[gesture.nod]\nduration_s = 0", "gesture.nod.duration_s: "),
        (
            '[state.idle.light]\ncolour = "#ff0000"\npattern = "breathe"',
            "state.idle: a resting device does no work",
        ),
    ],
)
def test_a_mistake_is_named_with_file_and_key(tmp_path: Path, text: str, told: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_choreography(path)
    [problem] = caught.value.problems
    assert re.fullmatch(rf"{re.escape(str(path))}:\d+: {re.escape(told)}.*", problem)


def test_all_mistakes_are_reported_at_once(tmp_path: Path) -> None:
    path = written(tmp_path, '[emotion.sad.light]\ncolour = "blue"\n[gesture.wave.move]\nright_arm = "up"\n')
    with pytest.raises(ConfigError) as caught:
        load_choreography(path)
    assert len(caught.value.problems) == 2


def test_a_missing_file_is_an_error_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_choreography(tmp_path / "none.toml")


@pytest.mark.parametrize("pattern", ["pulse", "sparkle", "spin", "breathe", "flicker"])
@pytest.mark.parametrize("period", ["0.39", "0.03", "0", "-1", "nan", "inf"])
def test_no_file_can_ask_for_flashes(tmp_path: Path, pattern: str, period: str) -> None:
    path = written(tmp_path, f'[emotion.angry.light]\ncolour = "#ff0000"\npattern = "{pattern}"\nperiod_s = {period}\n')
    with pytest.raises(ConfigError, match=r"emotion\.angry\.light\.period_s"):
        load_choreography(path)


PATTERNS = st.sampled_from(["solid", "breathe", "pulse", "spin", "sparkle", "flicker"])


@given(PATTERNS, st.floats(0.4, 60), st.floats(0, 1e9), st.floats(0, 0.99))
def test_brightness_stays_between_dark_and_full(pattern: Pattern, period: float, elapsed: float, place: float) -> None:
    assert 0.0 <= pattern_brightness(pattern, period, elapsed, place) <= 1.0 + 1e-9


@given(PATTERNS.filter(lambda pattern: pattern != "solid"), st.floats(0.4, 10))
def test_a_moving_pattern_moves_and_never_turns_dark_and_bright_within_a_tenth_of_its_period(
    pattern: Pattern, period: float
) -> None:
    seen = [pattern_brightness(pattern, period, step * period / 100) for step in range(500)]
    assert max(seen) - min(seen) > 0.2
    assert max(abs(later - earlier) for earlier, later in pairwise(seen)) < 0.1


EASINGS = ["smooth", "linear", "ease_in", "ease_out", "overshoot"]
TRACKS = st.lists(
    st.builds(Keyframe, st.floats(0.001, 60), st.floats(-90, 90), st.sampled_from([None, *EASINGS])),
    min_size=1,
    unique_by=lambda key: key.time,
).map(sorted)


@given(TRACKS, st.floats(0, 100), st.floats(-90, 90), st.sampled_from(EASINGS))
def test_a_track_stays_near_its_keyframes_and_ends_at_the_last(
    track: list[Keyframe], elapsed: float, origin: float, easing: str
) -> None:
    values = [origin, *(key.value for key in track)]
    value = value_at(track, elapsed, origin, easing)  # type: ignore[arg-type]
    overshooting = "overshoot" in {key.easing or easing for key in track}
    beyond = 0.11 * (max(values) - min(values)) if overshooting else 0.0
    assert min(values) - beyond - 1e-9 <= value <= max(values) + beyond + 1e-9
    assert value_at(track, 0.0, origin, easing) == pytest.approx(origin)  # type: ignore[arg-type]
    if elapsed >= track[-1].time:
        assert value == track[-1].value
    for key in track:
        assert value_at(track, key.time, origin, easing) == pytest.approx(key.value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("easing", "early", "late"),
    [("linear", 0.1, 0.9), ("ease_in", 0.01, 0.81), ("ease_out", 0.19, 0.99)],
)
def test_easings_start_and_end_as_they_say(easing: Easing, early: float, late: float) -> None:
    assert ease(easing, 0.1) == pytest.approx(early)
    assert ease(easing, 0.9) == pytest.approx(late)


def test_overshoot_goes_a_tenth_too_far_and_comes_back() -> None:
    highest = max(ease("overshoot", step / 100) for step in range(101))
    assert highest == pytest.approx(1.1, abs=0.005)
    assert ease("overshoot", 1.0) == 1.0


@given(TRACKS, st.floats(0, 70))
def test_a_track_is_constant_for_as_long_as_it_says(track: list[Keyframe], elapsed: float) -> None:
    wait = min(constant_for_s(track, elapsed), 100.0)
    values = {value_at(track, elapsed + wait * share, 0.0, "linear") for share in (0.0, 0.3, 0.6, 0.99)}
    if wait > 0.0:
        assert len(values) == 1


def test_a_keyframe_may_name_its_own_easing(tmp_path: Path) -> None:
    text = '[gesture.nod]\neasing = "linear"\nmove.tilt = [[1, 10], [2, 20, "ease_in"]]\n'
    nod = load_choreography(written(tmp_path, text)).gesture["nod"]
    assert nod.move["tilt"] == (Keyframe(1, 10), Keyframe(2, 20, "ease_in"))
    assert value_at(nod.move["tilt"], 0.5, 0.0, nod.easing) == pytest.approx(5)
    assert value_at(nod.move["tilt"], 1.5, 0.0, nod.easing) == pytest.approx(12.5)


def test_an_alternative_changes_what_it_names_and_keeps_the_rest(tmp_path: Path) -> None:
    text = """
[gesture.nod]
light = { colour = "#00ff00" }
move.tilt = [[1, 10]]
[[gesture.nod.alternatives]]
move.head = [[1, 5]]
[[gesture.nod.alternatives]]
light = { colour = "#ff0000" }
"""
    performances = load_choreography(written(tmp_path, text)).gesture["nod"].performances()
    assert [tuple(one.move) for one in performances] == [("tilt",), ("head",), ("tilt",)]
    assert [one.light.colour for one in performances if one.light] == ["#00ff00", "#00ff00", "#ff0000"]


def test_a_file_can_switch_off_an_idle_episode_and_add_another(tmp_path: Path) -> None:
    text = "[idle.glance]\nstates = []\n[idle.ears]\nmove.left_ear = [[0.2, 9], [0.5, 0]]\n"
    idle = load_choreography(written(tmp_path, text)).idle
    assert idle["glance"].states == ()
    assert idle["ears"].every_s == (6.0, 15.0)
    assert {"blink", "breath", "sigh"} <= set(idle)


def test_every_key_has_a_description_for_editors() -> None:
    schema = Choreography.model_json_schema()
    routine = schema["$defs"]["Routine"]["properties"]
    assert set(Routine.model_fields) == set(routine)
    [track] = routine["move"]["patternProperties"].values()
    keyframe = track["items"]
    assert (keyframe["minItems"], keyframe["maxItems"]) == (2, 3)
    assert "idle" in schema["properties"]
