"""The picture of a turn: what a person finds in it."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.demo import svg
from companion.demo.picture import LEFT, RIGHT, draw_turn
from companion.demo.sentence_alignment import align_sentences, truncate_to_heard

SVG = "{http://www.w3.org/2000/svg}"
RATE = 16_000


def tone(*spans: tuple[float, float], seconds: float) -> bytes:
    """Sound in these spans of seconds, silence around."""
    samples = np.zeros(round(seconds * RATE), "<i2")
    for begin, end in spans:
        length = round(end * RATE) - round(begin * RATE)
        samples[round(begin * RATE) :][:length] = 8000 * np.sin(np.arange(length) * 0.2)
    return samples.tobytes()


LATENCY = {
    "endpoint": 700.0,
    "transcribe": 40.0,
    "request": 0.2,
    "first_token": 200.0,
    "first_sentence": 25.0,
    "first_sound": 12.0,
    "total": 977.2,
}
EVENTS: list[dict[str, Any]] = [
    {"t": 0.0, "kind": "state", "state": "idle"},
    {"t": 0.9, "kind": "wake", "word": "okay_nabu"},
    {"t": 0.9, "kind": "state", "state": "listening"},
    {"t": 2.7, "kind": "utterance", "text": "tell me a story", "confidence": 0.9, "start": 1.0, "end": 2.0},
    {"t": 2.7, "kind": "state", "state": "thinking"},
    {"t": 2.9, "kind": "sentence", "text": "Oh yes!"},
    {"t": 3.0, "kind": "speaking"},
    {"t": 3.0, "kind": "state", "state": "speaking"},
    {"t": 3.1, "kind": "sentence", "text": "There was a bear."},
    {"t": 4.0, "kind": "cue", "emotion": "happy", "gesture": "wave", "intensity": 0.8, "source": "emoji"},
    {"t": 0.5, "kind": "body", "lights": {"glow": [10, 20, 30]}, "positions": {"head": 0.0}},
    {"t": 4.0, "kind": "body", "lights": {"glow": [255, 128, 0]}, "positions": {"head": -20.0}},
    {"t": 6.0, "kind": "heard", "text": "Oh yes! There was a bear.", "reason": "finished"},
    {"t": 6.0, "kind": "turn", "latency_ms": LATENCY},
    {"t": 6.0, "kind": "something_new", "of": "later"},
]


def drawn(
    events: list[dict[str, Any]] = EVENTS, start: float = 0.0, end: float = 7.0, user: bytes = b"", reply: bytes = b""
) -> ElementTree.Element:
    return ElementTree.fromstring(draw_turn(user, reply, RATE, RATE, events, start, end))


def texts(picture: ElementTree.Element) -> dict[str, ElementTree.Element]:
    return {element.text or "": element for element in picture.iter(f"{SVG}text")}


def place(t: float, start: float = 0.0, end: float = 7.0) -> float:
    return LEFT + (RIGHT - LEFT) * (t - start) / (end - start)


def without(kind: str) -> list[dict[str, Any]]:
    return [one for one in EVENTS if one["kind"] != kind]


def test_the_picture_contains_what_both_said() -> None:
    shown = texts(drawn())
    assert "“tell me a story”" in shown
    assert {"Oh yes!", "There was a bear."} <= shown.keys()
    assert "woken: okay_nabu" in shown


def test_each_stage_is_a_bar_of_its_length_and_is_named_with_its_time() -> None:
    picture = drawn()
    assert {"transcribe 40 ms", "request 0.2 ms", "first token 200 ms", "977 ms"} <= texts(picture).keys()
    bars = {title.text: bar for bar in picture.iter(f"{SVG}rect") for title in bar.iter(f"{SVG}title")}
    silence, token = (float(bars[name].attrib["width"]) for name in ("silence 700 ms", "first token 200 ms"))
    assert silence / token == pytest.approx(3.5, rel=0.01)
    assert silence == pytest.approx((RIGHT - LEFT) * 700 / 977.2, abs=1)


def test_a_stage_that_was_not_reached_is_not_drawn() -> None:
    offline = {"t": 6.0, "kind": "turn", "latency_ms": {"endpoint": 700.0, "transcribe": 40.0}}
    shown = " ".join(texts(drawn([*without("turn"), offline])))
    assert "silence 700 ms" in shown
    assert "first token" not in shown
    assert "last word to first sound" not in shown


def test_a_cue_is_drawn_at_its_time_with_its_names() -> None:
    picture = drawn()
    assert "happy + wave 0.8" in texts(picture)
    strokes = [one.attrib["d"] for one in picture.iter(f"{SVG}path")]
    assert any(stroke.startswith(f"M{place(4.0):.1f} ") for stroke in strokes)


def test_a_light_is_a_band_of_its_colours() -> None:
    bands = {one.attrib["fill"]: one.attrib for one in drawn().iter(f"{SVG}rect")}
    assert float(bands["#0a141e"]["x"]) == pytest.approx(place(0.5), abs=0.1)
    assert float(bands["#ff8000"]["x"]) == pytest.approx(place(4.0), abs=0.1)
    assert float(bands["#ff8000"]["width"]) == pytest.approx(place(7.0) - place(4.0), abs=0.2)


def test_a_channel_is_a_curve_that_holds_until_it_moves() -> None:
    (curve,) = drawn().iter(f"{SVG}polyline")
    points = [tuple(map(float, point.split(","))) for point in curve.attrib["points"].split()]
    assert [x for x, _ in points] == pytest.approx([place(0.5), place(4.0), place(4.0), RIGHT], abs=0.1)
    resting, moved = points[0][1], points[-1][1]
    assert moved > resting, "a negative angle is drawn below the middle"


def test_states_from_before_the_start_are_drawn() -> None:
    """The second turn's picture begins with the light as the first one left it."""
    picture = drawn(start=5.0, end=7.0)
    band = next(one.attrib for one in picture.iter(f"{SVG}rect") if one.attrib["fill"] == "#ff8000")
    assert float(band["x"]) == pytest.approx(LEFT, abs=0.1)
    assert "speaking" in texts(picture)
    assert "“tell me a story”" not in texts(picture)


