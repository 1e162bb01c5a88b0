"""The engine of wake words of one's own: what the head and the second look make of it together.

The embeddings are given: the first number of each is the logit that the head makes of it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from companion.config.wake import WakeWordSettings
from companion.config.word_file import SecondLook, WordFile
from companion.ears.wake_custom import detector, second_look
from companion.ears.wake_custom.detector import REFRACTORY, EmbeddingWakeWord, OwnWord
from companion.errors import SpeechError
from companion.events import EAR_RATE, AudioFrame
from tests.support.own_words import own_word, scripted_child

FRAME = 512
LOOK = SecondLook(pronunciations=("HH EY M OW M OW",), weight=2, center=0, scale=1)
"""With weight 2 and at most 2 deviations it moves the logit by 4 at most."""
THRESHOLD, ALONE = 10.0, 12.0


def scores(*values: float) -> str:
    """A child that gives these scores, one after the other."""
    return f"say(b'r')\nfor score in {list(values)}:\n    question()\n    say(struct.pack('<d', score))\nquestion()"


class Networks:
    """Gives embeddings whose first number is the next one of `logits`; 0 after them."""

    def __init__(self, logits: Sequence[float]) -> None:
        self.logits = list(logits)

    def mels(self, samples: np.ndarray) -> np.ndarray:
        return np.zeros(((len(samples) - 480) // 160, 32), np.float32)

    def embed(self, mels: np.ndarray) -> np.ndarray:
        found = np.zeros(((len(mels) - 76) // 8 + 1, 96), np.float32)
        for row in found:
            row[0] = self.logits.pop(0) if self.logits else 0
        return found


def word(name: str = "momo", look: SecondLook | None = None, **settings: Any) -> OwnWord:
    """A word whose logit is the first number of the last embedding."""
    file = own_word(bias=0, context=2, threshold=THRESHOLD, threshold_alone=ALONE, second_look=look)
    arrays = {name: value.copy() for name, value in file.arrays.items()}
    arrays["directions"][96, 0] = 1
    arrays["w1"][:, 0, 0] = 1
    arrays["w2"][:, 0] = 1
    return OwnWord(WakeWordSettings(word=Path(f"{name}.ww"), **settings), WordFile(file.card, arrays))


def engine(logits: Sequence[float], *words: OwnWord) -> EmbeddingWakeWord:
    return EmbeddingWakeWord(list(words) or [word()], Networks([0, 0, *logits]))  # type: ignore[arg-type]


def heard(hears: EmbeddingWakeWord, seconds: float = 3, start: int = 0, *, speaking: bool = False) -> list[float]:
    """The times at which it hears something in so many seconds."""
    found = []
    for at in range(start, start + round(seconds * EAR_RATE), FRAME):
        if hears.detect(AudioFrame(bytes(2 * FRAME), at), speaking=speaking):
            found.append((at + FRAME) / EAR_RATE)
    return found


def test_the_head_alone_decides_by_its_own_threshold() -> None:
    assert len(heard(engine([11, 11.9]))) == 0
    assert len(heard(engine([12.1]))) == 1
    assert engine([]).words == ("momo",)


@pytest.mark.parametrize(("sensitivity", "logit"), [(0.0, 15.1), (0.5, 12.1), (0.75, 10.6), (1.0, 9.1)])
def test_sensitivity_moves_the_threshold(sensitivity: float, logit: float) -> None:
    assert len(heard(engine([logit], word(sensitivity=sensitivity)))) == 1
    assert len(heard(engine([logit - 0.2], word(sensitivity=sensitivity)))) == 0


def test_one_word_is_heard_once_and_the_next_one_again() -> None:
    assert len(heard(engine([15] * 4))) == 1
    assert len(heard(engine([15, *[0] * 20, 15]), 5)) == 2
    assert REFRACTORY == EAR_RATE


def test_positions_that_start_again_from_0_hold_nothing_back() -> None:
    """The microphone was opened again."""
    hears = engine([15, *[0] * 8, 15])
    assert len(heard(hears, 1.3, start=500 * EAR_RATE)) == 1
    assert len(heard(hears, 1.3, start=0)) == 1


def test_a_stop_word_is_heard_while_it_speaks_only() -> None:
    assert heard(engine([15], word(role="stop"))) == []
    assert len(heard(engine([15], word(role="stop")), speaking=True)) == 1


def test_embeddings_that_are_no_numbers_are_an_error() -> None:
    for nonsense in (np.nan, np.inf):
        with pytest.raises(SpeechError, match="no numbers"):
            heard(engine([nonsense]))


@pytest.mark.parametrize(
    ("logit", "score", "is_heard"),
    [
        (8.0, 0.9, False),
        (8.0, 1.1, True),
        (11.0, -0.4, True),
        (11.0, -0.6, False),
        (6.1, 9.0, True),
        (5.9, 9.0, False),
        (14.1, -9.0, True),
    ],
)
def test_the_second_look_counts_as_much_as_its_weight_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logit: float, score: float, is_heard: bool
) -> None:
    scripted_child(tmp_path, monkeypatch, scores(score, score, score))
    hears = engine([logit], word(look=LOOK))
    assert len(heard(hears)) == int(is_heard)
    hears.close()


def test_a_doubtful_word_is_heard_within_150_ms_of_a_certain_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted_child(tmp_path, monkeypatch, scores(2))
    certain, doubtful = engine([15], word(look=LOOK)), engine([9], word(look=LOOK))
    [first], [second] = heard(certain), heard(doubtful)
    assert 0 < second - first < 0.15
    certain.close()
    doubtful.close()


def test_one_answer_too_many_is_not_taken_for_another_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The word that a question was about is certain before the answer comes; the next one is only like it."""
    scripted_child(tmp_path, monkeypatch, scores(2, -2))
    hears = engine([9, 9, 15, 15, *[0] * 30, 9], word(look=LOOK))
    assert len(heard(hears, 6)) == 1
    hears.close()


