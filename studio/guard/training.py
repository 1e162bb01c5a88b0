"""Trains the small model beside a language's rules (`companion/guard/likeness.py`) from labelled sentences.

    python -m studio.guard.training [LANGUAGE ...]        all that have sentences, where none is named

The sentences are those that the rules are tested with (`tests/golden/guard`) and those that the templates in
`studio/guard/sentences` stand for. A fifth of the templates is kept back five times, with all that they stand for, to
choose the threshold at which `FALSE_ALARMS` of the harmless sentences would be blocked: of kinds that were never seen.
Then all are learnt. The same sentences give the same bytes. Blocks; run at a desk.
"""

from __future__ import annotations

import itertools
import json
import random
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from companion.config.policy import CATEGORIES, Category
from companion.errors import CompanionError
from companion.guard.likeness import BUCKETS, features
from companion.guard.reading import Spelling, readings
from companion.languages.language import language
from companion.languages.understood import understood
from companion.voice.sentences import Sentences

PROJECT = Path(__file__).resolve().parents[2]
TESTED = PROJECT / "tests/golden/guard"
TEMPLATES = Path(__file__).with_name("sentences")

MOST = 14
"""Sentences of one template, chosen by chance."""

FALSE_ALARMS = 0.005
"""Share of harmless sentences, of templates kept back, that may be blocked."""
PARTS = 5
AGAIN = 4
ROUNDS = 24
STEP = 0.5
DECAY = 5e-3
"""Of the weights in each step, towards none."""


class Labelled(NamedTuple):
    buckets: list[NDArray[np.intp]]
    classes: NDArray[np.intp]
    """0 is harmless, then the categories in their order."""
    templates: NDArray[np.intp]
    """Which template each sentence is of."""


def read(code: str) -> Labelled:
    """The labelled sentences of a language."""
    labels: dict[str, tuple[int, int]] = {}
    letters = Spelling.of(language(code).guard.letters)
    for number, (template, category) in enumerate((*_templates(code), *_tested(code))):
        for text in expanded(template):
            labels[readings(text, letters)[0]] = (0 if category is None else CATEGORIES.index(category) + 1, number)
    spaced = language(code).is_spaced
    buckets = [np.array(features(text, is_spaced=spaced), dtype=np.intp) for text in labels]
    classes, templates = np.array(list(labels.values()), dtype=np.intp).T
    return Labelled(buckets, classes, templates)


def _tested(code: str) -> Iterator[tuple[str, Category | None]]:
    file = TESTED / f"{code}.jsonl"
    for line in file.read_text("utf-8").splitlines() if file.is_file() else ():
        row = json.loads(line)
        if row.get("policy", "child").startswith("child"):
            yield row["text"], row["category"][0] if isinstance(row["category"], list) else row["category"]
            if row["category"] is None:
                # Each of its sentences is judged by itself, too.
                cutter = Sentences(languages=understood(code))
                yield from ((one.text, None) for one in (*cutter.feed(row["text"]), *cutter.close()) if one.text)


def _templates(code: str) -> Iterator[tuple[str, Category | None]]:
    file = TEMPLATES / f"{code}.txt"
    category: Category | None = None
    for number, line in enumerate(file.read_text("utf-8").splitlines() if file.is_file() else (), 1):
        if line.startswith("@"):
            if line[1:] not in (*CATEGORIES, "harmless"):
                raise CompanionError(f"{file}:{number}: {line}: there is no such category")
            category = None if line == "@harmless" else cast(Category, line[1:])
        elif line and not line.startswith("#"):
            yield line, category


def expanded(template: str) -> list[str]:
    """At most `MOST` of the sentences that a template stands for, always the same ones."""
    parts = [part.split("|") if at % 2 else [part] for at, part in enumerate(re.split(r"[{}]", template))]
    found = [re.sub(r"\s+", " ", "".join(one)).strip() for one in itertools.product(*parts)]
    return random.Random(template).sample(found, min(MOST, len(found)))


