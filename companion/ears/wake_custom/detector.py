"""The engine `embedding`: wake words of one's own, from `.ww` files. All of them share the embeddings of the sound.

A window whose logit comes near the threshold is a candidate. It is a wake at once where nothing could change that, and
else when the second look's opinion of the same sound, asked meanwhile, lifts it over the threshold.
"""

from __future__ import annotations

import math
import time
from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from companion.config.device import Device
from companion.config.persona import Persona
from companion.config.wake import WakeWordSettings
from companion.config.word_file import WordFile
from companion.ears.wake_custom.embeddings import NOT_LOADED, SIZE, Networks, SpeechEmbeddings, package_folder
from companion.ears.wake_custom.head import Head, windows
from companion.ears.wake_custom.learnt import read_learnt
from companion.ears.wake_custom.second_look import FILE_WAIT_S, LIVE_WAIT_S, KeyphraseProcess
from companion.errors import ConfigError, EngineUnavailable, SpeechError
from companion.events import EAR_RATE, SAMPLE_BYTES, AudioFrame

Numbers = NDArray[np.float32]

REFRACTORY = EAR_RATE
"""Samples after a recognition in which there is no second one."""

_ANSWER_AFTER = round(0.09 * EAR_RATE)
"""Samples after a question until its answer is taken: always the same, so that a file always gives the same result."""
_AGAIN = 0.1
"""How much higher the logit must be to ask about the same sound once more."""
LEAST_SOUND_S = 0.5
"""Sound before the word that the second look gets too."""
_SENSITIVITY = 3.0
"""How far the sensitivities 0 and 1 move the threshold, in logits, up and down."""


@dataclass(slots=True)
class _Question:
    number: int
    at: int
    """Position at which it was asked."""
    asked: float
    """`time.monotonic()` then."""
    logit: float


@dataclass(slots=True)
class OwnWord:
    """One word while it is listened for."""

    settings: WakeWordSettings
    file: WordFile
    head: Head = field(init=False)
    question: _Question | None = None
    refused: float = -math.inf
    """The highest logit of a sound that the second look did not take for the word, until that is over."""

    def __post_init__(self) -> None:
        try:
            self.head = Head(self.file.arrays, self.file.card.context)
        except ValueError as error:
            raise ConfigError(
                f"{self.settings.word}: is no whole wake word ({error}); make it anew with: companion wakeword train"
            ) from error

    def threshold(self, *, with_look: bool) -> float:
        """The logit above which it was heard, at its sensitivity."""
        card = self.file.card
        usual = card.threshold if with_look else card.threshold_alone
        return usual - (2 * self.settings.sensitivity - 1) * _SENSITIVITY


