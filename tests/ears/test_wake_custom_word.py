"""Wake words of one's own from sound to wake: a small one that is trained here, and the one that comes with the toy."""

from __future__ import annotations

import numpy as np
import pytest

from companion.config.device import Device, load_device
from companion.config.persona import load_persona
from companion.config.word_file import Card, WordFile, write
from companion.ears.wake_custom import build, embeddings
from companion.ears.wake_custom.embeddings import SPAN, STEP, Networks
from companion.ears.wake_custom.head import Head, windows
from companion.ears.wake_custom.learning import train
from companion.events import EAR_RATE, AudioFrame
from companion.ports import WakeWord
from tests.support.paths import CONFIGS
from tests.support.synthetic_user import VOICES, room, say, silence
from tests.support.voices import needs_espeak

pytestmark = [
    needs_espeak,
    pytest.mark.skipif(embeddings.package_folder() is None, reason="pyopen-wakeword is not installed"),
]

CONTEXT = 12
LEAD_S = 1.8
"""Before each word, so that there is a whole window."""
TALK = (
    "good morning, how did you sleep last night",
    "could you put the plates on the table please",
    "we compared them this summer and kept the cheaper one",
    "the bus was late again, so they walked home",
)
FRAME = 512


def learnt(networks: Networks, phrase: str) -> WordFile:
    """A word of so little sound that it is trained in two seconds: for the voices of these tests only."""
    found, labels = [], []
    for voice in VOICES:
        for speed in (140, 170):
            said = say(phrase, voice, speed)
            sound = np.frombuffer(room(LEAD_S, said, 0.6), "<i2").astype(np.float32)
            seen = windows(networks.of(sound), CONTEXT)
            ends = (np.arange(len(seen)) + CONTEXT - 1) * STEP + SPAN
            after = ends - round(LEAD_S * EAR_RATE) - len(said) // 2
            found.append(seen[(after > 0) | (after < -len(said) // 2)])
            labels.append(((after > 0) & (after < 0.25 * EAR_RATE))[(after > 0) | (after < -len(said) // 2)])
    for voice in VOICES:
        for text in TALK[1:]:
            seen = windows(networks.of(np.frombuffer(room(1.0, say(text, voice), 0.5), "<i2").astype(float)), CONTEXT)
            found.append(seen)
            labels.append(np.zeros(len(seen), bool))
    x, is_word = np.concatenate(found), np.concatenate(labels).astype(np.float32)
    mean, scale = x.mean(0), x.std(0) + 0.1
    standard = (x - mean) / scale
    _, directions = np.linalg.eigh(standard.T @ standard)
    arrays = {"mean": mean, "scale": scale, "directions": directions[:, -48:]}
    projected = (standard @ arrays["directions"]).astype(np.float32)
    arrays |= train(projected, is_word, np.where(is_word > 0, 2, 1).astype(np.float32), 1, epochs=60)
    logits = Head(arrays, CONTEXT).logits(x)
    threshold = float(np.quantile(logits[is_word > 0], 0.3) + logits[is_word == 0].max()) / 2
    card = Card(
        phrase=phrase, language="en", seconds=1, context=CONTEXT, threshold=threshold, threshold_alone=threshold
    )
    return WordFile(card, arrays)


@pytest.fixture(scope="module")
def computer(tmp_path_factory: pytest.TempPathFactory) -> WakeWord:
    """An engine that hears "computer"."""
    file = tmp_path_factory.mktemp("words") / "computer.ww"
    write(file, learnt(Networks(), "computer"))
    teddy = CONFIGS / "personas" / "teddy.toml"
    device = Device.model_validate({"persona": str(teddy), "ears": {"wake": {"word": str(file)}}})
    return build(device, load_persona(teddy))


def wakes(engine: WakeWord, sound: bytes, start: int = 0) -> list[float]:
    """The seconds at which it hears its word."""
    return [
        (at + FRAME) / EAR_RATE
        for at in range(0, len(sound) // 2, FRAME)
        if engine.detect(AudioFrame(sound[2 * at : 2 * (at + FRAME)], start + at), speaking=False)
    ]


@pytest.mark.parametrize("voice", VOICES)
def test_a_word_that_was_learnt_is_heard_once_when_it_ends(computer: WakeWord, voice: str) -> None:
    computer.reset()
    said = say("computer", voice, 150)
    [at] = wakes(computer, room(LEAD_S, said, 1.0))
    assert 0 < at - LEAD_S - len(said) / 2 / EAR_RATE < 0.5


def test_talk_and_silence_are_not_the_word(computer: WakeWord) -> None:
    computer.reset()
    assert wakes(computer, room(1.0, say(TALK[0]), 1.0, say(TALK[0], "en-us"), 1.0)) == []
    assert wakes(computer, silence(5)) == []
    assert wakes(computer, bytes(2 * 2 * EAR_RATE)) == []


def test_it_is_heard_again_after_the_microphone_was_opened_anew(computer: WakeWord) -> None:
    computer.reset()
    sound = room(LEAD_S, say("computer", speed=150), 1.0)
    assert len(wakes(computer, sound, start=1000 * EAR_RATE)) == 1
    assert len(wakes(computer, sound)) == 1


def test_the_toy_with_a_word_of_its_own_hears_it_and_not_what_people_say() -> None:
    device = load_device(CONFIGS / "devices" / "momo.toml")
    momo = build(device, load_persona(device.persona))
    called = [voice for voice in VOICES if wakes(momo, room(1.5, say("hey momo", voice), 1.0))]
    assert len(called) >= len(VOICES) - 1
    for voice in VOICES[:3]:
        assert wakes(momo, room(1.5, *(one for text in TALK for one in (say(text, voice), 0.7)))) == []
    momo.close()
