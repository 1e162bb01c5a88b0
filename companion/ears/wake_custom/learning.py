"""Training of a head's networks, in the principal directions of its windows. A few seconds, and no more than numpy.

Synthetic voices differ from real ones in every direction a little, and a network that learns them exactly hears nobody
else. So it never sees the same window twice: noise as large as the windows' own spread is added to each, and parts of
it are left out. Measured on real people that takes nine of ten misses away (docs/measurements.md). The same input gives
the same result.

A head that exists learns more with `refined`: a few gentle steps from where it stands. Trained anew on the few windows
that its file keeps it would forget most of what it was made from. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float32]

NETWORK_ARRAYS = ("w1", "b1", "w2", "b2")
NETWORKS = 3
HIDDEN = 64
_EPOCHS = 15
_BATCH = 512
_NOISE = 1.2
"""In standard deviations of the windows before their projection, which leaves noise as it is."""
_DROPPED = 0.3
_RATE = 2e-3
_REFINING_EPOCHS = 8
_REFINING_BATCH = 256
_REFINING_RATE = 3e-4
_DECAY = 1e-4


def train(
    projected: Numbers,
    is_word: Numbers,
    weights: Numbers,
    seed: int,
    *,
    epochs: int = _EPOCHS,
    progress: Callable[[float], None] = lambda _: None,
) -> dict[str, Numbers]:
    """Arrays `w1`, `b1`, `w2`, `b2` of `NETWORKS` networks (see `Head`).

    `projected` (n, kept): windows in the principal directions; `is_word` and `weights` (n,): 1 for windows at whose end
    the word ends and 0 for others, and how much each counts. `progress` hears the part that is done, 0 to 1.
    """
    kept = projected.shape[1]
    networks = []
    for number in range(NETWORKS):
        random = np.random.default_rng([seed, number])
        start = [
            random.normal(0, 0.034, (kept, HIDDEN)).astype(np.float32),
            np.zeros(HIDDEN, np.float32),
            random.normal(0, HIDDEN**-0.5, (HIDDEN, 1)).astype(np.float32),
            np.zeros(1, np.float32),
        ]
        networks.append(_train_one(start, projected, is_word, weights, random, epochs))
        progress((number + 1) / NETWORKS)
    return _stacked(networks)


def refined(
    arrays: Mapping[str, Numbers], projected: Numbers, is_word: Numbers, weights: Numbers, seed: int
) -> dict[str, Numbers]:
    """The networks of `arrays` after they have learnt these windows too; see `train`."""
    networks = []
    for number, (w1, b1, w2, b2) in enumerate(zip(*(arrays[name] for name in NETWORK_ARRAYS), strict=True)):
        start = [w1.copy(), b1.copy(), w2[:, None].copy(), b2.reshape(1).copy()]
        random = np.random.default_rng([seed, number])
        networks.append(
            _train_one(
                *(start, projected, is_word, weights, random, _REFINING_EPOCHS),
                most_batch=_REFINING_BATCH,
                highest_rate=_REFINING_RATE,
            )
        )
    return _stacked(networks)


def _stacked(networks: list[list[Numbers]]) -> dict[str, Numbers]:
    w1, b1, w2, b2 = (np.stack(values) for values in zip(*networks, strict=True))
    return {"w1": w1, "b1": b1, "w2": w2[:, :, 0], "b2": b2[:, 0]}


def _train_one(
    parameters: list[Numbers],
    x: Numbers,
    y: Numbers,
    weights: Numbers,
    random: np.random.Generator,
    epochs: int,
    *,
    most_batch: int = _BATCH,
    highest_rate: float = _RATE,
) -> list[Numbers]:
    """Changes `parameters`, and returns them."""
    count = len(x)
    first = [np.zeros_like(one) for one in parameters]
    second = [np.zeros_like(one) for one in parameters]
    batch = min(most_batch, count)
    steps = epochs * (count // batch)
    step = 0
    for _ in range(epochs):
        order = random.permutation(count)
        for start in range(0, count - batch + 1, batch):
            chosen = order[start : start + batch]
            step += 1
            gradients = _gradients(parameters, x[chosen], y[chosen], weights[chosen], random)
            rate = highest_rate * 0.5 * (1 + np.cos(np.pi * step / steps))
            # Adam.
            for at, gradient in enumerate(gradients):
                first[at] = 0.9 * first[at] + 0.1 * gradient
                second[at] = 0.99 * second[at] + 0.01 * gradient * gradient
                change = first[at] / (1 - 0.9**step) / (np.sqrt(second[at] / (1 - 0.99**step)) + 1e-8)
                parameters[at] -= (rate * (change + _DECAY * parameters[at])).astype(np.float32)
    return parameters


def _gradients(
    parameters: list[Numbers], x: Numbers, y: Numbers, weights: Numbers, random: np.random.Generator
) -> tuple[Numbers, ...]:
    """Those of the weighted cross entropy, with noise and with parts left out."""
    w1, b1, w2, b2 = parameters
    x = x + random.standard_normal(x.shape, np.float32) * np.float32(_NOISE)
    x = x * _left(random, (1, x.shape[1]))
    before = x @ w1 + b1
    kept = _left(random, before.shape)
    hidden = np.maximum(before, 0) * kept
    logits = np.clip(hidden @ w2 + b2, -30, 30)[:, 0]
    error = ((1 / (1 + np.exp(-logits)) - y) * weights / weights.sum())[:, None].astype(np.float32)
    to_hidden = (error @ w2.T) * kept * (before > 0)
    return x.T @ to_hidden, to_hidden.sum(0), hidden.T @ error, error.sum(0)


def _left(random: np.random.Generator, shape: tuple[int, ...]) -> Numbers:
    """Factors that leave parts out and make the others as much larger."""
    kept: Numbers = (random.random(shape, np.float32) > _DROPPED).astype(np.float32) / np.float32(1 - _DROPPED)
    return kept
