"""Sentences leave as soon as they are whole, keep every word and every cue, and are cut where a reader would pause."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.events import Cue, Sentence
from companion.voice.sentences import LONGEST, Sentences


def cut(*pieces: str | Cue, first_clause: bool = False) -> list[Sentence]:
    sentences = Sentences(first_clause)
    return [one for piece in pieces for one in sentences.feed(piece)] + sentences.close()


def texts(text: str, first_clause: bool = False) -> list[str]:
    whole = [one.text for one in cut(text, first_clause=first_clause)]
    assert [one.text for one in cut(*text, first_clause=first_clause)] == whole
    return whole


def wave(at: int) -> Cue:
    return Cue(None, "wave", 0.5, at, "direction")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello there. How are you?", ["Hello there.", "How are you?"]),
        ("Dr. Smith met Mr. J. R. Ewing. They talked.", ["Dr. Smith met Mr. J. R. Ewing.", "They talked."]),
        ("It is 3.14, or 1,000. See example.com now.", ["It is 3.14, or 1,000.", "See example.com now."]),
        ("Bring toys, e.g. bears, i.e. me. Now!", ["Bring toys, e.g. bears, i.e. me.", "Now!"]),
        ("At 5 p.m. we eat. At 8 p.m. They sleep.", ["At 5 p.m. we eat.", "At 8 p.m.", "They sleep."]),
        ("Wait... what? Oh... Right.", ["Wait... what?", "Oh...", "Right."]),
        ('She said "Yes!" and "No." Then she left?!', ['She said "Yes!"', 'and "No."', "Then she left?!"]),
        ("I said no. It was I. He sang.", ["I said no.", "It was I.", "He sang."]),
        ("1. First\n2. Second", ["1. First", "2. Second"]),
        ("He is 5. She is 6.", ["He is 5.", "She is 6."]),
        ("one line\nanother line", ["one line", "another line"]),
        ("你好！我是小熊。你呢？", ["你好！", "我是小熊。", "你呢？"]),
        ("等等……你说什么？", ["等等……", "你说什么？"]),
        ("「そうだね。」と言った。行こう！", ["「そうだね。」と言った。", "行こう！"]),
        ("Selamat pagi, dsb. dan lain-lain. Ayo!", ["Selamat pagi, dsb. dan lain-lain.", "Ayo!"]),
        ("... Hello. ... !!!", ["... Hello."]),
        ("...", []),
    ],
)
def test_where_sentences_end(text: str, expected: list[str]) -> None:
    assert texts(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Well then, my friend, let us go.", ["Well then,", "my friend, let us go."]),
        ("Well, my friend, let us go.", ["Well, my friend,", "let us go."]),
        ("I paid 1,000 coins, yes.", ["I paid 1,000 coins,", "yes."]),
        ("At 8:30 we eat, then sleep.", ["At 8:30 we eat,", "then sleep."]),
        ("Let me see - yes, here.", ["Let me see -", "yes, here."]),
        ("好的，我们走吧，朋友。", ["好的，我们走吧，", "朋友。"]),
        ("今日はいい天気、だね。", ["今日はいい天気、", "だね。"]),
    ],
)
def test_the_first_piece_may_end_at_a_clause(text: str, expected: list[str]) -> None:
    assert texts(text, first_clause=True) == expected


def test_a_sentence_leaves_as_soon_as_it_is_whole() -> None:
    sentences = Sentences()
    assert sentences.feed("Well then,") == []
    assert sentences.feed(" my") == [Sentence("Well then,")]
    assert sentences.feed(" friend.") == []
    assert sentences.feed(" Let us go!\n") == [Sentence("my friend."), Sentence("Let us go!")]
    assert sentences.feed("我们走吧。") == [Sentence("我们走吧。")]


def test_cues_stay_with_their_words() -> None:
    assert cut(wave(0), "Hi! ", wave(4), "Bye", wave(7), " now.", wave(12)) == [
        Sentence("Hi!", (wave(0),)),
        Sentence("Bye now.", (wave(0), wave(3), wave(8))),
    ]


def test_a_cue_on_the_boundary_belongs_to_what_follows() -> None:
    assert cut("Hi!", wave(3), " Bye.") == [Sentence("Hi!"), Sentence("Bye.", (wave(0),))]


def test_cues_behind_the_last_sentence_come_with_it_or_alone() -> None:
    assert cut("Bye!", wave(4)) == [Sentence("Bye!", (wave(4),))]
    assert cut("再见。", wave(3)) == [Sentence("再见。"), Sentence("", (wave(0),))]
    assert cut(wave(0)) == [Sentence("", (wave(0),))]
    assert cut() == []


def test_a_run_without_end_is_cut_at_a_pause() -> None:
    run = "and so on and on and on, " * 30
    sentences = texts(run)
    assert all(len(one) <= LONGEST for one in sentences)
    assert all(one.endswith(",") for one in sentences[:-1])
    assert all(len(one) <= LONGEST for one in texts("啊" * 999))


PIECES = st.one_of(
    st.sampled_from(
        [
            "Hello",
            " there",
            ". ",
            "!",
            "?",
            "... ",
            ", ",
            "\n",
            "3.14",
            "Dr. ",
            "你好",
            "。",
            "，",
            "…",
            '"',
            "」",
            "e.g. ",
        ]
    ),
    st.sampled_from([" - ", "; ", ": ", "‥", "word " * 45, "字" * 70, "I. ", "“", "'"]),
    st.just(None),
)


@given(st.lists(PIECES, max_size=30), st.booleans())
def test_no_word_and_no_cue_is_lost(pieces: list[str | None], first_clause: bool) -> None:
    fed: list[str | Cue] = []
    length = 0
    for piece in pieces:
        fed.append(wave(length) if piece is None else piece)
        length += len(piece or "")
    speech = "".join(one for one in fed if isinstance(one, str))
    cues = [one for one in fed if isinstance(one, Cue)]
    sentences = cut(*fed, first_clause=first_clause)
    spoken = "".join("".join(one.text.split()) for one in sentences)
    whole = "".join(speech.split())
    assert whole.startswith(spoken)
    assert not any(ch.isalnum() for ch in whole[len(spoken) :])
    assert sum(len(one.cues) for one in sentences) == len(cues)
    begins = 0
    places = []
    for one in sentences:
        assert any(ch.isalnum() for ch in one.text) or (one is sentences[-1] and not one.text)
        for cue in one.cues:
            assert 0 <= cue.at <= len(one.text)
            places.append(begins + len("".join(one.text[: cue.at].split())))
        begins += len("".join(one.text.split()))
    # A cue behind the last word of the answer may have had punctuation before it that nobody speaks.
    assert places == [min(len("".join(speech[: cue.at].split())), begins) for cue in cues]


@pytest.mark.parametrize(
    ("so_far", "whole"),
    [
        ("I am a bear.", True),
        ("Shall we play?", True),
        ("Hello.", False),
        ("Ask Dr.", False),
        ("It costs 3.", False),
        ("I am", False),
        ('He said "stop.', False),
        ("And then..", False),
        ("J.", False),
        ("Go to the U.S.", False),
    ],
)
def test_in_a_pause_only_what_is_surely_whole_is_given_out(so_far: str, whole: bool) -> None:
    sentences = Sentences(first_clause=False)
    assert sentences.feed(so_far) == []
    assert [one.text for one in sentences.pause()] == ([so_far] if whole else [])
    assert sentences.pause() == []


@given(st.lists(st.text('ab. !?"3,', min_size=1), max_size=8))
def test_pauses_lose_and_double_nothing(pieces: list[str]) -> None:
    sentences = Sentences()
    made = []
    for piece in pieces:
        made += sentences.feed(piece) + sentences.pause()
    made += sentences.close()
    kept = [ch for one in made for ch in one.text if ch.isalnum()]
    assert kept == [ch for ch in "".join(pieces) if ch.isalnum()]
