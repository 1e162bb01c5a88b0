"""Wake words of one's own for tests: tiny ones, that hear nothing or everything."""

from __future__ import annotations

from typing import Any

import numpy as np

from companion.config.word_file import Card, SecondLook, WordFile

CONTEXT = 16
ENGLISH = "en"


def second_look(weight: float = 1.0) -> SecondLook:
    return SecondLook(pronunciations=("HH EY M OW M OW",), weight=weight, center=-1, scale=1)


def own_word(phrase: str = "hey momo", *, bias: float = -9.0, context: int = CONTEXT, **card: Any) -> WordFile:
    """A word whose head gives `bias`, whatever it hears."""
    size, kept, hidden = context * 96, 4, 2
    arrays = {
        "mean": np.zeros(size),
        "scale": np.ones(size),
        "directions": np.zeros((size, kept)),
        "w1": np.zeros((3, kept, hidden)),
        "b1": np.zeros((3, hidden)),
        "w2": np.zeros((3, hidden)),
        "b2": np.full(3, bias),
        "word": np.ones((5, kept)),
        "others": np.zeros((0, kept)),
    }
    settings = {"language": ENGLISH, "seconds": 1, "threshold": 1, "threshold_alone": 2} | card
    return WordFile(
        Card(phrase=phrase, context=context, **settings),
        {name: value.astype(np.float32) for name, value in arrays.items()},
    )
