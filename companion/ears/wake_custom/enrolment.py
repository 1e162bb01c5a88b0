"""A wake word learns how its owner calls it, and what their room sounds like, from recordings made on the unit itself.

Noisy copies of the recordings join the windows that the file keeps of the word, pieces of the room those of other
sounds, and the networks take a few gentle steps on all of them. The numbers of the recordings stay in the file, so that
a later enrolment adds to them; the sound does not. The same input gives the same file.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from companion.config.word_file import WordFile
from companion.ears.wake_custom.copies import Copies
from companion.ears.wake_custom.embeddings import Networks
from companion.ears.wake_custom.head import Head, windows
from companion.ears.wake_custom.learning import refined
from companion.ears.wake_custom.recordings import Finder, Samples
from companion.errors import ConfigError

Numbers = NDArray[np.float32]

_NOISE_PIECES = 20
_MOST_OWN = 3000
"""Windows of recordings that a file keeps: those of about fifty recordings."""
_MOST_ROOM = 1000
"""The same of the room, the most confusing ones first."""
_HARDEST = 200
"""So many of the other sounds, those most like the word, tell how far the threshold moves."""


def check(word: WordFile, name: str) -> Head:
    """Its head, where the file can learn. Raises `ConfigError` with a sentence that begins with `name`."""
    try:
        head = Head(word.arrays, word.card.context)
    except ValueError as error:
        raise ConfigError(
            f"{name}: is no whole wake word ({error}); make it anew with: companion wakeword train"
        ) from error
    kept = word.arrays["directions"].shape[1]
    for array in ("word", "others"):
        found = word.arrays.get(array)
        if found is None or found.ndim != 2 or found.shape[1] != kept or len(found) < 1:
            raise ConfigError(f"{name}: has nothing in it to learn with; make it anew with: companion wakeword train")
    return head


def enrolled(
    word: WordFile,
    recordings: Sequence[Samples],
    room: Sequence[Samples] = (),
    *,
    networks: Networks,
    seed: int = 1,
) -> WordFile:
    """The word after it has learnt from these recordings; one in which no word is found is passed over.

    `room`: sound in which nobody says the word. Raises `ConfigError` for a word that cannot learn, and `SpeechError`.
    """
    head = check(word, word.phrase)
    random = np.random.default_rng([seed, word.card.enrolled])
    arrays = dict(word.arrays)
    kept = arrays["directions"].shape[1]
    nothing = np.zeros((0, kept), np.float32)
    noise = nothing
    finder = Finder(head, networks, word.card.seconds)
    found = [(samples, finder.find(samples)) for samples in recordings]
    words = [samples[one.start : one.end].astype(np.float32) for samples, one in found if one is not None]
    if words:
        copies = Copies(words, head.context, networks, random)
        arrays["own"] = _at_most(
            _MOST_OWN, np.concatenate([arrays.get("own", nothing), head.project(copies.of_word())]), random
        )
        noise = head.project(copies.of_noise(_NOISE_PIECES))
    if room:
        heard = np.concatenate(
            [head.project(windows(networks.of(piece.astype(np.float32)), head.context)) for piece in room]
        )
        heard = np.concatenate([arrays.get("room", nothing), heard])
        arrays["room"] = heard[np.argsort(-head.of_projected(heard), kind="stable")[:_MOST_ROOM]]
    own, others = np.concatenate([arrays["word"], arrays.get("own", nothing)]), arrays["others"]
    room_and_noise = np.concatenate([arrays.get("room", nothing), noise])

    def learn(others: Numbers) -> dict[str, Numbers]:
        projected = np.concatenate([own, others, room_and_noise])
        is_word = np.zeros(len(projected), np.float32)
        is_word[: len(own)] = 1
        return refined(arrays, projected, is_word, np.ones(len(projected), np.float32), seed)

    # How much higher other sounds come out can only be told from those that were not learnt from.
    moved = 0.0
    for half in (0, 1):
        kept_back = others[half::2]
        after = Head(arrays | learn(others[1 - half :: 2]), head.context)
        moved += (_level(after, kept_back) - _level(head, kept_back)) / 2
    arrays |= learn(others)
    card = word.card.model_copy(
        update={
            "threshold": word.card.threshold + moved,
            "threshold_alone": word.card.threshold_alone + moved,
            "enrolled": word.card.enrolled + len(words),
        }
    )
    return WordFile(card, arrays)


def _level(head: Head, others: Numbers) -> float:
    """The logit of the other sounds that are most like the word."""
    return float(np.sort(head.of_projected(others))[-_HARDEST:].mean())


def _at_most(most: int, values: Numbers, random: np.random.Generator) -> Numbers:
    if len(values) <= most:
        return values
    return values[np.sort(random.choice(len(values), most, replace=False))]
