"""A refusal that names a field costs that field and no other; what the log says of it is true."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from companion.errors import CharacterRefused
from tests.mind.api.servers.loopback import Reply, Request, choice, frames, refused, spoken, talking_to
from tests.support.service_scene import ANSWER, Line, answer, error, on, plain

ALL = {"seed": 1, "temperature": 0.5}


def answered(request: Request) -> Reply:
    if not request.get("stream"):
        return Reply(plain("Hi."), kind="application/json")
    return frames(*spoken(["Hi."]), choice({}, "stop"))


def openai(field: str) -> dict[str, Any]:
    message = f"Unsupported parameter: '{field}' is not supported with this model."
    return {"error": {"message": message, "type": "invalid_request_error", "param": field, "code": "unsupported"}}


def fastapi(field: str) -> dict[str, Any]:
    where = {"type": "extra_forbidden", "loc": ["body", field], "msg": "Extra inputs are not permitted", "input": {}}
    return {"detail": [where]}


def vllm(field: str) -> dict[str, Any]:
    where = f"[{{'type': 'extra_forbidden', 'loc': ('body', '{field}'), 'msg': 'Extra inputs are not permitted'}}]"
    return {"object": "error", "message": where, "type": "BadRequestError", "param": None, "code": 400}


def in_words(field: str) -> dict[str, Any]:
    return {"error": f"Unrecognized request argument supplied: {field}"}


FIELDS = ["max_tokens", "temperature", "stream", "stream_options", "logit_bias", "seed"]


@pytest.mark.parametrize("wording", [openai, fastapi, vllm, in_words])
@pytest.mark.parametrize("field", FIELDS)
async def test_a_named_field_costs_that_field_and_no_other(
    field: str, wording: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def server(request: Request) -> Reply:
        return refused(422 if wording is fastapi else 400, wording(field)) if field in request else answered(request)

    async with talking_to(server, tmp_path, **ALL) as (character, requests):
        assert await answer(character) == "Hi."
        assert await answer(character) == "Hi."
    whole, *less = requests
    expected = set(whole) - {field} - ({"stream_options"} if field == "stream" else set())
    if field == "max_tokens":
        expected.add("max_completion_tokens")
    assert [set(request) for request in less] == [expected, expected]
    assert "a smaller one" not in caplog.text
    assert field in caplog.text


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (501, {"error": {"message": "Streaming is not implemented", "code": 501}}),
        (501, {"detail": "Not Implemented"}),
        (400, {"error": {"message": "This model does not support streaming."}}),
    ],
)
async def test_a_server_that_cannot_stream_is_asked_without(status: int, body: object, tmp_path: Path) -> None:
    def server(request: Request) -> Reply:
        return refused(status, body) if request.get("stream") else answered(request)

    async with talking_to(server, tmp_path) as (character, requests):
        assert await answer(character) == "Hi."
        assert await answer(character) == "Hi."
    assert "stream" not in requests[-1]
    assert "logit_bias" in requests[-1]


@pytest.mark.looptime
async def test_a_field_that_cannot_be_left_out_costs_no_other() -> None:
    refusal = [400, b'{"error":{"message":"This is not allowed here.","param":"model","code":"invalid"}}']
    line = Line(refusal)
    with pytest.raises(CharacterRefused):
        await answer(on(line, base_url="http://llama/v1"))
    assert len(line.requests) == 1


@pytest.mark.looptime
async def test_what_was_left_out_for_nothing_comes_back() -> None:
    line = Line(*[[400, b"{}"]] * 6, ANSWER)
    character = on(line, base_url="http://llama/v1", seed=1)
    with pytest.raises(CharacterRefused):
        await answer(character)
    assert await answer(character) == "Hi."
    assert {"logit_bias", "stream_options", "seed"} <= set(line.requests[-1])


@pytest.mark.looptime
async def test_a_smaller_ban_list_is_promised_only_where_one_is_used(caplog: pytest.LogCaptureFixture) -> None:
    refusal = [400, error("bad_request", "'logit_bias' is too long")]
    line = Line(refusal, refusal, ANSWER)
    assert await answer(on(line)) == "Hi."
    told = [one.message for one in caplog.records]
    assert ["a smaller one is used" in one for one in told] == [True, False]
    assert [len(request.get("logit_bias", ())) for request in line.requests] == [252, 10, 0]
