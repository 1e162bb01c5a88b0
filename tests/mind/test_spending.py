"""What the talk costs, and what happens at the limit."""

from __future__ import annotations

import pytest

from companion.errors import CharacterRefused
from tests.support.service_scene import (
    ANSWER,
    Line,
    Made,
    answer,
    event,
    talk,
    usage,
)


async def test_every_request_is_paid_for_and_at_the_cap_the_character_says_so(made: Made) -> None:
    line = Line([event("Hi."), event("", "stop"), usage(100_000, 10_000, cached=50_000), b"data: [DONE]\n\n"])
    async with made(line, spending={"daily": 0.05}) as character:
        await talk(character, "one")
        # At half a dollar a million, at a fifth of that, and at 1.4 dollars.
        assert character.spending.today_micro == 25_000 + 5_000 + 14_000
        await talk(character, "two")
        with pytest.raises(CharacterRefused, match=r"spending\.daily") as caught:
            await answer(character, "three")
        assert caught.value.line == "spent"
    assert len(line.requests) == 2
    async with made(line, spending={"monthly": 0.05}) as character:
        with pytest.raises(CharacterRefused, match=r"spending\.monthly"):
            await answer(character, "four")


async def test_an_interrupted_answer_is_paid_for_by_estimate(made: Made) -> None:
    line = Line([event("Once upon a time "), event("there was"), 60.0])
    async with made(line) as character:
        deltas = character.reply("hello")
        await anext(deltas)
        await deltas.aclose()
        assert character.last_report is not None
        assert character.last_report.cost.estimated
        assert character.spending.today_micro > 0


async def test_an_unknown_price_cannot_be_capped_and_the_log_says_so_once(
    made: Made, caplog: pytest.LogCaptureFixture
) -> None:
    async with made(Line(ANSWER), character={"model": "mine"}, spending={"daily": 0.01}) as character:
        for _ in range(3):
            await talk(character, "hello")
    assert sum("cannot be capped" in record.message for record in caplog.records) == 1
