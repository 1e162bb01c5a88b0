"""Wake words with microWakeWord's ready-made models (pymicro-wakeword, TensorFlow Lite; library and models Apache-2.0).

Several words share the features of the sound, which cost more than any of their models. No thread and no executor: one
call on 32 ms of sound takes about 0.1 ms, and handing it to a thread would take as long again
(docs/decisions/0002-short-calls-inline.md). The models advance in steps of 30 ms and average five steps, so a word is
recognised 0.1 to 0.3 s after its end. Positions are samples at `EAR_RATE`.
"""

from __future__ import annotations

import ctypes
import importlib.util
import math
from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np

from companion.config.device import Device
from companion.config.persona import Persona
from companion.config.wake import WAKE_WORDS, WakeWordSettings
from companion.config.wording import nearest
from companion.errors import ConfigError, EngineUnavailable, SpeechError
from companion.events import EAR_RATE, AudioFrame

WORDS = WAKE_WORDS

_NOT_LOADED = (
    "the wake word engine 'micro' cannot be loaded: install the package pymicro-wakeword for this processor, "
    'or set ears.wake to "button" or "open"'
)

SIGN = 0.1
"""The average from which on the word may be coming: one of the five results says more likely than not. Measured in 22
minutes of speech without the word it does so once or twice (`hey_mycroft`: 20 times), and 0.1 to 0.3 s before the
recognition."""

REFRACTORY = EAR_RATE
"""Samples after a recognition in which there is no second one: the average stays high for 0.2 to 1.1 s after a word."""

SILENT = EAR_RATE
"""Samples without a result after which the library counts as broken: it gives 33 a second."""

_LESS_SENSITIVE, _MORE_SENSITIVE = 1.0, 1.5
"""How far the sensitivities 0 and 1 move a threshold, in the logarithm of its odds. At 0 even the strictest model can
still be heard: no average of its results is above 0.996."""


def threshold_at(sensitivity: float, usual: float) -> float:
    """The probability above which a word is recognised; the `usual` one at 0.5. A higher sensitivity lowers it."""
    moved = 1 - 2 * sensitivity
    odds = math.log(usual / (1 - usual)) + moved * (_LESS_SENSITIVE if moved > 0 else _MORE_SENSITIVE)
    return 1 / (1 + math.exp(-odds))


class WordModel:
    """The model of one word, fed with the quantized features of `stride` windows at a time.

    It runs the library's interpreter itself: the library would quantize the features for each word anew, which takes
    twice the time of the model, and does not look whether a step failed.
    """

    def __init__(self, settings: WakeWordSettings, model: Any, threshold: float | None = None) -> None:
        self.word = settings.name
        self.is_stop = settings.role == "stop"
        self.threshold = threshold or threshold_at(settings.sensitivity, model.probability_cutoff)
        self._model = model
        self._results: deque[int] = deque(maxlen=model.sliding_window_size)
        self._result = np.zeros(1, model.output_dtype)
        self._result_at = self._result.ctypes.data_as(ctypes.c_void_p)
        self.form = (model.stride, model.input_scale, model.input_zero_point, model.input_dtype)
        """What its input looks like."""

    def step(self, windows: bytes) -> float:
        """The probability, averaged over the last steps; 0 at first. Raises `SpeechError`."""
        model, library = self._model, self._model.lib
        failed = (
            library.TfLiteTensorCopyFromBuffer(model.input_tensor, windows, len(windows))
            or library.TfLiteInterpreterInvoke(model.interpreter)
            or library.TfLiteTensorCopyToBuffer(model.output_tensor, self._result_at, self._result.nbytes)
        )
        if failed:
            raise SpeechError(f'the model of the wake word "{self.word}" failed (TensorFlow Lite, status {failed})')
        self._results.append(int(self._result[0]))
        if len(self._results) < model.sliding_window_size:
            return 0.0
        mean = sum(self._results) / len(self._results) - model.output_zero_point
        return float(mean * model.output_scale)

    def reset(self) -> None:
        """Forget the sound so far. Takes about 0.25 ms, because the library reloads its model (60 kB)."""
        self._model.reset()
        self._results.clear()


