"""The real wake word engine, listening to espeak-ng and to recordings of people."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.config.device import Device
from companion.config.persona import Persona
from companion.config.wake import WakeWordSettings
from companion.ears import wake_word
from companion.ears.wake_word import MicroWakeWord, WordModel, threshold_at
from companion.errors import ConfigError, SpeechError
from companion.events import AudioFrame
from companion.ports import WakeWord
from tests.support.paths import SHARED
from tests.support.synthetic_user import RATE, VOICES, recording, room, say, seconds, silence

AUDIO = SHARED / "audio"
needs_recordings = pytest.mark.skipif(
    not AUDIO.is_dir() or shutil.which("sox") is None, reason="needs ../shared/audio and the sox command"
)


@functools.cache
def persona() -> Persona:
    return Persona.model_validate(
        {"name": "Bear", "profile": {"details": "a bear"}, "lines": {"offline": ["Oh."], "failed": ["Oh."]}}
    )


def engine(wake: Any = "okay_nabu") -> WakeWord:
    device = Device.model_validate({"persona": "bear.toml", "ears": {"wake": wake}})
    return wake_word.build(device, persona())


def several(*words: Any) -> WakeWord:
    return engine({"words": words})


def wakes(wake_word: WakeWord, pcm: bytes, frame_ms: int = 32) -> list[float]:
    """Seconds at which a word was recognised."""
    return [at for at, _ in heard(wake_word, pcm, frame_ms)]


def heard(
    wake_word: WakeWord, pcm: bytes, frame_ms: int = 32, speaking: Callable[[float], bool] = lambda _: False
) -> list[tuple[float, str]]:
    """Seconds at which a word was recognised, and which. `speaking` asks whether the device itself speaks then."""
    size = frame_ms * RATE // 1000 * 2
    frames = [AudioFrame(pcm[at : at + size], at // 2) for at in range(0, len(pcm), size)]
    detected = ((frame.end / RATE, wake_word.detect(frame, speaking=speaking(frame.end / RATE))) for frame in frames)
    return [(at, word) for at, word in detected if word is not None]


@pytest.mark.parametrize("voice", VOICES)
def test_a_word_wakes_once_and_soon_after_its_end(voice: str) -> None:
    word = say("okay nabu", voice)
    (at,) = wakes(engine(), room(1.0, word, 3.0))
    assert 0 < at - (1.0 + seconds(word)) < 0.35


def test_each_of_two_words_wakes() -> None:
    word = say("okay nabu")
    first, second = wakes(engine(), room(1.0, word, 2.0, word, 2.0))
    assert second - first == pytest.approx(2.0 + seconds(word), abs=0.07)


@pytest.mark.parametrize("word", ["alexa", "hey_mycroft"])
def test_a_word_whose_probability_stays_high_wakes_once(word: str) -> None:
    assert len(wakes(engine(word), room(1.0, say(word.replace("_", " "), "en"), 3.0))) == 1


@pytest.mark.parametrize("word", ["okay_nabu", "alexa", "hey_mycroft"])
def test_it_suspects_the_word_before_it_is_sure_and_not_for_long(word: str) -> None:
    wake_word, pcm = engine(word), room(1.0, say(word.replace("_", " "), "en"), 3.0)
    found = [
        (wake_word.detect(AudioFrame(pcm[at : at + 1024], at // 2)), getattr(wake_word, "suspects", None))
        for at in range(0, len(pcm), 1024)
    ]
    sure = [heard for heard, _ in found].index(word)
    suspicions = [at for at, (_, suspects) in enumerate(found) if suspects]
    assert 3 <= sure - suspicions[0] <= 13
    # Without a gap, and not behind it, though its results stay high.
    assert [at for at in suspicions if at < sure + RATE // 512] == list(range(suspicions[0], sure))


@pytest.mark.parametrize("frame_ms", [1, 10, 20, 50])
def test_the_size_of_the_frames_does_not_matter(frame_ms: int) -> None:
    pcm = room(1.0, say("okay nabu"), 2.0)
    (usual,) = wakes(engine(), pcm)
    (at,) = wakes(engine(), pcm, frame_ms)
    assert at == pytest.approx(usual, abs=0.06)


def test_a_microphone_opened_again_may_count_from_the_beginning() -> None:
    wake_word = engine()
    assert len(wakes(wake_word, room(20.0, say("okay nabu"), 0.5))) == 1
    assert len(wakes(wake_word, room(1.0, say("okay nabu"), 0.5))) == 1


def test_what_was_heard_before_a_reset_is_forgotten() -> None:
    pcm = room(1.0, say("okay nabu"), 2.0)
    half = int(1.5 * RATE) * 2
    wake_word = engine()
    assert wakes(wake_word, pcm[:half]) == []
    wake_word.reset()
    assert wakes(wake_word, pcm[half:]) == []
    assert len(wakes(wake_word, pcm)) == 1


def test_the_word_wakes_again_at_once_after_a_reset() -> None:
    wake_word = engine()
    pcm = room(1.0, say("okay nabu"), 0.3)
    assert len(wakes(wake_word, pcm)) == 1
    wake_word.reset()
    assert len(wakes(wake_word, pcm)) == 1


@pytest.mark.parametrize("text", ["what is your name", "tell me a story about a dragon", "okay", "hey nobody"])
def test_other_words_do_not_wake(text: str) -> None:
    assert wakes(engine(), room(1.0, say(text), 1.0)) == []


def test_a_higher_threshold_is_harder_to_pass() -> None:
    pcm = room(1.0, say("okay nabu", "en-gb-scotland"), 2.0)
    assert wakes(engine({"word": "okay_nabu", "threshold": 0.999}), pcm) == []
    (early,) = wakes(engine({"word": "okay_nabu", "threshold": 0.3}), pcm)
    (usual,) = wakes(engine(), pcm)
    assert early < usual


def test_an_unknown_word_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError) as refused:
        engine("okay_computer")
    for word in ("okay_computer", "okay_nabu", "hey_jarvis", "alexa", "hey_mycroft"):
        assert word in str(refused.value)


def test_two_words_at_once_are_told_apart() -> None:
    pcm = room(1.0, say("okay nabu"), 2.0, say("alexa"), 2.0, say("okay nabu"), 2.0)
    told = heard(several("okay_nabu", "alexa"), pcm)
    assert [word for _, word in told] == ["okay_nabu", "alexa", "okay_nabu"]
    alone = wakes(engine("okay_nabu"), pcm)
    assert [at for at, word in told if word == "okay_nabu"] == alone, "another word beside it changes nothing"


@pytest.mark.parametrize("word", wake_word.WORDS)
def test_the_results_are_those_of_the_library(word: str) -> None:
    from pymicro_wakeword import MicroWakeWord as Library
    from pymicro_wakeword import MicroWakeWordFeatures, Model

    pcm = room(0.5, say(word.replace("_", " "), "en-us+f4"), 0.5, say("tell me a story about a dragon"), 0.5)
    library, own = Library.from_builtin(Model(word)), Library.from_builtin(Model(word))
    model = WordModel(WakeWordSettings(word=word), own)
    features = list(MicroWakeWordFeatures().process_streaming(pcm))
    theirs = [library.process_streaming_prob(window) for window in features][own.stride - 1 :: own.stride]
    steps = [features[at : at + own.stride] for at in range(0, len(features) // own.stride * own.stride, own.stride)]
    ours = [
        model.step(np.round(np.concatenate(s, axis=1) / own.input_scale + own.input_zero_point).astype("i1").tobytes())
        for s in steps
    ]
    assert ours == pytest.approx(theirs, abs=1e-6)
    assert max(ours) > 0


def test_a_stop_word_is_heard_while_it_speaks_only() -> None:
    pcm = room(1.0, say("alexa"), 2.0, say("alexa"), 2.0, say("alexa"), 2.0)
    words = several("okay_nabu", {"word": "alexa", "role": "stop"})
    second = 1.0 + seconds(say("alexa")) + 1.0
    told = heard(words, pcm, speaking=lambda at: second < at < second + 2.5)
    [(at, word)] = told
    assert word == "alexa"
    assert second < at < second + 2.5


def test_a_stop_word_of_which_half_was_said_before_it_spoke_does_not_count() -> None:
    """A model that rested has no part in what was said meanwhile."""
    pcm = room(1.0, say("alexa"), 1.5)
    words = several("okay_nabu", {"word": "alexa", "role": "stop"})
    nearly = 1.0 + seconds(say("alexa")) - 0.05
    assert heard(words, pcm, speaking=lambda at: at < 0.5 or at > nearly) == []


@given(st.lists(st.floats(0, 1), min_size=2, max_size=2, unique=True), st.sampled_from([0.85, 0.9, 0.95, 0.97]))
def test_more_sensitivity_is_a_lower_threshold(sensitivities: list[float], usual: float) -> None:
    less, more = sorted(sensitivities)
    assert 0 < threshold_at(more, usual) <= threshold_at(less, usual) < 0.996, "no result is above 255/256"
    assert threshold_at(0.5, usual) == pytest.approx(usual)


def test_a_higher_sensitivity_is_easier_to_pass() -> None:
    pcm = room(1.0, say("okay nabu", "en-gb-scotland"), 2.0)
    times = [wakes(several({"word": "okay_nabu", "sensitivity": one}), pcm) for one in (0.0, 0.5, 1.0)]
    assert [len(one) for one in times] == [1, 1, 1]
    assert times[2] < times[1] <= times[0]


class Broken:
    """Stands for the library's features: gives none any more."""

    def process_streaming(self, _pcm: bytes) -> list[Any]:
        return []

    def reset(self) -> None:
        pass


