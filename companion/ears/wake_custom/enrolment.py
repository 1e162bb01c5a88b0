"""A wake word learns how its owner calls it, and what their room sounds like, from recordings made on the unit itself.

Noisy copies of the recordings join the windows that the file keeps of the word, pieces of the room those of other
sounds, and the networks take a few gentle steps on all of them. The numbers of the recordings stay in the file, so that
a later enrolment adds to them; the sound does not. So do the first networks, from which each enrolment starts: steps
upon steps would forget what the word was made from. The same input gives the same file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from companion.config.word_file import WordFile
from companion.ears.wake_custom.copies import Copies
from companion.ears.wake_custom.embeddings import Networks
from companion.ears.wake_custom.head import Head, windows
from companion.ears.wake_custom.learning import NETWORK_ARRAYS, refined
from companion.ears.wake_custom.recordings import Finder, Samples
from companion.errors import ConfigError, SpeechError

Numbers = NDArray[np.float32]

_NOISE_PIECES = 20
_MOST_OWN = 3000
"""Windows of recordings that a file keeps: those of about fifty recordings."""
_OWN_WEIGHT = 800.0
"""They count like so many windows at most, those of ten recordings: more would make every sound likelier the word."""
_MOST_ROOM = 1000
"""The same of the room, the most confusing ones first."""
_REACH, _REACH_ALONE = 2.0, 1.0
"""How far around the threshold other sounds are compared, in logits: the second look lifts some from far below it."""
_STEP = 0.25
_MARGIN, _MARGIN_ALONE = 0.025, 0.0125
"""Logits that each recording adds to the threshold: the more real voices it has learnt, the likelier are others in
talk, which the synthetic ones that the file keeps do not show."""
_MOST_MARGINS = 40
_FIRST = "first_"
"""Arrays of this beginning are the networks and the thresholds, with and without second look, before any enrolment."""


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
    try:
        Head(_unlearnt(word), word.card.context)
        if word.arrays.get(_FIRST + "thresholds", np.zeros(2)).shape != (2,):
            raise ValueError("there are no first thresholds")
    except ValueError as error:
        raise ConfigError(
            f"{name}: is no whole wake word ({error}); make it anew with: companion wakeword train"
        ) from error
    return head


def _unlearnt(word: WordFile) -> dict[str, Numbers]:
    """The arrays with the networks that the word had before any enrolment."""
    return dict(word.arrays) | {name: word.arrays.get(_FIRST + name, word.arrays[name]) for name in NETWORK_ARRAYS}


def enrolled(
    word: WordFile,
    recordings: Sequence[Samples],
    room: Sequence[Samples] = (),
    *,
    networks: Networks,
    seed: int = 1,
    is_wanted: Callable[[], bool] = lambda: True,
) -> WordFile:
    """The word after it has learnt from these recordings; one in which no word is found is passed over.

    `room`: sound in which nobody says the word. Raises `ConfigError` for a word that cannot learn, and `SpeechError`,
    also soon after it `is_wanted` no longer.
    """
    head = check(word, word.phrase)
    random = np.random.default_rng([seed, word.card.enrolled])
    arrays = _unlearnt(word)
    arrays |= {_FIRST + name: arrays[name] for name in NETWORK_ARRAYS}
    thresholds = np.array([word.card.threshold, word.card.threshold_alone], np.float32)
    arrays.setdefault(_FIRST + "thresholds", thresholds)
    first = Head(arrays, head.context)
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
        if not is_wanted():
            raise SpeechError("the learning was ended; nothing was changed")
        projected = np.concatenate([own, others, room_and_noise])
        is_word = np.zeros(len(projected), np.float32)
        is_word[: len(own)] = 1
        weights = np.ones(len(projected), np.float32)
        weights[len(arrays["word"]) : len(own)] = min(1.0, _OWN_WEIGHT / max(1, len(own) - len(arrays["word"])))
        return refined(arrays, projected, is_word, weights, seed)

    # How much higher other sounds come out can only be told from those that were not learnt from.
    before, after = first.of_projected(others), np.empty(len(others), np.float32)
    for half in (0, 1):
        refined_head = Head(arrays | learn(others[1 - half :: 2]), head.context)
        after[half::2] = refined_head.of_projected(others[half::2])
    arrays |= learn(others)
    threshold, threshold_alone = (float(one) for one in arrays[_FIRST + "thresholds"])
    count = word.card.enrolled + len(words)
    margins = min(count, _MOST_MARGINS)
    card = word.card.model_copy(
        update={
            "threshold": _moved(before, after, threshold, _REACH) + margins * _MARGIN,
            "threshold_alone": _moved(before, after, threshold_alone, _REACH_ALONE) + margins * _MARGIN_ALONE,
            "enrolled": count,
        }
    )
    return WordFile(card, arrays)


def _moved(before: Numbers, after: Numbers, threshold: float, reach: float) -> float:
    """The threshold that no more of the other sounds come near than before, given their logits (n,). Never lower."""
    levels = np.arange(threshold - reach, threshold + reach + _STEP / 2, _STEP)
    falling_before, falling_after = np.sort(before)[::-1], np.sort(after)[::-1]
    above = np.minimum(np.searchsorted(-falling_before, -levels), len(before) - 1)
    return threshold + max(0.0, float((falling_after[above] - falling_before[above]).max()))


def _at_most(most: int, values: Numbers, random: np.random.Generator) -> Numbers:
    if len(values) <= most:
        return values
    return values[np.sort(random.choice(len(values), most, replace=False))]
