"""A wake word that is made in two seconds out of a few espeak-ng voices, with the product's own parts."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from companion.config.word_file import Card, WordFile
from companion.ears.wake_custom.copies import Copies
from companion.ears.wake_custom.embeddings import Networks
from companion.ears.wake_custom.head import Head, windows
from companion.ears.wake_custom.learning import train
from tests.support.synthetic_user import say

PHRASE = "hey marvin"
OWNER = "en-gb-x-rp+croak"
"""A voice that the word was not made with."""
_VOICES = ("en-us", "en-us+m3", "en-gb", "en-gb+f3", "en-us+f4", "en-gb+m7")
_OTHERS = (
    "the weather is fine today and we go to the park",
    "computer what time is it",
    "hey there good morning everybody",
    "please tell me another story about the bear",
    "carving hey starving marble heavy",
    "seven yellow lemons on a table",
)
_CONTEXT, _KEPT = 9, 48
Samples = NDArray[np.int16]


def said(text: str, voice: str = OWNER, speed: int = 160, level: float = 1.0) -> Samples:
    """A recording: the text, with a little of a quiet room around it."""
    sound = np.frombuffer(say(text, voice, speed), np.int16).astype(np.float32) * level
    random = np.random.default_rng(len(sound))
    padded = np.pad(sound, 8000) + random.normal(0, 8, len(sound) + 16_000)
    return np.clip(padded, -32_768, 32_767).astype(np.int16)


@functools.cache
def networks() -> Networks:
    """Both networks, loaded once."""
    return Networks()


@functools.cache
def small_word() -> WordFile:
    """The word; it hears the voices it was made with, and others now and then."""
    random = np.random.default_rng(1)

    def cut(text: str, voice: str) -> NDArray[np.float32]:
        return np.frombuffer(say(text, voice, 160), np.int16).astype(np.float32)

    spoken = [cut(PHRASE, voice) for voice in _VOICES]
    copies = Copies(spoken, _CONTEXT, networks(), random)
    word = copies.of_word(12)
    others = [
        windows(networks().of(cut(text, voice) * factor + random.normal(0, 8)), _CONTEXT)
        for text in _OTHERS
        for voice in _VOICES[::2]
        for factor in (0.1, 0.5)
    ]
    other = np.concatenate([*others, copies.of_noise(20)])
    every = np.concatenate([word, other])
    mean, scale = every.mean(0), every.std(0) + 1e-3
    scaled = (every - mean) / scale
    _, directions = np.linalg.eigh((scaled.T @ scaled / len(scaled)).astype(np.float64))
    directions = directions[:, ::-1][:, :_KEPT].astype(np.float32)
    projected = scaled @ directions
    is_word = np.repeat(np.array([1, 0], np.float32), [len(word), len(other)])
    arrays = {"mean": mean, "scale": scale, "directions": directions}
    arrays |= train(projected, is_word, np.ones(len(every), np.float32), 1, epochs=60)
    arrays |= {"word": projected[: len(word)], "others": projected[len(word) :]}
    threshold = float(Head(arrays, _CONTEXT).logits(other).max()) + 2.0
    card = Card(
        phrase=PHRASE, language="en", seconds=0.8, context=_CONTEXT, threshold=threshold, threshold_alone=threshold
    )
    return WordFile(card, arrays)


def heard(word: WordFile, samples: Samples) -> float:
    """By how much the word is above its threshold in this sound; below 0: it is not heard."""
    head = Head(word.arrays, word.card.context)
    padded = np.concatenate([np.zeros(24_000, np.int16), samples, np.zeros(8000, np.int16)]).astype(np.float32)
    return float(head.logits(windows(networks().of(padded), word.card.context)).max()) - word.card.threshold_alone
