"""What a hostile answer costs: time in proportion to its length, whatever stands in it and however it is cut.

Costs are processor time, and compared with one another, because machines differ.
"""

from __future__ import annotations

from time import process_time

import pytest

from companion.voice.sentences import Sentences
from companion.voice.stage.inference import InferringSentences
from companion.voice.stage.stage import Stage

WORDS = "Once upon a time "


def cost(text: str, cut: int) -> float:
    """Seconds of processor time for reading a text that comes `cut` characters at a time."""
    stage, sentences = Stage("Momo"), InferringSentences(Sentences())
    began = process_time()
    for begin in range(0, len(text), cut):
        for piece in stage.feed(text[begin : begin + cut]):
            sentences.feed(piece)
        sentences.pause()
    for piece in stage.close():
        sentences.feed(piece)
    sentences.close()
    return process_time() - began


def of_length(unit: str, length: int) -> str:
    return (unit * length)[:length]


@pytest.fixture(autouse=True)
def _rules_are_loaded() -> None:
    cost("(waves) Hello! I am *so* _happy_ 😀", 3)


@pytest.mark.parametrize(
    "unit", ["(", "（", "[", "( (a) ", "*a ", "*(", "(*", "_a ", "**a ", "![", "<b>", "<think>", "<br>", "[a](b) "]
)
def test_marks_that_never_close_cost_little_more_than_words(unit: str) -> None:
    length = 12_000
    assert cost(of_length(unit, length), length) < 60 * max(0.01, cost(of_length(WORDS, length), length))


@pytest.mark.parametrize("unit", ["word ", "a", "哈哈，", "。", "!", '"', "“", "a. ", "<br>", "\n", "[a](b) "])
def test_one_giant_delta_costs_no_more_than_its_length(unit: str) -> None:
    length = 40_000
    assert cost(of_length(unit, length * 4), length * 4) < 8 * max(0.05, cost(of_length(unit, length), length))


@pytest.mark.parametrize("unit", ["*", "_", "~", "`", "-", ".", "!", "。", '"', "😀", "😀\u200d", "(^_^)ノ", "ㅋ"])
def test_a_run_that_arrives_bit_by_bit_costs_no_more_than_its_length(unit: str) -> None:
    length = 2000
    # The least of three tries: what else the machine does is not its cost.
    long = min(cost(of_length(unit, length * 4), 2) for _ in range(3))
    assert long < 8 * max(0.05, cost(of_length(unit, length), 2))
