"""Where to draw the line: the threshold for a wanted rate of false alarms, and what is expected of it.

No real people are at hand, so it is drawn with synthetic ones that the head was not trained with. Their talk is
mistaken for the word more often than that of real people (`_DENSER`). The logarithm of the rate falls about linearly
with the threshold, so a line through the highest scores tells the threshold of a rate, also of one that is too rare to
be counted in the hour that they talk.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from companion.config.word_file import SecondLook
from companion.ears.keyphrase_process import scorer
from companion.ears.wake_custom.detector import LEAST_SOUND_S
from companion.ears.wake_custom.embeddings import SPAN, STEP
from companion.ears.wake_custom.head import Head, windows
from companion.events import EAR_RATE

Sound = NDArray[np.float32]
Numbers = NDArray[np.float32]
Piece = tuple[Sound, Numbers]
"""A sound, and its embeddings."""

WEIGHT, CENTER, SCALE = 1.0, -2.2, 0.5
"""How the second look's score counts. Measured on real people (docs/measurements.md); synthetic ones score better."""
_USELESS = -4.0
"""Below this median score of synthetic people pocketsphinx does not know the phrase at all."""

_DENSER = 5.0
"""How many times the false alarms of real talk synthetic talk has, at the same threshold. Chosen with words that nobody
has recorded (docs/measurements.md): it is 1 to 30, by the word."""

_APART = 12
"""Windows between two false alarms: the detector's refractory time."""
_LOOKED_AT = 150
"""Candidates of other sounds that the second look gets, the highest first."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Thresholds in logits of the head, with the second look's share and without."""

    threshold: float
    threshold_alone: float
    second_look: SecondLook | None
    expected: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Candidate:
    logit: float
    sound: bytes
    """What the second look gets."""


def thresholds(
    head: Head,
    words: Sequence[Piece],
    others: Iterable[Piece],
    spoken: Sequence[str],
    seconds: float,
    per_hour: float,
) -> Thresholds:
    """`words`: pieces with the word once in each; `others`: pieces without it. `spoken`: pronunciations for the second
    look. `seconds`: how long the word is. `per_hour`: wanted false alarms."""
    hours, mistaken = 0.0, []
    for piece in others:
        hours += len(piece[0]) / EAR_RATE / 3600
        mistaken += _candidates(head, piece, seconds, 5)
    mistaken.sort(key=lambda one: -one.logit)
    best = [next(iter(_candidates(head, piece, seconds, 1)), None) for piece in words]
    heard = [one for one in best if one is not None]
    alone = _at_rate([one.logit for one in mistaken], hours, per_hour)
    expected: dict[str, Any] = {
        "missed without second look": _missed([one.logit for one in heard], alone),
        "measured with": "synthetic voices",
    }
    look: SecondLook | None = None
    with_look = alone
    if spoken and importlib.util.find_spec("pocketsphinx") is not None:
        score = scorer(list(spoken))
        of_words = [score(one.sound) for one in heard]
        if np.median(of_words) > _USELESS:
            look = SecondLook(pronunciations=tuple(spoken), weight=WEIGHT, center=CENTER, scale=SCALE)
            fused = [one.logit + look.share(score(one.sound)) for one in mistaken[:_LOOKED_AT]]
            with_look = _at_rate(sorted(fused, reverse=True), hours, per_hour)
            both = [one.logit + look.share(scored) for one, scored in zip(heard, of_words, strict=True)]
            expected["missed"] = _missed(both, with_look)
    return Thresholds(with_look, alone, look, expected)


def _candidates(head: Head, piece: Piece, seconds: float, most: int) -> list[_Candidate]:
    sound, embeddings = piece
    logits = head.logits(windows(embeddings, head.context))
    found: list[_Candidate] = []
    while len(found) < most and np.isfinite(logits).any():
        at = int(np.argmax(logits))
        # The detector asks when the next embeddings are there.
        end = (at + head.context - 1) * STEP + SPAN + STEP
        start = max(0, end - round((seconds + LEAST_SOUND_S) * EAR_RATE))
        found.append(_Candidate(float(logits[at]), np.clip(sound[start:end], -32768, 32767).astype("<i2").tobytes()))
        logits[max(0, at - _APART) : at + _APART + 1] = -np.inf
    return found


def _at_rate(falling: Sequence[float], hours: float, per_hour: float) -> float:
    """The threshold at which there are `per_hour` false alarms, given their scores in `hours`, the highest first."""
    wanted = per_hour * hours * _DENSER
    scores = np.asarray(falling[: max(20, int(2 * wanted))])
    if len(scores) < 4:
        return float(scores[0]) if len(scores) else 0.0
    # log(rank) = a - b * score: the line through many of them is steadier than the one that happens to have this rank.
    slope, offset = np.polyfit(scores, np.log(np.arange(len(scores)) + 0.7), 1)
    return float((np.log(max(wanted, 1e-6)) - offset) / min(slope, -0.1))


def _missed(scores: Sequence[float], threshold: float) -> float:
    return round(float(np.mean(np.asarray(scores) < threshold)), 3)
