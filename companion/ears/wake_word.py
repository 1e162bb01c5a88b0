"""Wake words with microWakeWord's ready-made models (pymicro-wakeword, TensorFlow Lite; library and models Apache-2.0).

No thread and no executor: one call on 32 ms of sound takes about 0.1 ms, and handing it to a thread would take as long
again (docs/decisions/0002-short-calls-inline.md). The models advance in steps of 30 ms and average five steps, so a
word is recognised 0.1 to 0.3 s after its end. Positions are samples at `EAR_RATE`.
"""

from __future__ import annotations

import importlib.util
from typing import Any

from companion.config.device import WAKE_WORDS, Device
from companion.config.persona import Persona
from companion.config.wording import nearest
from companion.errors import ConfigError, EngineUnavailable
from companion.events import EAR_RATE, AudioFrame

WORDS = WAKE_WORDS

_NOT_LOADED = (
    "the wake word engine 'micro' cannot be loaded: install the package pymicro-wakeword for this processor, "
    'or set ears.wake to "button" or "open"'
)

REFRACTORY = EAR_RATE
"""Samples after a recognition in which there is no second one: the average stays high for 0.2 to 1.1 s after a word."""


class MicroWakeWord:
    """One of `WORDS`. Satisfies `companion.ports.WakeWord`."""

    def __init__(self, word: str, model: Any, features: Any, threshold: float) -> None:
        self.word = word
        self._model = model
        self._features = features
        self._threshold = threshold
        self._windows = 0
        self._refractory_until: int | None = None
        """Set by a recognition; cleared by the first low result at or after this position."""

    def detect(self, frame: AudioFrame) -> bool:
        """True once for each time that the word ends in this frame or shortly before it."""
        above = False
        answered = False
        for features in self._features.process_streaming(frame.pcm):
            probability = self._model.process_streaming_prob(features)
            self._windows += 1
            # The model gives a result every `stride` windows; in between the library returns 0, which means nothing.
            if self._windows % self._model.stride == 0:
                answered = True
                above = above or probability > self._threshold
        if self._refractory_until is not None:
            # The lower bound is for positions that start again from 0 because the microphone was reopened.
            waiting = self._refractory_until - REFRACTORY <= frame.end < self._refractory_until
            if waiting or above or not answered:
                return False
            self._refractory_until = None
        if above:
            self._refractory_until = frame.end + REFRACTORY
        return above

    def reset(self) -> None:
        """Forget the sound so far. Takes about 0.25 ms, because the library reloads its model (60 kB)."""
        self._model.reset()
        self._features.reset()
        self._windows = 0
        self._refractory_until = None


def check(device: Device, persona: Persona) -> None:  # noqa: ARG001 - the shape of every check
    """Raise `ConfigError` for an unknown word, and `EngineUnavailable` where the library is not installed."""
    word = device.ears.wake.word
    if word not in WORDS:
        # A mistake in the file, which starting again does not mend.
        raise ConfigError(f"there is no wake word '{word}'; {nearest(word, WORDS)} There is {', '.join(WORDS)}.")
    if importlib.util.find_spec("pymicro_wakeword") is None:
        raise EngineUnavailable(_NOT_LOADED)


def build(device: Device, persona: Persona) -> MicroWakeWord:
    """Load the wake word that the device file names. Raises `ConfigError` and `EngineUnavailable`."""
    check(device, persona)
    settings = device.ears.wake
    try:
        from pymicro_wakeword import MicroWakeWord as Library
        from pymicro_wakeword import MicroWakeWordFeatures, Model

        model = Library.from_builtin(Model(settings.word))
    except (ImportError, OSError, ValueError) as error:
        raise EngineUnavailable(f"{_NOT_LOADED} ({error})") from error
    threshold = model.probability_cutoff if settings.threshold is None else settings.threshold
    return MicroWakeWord(settings.word, model, MicroWakeWordFeatures(), threshold)