def test_a_library_that_gives_no_results_any_more_is_an_error() -> None:
    from pymicro_wakeword import MicroWakeWord as Library
    from pymicro_wakeword import Model

    models = [WordModel(WakeWordSettings(word="alexa"), Library.from_builtin(Model.ALEXA))]
    with pytest.raises(SpeechError, match="no results"):
        wakes(MicroWakeWord(models, Broken()), silence(2.0))


class FailingModel:
    """Stands for the library's model: its interpreter says that a step failed."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self.lib = SimpleNamespace(
            TfLiteTensorCopyFromBuffer=lambda *_: 0,
            TfLiteInterpreterInvoke=lambda *_: 1,
            TfLiteTensorCopyToBuffer=lambda *_: 0,
        )

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)


def test_a_step_that_fails_is_an_error_and_not_silence() -> None:
    from pymicro_wakeword import MicroWakeWord as Library
    from pymicro_wakeword import MicroWakeWordFeatures, Model

    broken = WordModel(WakeWordSettings(word="alexa"), FailingModel(Library.from_builtin(Model.ALEXA)))
    with pytest.raises(SpeechError, match="alexa"):
        wakes(MicroWakeWord([broken], MicroWakeWordFeatures()), silence(0.5))


@needs_recordings
@pytest.mark.parametrize("word", ["okay_nabu", "hey_jarvis"])
def test_recorded_voices_wake_it(word: str) -> None:
    pcm = silence(0.5) + recording(AUDIO / "wake" / f"{word}.flac") + silence(1.0)
    assert len(wakes(engine(word), pcm)) == 1


@needs_recordings
@pytest.mark.parametrize("word", wake_word.WORDS)
def test_recorded_voices_with_other_words_do_not_wake_it(word: str) -> None:
    some = [*sorted((AUDIO / "talk" / "read").iterdir())[:4], *sorted((AUDIO / "wake" / "computer").iterdir())[:8]]
    assert wakes(engine(word), b"".join(recording(file) for file in some)) == []


@needs_recordings
def test_noise_does_not_wake_it() -> None:
    assert wakes(engine(), recording(AUDIO / "noise" / "doing_the_dishes.flac")[: 30 * RATE * 2]) == []
