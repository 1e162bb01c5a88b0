"""Synthetic rooms: reverberation, microphones, distances and noise around a synthetic voice. Pure.

Sound is float32 at 16 kHz, in units of 16 bits.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from companion.events import EAR_RATE

Sound = NDArray[np.float32]

_ECHO = 8000
"""Samples that the longest echo lasts at least."""


class Rooms:
    """A number of echoes and noises, from which each piece of sound gets other ones."""

    def __init__(self, random: np.random.Generator, talk: Sound) -> None:
        """`talk`: an endless talk of many voices, of which babble is made."""
        self._echoes = [_echo(random) for _ in range(60)]
        length = EAR_RATE * 8
        self._noises = [_coloured(random, length, slope) for slope in (0.0, 0.5, 1.0, 1.0, 1.5, 2.0)]
        babble = []
        for _ in range(10):
            together = np.zeros(length, np.float32)
            for _ in range(int(random.integers(2, 8))):
                at = random.integers(max(1, len(talk) - length))
                together += np.resize(talk[at : at + length], length) * np.float32(random.uniform(0.5, 1.5))
            babble.append(together / (together.std() + np.float32(1e-3)))
        plain = len(self._noises)
        self._noises += babble
        for _ in range(8):
            both = babble[random.integers(10)] + self._noises[random.integers(plain)] * np.float32(
                random.uniform(0.3, 1.5)
            )
            self._noises.append(both / both.std())

    def noise(self, length: int, random: np.random.Generator) -> Sound:
        """Some noise with a root mean square of 1."""
        noise = self._noises[random.integers(len(self._noises))]
        at = random.integers(max(1, len(noise) - length))
        return np.resize(noise[at : at + length], length)

    def heard(self, sound: Sound, random: np.random.Generator) -> Sound:
        """How some microphone in some room would hear it."""
        length = len(sound)
        size = 1 << (length + _ECHO - 1).bit_length()
        spectrum = np.fft.rfft(sound, size)
        if random.random() < 0.6:
            spectrum *= np.fft.rfft(self._echoes[random.integers(len(self._echoes))], size)
        spectrum *= _equaliser(len(spectrum), random)
        sound = np.fft.irfft(spectrum, size)[:length].astype(np.float32)
        level = np.float32(10 ** random.uniform(1.7, 3.7))
        sound *= level / (np.sqrt(np.mean(sound**2) * 1.5) + 1e-3)
        if random.random() < 0.05:
            # Somebody who calls into the microphone.
            sound = np.clip(sound * 8000 / level, -32768, 32767)
            level = np.float32(8000)
        if random.random() < 0.75:
            sound += self.noise(length, random) * level * np.float32(10 ** (-random.uniform(2, 35) / 20))
        sound += random.standard_normal(length, np.float32) * np.float32(random.uniform(2, 20))
        return np.clip(sound, -32768, 32767)


def placed(word: Sound, end: int, length: int, talk: Sequence[Sound], random: np.random.Generator) -> Sound:
    """A piece of `length` samples in which the word ends at `end`; at times somebody speaks before or after it."""
    piece = np.zeros(length, np.float32)
    if random.random() < 0.4:
        before = talk[int(random.integers(len(talk)))]
        at = end - len(word) - int(random.uniform(0.05, 0.5) * EAR_RATE)
        if at > 0:
            before = before[-at:]
            piece[at - len(before) : at] = before * random.uniform(0.3, 1.2)
    word = word[-end:]
    piece[end - len(word) : end] += word
    if random.random() < 0.4:
        after = talk[int(random.integers(len(talk)))]
        at = end + int(random.uniform(0.03, 0.3) * EAR_RATE)
        after = after[: max(0, length - at)]
        piece[at : at + len(after)] += after * random.uniform(0.3, 1.2)
    return piece


def _echo(random: np.random.Generator) -> Sound:
    """The response of a room: direct sound, and a tail that falls by 60 dB in 0.1 to 0.5 s."""
    length = int(random.uniform(0.1, 0.5) * EAR_RATE)
    tail = random.standard_normal(length) * np.exp(-6.9 * np.arange(length) / length)
    tail[: int(random.uniform(1, 8) * EAR_RATE / 1000)] = 0
    tail *= 10 ** (random.uniform(-12, 2) / 20) / np.sqrt(np.sum(tail**2))
    tail[0] = 1
    echo: Sound = tail.astype(np.float32)
    return echo


def _coloured(random: np.random.Generator, length: int, slope: float) -> Sound:
    """Noise whose power falls with the frequency to the power of `slope`: 0 is white, 1 pink, 2 brown."""
    spectrum = np.fft.rfft(random.standard_normal(length))
    noise = np.fft.irfft(spectrum * np.maximum(np.arange(len(spectrum)), 3) ** (-slope / 2), length)
    coloured: Sound = (noise / noise.std()).astype(np.float32)
    return coloured


def _equaliser(size: int, random: np.random.Generator) -> NDArray[np.float64]:
    """The gain of some microphone at each frequency: uneven, with little at both ends."""
    at = np.array([0, 100, 250, 600, 1500, 3000, 5000, 8000])
    gain = random.normal(0, 4, len(at))
    gain[0] -= random.uniform(0, 15)
    gain[-1] -= random.uniform(0, 10)
    return np.asarray(10 ** (np.interp(np.linspace(0, EAR_RATE / 2, size), at, gain) / 20))
