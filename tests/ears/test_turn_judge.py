"""A model of the ends of turns beside the words: what it hears, what it changes, and what it must not hold up."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from companion.config.persona import load_persona
from companion.ears.attention import Attention
from companion.ears.listener import Listener
from companion.ears.smart_turn import MELS, SmartTurn, build, check, log_mel, mel_filters
from companion.ears.turn_judge import TurnJudge, adjusted
from companion.errors import EngineUnavailable
from companion.events import Hearing, Utterance
from tests.support.ears import FRAME, Scribe, Tape, VoiceAt, device, everything, first_of, voiced, whole
from tests.support.paths import CONFIGS


class Model:
    """Answers what it was told, and notes what it was asked."""

    def __init__(self, *answers: float) -> None:
        self._answers = list(answers)
        self.asked: list[tuple[bytes, str]] = []

    def is_over(self, pcm: bytes, words: str) -> float:
        self.asked.append((pcm, words))
        return self._answers.pop(0)


@pytest.mark.parametrize(
    ("pause_s", "probability", "wanted_s"),
    [
        (0.7, 0.5, 0.7),
        (0.7, 0.95, 0.35),
        (0.7, 0.9, 0.35),
        (0.35, 1.0, 0.35),
        (0.2, 1.0, 0.2),
        (1.5, 0.99, 0.75),
        (0.7, 0.3, 1.4),
        (1.0, 0.0, 1.5),
        (2.0, 0.0, 2.0),
    ],
)
def test_the_pause_is_halved_or_doubled_within_bounds(pause_s: float, probability: float, wanted_s: float) -> None:
    assert adjusted(pause_s, probability) == pytest.approx(wanted_s)


async def heard(model: Model, *voices: tuple[int, int], texts: tuple[str, ...]) -> list[tuple[Utterance, int]]:
    """The utterances in 8 s of sound with voices in these spans of frames, and the frames of the pause behind each."""
    judge = TurnJudge(Scribe(*texts), model)
    spans = VoiceAt(*(voiced(*span) for span in voices))
    ears = Listener(Tape(*whole(250)), None, spans, judge, device().ears, judge=judge.pause_after)
    ears.listen_for(Attention.WORDS(60.0))
    found: list[tuple[Utterance, int]] = []

    def note(hearing: Hearing) -> None:
        if isinstance(hearing, Utterance):
            found.append((hearing, (ears.position - hearing.end) // FRAME))

    await everything(ears, note)
    return found


@pytest.mark.parametrize(("probability", "frames"), [(0.5, 22), (0.95, 11), (0.1, 44)])
async def test_the_model_decides_when_the_utterance_ends(probability: float, frames: int) -> None:
    model = Model(probability)
    [(_, pause)] = await heard(model, (40, 70), texts=("hello",))
    assert pause == frames
    [(pcm, words)] = model.asked
    assert words == "hello"
    assert first_of(pcm) <= 40 * FRAME
    assert len(pcm) // 2 >= 30 * FRAME


async def test_it_hears_what_was_said_before_a_pause_as_well() -> None:
    model = Model(0.1, 0.5)
    [(utterance, _)] = await heard(model, (40, 70), (90, 120), texts=("hello", "you"))
    assert utterance.text == "hello you"
    first, second = model.asked
    assert second[0].startswith(first[0])
    assert second[1] == "hello you"


async def test_the_next_utterance_begins_anew_and_only_eight_seconds_are_kept() -> None:
    model = Model(0.95, 0.95)
    await heard(model, (10, 30), (60, 235), texts=("hello", "you"))
    assert first_of(model.asked[1][0]) > 20 * FRAME
    assert len(model.asked[1][0]) <= 8 * 16_000 * 2


async def test_what_it_kept_can_be_forgotten() -> None:
    model = Model(0.5, 0.5)
    judge = TurnJudge(Scribe("hello"), model)
    await judge.start()
    await judge.feed(bytes(3200))
    utterance = Utterance("hello", 0.9, 0, 16_000, 20_000, 10.0)
    await judge.pause_after(utterance, 0.7)
    judge.forget()
    await judge.pause_after(utterance, 0.7)
    assert [len(pcm) for pcm, _ in model.asked] == [3200, 0]


async def test_a_model_that_hangs_is_not_waited_for() -> None:
    done = threading.Event()

    class Hanging:
        def is_over(self, pcm: bytes, words: str) -> float:  # noqa: ARG002  # the shape of every model
            done.wait(30)
            return 1.0

    judge = TurnJudge(Scribe("hello"), Hanging())
    try:
        assert await judge.pause_after(Utterance("hello", 0.9, 0, 16_000, 20_000, 10.0), 0.7) == 0.7
    finally:
        done.set()


PERSONA = load_persona(CONFIGS / "personas" / "teddy.toml")


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [(None, "name smart-turn-v3.2-cpu.onnx"), ("gone.onnx", "is not there; fetch it")],
)
def test_without_its_file_one_sentence_says_what_to_do(setting: str | None, sentence: str) -> None:
    unit = device(endpoint={"turn_model": "smart-turn", "turn_model_file": setting})
    for attempt in (check, build):
        with pytest.raises(EngineUnavailable, match=sentence) as told:
            attempt(unit, PERSONA)
        assert "\n" not in str(told.value)


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"not a model")
    with pytest.raises(EngineUnavailable, match="cannot be loaded"):
        build(device(endpoint={"turn_model": "smart-turn", "turn_model_file": str(path)}), PERSONA)


def test_features_of_a_tone_lie_in_its_band_at_the_end() -> None:
    tone = (8000 * np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000)).astype("<i2").tobytes()
    features = log_mel(tone, mel_filters())
    assert features.shape == (MELS, 800)
    assert features[:, :690].max() == features.min()
    # 1 kHz is 15 of 45.2 mel.
    assert abs(int(features[:, 750].argmax()) - 26) <= 1
    assert features.max() - features.min() == pytest.approx(2.0)


def test_the_probability_is_what_the_model_answers() -> None:
    class Session:
        def run(self, _names: None, inputs: dict[str, np.ndarray[Any, Any]]) -> list[np.ndarray[Any, Any]]:
            assert inputs["input_features"].shape == (1, MELS, 800)
            assert inputs["input_features"].dtype == np.float32
            return [np.array([[0.25]], np.float32)]

    model: Callable[[bytes, str], float] = SmartTurn(Session()).is_over
    assert model(bytes(3200), "hello") == 0.25