def learn(sentences: Labelled, chosen: Sequence[int]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights (buckets, classes) and bias (classes,) from the chosen sentences: softmax regression by AdaGrad."""
    classes = len(CATEGORIES) + 1
    weights, squares = np.zeros((BUCKETS, classes)), np.full((BUCKETS, classes), 1e-3)
    bias, bias_squares = np.zeros(classes), np.full(classes, 1e-3)
    chance = np.random.default_rng(1)
    for _ in range(ROUNDS):
        for at in chance.permutation(np.array(chosen)):
            found, wanted = sentences.buckets[at], sentences.classes[at]
            if not len(found):
                continue
            share = 1 / np.sqrt(len(found))
            scores = weights[found].sum(axis=0) * share + bias
            error = np.exp(scores - np.logaddexp.reduce(scores))
            error[wanted] -= 1
            squares[found] += (error * share) ** 2
            weights[found] -= STEP * (error * share / np.sqrt(squares[found]) + DECAY * weights[found])
            bias_squares += error**2
            bias -= STEP * error / np.sqrt(bias_squares)
    return weights, bias


def learn_surely(sentences: Labelled, threshold: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The same from all sentences, until none of the harmless ones is blocked: those that are count more often."""
    chosen = list(range(len(sentences.classes)))
    for _ in range(AGAIN):
        weights, bias = learn(sentences, chosen)
        wrong = [
            at
            for at in np.flatnonzero(sentences.classes == 0).tolist()
            if _odds(sentences, at, weights, bias) > threshold
        ]
        if not wrong:
            break
        chosen += 5 * wrong
    return weights, bias


def _odds(sentences: Labelled, at: int, weights: NDArray[np.float64], bias: NDArray[np.float64]) -> float:
    found = sentences.buckets[at]
    scores = weights[found].sum(axis=0) / np.sqrt(max(1, len(found))) + bias
    return float(np.logaddexp.reduce(scores[1:]) - scores[0])


def threshold(sentences: Labelled) -> tuple[float, float]:
    """The log odds that only `FALSE_ALARMS` of the harmless sentences pass, and the share of the others that do.

    Both from sentences that the model had not learnt.
    """
    part_of = np.random.default_rng(2).integers(PARTS, size=sentences.templates.max() + 1)[sentences.templates]
    odds = np.empty(len(part_of))
    for part in range(PARTS):
        weights, bias = learn(sentences, np.flatnonzero(part_of != part).tolist())
        for at in np.flatnonzero(part_of == part).tolist():
            odds[at] = _odds(sentences, at, weights, bias)
    harmless, others = odds[sentences.classes == 0], odds[sentences.classes != 0]
    chosen = float(np.quantile(harmless, 1 - FALSE_ALARMS, method="higher"))
    return chosen, float((others > chosen).mean())


def train(code: str) -> str:
    """Write the model of a language beside its rules; returns a sentence about it."""
    sentences = read(code)
    chosen, found = threshold(sentences)
    weights, bias = learn_surely(sentences, chosen)
    scale = float(np.abs(weights).max()) / 127 or 1.0
    file = PROJECT / "companion/languages" / code / "guard.npz"
    with file.open("wb") as opened:
        np.savez_compressed(
            opened,
            weights=np.round(weights / scale).astype(np.int8),
            scale=np.float32(scale),
            bias=bias.astype(np.float32),
            threshold=np.float32(chosen),
        )
    harmless = int((sentences.classes == 0).sum())
    return (
        f"{code}: {len(sentences.classes) - harmless} sentences that are blocked and {harmless} harmless ones; of "
        f"those kept back it finds {found:.0%} where {FALSE_ALARMS:.1%} of the harmless ones are blocked; "
        f"{file.stat().st_size / 1000:.0f} kB"
    )


def main() -> None:
    """Train the languages named on the command line, or all that have sentences."""
    named = sys.argv[1:] or sorted(file.stem for file in TEMPLATES.glob("*.txt"))
    for code in named:
        print(train(code))


if __name__ == "__main__":
    main()
