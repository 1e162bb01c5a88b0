"""Copies of a few recordings, as the same people would sound farther away, faster, and in other noises.

The noises are made here: coloured ones, and a babble of the recordings themselves, played backwards and on top of each
other. So nothing has to be installed, and a unit learns against the sound of its own microphone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from companion.ears.wake_custom.embeddings import SPAN, STEP, Networks
from companion.ears.wake_custom.head import windows
from companion.ears.wake_custom.recordings import HEARD_AFTER
from companion.events import EAR_RATE

Numbers = NDArray[np.float32]

COPIES = 20
"""Of each recording."""
_SILENT_AFTER = round(0.36 * EAR_RATE)
_COLOURS = (0.0, 0.5, 1.0, 1.0, 1.5, 2.0)
"""Exponents of the power spectrum: white to brown."""
_BABBLES, _VOICES = 8, 6
_NOISE_S = 4
_NOISE_DB = (-5.0, 20.0)
"""How far the noise is below the word."""
_QUIET = 0.15
"""The share of copies without noise."""
_LEVELS = (2.0, 3.6)
"""Powers of ten: the level of the word, in units of 16 bits."""
_STRETCH = 0.1
_EQUALISER_DB = 3.0
_EQUALISER_HZ = (0, 100, 250, 600, 1500, 3000, 5000, 8000)
_FULL = 32_767.0


class Copies:
    """Makes windows (n, context * 96) out of words."""

    def __init__(self, words: Sequence[Numbers], context: int, networks: Networks, random: np.random.Generator) -> None:
        """`words`: the samples of each, cut out of its recording."""
        self._random = random
        self._networks = networks
        self._context = context
        self._length = (context + 4) * STEP + SPAN
        self._words = [word / np.sqrt((word**2).mean() + 1) for word in words]
        self._noises = [_coloured(colour, random) for colour in _COLOURS]
        self._noises += [self._babble() for _ in range(_BABBLES)]

    def of_word(self, copies: int = COPIES) -> Numbers:
        """Windows at whose end the word ends. Raises `SpeechError`."""
        found = [self._heard(word) for word in self._words for _ in range(copies)]
        return np.concatenate(found)

    def of_noise(self, pieces: int) -> Numbers:
        """Windows of the noises alone. Raises `SpeechError`."""
        found = []
        for _ in range(pieces):
            sound = self._noise() * 10 ** self._random.uniform(1, 3.5) + self._hiss(5)
            found.append(windows(self._networks.of(np.clip(sound, -_FULL, _FULL)), self._context))
        return np.concatenate(found)

    def _heard(self, word: Numbers) -> Numbers:
        random = self._random
        word = _equalised(_stretched(word, random.uniform(1 - _STRETCH, 1 + _STRETCH)), random)
        # At any place on the grid of the embeddings.
        end = self._length - _SILENT_AFTER - int(random.integers(STEP))
        word = word[-end:]
        sound = np.zeros(self._length, np.float32)
        level = 10 ** random.uniform(*_LEVELS)
        sound[end - len(word) : end] = word * level
        if random.random() >= _QUIET:
            sound += self._noise() * level * 10 ** (-random.uniform(*_NOISE_DB) / 20)
        sound += self._hiss(random.uniform(3, 20))
        found = windows(self._networks.of(np.clip(sound, -_FULL, _FULL)), self._context)
        ends = (np.arange(len(found)) + self._context - 1) * STEP + SPAN
        return found[(ends > end) & (ends < end + HEARD_AFTER)]

    def _noise(self) -> Numbers:
        noise = self._noises[int(self._random.integers(len(self._noises)))]
        start = int(self._random.integers(len(noise) - self._length))
        return noise[start : start + self._length]

    def _hiss(self, level: float) -> Numbers:
        """What every microphone makes by itself."""
        return self._random.standard_normal(self._length, np.float32) * np.float32(level)

    def _babble(self) -> Numbers:
        random = self._random
        length = _NOISE_S * EAR_RATE
        babble = np.zeros(length, np.float32)
        for _ in range(_VOICES):
            voice = np.concatenate([self._words[at][::-1] for at in random.permutation(len(self._words))])
            babble += np.resize(np.roll(voice, int(random.integers(len(voice)))), length) * random.uniform(0.5, 1.5)
        babble = babble / babble.std() + self._noises[int(random.integers(len(_COLOURS)))] * random.uniform(0, 1.2)
        scaled: Numbers = (babble / babble.std()).astype(np.float32)
        return scaled


def _coloured(colour: float, random: np.random.Generator) -> Numbers:
    length = _NOISE_S * EAR_RATE
    spectrum = np.fft.rfft(random.standard_normal(length))
    # Nothing below 2 Hz times the length's inverse: it would be a single slow swing.
    spectrum /= np.maximum(np.arange(len(spectrum)), 8) ** (colour / 2)
    noise = np.fft.irfft(spectrum, length)
    scaled: Numbers = (noise / noise.std()).astype(np.float32)
    return scaled


def _stretched(sound: Numbers, factor: float) -> Numbers:
    length = int(len(sound) * factor)
    return np.interp(np.arange(length) / factor, np.arange(len(sound)), sound).astype(np.float32)


def _equalised(sound: Numbers, random: np.random.Generator) -> Numbers:
    """As another place in the room would colour it."""
    spectrum = np.fft.rfft(sound)
    bands = np.linspace(0, EAR_RATE / 2, len(spectrum))
    gains_db = random.normal(0, _EQUALISER_DB, len(_EQUALISER_HZ))
    coloured: Numbers = np.fft.irfft(
        spectrum * 10 ** (np.interp(bands, _EQUALISER_HZ, gains_db) / 20), len(sound)
    ).astype(np.float32)
    return coloured
