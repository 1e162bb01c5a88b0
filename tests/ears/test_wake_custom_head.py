"""The head: what it computes, and what it refuses; and that its training learns, the same each time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.ears.wake_custom.head import Head, windows
from companion.ears.wake_custom.learning import train
from tests.support.own_words import own_word

CONTEXT = 3
SIZE = CONTEXT * 96


def arrays(kept: int = 5, nets: int = 2, hidden: int = 4, seed: int = 1) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    shapes: dict[str, tuple[int, ...]] = {
        "mean": (SIZE,),
        "directions": (SIZE, kept),
        "w1": (nets, kept, hidden),
        "b1": (nets, hidden),
        "w2": (nets, hidden),
        "b2": (nets,),
    }
    made = {name: random.normal(0, 1, shape).astype(np.float32) for name, shape in shapes.items()}
    return made | {"scale": random.uniform(0.5, 2, SIZE).astype(np.float32)}


def test_a_logit_is_the_mean_of_all_networks() -> None:
    given_arrays = arrays()
    window = np.random.default_rng(2).normal(0, 1, (7, SIZE)).astype(np.float32)
    projected = ((window - given_arrays["mean"]) / given_arrays["scale"]) @ given_arrays["directions"]
    each = [
        np.maximum(projected @ given_arrays["w1"][net] + given_arrays["b1"][net], 0) @ given_arrays["w2"][net]
        + given_arrays["b2"][net]
        for net in range(2)
    ]
    head = Head(given_arrays, CONTEXT)
    np.testing.assert_allclose(head.project(window), projected, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(head.logits(window), np.mean(each, axis=0), rtol=1e-3, atol=1e-2)
    assert head.logits(np.zeros((0, SIZE), np.float32)).shape == (0,)


@pytest.mark.parametrize("name", ["mean", "scale", "directions", "w1", "b1", "w2", "b2"])
def test_a_missing_array_is_named(name: str) -> None:
    given_arrays = arrays()
    del given_arrays[name]
    with pytest.raises(ValueError, match=f"there is no {name}"):
        Head(given_arrays, CONTEXT)


@given(
    st.sampled_from(["mean", "scale", "directions", "w1", "b1", "w2", "b2"]),
    st.lists(st.integers(0, 6), max_size=4),
)
def test_arrays_that_do_not_fit_are_refused(name: str, shape: list[int]) -> None:
    given_arrays = arrays()
    if given_arrays[name].shape == tuple(shape):
        return
    with pytest.raises(ValueError, match="do not fit"):
        Head({**given_arrays, name: np.ones(shape, np.float32)}, CONTEXT)


@pytest.mark.parametrize(
    ("context", "changed"),
    [(CONTEXT + 1, {}), (CONTEXT, {"scale": np.zeros(SIZE, np.float32)})],
    ids=["another context", "a scale of 0"],
)
def test_so_are_another_context_and_a_scale_that_is_none(context: int, changed: dict[str, Any]) -> None:
    Head(own_word().arrays, own_word().card.context)
    with pytest.raises(ValueError, match="do not fit"):
        Head({**arrays(), **changed}, context)


@given(st.integers(0, 12), st.integers(1, 5))
def test_windows_are_all_runs_of_embeddings(count: int, context: int) -> None:
    embeddings = np.arange(count * 96, dtype=np.float32).reshape(count, 96)
    found = windows(embeddings, context)
    assert found.shape == (max(0, count - context + 1), context * 96)
    for at, window in enumerate(found):
        np.testing.assert_array_equal(window, embeddings[at : at + context].ravel())


def test_training_tells_apart_what_differs_and_is_the_same_each_time() -> None:
    random = np.random.default_rng(3)
    is_word = (np.arange(1200) % 4 == 0).astype(np.float32)
    projected = random.normal(0, 1, (1200, 12)).astype(np.float32)
    projected[:, 0] += 5 * is_word
    told: list[float] = []
    learnt = train(projected, is_word, np.ones(1200, np.float32), 7, epochs=60, progress=told.append)
    again = train(projected, is_word, np.ones(1200, np.float32), 7, epochs=60)
    other = train(projected, is_word, np.ones(1200, np.float32), 8)
    for name in ("w1", "b1", "w2", "b2"):
        np.testing.assert_array_equal(learnt[name], again[name])
    assert not np.array_equal(learnt["w1"], other["w1"])
    assert told == sorted(told)
    assert told[-1] == 1
    hidden = np.maximum(np.einsum("nk,mkh->mnh", projected, learnt["w1"]) + learnt["b1"][:, None], 0)
    logits = (np.einsum("mnh,mh->mn", hidden, learnt["w2"]) + learnt["b2"][:, None]).mean(axis=0)
    assert np.mean((logits > 0) == (is_word > 0)) > 0.97
