"""Each kind of failure has its line."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from companion.errors import CharacterError, CharacterRefused
from tests.support.service_scene import (
    Line,
    answer,
    error,
    event,
    on,
)


@pytest.mark.looptime
@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        ([429, error("limit_requests")], "busy"),
        ([503, error("ModelServingError")], "busy"),
        ([401, error("invalid_api_key")], "denied"),
        ([400, error("Arrearage")], "unpaid"),
        ([400, error("data_inspection_failed")], "change_subject"),
        ([404, error("model_not_found")], "denied"),
        ([httpx.ConnectError("no route")], "offline"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_each_kind_of_failure_has_its_line(refusal: list[Any], said: str) -> None:
    with pytest.raises(CharacterError) as caught:
        await answer(on(Line(refusal)))
    assert caught.value.line == said


@pytest.mark.looptime
async def test_moderation_in_the_middle_lets_stand_what_came() -> None:
    line = Line([event("Once "), error_event("data_inspection_failed")])
    deltas = on(line).reply("hello")
    assert await anext(deltas) == "Once "
    with pytest.raises(CharacterRefused) as caught:
        await anext(deltas)
    assert caught.value.line == "change_subject"


def error_event(code: str) -> bytes:
    return b"data: " + error(code) + b"\n\n"