def test_nor_one_from_before_a_reset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scripted_child(tmp_path, monkeypatch, scores(2, -2))
    hears = engine([9, *[0] * 7, 9], word(look=LOOK))
    asked_at = 0.99
    assert heard(hears, asked_at) == []
    hears.reset()
    assert heard(hears, 4, start=round(asked_at * EAR_RATE)) == []
    hears.close()


@pytest.mark.parametrize(
    "script",
    ["", "say(b'r')\nquestion()\nraise SystemExit", "say(b'r')\nquestion()\nsay(b'abc')\nraise SystemExit",
     "say(b'r')\nquestion()\nsay(struct.pack('<d', float('nan')))\nquestion()"],
    ids=["dead", "dies when asked", "half an answer", "no number"],
)  # fmt: skip
def test_without_an_answer_the_head_decides_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    scripted_child(tmp_path, monkeypatch, script)
    for logit, is_heard in ((ALONE - 0.1, False), (ALONE + 0.1, True)):
        hears = engine([logit], word(look=LOOK))
        assert len(heard(hears)) == int(is_heard)
        assert len(heard(engine([logit]))) == int(is_heard)
        hears.close()


def test_nor_where_it_died_long_ago(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "gone")
    scripted_child(tmp_path, monkeypatch, f"import os\nos.close(0)\nopen({str(tmp_path / 'gone')!r}, 'w').close()")
    hears = engine([ALONE + 0.1], word(look=LOOK))
    (tmp_path / "gone").read_bytes()
    assert len(heard(hears)) == 1
    hears.close()


def test_nor_where_it_dies_of_another_words_question(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scripted_child(tmp_path, monkeypatch, "say(b'r')\nquestion()\nquestion()")
    hears = engine([ALONE + 0.1], word("momo", LOOK, sensitivity=0.4), word("kiki", LOOK))
    said = [hears.detect(AudioFrame(bytes(2 * FRAME), at)) for at in range(0, 3 * EAR_RATE, FRAME)]
    assert [one for one in said if one] == ["kiki"]
    hears.close()


def test_one_that_hangs_is_waited_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detector, "FILE_WAIT_S", 3.0)
    scripted_child(tmp_path, monkeypatch, "say(b'r')\nwhile True:\n    question()")
    hears = engine([12.5, *[0] * 20, 12.5, *[0] * 20, 11, *[0] * 20, 12.5], word(look=LOOK))
    began = time.monotonic()
    assert len(heard(hears, 10)) == 3
    took = time.monotonic() - began
    assert 3 <= took < 6, "four questions, of which only the first one has the time that a file has"
    hears.close()


def test_two_words_have_a_second_look_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    by_word = "say(b'r')\nwhile True:\n    _, word = question()\n    say(struct.pack('<d', (-2.0, 2.0)[word]))"
    scripted_child(tmp_path, monkeypatch, by_word)
    hears = engine([9], word("momo", LOOK), word("plain"), word("kiki", LOOK))
    said = [hears.detect(AudioFrame(bytes(2 * FRAME), at)) for at in range(0, 3 * EAR_RATE, FRAME)]
    assert [one for one in said if one] == ["kiki"]
    hears.close()


def test_without_pocketsphinx_it_hears_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(second_look, "is_installed", lambda: False)
    assert len(heard(engine([12.1], word(look=LOOK)))) == 1
    assert len(heard(engine([11.9], word(look=LOOK)))) == 0
