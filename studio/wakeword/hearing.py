"""A wake word's engine as a unit runs it, once for each sensitivity, over the same sound.

Each engine decides as it would on a unit. What is the same for all is worked out once: the embeddings of the sound, and
the second look's answer about the same piece of it.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from companion.config.wake import WAKE_WORDS, WORD_FILE, WakeWordSettings
from companion.config.word_file import WordFile, read
from companion.config.wording import nearest
from companion.ears.wake_custom.detector import EmbeddingWakeWord, OwnWord, looked_at
from companion.ears.wake_custom.embeddings import Networks
from companion.ears.wake_custom.second_look import FILE_WAIT_S, KeyphraseProcess
from companion.ears.wake_word import MicroWakeWord, engine
from companion.errors import ConfigError
from companion.events import EAR_RATE, SAMPLE_BYTES, AudioFrame

Numbers = NDArray[np.float32]

SENSITIVITIES = tuple(step / 10 for step in range(11))
OWN = 0.5
"""The sensitivity at which a word has its own threshold."""

FRAME = 512
"""Samples in a frame of the ears: 32 ms."""


_KEPT = 100
"""Answers: more than there are questions until the last engine has asked for one."""


class Word:
    """What is evaluated: a `.ww` file, or a ready-made word."""

    def __init__(self, given: str) -> None:
        """Raises `ConfigError`."""
        self.given = given
        self.file: WordFile | None = None
        if given.endswith(WORD_FILE):
            self.file = read(Path(given))
            OwnWord(WakeWordSettings(word=Path(given)), self.file)
        elif given not in WAKE_WORDS:
            near = nearest(given, WAKE_WORDS)
            raise ConfigError(f'there is no wake word "{given}"; {near} Name a .ww file, or {", ".join(WAKE_WORDS)}.')

    @property
    def name(self) -> str:
        """How it is spoken."""
        return self.file.phrase if self.file else self.given.replace("_", " ")

    def at(self, sensitivity: float) -> WakeWordSettings:
        """Its entry in `ears.wake.words`."""
        return WakeWordSettings(word=Path(self.given) if self.file else self.given, sensitivity=sensitivity)


class _SharedNetworks(Networks):
    """Works through the same sound once, however many ask for it one after the other."""

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[str, tuple[Numbers, Numbers]] = {}

    def mels(self, samples: Numbers) -> Numbers:
        """See `Networks`."""
        if "mels" not in self._last or not np.array_equal(self._last["mels"][0], samples):
            self._last["mels"] = samples, super().mels(samples)
        return self._last["mels"][1]

    def embed(self, mels: Numbers) -> Numbers:
        """See `Networks`."""
        if "embed" not in self._last or not np.array_equal(self._last["embed"][0], mels):
            self._last["embed"] = mels, super().embed(mels)
        return self._last["embed"][1]


class _SharedLook(KeyphraseProcess):
    """Looks at the same sound once, and is always waited for, so that a busy machine gives the same result."""

    def __init__(self, words: Sequence[Sequence[str]]) -> None:
        super().__init__(words)
        self._last: tuple[int, bytes] | None = None
        self._number: int | None = None
        self._kept: dict[int, float | None] = {}

    def ask(self, word: int, pcm: bytes) -> int | None:
        """See `KeyphraseProcess`."""
        if self._last != (word, pcm):
            self._last, self._number = (word, pcm), super().ask(word, pcm)
        return self._number

    def answer(self, question: int, wait_s: float) -> float | None:  # noqa: ARG002 - the shape of the method
        """See `KeyphraseProcess`."""
        if question not in self._kept:
            self._kept[question] = super().answer(question, FILE_WAIT_S)
            self._kept.pop(question - _KEPT, None)
        return self._kept[question]


class Hearing:
    """The engine of a word at each of some sensitivities."""

    def __init__(self, word: Word, sensitivities: Iterable[float] = SENSITIVITIES) -> None:
        """Raises `EngineUnavailable`."""
        self.second_look = False
        """Whether there is one."""
        self.thresholds: list[float] = []
        """One for each sensitivity: of a `.ww` file a logit, of a ready-made word a probability."""
        self._engines: list[EmbeddingWakeWord | MicroWakeWord] = []
        settings = [word.at(sensitivity) for sensitivity in sensitivities]
        if word.file is None:
            for one in settings:
                made = engine([one])
                self._engines.append(made)
                self.thresholds.append(made.thresholds[one.name])
            return
        networks = _SharedNetworks()
        look = _SharedLook(looked_at([OwnWord(settings[0], word.file)]))
        self.second_look = look.is_there
        for one in settings:
            own = OwnWord(one, word.file)
            self._engines.append(EmbeddingWakeWord([own], networks, look))
            self.thresholds.append(own.threshold(with_look=look.is_there))

    def detect(self, frame: AudioFrame) -> list[bool]:
        """Whether it is recognised in this frame, at each sensitivity. Raises `SpeechError`."""
        return [one.detect(frame) is not None for one in self._engines]

    def reset(self) -> None:
        """Forget the sound so far."""
        for one in self._engines:
            one.reset()

    def close(self) -> None:
        """End the second look's process."""
        for one in self._engines:
            if isinstance(one, EmbeddingWakeWord):
                one.close()


def frames(blocks: Iterable[bytes]) -> Iterator[AudioFrame]:
    """A stream of sound in frames as the ears get them. What is left at its end is too short for one."""
    rest, at = b"", 0
    for block in blocks:
        rest += block
        whole = len(rest) // (FRAME * SAMPLE_BYTES)
        for number in range(whole):
            pcm = rest[number * FRAME * SAMPLE_BYTES : (number + 1) * FRAME * SAMPLE_BYTES]
            yield AudioFrame(pcm, at)
            at += FRAME
        rest = rest[whole * FRAME * SAMPLE_BYTES :]


def processor_time(word: Word, sound: Iterable[bytes]) -> float:
    """Processor seconds per second of sound of one engine at its own threshold, its second look's process included."""
    before = _spent_by_children()
    if word.file is not None:
        # What the start of that process takes is no price of hearing.
        look = KeyphraseProcess(looked_at([OwnWord(word.at(OWN), word.file)]))
        asked = look.ask(0, bytes(EAR_RATE * SAMPLE_BYTES))
        if asked is not None:
            look.answer(asked, FILE_WAIT_S)
        look.close()
    start = _spent_by_children() - before
    stream = list(frames(sound))
    hearing = Hearing(word, [OWN])
    before, spent = _spent_by_children(), time.process_time()
    for frame in stream:
        hearing.detect(frame)
    spent = time.process_time() - spent
    hearing.close()
    children = max(_spent_by_children() - before - start, 0.0)
    return (spent + children) * EAR_RATE / max(len(stream) * FRAME, 1)


def _spent_by_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
