"""From the spelling of a phrase to a wake word: synthetic voices, windows, head, thresholds. Offline, in two minutes.

The same phrase, language, seed and voices give the same file on the same machine.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import companion
from companion.config.word_file import Card, WordFile
from companion.ears.wake_custom import learning
from companion.ears.wake_custom.head import Head
from companion.events import EAR_RATE
from studio.wakeword.language import WordLanguage
from studio.wakeword.phonemes import near, phonemes, pronunciations
from studio.wakeword.speech import PiperVoices, Saying, any_saying, said
from studio.wakeword.thresholds import Thresholds, thresholds
from studio.wakeword.windows import CONTEXT, Maker, Work, maker

Sound = NDArray[np.float32]
Numbers = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Size:
    """How much is made. The default takes some 150 s of processor time."""

    words: int = 500
    """How often the phrase is said, each time by somebody else."""
    piper_words: int = 200
    """How often the Piper voices say it, where there are any."""
    copies: int = 5
    """In how many rooms each of them is heard."""
    others: int = 900
    """How many sayings that sound near it there are, and how many sentences."""
    other_copies: int = 2
    tested_words: int = 150
    tested_talk: int = 1600
    """How often the phrase, and how many sentences, are said by others for the thresholds."""


KEPT = 128
"""Principal directions of the windows."""
BANK = (400, 2000)
"""Windows of the word and of others that the file keeps, so that a unit can go on learning."""
_PIECE_OF_WORK = 50


@dataclass(frozen=True, slots=True)
class Progress:
    """What is being done, and which part of everything is done, 0 to 1."""

    doing: str
    part: float


def train(
    phrase: str,
    language: WordLanguage,
    *,
    seed: int = 1,
    false_alarms_per_hour: float = 1.0,
    piper: Sequence[Path] = (),
    processes: int | None = None,
    size: Size = Size(),
    progress: Callable[[Progress], None] = lambda _: None,
) -> WordFile:
    """Train a wake word. `piper`: voices of the language. Raises `EngineUnavailable`, and `ValueError` for a phrase
    that cannot be said."""
    processes = processes or min(os.cpu_count() or 1, 8)
    random = np.random.default_rng([seed, 1])
    progress(Progress("making voices", 0.0))
    words = list(said(_phrase(phrase, language, size.words, random), processes))
    if len(words) < size.words // 2:
        raise ValueError(f'"{phrase}" cannot be said in {language.code}: write it as it is spoken, in that language')
    if piper:
        words += PiperVoices(piper).said(phrase, size.piper_words, random)
    near_ones = list(said(_near(phrase, language, size.others, random), processes))
    progress(Progress("making voices", 0.1))
    talk = list(said(_talk(language, size.others, random), processes))
    held_back = np.random.default_rng([seed, 2])
    test_words = list(said(_phrase(phrase, language, size.tested_words, held_back), processes))
    test_talk = list(said(_talk(language, size.tested_talk, held_back), processes))
    with maker(talk[:250], seed, processes) as rooms:
        work = [
            *_work("word", words, size.copies, seed),
            *_work("near", near_ones, size.other_copies, seed),
            *_work("talk", talk, size.other_copies, seed),
            *_work("noise", [np.zeros(0, np.float32)] * _PIECE_OF_WORK, 1, seed),
        ]
        seen, is_word = _windows(rooms, work, progress)
        arrays, projected = _fitted(seen, is_word, seed, progress)
        head = Head(arrays, CONTEXT)
        progress(Progress("choosing thresholds", 0.85))
        longest = float(np.quantile([len(sound) for sound in words], 0.9)) / EAR_RATE
        chosen = thresholds(
            head,
            [piece for some in rooms.pieces(_work("word", test_words, 1, seed + 1)) for piece in some],
            (piece for some in rooms.pieces(_work("talk", test_talk, 1, seed + 1)) for piece in some),
            pronunciations(phrase, language.voice, language.code),
            longest,
            false_alarms_per_hour,
        )
    progress(Progress("done", 1.0))
    made = {
        "by": f"companion {companion.__version__}",
        "seed": seed,
        "voices": len(words),
        "piper": [voice.stem for voice in piper],
        "windows": {"of the word": int(is_word.sum()), "others": int((1 - is_word).sum())},
        "false alarms wanted per hour": false_alarms_per_hour,
    }
    return WordFile(
        _card(phrase, language.code, longest, chosen, made),
        arrays | _bank(head, projected, is_word, np.random.default_rng([seed, 3])),
    )


def _card(phrase: str, language: str, longest: float, chosen: Thresholds, made: dict[str, object]) -> Card:
    return Card(
        phrase=phrase,
        language=language,
        seconds=round(min(longest, 3.5), 2),
        context=CONTEXT,
        threshold=round(chosen.threshold, 3),
        threshold_alone=round(chosen.threshold_alone, 3),
        second_look=chosen.second_look,
        made=made,
        expected=chosen.expected,
    )


def _phrase(phrase: str, language: WordLanguage, count: int, random: np.random.Generator) -> Iterator[Saying]:
    for _ in range(count):
        yield any_saying(phrase, language.accents, random)


def _near(phrase: str, language: WordLanguage, count: int, random: np.random.Generator) -> Iterator[Saying]:
    spoken = phonemes(phrase, language.voice)
    inventory = language.inventory
    for _ in range(count):
        yield any_saying(near(spoken, inventory, random).spelled(), language.accents, random)


def _talk(language: WordLanguage, count: int, random: np.random.Generator) -> Iterator[Saying]:
    """Sentences, and words of sentences in any order."""
    sentences, words = language.sentences, language.words
    for number in range(count):
        if number % 2 or len(words) < 20:
            text = sentences[random.integers(len(sentences))]
        else:
            text = language.joint.join(words[random.integers(len(words))] for _ in range(int(random.integers(2, 9))))
        yield any_saying(text, language.accents, random)


def _work(kind: str, sounds: Sequence[Sound], copies: int, seed: int) -> list[Work]:
    return [
        Work(kind, some, (seed, sum(kind.encode()), copy, number))
        for copy in range(copies)
        for number, some in enumerate(sounds[at : at + _PIECE_OF_WORK] for at in range(0, len(sounds), _PIECE_OF_WORK))
    ]


def _windows(rooms: Maker, work: list[Work], progress: Callable[[Progress], None]) -> tuple[Numbers, Numbers]:
    found, labels = [], []
    for number, (one, made) in enumerate(zip(work, rooms.made(work), strict=True)):
        found.append(made)
        labels.append(np.full(len(made), one.kind == "word", np.float32))
        progress(Progress("putting them into rooms", 0.15 + 0.6 * (number + 1) / len(work)))
    return np.concatenate(found), np.concatenate(labels)


def _fitted(
    seen: Numbers, is_word: Numbers, seed: int, progress: Callable[[Progress], None]
) -> tuple[dict[str, Numbers], Numbers]:
    """The arrays of a head, and the windows in its principal directions."""
    mean, scale = seen.mean(0), seen.std(0) + np.float32(1e-3)
    standard = (seen - mean) / scale
    _, vectors = np.linalg.eigh((standard.T @ standard / len(standard)).astype(np.float64))
    # In half precision, as the file holds them: what is trained is what will be read.
    mean, scale, directions = (
        one.astype(np.float16).astype(np.float32) for one in (mean, scale, vectors[:, ::-1][:, :KEPT])
    )
    projected = ((seen - mean) / scale @ directions).astype(np.float32)
    networks = learning.train(
        *(projected, is_word, np.ones(len(projected), np.float32), seed),
        progress=lambda part: progress(Progress("training", 0.75 + 0.1 * part)),
    )
    return {"mean": mean, "scale": scale, "directions": directions, **networks}, projected


def _bank(head: Head, projected: Numbers, is_word: Numbers, random: np.random.Generator) -> dict[str, Numbers]:
    """Windows to go on learning from: some of the word, and of the others the hardest half and some of the rest."""
    words, others = projected[is_word == 1], projected[is_word == 0]
    hardest = np.argsort(-head.of_projected(others), kind="stable")
    half = BANK[1] // 2
    rest = random.permutation(hardest[half:])[:half]
    return {
        "word": words[np.sort(random.permutation(len(words))[: BANK[0]])],
        "others": others[np.sort(np.concatenate([hardest[:half], rest]))],
    }