def test_an_interruption_shows_only_what_was_heard() -> None:
    heard = {"t": 4.5, "kind": "heard", "text": "Oh yes! There was", "reason": "interrupted"}
    shown = texts(drawn([*without("heard"), heard]))
    assert {"Oh yes!", "There was…", "interrupted"} <= shown.keys()
    assert "There was a bear." not in shown


def test_an_error_is_named() -> None:
    error = {"t": 3.0, "kind": "error", "code": "character", "sentence": "The service did not answer."}
    assert "error: character" in texts(drawn([*EVENTS, error]))


def test_sound_is_drawn_where_it_was() -> None:
    picture = drawn(user=tone((1.0, 2.0), seconds=7.0), reply=tone((3.0, 6.0), seconds=7.0))
    waves = [one.attrib["d"] for one in picture.iter(f"{SVG}path") if one.attrib["d"].count("L") > 500]
    assert len(waves) == 2
    for wave, (begin, end) in zip(waves, [(1.0, 2.0), (3.0, 6.0)], strict=True):
        points = [tuple(map(float, point.split())) for point in wave.strip("MZ").split("L")]
        middle = points[0][1]
        loud = [x for x, y in points if abs(y - middle) > 10]
        assert min(loud) == pytest.approx(place(begin), abs=2)
        assert max(loud) == pytest.approx(place(end), abs=2)


def test_a_picture_without_sound_or_events_is_still_one() -> None:
    assert drawn([]).tag == f"{SVG}svg"


def test_an_end_before_the_start_is_refused() -> None:
    with pytest.raises(ValueError, match="end after its start"):
        draw_turn(b"", b"", RATE, RATE, [], 2.0, 2.0)


def test_nothing_in_it_can_act_or_load() -> None:
    hostile = '<script>alert(1)</script> & "quotes" <image href="http://x/"/>'
    events = [*without("utterance"), {"t": 2.7, "kind": "utterance", "text": hostile, "start": 1.0, "end": 2.0}]
    picture = drawn([*events, {"t": 3.0, "kind": "error", "code": hostile, "sentence": hostile}])
    assert {one.tag.removeprefix(SVG) for one in picture.iter()} <= {
        *("svg", "rect", "text", "path", "polyline", "g", "title")
    }
    assert any(shown.startswith("“<script>alert(1)") for shown in texts(picture))