class EmbeddingWakeWord:
    """All words of `.ww` files. Satisfies `companion.ports.WakeWord`."""

    def __init__(self, words: list[OwnWord], networks: Networks, second_look: KeyphraseProcess | None = None) -> None:
        """`second_look`: made with `looked_at(words)`, where it is not the engine's alone. The engine closes it."""
        self.words = tuple(word.settings.name for word in words)
        self._own = words
        self._embeddings = SpeechEmbeddings(networks)
        self._longest = max(word.head.context for word in words)
        self._recent = np.zeros((0, SIZE), np.float32)
        self._second_look = second_look or KeyphraseProcess(looked_at(words))
        with_look = [word.settings.name for word in words if word.file.card.second_look is not None]
        self._numbers = {name: at for at, name in enumerate(with_look)}
        self._is_slow = False
        """Whether the last answer did not come in time, so that it is not waited for any longer."""
        self._sound: deque[bytes] = deque()
        kept_s = max(word.file.card.seconds for word in words) + LEAST_SOUND_S
        self._kept = round(kept_s * EAR_RATE) * SAMPLE_BYTES
        self._refractory_until: int | None = None

    def detect(self, frame: AudioFrame, *, speaking: bool = False) -> str | None:
        """The word that ends in this frame or shortly before it. Raises `SpeechError`."""
        self._sound.append(frame.pcm)
        while sum(map(len, self._sound)) - len(self._sound[0]) >= self._kept:
            self._sound.popleft()
        found = self._embeddings.feed(frame.pcm)
        if not np.isfinite(found).all():
            raise SpeechError("the speech embeddings of the wake word are no numbers any more")
        self._recent = np.concatenate([self._recent, found])[-(self._longest + len(found)) :]
        heard = None
        for word in self._own:
            if self._is_heard(word, frame, len(found)) and (speaking or word.settings.role == "wake"):
                heard = heard or word.settings.name
        if self._refractory_until is not None:
            # The lower bound is for positions that start again from 0 because the microphone was reopened.
            if self._refractory_until - REFRACTORY <= frame.end < self._refractory_until:
                return None
            self._refractory_until = None
        if heard is not None:
            self._refractory_until = frame.end + REFRACTORY
        return heard

    def reset(self) -> None:
        """Forget the sound so far."""
        self._embeddings.reset()
        self._recent = np.zeros((0, SIZE), np.float32)
        self._sound.clear()
        self._refractory_until = None
        for word in self._own:
            word.question, word.refused = None, -math.inf

    def close(self) -> None:
        """End the second look's process."""
        self._second_look.close()

    def _is_heard(self, word: OwnWord, frame: AudioFrame, fresh: int) -> bool:
        card = word.file.card
        look = card.second_look if self._second_look.is_there else None
        threshold = word.threshold(with_look=look is not None)
        best = -math.inf
        if fresh:
            seen = self._recent[-(word.head.context + fresh - 1) :]
            best = float(word.head.logits(windows(seen, word.head.context)).max(initial=-np.inf))
        if look is None:
            if word.question is not None:
                best, word.question = max(best, word.question.logit), None
            return best >= threshold
        reach = look.most
        if best >= threshold + reach:
            word.question = None
            return True
        if fresh and best < threshold - reach and word.question is None:
            word.refused = -math.inf
        elif best >= threshold - reach and word.question is None and best > word.refused + _AGAIN:
            length = round((card.seconds + LEAST_SOUND_S) * EAR_RATE) * SAMPLE_BYTES
            number = self._second_look.ask(self._numbers[word.settings.name], b"".join(self._sound)[-length:])
            if number is None:
                return best >= word.threshold(with_look=False)
            word.question = _Question(number, frame.end, time.monotonic(), best)
        question = word.question
        if question is None:
            return False
        question.logit = max(question.logit, best)
        if 0 <= frame.end - question.at < _ANSWER_AFTER:
            return False
        word.question = None
        waited = time.monotonic() - question.asked
        # Sound that comes faster than it sounds is a file's, or was kept while the gate was closed.
        live = self._is_slow or waited >= 0.5 * _ANSWER_AFTER / EAR_RATE
        score = self._second_look.answer(question.number, max(LIVE_WAIT_S - waited, 0.0) if live else FILE_WAIT_S)
        self._is_slow = score is None
        if score is None:
            heard = question.logit >= word.threshold(with_look=False)
        else:
            heard = question.logit + look.share(score) >= threshold
        word.refused = -math.inf if heard else question.logit
        return heard


def own_word(settings: WakeWordSettings) -> OwnWord:
    """The word with what it has learnt on this unit, read from its file. Raises `ConfigError`."""
    if settings.file is None:
        raise ConfigError(f'ears.wake: "{settings.word}" is no .ww file; leave ears.wake.engine out')
    return OwnWord(settings, read_learnt(settings.file))


def looked_at(words: list[OwnWord]) -> list[tuple[str, ...]]:
    """The pronunciations of those that have a second look, for the process that takes it."""
    return [word.file.card.second_look.pronunciations for word in words if word.file.card.second_look is not None]


def own_words(device: Device) -> list[OwnWord]:
    """The words that this engine hears, read from their files. Raises `ConfigError`."""
    problems: list[str] = []
    words: list[OwnWord] = []
    for settings in device.ears.wake.heard_by("embedding"):
        try:
            words.append(own_word(settings))
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    return words


def check(device: Device, persona: Persona) -> None:  # noqa: ARG001 - the shape of every check
    """Raise `ConfigError` for a file that is no word, and `EngineUnavailable` where the library is not installed."""
    own_words(device)
    if package_folder() is None:
        raise EngineUnavailable(NOT_LOADED)


def build(device: Device, persona: Persona) -> EmbeddingWakeWord:  # noqa: ARG001 - the shape of every factory
    """Load the words that the device file names. Raises `ConfigError` and `EngineUnavailable`."""
    return EmbeddingWakeWord(own_words(device), Networks())
