"""A manufacturer writes a choreography file: what is understood, what is refused, and what the curves do."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.body.choreography import STATES, Light, load_choreography, value_at
from companion.errors import ConfigError
from companion.events import EMOTIONS, GESTURES

OWN = sorted((Path(__file__).parent.parent / "configs" / "choreography").glob("*.toml"))


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
    assert mine.gesture["nod"].move == {"head": ((0.1, 5), (0.4, 0))}
    assert mine.gesture["wave"] == built_in.gesture["wave"]
    assert mine.emotion == built_in.emotion


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[emotion.happy.light]\ncolour = "yellow"', "emotion.happy.light.colour: "),
        ('[emotion.happy.light]\ncolour = "#ff0000"\npattern = "blink"', "emotion.happy.light.pattern: "),
        ('[emotion.hapy.light]\ncolour = "#ff0000"', "emotion: there is no emotion called hapy; did you mean happy?"),
        ("[gesture.bow]\n", "gesture: there is no gesture called bow; "),
        ("[state.asleep]\n", "state: there is no state called asleep; "),
        ("[gesture.nod.move]\nhead = [[0, 0], [0.5, 9], [0.5, 0]]", "gesture.nod.move.head: the times of the"),
        ("[gesture.nod.move]\nhead = [[0, nan]]", "gesture.nod.move.head.0.1: "),
        ("[gesture.nod.move]\nhead = [[inf, 0]]", "gesture.nod.move.head.0.0: "),
        ("[gesture.nod.move]\nhead = []", "gesture.nod.move.head: "),
        ("[gesture.nod]\nmoves = 1", "gesture.nod.moves: there is no such key here"),
        ("[gesture.nod]\nduration_s = 0", "gesture.nod.duration_s: "),
        (
            '[state.idle.light]\ncolour = "#ff0000"\npattern = "breathe"',
            "state: idle.light.pattern must be solid: a resting device does no work",
        ),
    ],
)
def test_a_mistake_is_named_with_file_and_key(tmp_path: Path, text: str, told: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_choreography(path)
    [problem] = caught.value.problems
    assert problem.startswith(f"{path}: {told}")


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    path = written(tmp_path, '[emotion.sad.light]\ncolour = "blue"\n[gesture.wave.move]\nright_arm = "up"\n')
    with pytest.raises(ConfigError) as caught:
        load_choreography(path)
    assert len(caught.value.problems) == 2


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_choreography(tmp_path / "none.toml")


@pytest.mark.parametrize("pattern", ["pulse", "sparkle", "spin", "breathe"])
@pytest.mark.parametrize("period", ["0.39", "0.03", "0", "-1", "nan", "inf"])
def test_no_file_can_ask_for_flashes(tmp_path: Path, pattern: str, period: str) -> None:
    path = written(tmp_path, f'[emotion.angry.light]\ncolour = "#ff0000"\npattern = "{pattern}"\nperiod_s = {period}\n')
    with pytest.raises(ConfigError, match=r"emotion\.angry\.light\.period_s"):
        load_choreography(path)


PATTERNS = st.sampled_from(["solid", "breathe", "pulse", "spin", "sparkle"])


@given(PATTERNS, st.floats(0.4, 60), st.floats(0, 1e9), st.floats(0, 0.99))
def test_brightness_stays_between_dark_and_full(pattern: str, period: float, elapsed: float, place: float) -> None:
    light = Light.model_validate({"colour": "#ffffff", "pattern": pattern, "period_s": period})
    assert 0.0 <= light.brightness(elapsed, place) <= 1.0 + 1e-9


@given(PATTERNS.filter(lambda pattern: pattern != "solid"), st.floats(0.4, 10))
def test_a_moving_pattern_moves_and_never_turns_dark_and_bright_within_a_tenth_of_its_period(
    pattern: str, period: float
) -> None:
    light = Light.model_validate({"colour": "#ffffff", "pattern": pattern, "period_s": period})
    seen = [light.brightness(step * period / 100) for step in range(500)]
    assert max(seen) - min(seen) > 0.2
    assert max(abs(later - earlier) for earlier, later in pairwise(seen)) < 0.1


TRACKS = st.lists(st.tuples(st.floats(0.001, 60), st.floats(-90, 90)), min_size=1, unique_by=lambda key: key[0]).map(
    sorted
)


@given(TRACKS, st.floats(0, 100), st.floats(-90, 90), st.sampled_from(["smooth", "linear"]))
def test_a_track_stays_between_its_keyframes_and_ends_at_the_last(
    track: list[tuple[float, float]], elapsed: float, origin: float, easing: str
) -> None:
    values = [origin, *(value for _, value in track)]
    value = value_at(track, elapsed, origin, easing)  # type: ignore[arg-type]
    assert min(values) - 1e-9 <= value <= max(values) + 1e-9
    assert value_at(track, 0.0, origin, easing) == origin  # type: ignore[arg-type]
    if elapsed >= track[-1][0]:
        assert value == track[-1][1]
    for time, key in track:
        assert value_at(track, time, origin, easing) == pytest.approx(key)  # type: ignore[arg-type]