@given(st.text(), st.text(), st.sampled_from(["finished", "interrupted"]))
def test_any_words_give_a_well_formed_picture(said: str, answered: str, reason: str) -> None:
    picture = drawn(
        [
            {"t": 2.7, "kind": "utterance", "text": said, "start": 1.0, "end": 2.0},
            {"t": 2.9, "kind": "sentence", "text": answered},
            {"t": 3.0, "kind": "speaking"},
            {"t": 6.0, "kind": "heard", "text": answered, "reason": reason},
        ]
    )
    for line in picture.iter(f"{SVG}text"):
        assert float(line.attrib["x"]) <= RIGHT + 20


@given(st.text(max_size=200), st.floats(30, 600), st.integers(1, 4))
def test_wrapped_text_keeps_its_words_or_says_that_it_does_not(words: str, room: float, lines: int) -> None:
    broken = svg.wrap(words, room, 13, lines)
    assert 1 <= len(broken) <= lines
    shown = "".join("".join(broken).split())
    if not any(line.endswith("…") for line in broken):
        assert shown == "".join(words.split())
    assert all(svg.width_of(line, 13) <= max(room, 2 * 13) for line in broken)


def test_sentences_begin_at_the_pauses_next_to_their_share() -> None:
    samples = np.frombuffer(tone((1.0, 2.0), (2.3, 5.0), seconds=6.0), "<i2")
    places = align_sentences(["Short one.", "A second one, much longer."], samples, RATE, 1.0, 5.0)
    assert [text for text, _, _ in places] == ["Short one.", "A second one, much longer."]
    assert places[1][1] == pytest.approx(2.3, abs=0.03)
    assert (places[0][1], places[-1][2]) == (1.0, 5.0)


@given(st.lists(st.text(min_size=1, max_size=40), max_size=8), st.floats(0, 3), st.floats(0.01, 5))
def test_places_follow_each_other_without_a_gap(sentences: list[str], begin: float, length: float) -> None:
    samples = np.frombuffer(tone((0.5, 1.0), (1.5, 3.0), seconds=4.0), "<i2")
    places = align_sentences(sentences, samples, RATE, begin, begin + length)
    borders = [border for _, left, right in places for border in (left, right)]
    assert borders == sorted(borders)
    assert [text for text, _, _ in places] == sentences


def test_only_what_was_heard_is_shown() -> None:
    assert truncate_to_heard(["One.", "Two three."], "One. Two") == ["One.", "Two…"]
    assert truncate_to_heard(["One.", "Two."], "") == []
    assert truncate_to_heard(["One.", "Two."], "One. Two.") == ["One.", "Two."]


def test_it_is_headed_by_what_was_said_and_servos_have_degrees() -> None:
    picture = draw_turn(b"", b"", RATE, RATE, EVENTS, 0.0, 7.0, {"head": "°"})
    texts = [one.text for one in ElementTree.fromstring(picture).iter(f"{SVG}text")]
    assert texts.index("“tell me a story”") == texts.index("0.0 to 7.0 s, finished") - 1
    assert "±20°" in texts
    silent = [one for one in EVENTS if one["kind"] != "utterance"]
    assert "One turn" in draw_turn(b"", b"", RATE, RATE, silent, 0.0, 7.0)


AHEAD = {"endpoint": 160.0, "transcribe": 50.0, "request": 0.1, "first_token": 200.0, "first_sentence": 40.0}


def with_latency(**latency: float) -> list[dict[str, Any]]:
    return [one if one["kind"] != "turn" else {**one, "latency_ms": latency} for one in EVENTS]


def test_what_was_made_ahead_is_marked() -> None:
    took = AHEAD | {"ready": 20.0, "allowed": 230.0, "first_sound": 300.0}
    words = texts(drawn(with_latency(**took)))
    assert "made ahead, unheard" in words
    assert "rest of the pause 230 ms" in words
    assert "1,000 ms" in words


def test_an_answer_that_was_asked_for_at_the_end_has_no_such_mark() -> None:
    assert "made ahead, unheard" not in texts(drawn())


def test_what_an_answer_from_a_file_leaves_of_the_pause_is_a_wait() -> None:
    """There the answer takes no time of the sound's: it was heard 1,000 ms after the words, whatever it took."""
    took = AHEAD | {"ready": 20.0, "allowed": 0.1, "first_sound": 0.1}
    words = texts(drawn(with_latency(**took)))
    assert "1,000 ms" in words
    assert "rest of the pause 530 ms" in words
