"""Speech where directions stand: in quotation marks, or because nothing else is left of the answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.voice.stage.stage import Stage
from tests.support.staging import said, shown


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ('*He says "Welcome home, little one."*', '"Welcome home, little one."'),
        ('*"Look over there!" he whispers, waving.* It is big.', '"Look over there!" It is big.'),
        ("(“Hi,” he said, “sit down.”) Bye", "“Hi,” “sit down.” Bye"),
        ("（“坐下吧！”她挥着手说。）", "“坐下吧！”"),
        ("（「おいで！」と手を振る）", "「おいで！」"),
        ("*„Komm her!“, ruft er.*", "„Komm her!“"),
        ("*« Entrez ! » dit-elle*", "« Entrez ! »"),
        ('*waves* *"Hi there!"*', '"Hi there!"'),
        ('*waves "Hello', ""),
        ('(reads a sign that says "Closed") Hello', "Hello"),
        ('(types "a.b" into the machine) Hello', "Hello"),
        ('{"mood": "happy.", "x": "y"} Hello', "Hello"),
    ],
)
def test_quoted_speech_in_a_direction_is_speech(text: str, spoken: str) -> None:
    assert shown(text)[0] == spoken


def test_what_stands_beside_the_quotation_is_still_a_direction() -> None:
    assert shown('*"Look!" he calls, waving.*') == ('"Look!"', ["wave"])


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("(Come in! I have kept a chair for you.)", "Come in! I have kept a chair for you."),
        ("[Hello there, it is a fine day.]", "Hello there, it is a fine day."),
        ("（你好呀，快来坐下吧！）", "你好呀，快来坐下吧！"),
        ("(I am so happy to see you!)", "I am so happy to see you!"),
        ("(Come in. (Sit down.))", "Come in. Sit down."),
        ("(waves)\n(It is late.)", "It is late."),
        ("(waves)", ""),
        ("（挥手）", ""),
        ("*waves and smiles.*", ""),
        ("(waves) Hi! (It is late.)", "Hi!"),
        ("😀", ""),
    ],
)
def test_an_answer_of_which_nothing_else_is_left_is_spoken_where_it_reads_as_speech(text: str, spoken: str) -> None:
    assert shown(text)[0].strip() == spoken


@given(st.text(st.sampled_from('ab.!"“”()（）*_ \n'), max_size=60), st.integers(1, 7))
def test_it_is_the_same_at_every_cut_and_nothing_comes_behind_the_end(text: str, cut: int) -> None:
    stage = Stage("Momo")
    parts = [text[at : at + cut] for at in range(0, len(text), cut)]
    pieces = [piece for part in parts for piece in stage.feed(part)] + stage.close()
    assert "".join(piece for piece in pieces if isinstance(piece, str)).strip() == said(text, "Momo").strip()
    assert stage.close() == []
