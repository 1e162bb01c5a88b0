"""What is due, and what was heard, when the loudspeaker has come to a sample."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.body.timeline import Timeline
from companion.events import Cue, PlacedCue, SpeechChunk

RATE = 1000
"""A mouth step is 20 samples."""


def cue(name: str) -> Cue:
    return Cue(name, None, 1.0, 0, "emoji")


def chunk(text: str, samples: int, cues: dict[int, str] | None = None, mouth: tuple[float, ...] = ()) -> SpeechChunk:
    placed = tuple(PlacedCue(at, cue(name)) for at, name in (cues or {}).items())
    return SpeechChunk(bytes(2 * samples), RATE, text, placed, mouth)


def test_a_cue_is_due_once_when_its_sample_is_reached() -> None:
    timeline = Timeline()
    timeline.add(100, chunk("Hello there.", 200, {0: "happy", 150: "sad"}))
    assert timeline.due(99) == []
    assert timeline.due(100) == [cue("happy")]
    assert timeline.due(249) == []
    assert timeline.due(250) == [cue("sad")]
    assert timeline.due(9999) == []


def test_a_cue_after_the_last_words_is_due_at_their_end() -> None:
    timeline = Timeline()
    timeline.add(0, chunk("Bye.", 200))
    timeline.add(200, chunk("", 0, {0: "loving"}))
    assert timeline.due(199) == []
    assert timeline.heard_text(200) == "Bye."
    assert timeline.due(200) == [cue("loving")]


def test_the_mouth_is_closed_before_between_and_after_speech() -> None:
    timeline = Timeline()
    timeline.add(100, chunk("Aa", 40, mouth=(0.3, 0.9)))
    timeline.add(200, chunk("Oo", 50, mouth=(0.5, 0.6, 0.7)))
    seen = {at: timeline.mouth(at) for at in (0, 99, 100, 119, 120, 139, 140, 199, 200, 249, 250, 5000)}
    assert seen == {
        0: 0, 99: 0, 100: 0.3, 119: 0.3, 120: 0.9, 139: 0.9, 140: 0, 199: 0, 200: 0.5, 249: 0.7, 250: 0, 5000: 0
    }  # fmt: skip


@pytest.mark.parametrize(
    ("position", "heard"),
    [
        (0, ""),
        (10, ""),
        (35, ""),
        (36, "Hello"),
        (60, "Hello"),
        (107, "Hello there,"),
        (108, "Hello there, my"),
        (130, "Hello there, my"),
        (180, "Hello there, my dear"),
        (199, "Hello there, my dear"),
        (200, "Hello there, my dear friend."),
        (10_000, "Hello there, my dear friend."),
    ],
)
def test_a_cut_sentence_is_heard_up_to_a_whole_word(position: int, heard: str) -> None:
    timeline = Timeline()
    text = "Hello there, my dear friend."
    timeline.add(0, chunk(text, 200))
    assert timeline.heard_text(position) == heard


def test_a_cut_chinese_sentence_is_heard_up_to_a_character() -> None:
    timeline = Timeline()
    timeline.add(0, chunk("你好，我是Momo呀。", 110))
    assert [timeline.heard_text(at) for at in (5, 10, 25, 50, 60, 80, 95, 110)] == [
        "", "你", "你好", "你好，我是", "你好，我是", "你好，我是", "你好，我是Momo", "你好，我是Momo呀。"
    ]  # fmt: skip


def test_sentences_are_joined_as_they_are_written() -> None:
    timeline = Timeline()
    for number, text in enumerate(["Hello,", "my friend.", "你好。", "再见！", ""]):
        timeline.add(100 * number, chunk(text, 100))
    assert timeline.heard_text(500) == "Hello, my friend.你好。再见！"


def test_what_is_queued_but_not_heard_does_not_count() -> None:
    timeline = Timeline()
    timeline.add(0, chunk("First.", 100))
    timeline.add(100, chunk("Second.", 100))
    assert timeline.heard_text(100) == "First."
    assert timeline.end == 200


WORDS = st.text(st.sampled_from("ab ,.。你好ー"), max_size=20)
CHUNKS = st.lists(
    st.tuples(st.integers(0, 50), WORDS, st.integers(0, 400), st.lists(st.integers(0, 500), max_size=3)), max_size=8
)


@given(CHUNKS, st.lists(st.integers(0, 4000), max_size=20))
def test_every_cue_comes_once_in_order_and_heard_text_only_grows(
    chunks: list[tuple[int, str, int, list[int]]], positions: list[int]
) -> None:
    timeline, end, expected = Timeline(), 0, []
    for gap, text, samples, cues in chunks:
        start = end + gap
        end = start + samples
        placed = tuple(PlacedCue(at, Cue(None, None, 1.0, start + at, "tag")) for at in sorted(cues))
        expected.extend(start + at for at in cues)
        mouth = tuple(0.5 for _ in range(samples // 20 + 1))
        timeline.add(start, SpeechChunk(bytes(2 * samples), RATE, text, placed, mouth))
    assert timeline.end == end
    due: list[int] = []
    heard = ""
    for position in [*sorted(positions), 10_000]:
        fresh = [one.at for one in timeline.due(position)]
        assert all(at <= position for at in fresh)
        due += fresh
        assert 0.0 <= timeline.mouth(position) <= 1.0
        now = timeline.heard_text(position)
        assert now.startswith(heard.rstrip())
        heard = now
    assert due == sorted(expected)
    assert heard.replace(" ", "") == "".join(text for _, text, _, _ in chunks).replace(" ", "")


@given(st.text(st.sampled_from("ab "), min_size=1, max_size=40), st.integers(1, 500), st.integers(0, 500))
def test_no_part_of_the_word_wakes_it(text: str, samples: int, position: int) -> None:
    timeline = Timeline()
    timeline.add(0, chunk(text, samples))
    words = timeline.heard_text(position).split()
    assert words == text.split()[: len(words)]
