"""A wake word from its spelling: with few voices here, which is enough to hear a synthetic person."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from companion.config.wake import WakeWordSettings
from companion.config.word_file import WordFile, decoded, encoded
from companion.ears.wake_custom.detector import EmbeddingWakeWord, OwnWord
from companion.ears.wake_custom.embeddings import Networks
from companion.events import AudioFrame
from studio.cli.wakeword_train import train as command
from studio.wakeword.language import word_language
from studio.wakeword.speech import Saying, said
from studio.wakeword.training import Progress, Size, train
from tests.support.voices import needs_espeak

pytestmark = [needs_espeak, pytest.mark.time_limit(300, 60)]

SMALL = Size(words=60, copies=3, others=80, other_copies=1, tested_words=20, tested_talk=40)
PHRASE = "hey pandora"


@pytest.fixture(scope="module")
def steps() -> list[Progress]:
    return []


@pytest.fixture(scope="module")
def word(steps: list[Progress]) -> WordFile:
    return train(PHRASE, word_language("en"), size=SMALL, processes=2, progress=steps.append)


def pieces_of(texts: list[str], noise: float = 12) -> Iterator[bytes]:
    """Somebody who was not trained with says each of these, in a quiet room."""
    random = np.random.default_rng(7)
    for number, sound in enumerate(said([Saying(text, "en-us", 150, 40) for text in texts], 2)):
        quiet = np.zeros(16_000 + 7 * number)
        whole = np.concatenate([quiet, sound * 2, quiet])
        yield (whole + random.normal(0, noise, len(whole))).astype("<i2").tobytes()


def frames_of(pcm: bytes) -> list[AudioFrame]:
    return [AudioFrame(pcm[at : at + 1024], at // 2) for at in range(0, len(pcm) - 1023, 1024)]


@contextmanager
def engine_of(word: WordFile, **settings: Any) -> Iterator[EmbeddingWakeWord]:
    engine = EmbeddingWakeWord([OwnWord(WakeWordSettings(word=Path("pandora.ww"), **settings), word)], Networks())
    try:
        yield engine
    finally:
        engine.close()


def heard(word: WordFile, texts: list[str]) -> list[bool]:
    with engine_of(word) as engine:
        found = []
        for pcm in pieces_of(texts):
            engine.reset()
            found.append("pandora" in [engine.detect(frame) for frame in frames_of(pcm)])
        return found


def test_the_word_is_heard_and_others_are_not(word: WordFile) -> None:
    assert heard(word, [PHRASE, "hey computer", "the weather is fine today", "pan", "hey mandolin over there"]) == [
        True, False, False, False, False
    ]  # fmt: skip


def test_a_word_that_is_said_twice_is_heard_twice(word: WordFile) -> None:
    with engine_of(word) as engine:
        pcm = b"".join(pieces_of([PHRASE, PHRASE]))
        assert [engine.detect(frame) for frame in frames_of(pcm)].count("pandora") == 2


def test_the_same_sound_gives_the_same_result_each_time(word: WordFile) -> None:
    pcm = b"".join(pieces_of([PHRASE, "hey mandolin", PHRASE]))
    results = []
    for _ in range(2):
        with engine_of(word) as engine:
            results.append([engine.detect(frame) for frame in frames_of(pcm)])
    assert results[0] == results[1]


def test_a_stop_word_is_live_only_while_the_unit_speaks(word: WordFile) -> None:
    pcm = next(pieces_of([PHRASE]))
    with engine_of(word, role="stop") as engine:
        assert "pandora" not in [engine.detect(frame) for frame in frames_of(pcm)]
        engine.reset()
        assert "pandora" in [engine.detect(frame, speaking=True) for frame in frames_of(pcm)]


def test_a_higher_sensitivity_hears_more(word: WordFile) -> None:
    counts = []
    for sensitivity in (0.0, 0.5, 1.0):
        with engine_of(word, sensitivity=sensitivity) as engine:
            count = 0
            for pcm in pieces_of([PHRASE, "hey pandra", "hi panda", "hey mandolin", "play fedora", "dora"]):
                engine.reset()
                count += "pandora" in [engine.detect(frame) for frame in frames_of(pcm)]
            counts.append(count)
    assert counts == sorted(counts)
    assert counts[0] < counts[2]


def test_its_card_tells_how_it_was_made(word: WordFile, steps: list[Progress]) -> None:
    assert (word.phrase, word.language) == (PHRASE, "en")
    assert word.card.made["seed"] == 1
    assert 0.3 < word.card.seconds < 1.5
    assert 0 <= word.card.expected["missed without second look"] <= 1
    assert [step.part for step in steps] == sorted(step.part for step in steps)
    assert steps[-1].part == 1


def test_the_same_input_gives_the_same_file(word: WordFile) -> None:
    again = train(PHRASE, word_language("en"), size=SMALL, processes=1)
    assert encoded(again) == encoded(word)
    assert encoded(decoded(encoded(word), "x")) == encoded(word)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["!!!"], "PHRASE is the word as it is spoken"),
        (["hey momo", "--language", "tlh"], "no wake word can be trained in tlh"),
        (["hey momo", "--out", "momo.txt"], "ends in .ww"),
        (["hey momo", "--out", "nowhere/momo.ww"], "there is no folder"),
        (["hey", "--strict"], "too short"),
    ],
)
def test_what_cannot_be_made_is_told_at_once(
    arguments: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code != 0
    assert told in result.output + str(result.exception)
    assert list(tmp_path.iterdir()) == []
