"""The real wake word engine, listening to espeak-ng and to recordings of people."""

from __future__ import annotations

import functools
import shutil
from typing import Any

import pytest

from companion.config.device import Device
from companion.config.persona import Persona
from companion.ears import wake_word
from companion.errors import ConfigError
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


def wakes(wake_word: WakeWord, pcm: bytes, frame_ms: int = 32) -> list[float]:
    """Seconds at which the word was recognised."""
    size = frame_ms * RATE // 1000 * 2
    frames = [AudioFrame(pcm[at : at + size], at // 2) for at in range(0, len(pcm), size)]
    return [frame.end / RATE for frame in frames if wake_word.detect(frame)]


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
