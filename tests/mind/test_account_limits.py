"""The account's limits, as the person who waits for an answer notices them."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.service_scene import ANSWER, Line, answer, on

pytestmark = pytest.mark.looptime


async def test_a_question_that_was_taken_back_before_it_was_sent_costs_the_next_one_no_time() -> None:
    line = Line(ANSWER)
    character = on(line, requests_per_second=1)
    began = asyncio.get_running_loop().time()
    await answer(character, "one")
    for _ in range(3):
        interrupted = asyncio.ensure_future(answer(character, "two"))
        await asyncio.sleep(0.1)
        interrupted.cancel()
        await asyncio.wait([interrupted])
    await answer(character, "three")
    assert line.said() == ["three"]
    assert len(line.requests) == 2
    assert asyncio.get_running_loop().time() - began < 1.2
