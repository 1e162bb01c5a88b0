"""Estimates when each sentence of a reply is heard in a recording. Pure.

The events say when a sentence was ready for the voice, not when it was heard. Its position is estimated from its share
of the text and moved to the nearest pause, which is accurate enough to write the text above the sound.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

Samples = np.ndarray[Any, np.dtype[np.int16]]

_STEP_S = 0.02
_PAUSE_STEPS = 6
"""Shorter silences occur inside of words."""
_REACH_S = 0.8
"""Largest distance from the estimate to the pause."""


def align_sentences(
    texts: Sequence[str], samples: Samples, rate: int, begin: float, end: float
) -> list[tuple[str, float, float]]:
    """Each text with its begin and end in seconds. `begin` to `end` is the whole reply in the recording."""
    pauses = list(_pauses(samples[max(0, round(begin * rate)) : max(0, round(end * rate))], rate, begin))
    whole = sum(map(len, texts))
    cuts, said = [begin], 0
    for text in texts[:-1]:
        said += len(text)
        guess = begin + (end - begin) * said / max(1, whole)
        near = [one for one in pauses if cuts[-1] < one < end and abs(one - guess) < _REACH_S]
        cuts.append(min(near, key=lambda one: abs(one - guess)) if near else max(guess, cuts[-1]))
    return [(text, *place) for text, place in zip(texts, pairwise([*cuts, end]), strict=True)] if texts else []


def truncate_to_heard(texts: Sequence[str], heard: str) -> list[str]:
    """The sentences up to the length of `heard`; an ellipsis marks one that was cut off."""
    left, shown = len(heard), []
    for text in texts:
        if left <= 0:
            break
        shown.append(text if len(text) <= left else f"{text[:left].rstrip()}…")
        left -= len(text) + 1
    return shown


def _pauses(samples: Samples, rate: int, begin: float) -> Iterator[float]:
    """The times at which sound starts again after a pause."""
    step = max(1, round(rate * _STEP_S))
    rows = samples[: len(samples) // step * step].astype(float).reshape(-1, step)
    if not len(rows):
        return
    loudness = np.abs(rows).mean(axis=1)
    silent = 0
    for number, quiet in enumerate(loudness < max(60.0, float(loudness.mean()) * 0.12)):
        if quiet:
            silent += 1
            continue
        if silent >= _PAUSE_STEPS:
            yield begin + number * _STEP_S
        silent = 0
