"""How much of the talk is sent: cut in blocks, and within the model's input."""

from __future__ import annotations

import pytest

from tests.support.service_scene import (
    ANSWER,
    Line,
    on,
    request_contents,
    talk,
)


@pytest.mark.looptime
async def test_without_a_memory_the_history_is_cut_in_blocks() -> None:
    line = Line(ANSWER)
    character = on(line, history=10)
    cuts = 0
    for number in range(40):
        await talk(character, f"number {number}")
        sent = [request_contents(request)[:-1] for request in line.requests[-2:]]
        cuts += len(sent) == 2 and sent[1][: len(sent[0])] != sent[0]
    # Ten messages are cut to five and fewer: two exchanges stay, and three more are room for.
    assert cuts <= 40 / 3


@pytest.mark.looptime
async def test_a_request_never_exceeds_the_input_of_the_model() -> None:
    line = Line(ANSWER)
    character = on(line, model="qwen-flash-character", history=400)
    long = "a bear has to think about this for a very long time indeed " * 20
    for _ in range(60):
        await talk(character, long)
    sizes = [sum(len(text) for text in request_contents(request)) for request in line.requests]
    # An English token has about four letters, and no input may have more than 7,892 tokens.
    assert max(sizes) < 7_892 * 5
    assert max(sizes) > 15_000
