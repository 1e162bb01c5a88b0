"""Rate limits, and servers that are not the service: what they do not understand is left out."""

from __future__ import annotations

import json

import httpx
import pytest

from companion.errors import CharacterError, CharacterRefused
from tests.support.service_scene import (
    ANSWER,
    CAST,
    Line,
    Stream,
    answer,
    error,
    on,
    persona,
    talk,
)


@pytest.mark.looptime
async def test_no_more_requests_are_sent_than_the_account_allows() -> None:
    line = Line(ANSWER)
    character = on(line, requests_per_second=2)
    for _ in range(9):
        await talk(character, "hello")
    assert all(later - earlier >= 1.0 for earlier, later in zip(line.times, line.times[2:], strict=False))


REFUSALS = ["logit_bias", "stream_options", "seed", "partial", "n"]


@pytest.mark.looptime
@pytest.mark.parametrize("field", REFUSALS)
async def test_what_a_server_names_as_unknown_is_left_out_from_then_on(
    field: str, caplog: pytest.LogCaptureFixture
) -> None:
    refusal: list[bytes | int] = [400, error("bad_request", f"Unrecognized request argument supplied: '{field}'")]
    line = Line(refusal, ANSWER)
    character = on(
        line, who=persona(cast=CAST), base_url="http://llama/v1", seed=1, candidates=2 if field == "n" else 1
    )
    assert await answer(character) == "Hi."
    assert await answer(character) == "Hi."
    assert [field in json.dumps(request) for request in line.requests] == [True, False, False] or field == "n"
    assert "n" not in line.requests[-1] or field != "n"
    assert sum("refuses the ban list" in one.message or f"`{field}`" in one.message for one in caplog.records) == 1


@pytest.mark.looptime
async def test_a_strange_server_that_refuses_without_a_reason_gets_less_and_less() -> None:
    refusal: list[bytes | int] = [400, b"{}"]
    line = Line(*[refusal] * 5, ANSWER)
    character = on(line, who=persona(cast=CAST), base_url="http://llama/v1", seed=1)
    assert await answer(character) == "Hi."
    assert set(line.requests[-1]) == {"model", "messages", "stream", "max_tokens"}
    assert line.requests[-1]["messages"][-1]["role"] == "user"


BREAKS: list[bytes | int] = [
    500,
    b'{"error":{"code":500,"message":"type must be array, but is object","type":"server_error"}}',
]


@pytest.mark.looptime
async def test_a_strange_server_that_breaks_on_what_it_cannot_read_gets_less_and_less(
    caplog: pytest.LogCaptureFixture,
) -> None:
    line = Line(BREAKS, BREAKS, BREAKS, ANSWER)
    character = on(line, base_url="http://llama/v1", seed=1)
    assert await answer(character) == "Hi."
    assert await answer(character) == "Hi."
    assert [("logit_bias" in one, "stream_options" in one, "seed" in one) for one in line.requests] == [
        *((True, True, True), (True, True, True), (False, True, True), (False, False, True)),
        (True, False, True),
    ]
    assert sum("fails on `stream_options`" in one.message for one in caplog.records) == 1


@pytest.mark.looptime
async def test_a_strange_server_that_is_down_for_a_while_has_everything_again_later() -> None:
    line = Line(*[BREAKS] * 7, ANSWER)
    character = on(line, base_url="http://llama/v1", seed=1)
    with pytest.raises(CharacterError):
        await answer(character)
    assert await answer(character) == "Hi."
    assert {"logit_bias", "stream_options", "seed"} <= set(line.requests[-1])


@pytest.mark.looptime
async def test_one_fault_of_a_strange_server_takes_nothing_away() -> None:
    line = Line(BREAKS, ANSWER, BREAKS, ANSWER)
    character = on(line, base_url="http://llama/v1", seed=1)
    assert [await answer(character), await answer(character)] == ["Hi.", "Hi."]
    assert all("logit_bias" in one for one in line.requests)


class Silent(httpx.AsyncBaseTransport):
    """A server that refuses some fields and does not say which."""

    def __init__(self, *refused: str) -> None:
        self._refused = set(refused)
        self.requests: list[set[str]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(set(json.loads(request.content)))
        is_fine = not self._refused & self.requests[-1]
        return httpx.Response(200 if is_fine else 400, stream=Stream(ANSWER if is_fine else [b"{}"]))


@pytest.mark.looptime
async def test_where_two_fields_are_refused_without_a_reason_both_are_found_and_no_more() -> None:
    server = Silent("logit_bias", "seed")
    character = on(server, base_url="http://llama/v1", seed=1)
    for _ in range(2):
        assert await answer(character) == "Hi."
    learnt = len(server.requests)
    assert await answer(character) == "Hi."
    assert len(server.requests) == learnt + 1
    assert server.requests[-1] == server.requests[0] - {"logit_bias", "seed"}


@pytest.mark.looptime
async def test_the_service_itself_is_not_tried_to_please() -> None:
    line = Line([400, error("invalid_parameter_error", "Range of top_p should be (0.0, 1.0]")])
    with pytest.raises(CharacterRefused):
        await answer(on(line))
    assert len(line.requests) == 1


@pytest.mark.looptime
async def test_the_ban_list_is_not_for_models_of_another_vocabulary() -> None:
    line = Line(ANSWER)
    await answer(on(line, base_url="http://llama/v1", model="gemma-3"))
    await answer(on(line, base_url="http://llama/v1", model="qwen2.5:7b"))
    assert ["logit_bias" in request for request in line.requests] == [False, True]
