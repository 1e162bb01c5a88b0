"""How much a sentence is like those that may not be said: a small learned model beside the rules. Pure.

Rules know the ways of saying a thing that somebody thought of. The model has learnt from labelled sentences of the
language (`studio/guard`), and knows their words, pairs of words that stand near, and pieces of words, each hashed into
one of `BUCKETS`. It is a linear model: one weight for each bucket and class, the first class being harmless, in small
whole numbers.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from itertools import pairwise
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from companion.config.policy import CATEGORIES, Category
from companion.languages.language import Language

BUCKETS = 1 << 15
NEAR = 6
"""Words from one to another that are still a pair, by their first letters."""
BEGINNING = 4
LONGEST = 400
"""Characters of a sentence that are looked at: the last ones."""

UNFINISHED = 2.0
"""Log odds by which a clause, or a few words, must be more than a whole sentence to be blocked."""
_FEW, _FEW_UNSPACED = 20, 7
"""Characters of a sentence that says too little to be judged by its likeness."""

_WORD = re.compile(r"[\w']+")


def features(text: str, *, is_spaced: bool) -> list[int]:
    """The buckets of a text in its plain reading, each once, in ascending order."""
    words = _WORD.findall(text[-LONGEST:])
    found = {f"1 {one}" for one in words} if is_spaced else set()
    if is_spaced:
        found |= {f"2 {one} {other}" for one, other in pairwise(words)}
        begun = [one[:BEGINNING] for one in words]
        found |= {f"3 {one} {other}" for at, one in enumerate(begun) for other in begun[at + 1 : at + NEAR]}
    joined = f" {' '.join(words)} " if is_spaced else f" {''.join(words)} "
    for length in (3, 4) if is_spaced else (1, 2, 3, 4):
        found |= {joined[at : at + length] for at in range(len(joined) - length + 1)}
    return sorted({crc32(one.encode()) % BUCKETS for one in found})


class Likeness:
    """The model of one language."""

    def __init__(self, arrays: Mapping[str, Any], *, is_spaced: bool) -> None:
        """`arrays`: `weights` (buckets, classes), small whole numbers to be multiplied by `scale`; `bias` (classes,).

        A sentence is blocked where the log odds of any category against harmless are above `threshold`.
        """
        self._weights: NDArray[np.int8] = arrays["weights"]
        self._bias: NDArray[np.float32] = arrays["bias"]
        self._scale, self.threshold = float(arrays["scale"]), float(arrays["threshold"])
        self._is_spaced = is_spaced

    @staticmethod
    @cache
    def of(language: Language) -> Likeness | None:
        """The model of this language; None where it has none."""
        arrays = language.guard_model
        return None if arrays is None else Likeness(arrays, is_spaced=language.is_spaced)

    def odds(self, text: str, categories: Collection[Category] = CATEGORIES) -> tuple[float, Category | None]:
        """The log odds that a text belongs to any of the categories, and the likeliest of these."""
        buckets = features(text, is_spaced=self._is_spaced)
        places = [CATEGORIES.index(one) + 1 for one in categories]
        if not buckets or not places:
            return -np.inf, None
        scores = self._weights[buckets].sum(axis=0, dtype=np.int32) * (self._scale / len(buckets) ** 0.5) + self._bias
        of_categories = scores[places]
        highest = int(np.argmax(of_categories))
        return float(np.logaddexp.reduce(of_categories) - scores[0]), tuple(categories)[highest]

    def category(
        self, readings: Iterable[str], categories: Collection[Category], *, is_whole: bool = True
    ) -> Category | None:
        """The category of these for which the text may not be said, in any of its readings; None where it may.

        Of a sentence that `is_whole` not yet more is asked: what follows may make it harmless. So it is of a few words.
        """
        for text in readings:
            odds, category = self.odds(text, categories)
            few = len(text) < (_FEW if self._is_spaced else _FEW_UNSPACED)
            if odds > self.threshold + (UNFINISHED if few or not is_whole else 0):
                return category
        return None
