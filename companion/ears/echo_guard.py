"""The echo guard: whether a person speaks while the loudspeaker plays, on plain hardware.

What is played is known. For each band of frequencies the guard keeps how much of what was played 0, 1, 2 ... frames ago
comes back: the delay, the room and the levels of both devices are all in these gains, and it learns them while it
listens. So it predicts the echo's energy, and how far above that the echo itself still goes; only what exceeds both in
the mean of all bands is a person. It begins with an echo as loud as what is played, or with what is known of an earlier
time: then the first second of echo is a trial, in which nobody is a person, and what fails it is forgotten.

Pure and deterministic. Levels are natural logarithms of energy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from companion.events import EAR_RATE

Samples = NDArray[np.float32]
_Levels = NDArray[np.float64]

BANDS = 14
LOWEST_HZ, HIGHEST_HZ = 120.0, 7000.0

REMEMBERED_S = 0.7
"""How long after it was played a sound may still be heard: 0.3 s of delay and a room of 0.6 s."""

PERSON = 0.45
"""Mean of what exceeds the prediction, 0 to `_MOST_EXCESS`, from which on a frame holds a person."""

_MOST_EXCESS = 2.0
_FIRST_S, _FAST, _STEADY = 2.0, 0.6, 0.15
"""While so much was played it learns faster."""
_TOGETHER = 0.3
"""How much of what is learned in one band is learned for all: the delay is the same for each."""
_MOST_ERROR = 3.0
_WITH_PERSON = 0.2
"""A person's sound does not belong to the echo; but what always exceeds the prediction is no person."""
_MARGIN, _LEAST_MARGIN, _MOST_MARGIN = 3.0, 0.7, 4.0
_MARGIN_UP, _MARGIN_DOWN = 0.15, 0.01
"""The margin is where 15 of 16 frames of echo stay below."""
_TRIAL_S = 1.0
_TRIAL_FAILED = 0.05
"""Share of the trial in which more is heard than what is known explains."""
_TRIAL_MARGIN = 2.0
_LEAST_GAIN, _MOST_GAIN = 1e-9, 1e4
_AROUND = 0.7
"""What comes a frame after the echo of a known delay, and after that, in relation to it: a room of 0.6 s."""
_NOISE_RISE = 1.003
_LEAST_ENERGY = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What a guard has learned of a loudspeaker and a microphone in their room."""

    samples: int
    """Length of its frames."""
    gains: _Levels
    """For each of the last frames, 0 the present one, and each band: the share of its energy that comes back."""
    margin: _Levels
    """How far the echo of a band exceeds what is expected of it."""

    @classmethod
    def of_delay(cls, samples: int, delay_s: float, echo_db: float) -> Self:
        """Where the delay and the level of the echo were measured, but nothing else."""
        first = delay_s * EAR_RATE / samples
        later = np.arange(_frames(samples)) - first
        shape = np.where(later > -1.0, _AROUND ** np.maximum(later - 1.0, 0.0), 0.0)
        gains = np.repeat((10 ** (echo_db / 10) * shape)[:, None], BANDS, axis=1)
        return cls(samples, gains, np.full(BANDS, _TRIAL_MARGIN))

    def change_from(self, before: Known) -> float:
        """How much of the echo is another than it was, in level or delay: 0 to 1."""
        if before.gains.shape != self.gains.shape:
            return 1.0
        now, then = (np.sqrt(np.clip(one.gains, 0.0, _MOST_GAIN)) for one in (self, before))
        return float(np.abs(now - then).sum() / max((now + then).sum(), _LEAST_GAIN))


class EchoGuard:
    """Fed with frames of the microphone and what was played meanwhile, each of `samples` samples."""

    _gains: _Levels
    _margin: _Levels

    def __init__(self, samples: int, known: Known | None = None) -> None:
        self.samples = samples
        self._first = _FIRST_S * EAR_RATE / samples
        self._window = np.hanning(samples).astype(np.float32)
        self._bands = _band_matrix(samples)
        self._played: _Levels = np.zeros((_frames(samples), BANDS))
        self._noise: _Levels | None = None
        self._learned = 0
        self._trial = self._failed = 0
        """Frames of the trial that are left, and those so far in which more was heard than is known of."""
        self._know_nothing()
        if known is not None and known.samples == samples and known.gains.shape == self._gains.shape:
            self._gains = np.clip(known.gains, _LEAST_GAIN, _MOST_GAIN)
            self._margin = np.clip(known.margin, _TRIAL_MARGIN, _MOST_MARGIN)
            self._trial = round(_TRIAL_S * EAR_RATE / samples)

    @property
    def known(self) -> Known | None:
        """What it has learned; None before that is enough."""
        if self._learned < self._first or self._trial:
            return None
        return Known(self.samples, self._gains.copy(), self._margin.copy())

    def _know_nothing(self) -> None:
        # As loud as what is played, whatever the delay, and a room behind it.
        later = np.arange(len(self._played))[:, None] - 4
        self._gains = np.repeat(0.3 * 0.7 ** np.maximum(later, 0.0), BANDS, axis=1)
        self._margin = np.full(BANDS, _MARGIN)

    def forget_played(self) -> None:
        """Nothing was played for `REMEMBERED_S`. What was learned stays."""
        self._played[:] = 0.0

    def play(self, played: Samples) -> None:
        """Note what was played in a frame whose sound is not known."""
        self._played[1:] = self._played[:-1]
        self._played[0] = self._energies(played)

    def is_person(self, heard: Samples, played: Samples) -> bool:
        """Whether the frame holds more than the echo of what is and was played. Learns from it."""
        self.play(played)
        energy = self._energies(heard)
        if self._noise is None:
            self._noise = energy.copy()
        parts = self._gains * self._played
        echo = parts.sum(axis=0)
        expected = echo + self._noise
        error = np.log(energy / expected)
        person = bool(np.clip(error - self._margin, 0.0, _MOST_EXCESS).mean() > PERSON)
        echoing = echo > self._noise
        if self._trial and (person or 3 * echoing.sum() > BANDS):
            self._try(failed=person)
            person = False
        self._learn(error, parts / expected, echoing, _WITH_PERSON if person else 1.0)
        self._noise = np.minimum(self._noise * _NOISE_RISE, (self._noise + energy) / 2)
        return person

    def _try(self, *, failed: bool) -> None:
        """One more frame of the trial."""
        self._trial -= 1
        self._failed += failed
        if not self._trial and self._failed > _TRIAL_FAILED * _TRIAL_S * EAR_RATE / self.samples:
            self._know_nothing()
            self._learned = 0

    def _learn(self, error: _Levels, shares: _Levels, echoing: NDArray[np.bool_], upwards: float) -> None:
        """Each gain moves as far as its part in what was expected."""
        speed = _STEADY
        if self._learned < self._first:
            speed = _FAST
            self._learned += bool(echoing.any())
        wrong = np.clip(error, -_MOST_ERROR, _MOST_ERROR)
        wrong[wrong > 0] *= upwards
        shares += _TOGETHER * (shares.mean(axis=1, keepdims=True) - shares)
        wrong += _TOGETHER * (wrong.mean() - wrong)
        self._gains *= np.exp(speed * shares * wrong)
        step = np.where(error > self._margin, _MARGIN_UP * upwards, -_MARGIN_DOWN)
        self._margin = np.clip(self._margin + np.where(echoing, step, 0.0), _LEAST_MARGIN, _MOST_MARGIN)

    def _energies(self, sound: Samples) -> _Levels:
        spectrum = np.abs(np.fft.rfft(sound * self._window))
        energies: _Levels = np.square(spectrum) @ self._bands + _LEAST_ENERGY
        return energies


def _frames(samples: int) -> int:
    """How many frames are remembered."""
    return round(REMEMBERED_S * EAR_RATE / samples)


def _band_matrix(samples: int) -> _Levels:
    """Which line of the spectrum belongs to which band; bands grow with frequency, and each has a line."""
    lines = np.fft.rfftfreq(samples, 1 / EAR_RATE)
    edges = np.geomspace(LOWEST_HZ, HIGHEST_HZ, BANDS + 1)
    matrix = ((lines[:, None] >= edges[:-1]) & (lines[:, None] < edges[1:])).astype(np.float64)
    for band in np.flatnonzero(matrix.sum(axis=0) == 0):
        matrix[np.abs(lines - edges[band : band + 2].mean()).argmin(), band] = 1.0
    return matrix