class MicroWakeWord:
    """Some of `WORDS` at once. Satisfies `companion.ports.WakeWord`."""

    def __init__(self, models: Sequence[WordModel], features: Any) -> None:
        """Raises `EngineUnavailable` for models that want their input in different forms."""
        if len({model.form for model in models}) != 1:
            raise EngineUnavailable("these wake words cannot be heard together: their models take different input")
        self.words = tuple(model.word for model in models)
        self.thresholds = {model.word: model.threshold for model in models}
        """The probability above which each is recognised."""
        self._models = models
        self._features = features
        self._windows: list[Any] = []
        self._speaking = False
        self._silent = 0
        """Samples since the last result."""
        self._refractory_until: int | None = None
        """Set by a recognition; cleared by the first low result at or after this position."""
        self.suspects = False
        """Whether a word may be coming: see `companion.ports.WakeWord`."""

    def detect(self, frame: AudioFrame, *, speaking: bool = False) -> str | None:
        """The word, once for each time that it ends in this frame or shortly before it. Raises `SpeechError`."""
        live = [model for model in self._models if speaking or not model.is_stop]
        if speaking and not self._speaking:
            for model in live:
                if model.is_stop:
                    model.reset()
        self._speaking = speaking
        self._silent += frame.end - frame.start
        answered, best, margin = False, None, 0.0
        for windows in self._steps(frame.pcm):
            answered, self._silent, self.suspects = True, 0, False
            for model in live:
                probability = model.step(windows)
                self.suspects = self.suspects or probability > SIGN
                above = probability - model.threshold
                if above > margin:
                    best, margin = model.word, above
        if self._silent > SILENT:
            raise SpeechError("the wake word's library gives no results any more")
        if self._refractory_until is not None:
            # The lower bound is for positions that start again from 0 because the microphone was reopened.
            waiting = self._refractory_until - REFRACTORY <= frame.end < self._refractory_until
            if waiting or best is not None or not answered:
                self.suspects = False
                return None
            self._refractory_until = None
        if best is not None:
            self._refractory_until = frame.end + REFRACTORY
            self.suspects = False
        return best

    def reset(self) -> None:
        """Forget the sound so far."""
        for model in self._models:
            model.reset()
        self._features.reset()
        self._windows.clear()
        self._silent = 0
        self._refractory_until = None
        self.suspects = False

    def _steps(self, pcm: bytes) -> list[bytes]:
        """The input of the models for each step that this sound completes."""
        stride, scale, zero_point, dtype = self._models[0].form
        steps = []
        for window in self._features.process_streaming(pcm):
            self._windows.append(window)
            if len(self._windows) == stride:
                quantized = np.round(np.concatenate(self._windows, axis=1) / scale + zero_point).astype(dtype)
                steps.append(quantized.tobytes())
                self._windows.clear()
        return steps


def check(device: Device, persona: Persona) -> None:  # noqa: ARG001 - the shape of every check
    """Raise `ConfigError` for an unknown word, and `EngineUnavailable` where the library is not installed."""
    for one in device.ears.wake.heard_by("micro"):
        # A mistake in the file, which starting again does not mend.
        if one.file is not None:
            raise ConfigError(f"{one.file.name} is no word of the engine micro; leave ears.wake.engine out")
        if one.name not in WORDS:
            raise ConfigError(
                f"there is no wake word '{one.name}'; {nearest(one.name, WORDS)} There is {', '.join(WORDS)}."
            )
    if importlib.util.find_spec("pymicro_wakeword") is None:
        raise EngineUnavailable(_NOT_LOADED)


def build(device: Device, persona: Persona) -> MicroWakeWord:
    """Load the ready-made words of the device file. Raises `ConfigError` and `EngineUnavailable`."""
    check(device, persona)
    settings = device.ears.wake
    return engine(settings.heard_by("micro"), settings.threshold)


def engine(words: Sequence[WakeWordSettings], threshold: float | None = None) -> MicroWakeWord:
    """Load these ready-made words; `threshold` takes the place of their own. Raises `EngineUnavailable`."""
    try:
        from pymicro_wakeword import MicroWakeWord as Library
        from pymicro_wakeword import MicroWakeWordFeatures, Model

        models = [WordModel(one, Library.from_builtin(Model(one.name)), threshold) for one in words]
        return MicroWakeWord(models, MicroWakeWordFeatures())
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        raise EngineUnavailable(f"{_NOT_LOADED} ({error})") from error
