"""The second look's child: its protocol, what becomes of one that dies, hangs or answers nonsense, and the real one."""

from __future__ import annotations

import io
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.ears import keyphrase_process as child
from companion.ears.wake_custom import second_look
from companion.ears.wake_custom.second_look import KeyphraseProcess
from tests.support.own_words import scripted_child
from tests.support.synthetic_user import room, say
from tests.support.voices import needs_espeak

needs_pocketsphinx = pytest.mark.skipif(not second_look.is_installed(), reason="pocketsphinx is not installed")
LONG = 20.0
"""Seconds that nobody waits for where all is well."""


# --- the child --------------------------------------------------------------------------------------------------------


def answers(stream: bytes, words: int = 2) -> list[float]:
    """What it answers: the number of the word and the bytes of the sound, as a score."""
    written = io.BytesIO()
    scorers = [lambda pcm, word=word: float(1000 * word + len(pcm)) for word in range(words)]
    child.serve(io.BytesIO(stream), written, scorers)
    data = written.getvalue()
    assert data.startswith(child.READY)
    return [score for (score,) in child.ANSWER.iter_unpack(data.removeprefix(child.READY))]


@given(st.lists(st.tuples(st.binary(max_size=300), st.integers(0, 1)), max_size=5))
def test_each_question_gets_its_answer(questions: list[tuple[bytes, int]]) -> None:
    stream = b"".join(child.REQUEST.pack(len(pcm), word) + pcm for pcm, word in questions)
    assert answers(stream) == [1000 * word + len(pcm) for pcm, word in questions]


@given(st.binary(max_size=300))
def test_nonsense_ends_it_and_no_more(stream: bytes) -> None:
    answers(stream)


def test_a_question_about_no_word_or_a_sound_without_end_ends_it() -> None:
    good = child.REQUEST.pack(2, 0) + b"ab"
    assert answers(good + child.REQUEST.pack(2, 2) + b"ab" + good) == [2]
    assert answers(good + child.REQUEST.pack(child.LONGEST + 1, 0) + bytes(child.LONGEST + 1) + good) == [2]


# --- the parent -------------------------------------------------------------------------------------------------------


def process(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> KeyphraseProcess:
    """The parent, of a child that runs this script in place of the real one."""
    scripted_child(folder, monkeypatch, script)
    return KeyphraseProcess([["M OW"], ["K IY"]])


ANSWERING = "say(b'r')\nwhile True:\n    n, word = question()\n    say(struct.pack('<d', n + 1000 * word))"


def test_answers_go_to_their_questions_also_where_some_are_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A word that was heard all the same, or a reset, leaves an answer behind."""
    asked = process(tmp_path, monkeypatch, ANSWERING)
    numbers = [asked.ask(at % 2, bytes(2 * at + 2)) for at in range(20)]
    assert None not in numbers
    assert asked.answer(numbers[3], LONG) == 1008
    assert asked.answer(numbers[2], LONG) == 6, "that of another word, asked before"
    assert asked.answer(numbers[19], LONG) == 1040
    assert asked.answer(numbers[19], 0) is None, "taken already"
    asked.close()


def test_a_late_answer_is_not_taken_for_the_next_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    halves = "say(b'r')\nquestion()\nd = struct.pack('<d', -1.0)\nsay(d[:3])\nn, _ = question()\nsay(d[3:])\n"
    asked = process(tmp_path, monkeypatch, f"{halves}say(struct.pack('<d', -2.0))\nquestion()")
    first = asked.ask(0, b"ab")
    assert first is not None
    assert asked.answer(first, 0.3) is None
    second = asked.ask(0, b"abcd")
    assert second is not None
    assert asked.answer(second, LONG) == -2
    asked.close()


@pytest.mark.parametrize(
    "script", ["", "say(b'r')", "say(b'r'); question(); say(b'123')", "say(b'r'); question(); raise SystemExit(3)"]
)
def test_one_that_died_leaves_nobody_to_ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    asked = process(tmp_path, monkeypatch, script)
    question = asked.ask(0, bytes(100))
    if question is not None:
        assert asked.answer(question, LONG) is None
    assert not asked.is_there
    assert asked.ask(0, bytes(100)) is None
    asked.close()


def test_scores_that_are_no_numbers_end_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = process(tmp_path, monkeypatch, "say(b'r')\nquestion()\nsay(struct.pack('<d', float('nan')))\nquestion()")
    question = asked.ask(0, b"ab")
    assert question is not None
    assert asked.answer(question, LONG) is None
    assert not asked.is_there


def test_one_that_hangs_is_waited_for_no_longer_than_that_and_ended_when_it_is_far_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = process(tmp_path, monkeypatch, "say(b'r')\nsys.stdin.buffer.raw.read(1)\ntime.sleep(600)")
    question = asked.ask(0, bytes(1000))
    assert question is not None
    began = time.monotonic()
    assert asked.answer(question, 0.05) is None
    assert time.monotonic() - began < 5
    questions = 0
    while asked.ask(0, bytes(child.LONGEST)) is not None:
        questions += 1
    assert 3 <= questions <= 8
    assert not asked.is_there


def test_without_words_or_pocketsphinx_there_is_no_child(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not KeyphraseProcess([]).is_there
    monkeypatch.setattr(second_look, "is_installed", lambda: False)
    nobody = KeyphraseProcess([["M OW"]])
    assert not nobody.is_there
    assert nobody.ask(0, b"ab") is None
    assert nobody.answer(0, LONG) is None


# --- the real one -----------------------------------------------------------------------------------------------------


@needs_pocketsphinx
@needs_espeak
def test_the_word_is_told_from_others_and_it_ends_with_its_parent() -> None:
    asked = KeyphraseProcess([["K AH M P Y UW T ER"]])
    word, other, nothing = (room(0.5, one, 0.3) for one in (say("computer"), say("good morning"), b""))
    scores = []
    for pcm in (word, other, nothing):
        question = asked.ask(0, pcm)
        assert question is not None
        score = asked.answer(question, LONG)
        assert score is not None
        scores.append(score)
    assert scores[0] > scores[1] + 1
    assert scores[0] > scores[2] + 1
    assert min(scores) >= child.NOWHERE
    asked.close()
    assert not asked.is_there
