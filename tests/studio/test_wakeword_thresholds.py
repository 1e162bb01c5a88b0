"""The threshold of a wake word: as low as the wanted rate of false alarms allows, counted or extrapolated."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from companion.ears.wake_custom.head import Head
from companion.events import EAR_RATE
from studio.wakeword.thresholds import Piece, thresholds

LOUDEST = Head(
    {
        "mean": np.zeros(96, np.float32),
        "scale": np.ones(96, np.float32),
        "directions": np.eye(96, 1, dtype=np.float32),
        "w1": np.ones((1, 1, 1), np.float32),
        "b1": np.full((1, 1), 50, np.float32),
        "w2": np.ones((1, 1), np.float32),
        "b2": np.full(1, -50, np.float32),
    },
    1,
)
"""Its logit is the first number of an embedding."""


def pieces(count: int) -> Iterator[Piece]:
    """Six seconds each, in which something is taken for the word with an exponentially falling logit."""
    random = np.random.default_rng(3)
    for _ in range(count):
        embeddings = np.full((70, 96), -9, np.float32)
        embeddings[35, 0] = random.exponential()
        yield np.zeros(6 * EAR_RATE, np.float32), embeddings


def alone(count: int, per_hour: float) -> float:
    return thresholds(LOUDEST, list(pieces(1)), pieces(count), (), 0.7, per_hour).threshold_alone


def test_twice_as_many_are_above_the_threshold_of_twice_the_rate() -> None:
    logits = np.array([embeddings[35, 0] for _, embeddings in pieces(3000)])
    above = [int((logits > alone(3000, wanted)).sum()) for wanted in (2, 4, 8)]
    assert above[1] == pytest.approx(2 * above[0], rel=0.2)
    assert above[2] == pytest.approx(2 * above[1], rel=0.2)


def test_what_is_too_rare_to_be_counted_is_extrapolated() -> None:
    # A tenth as often is 2.3 higher where the rate falls by e with each logit.
    assert alone(300, 0.1) - alone(300, 1) == pytest.approx(2.3, abs=0.9)


def test_without_a_second_look_there_is_one_threshold() -> None:
    found = thresholds(LOUDEST, list(pieces(1)), pieces(300), (), 0.7, 1.0)
    assert found.second_look is None
    assert found.threshold == found.threshold_alone
