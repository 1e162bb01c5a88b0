"""The emulator's faults: what they do to a response, and every error of the service's catalogue."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from companion.emulator import EmulatorServer
from companion.emulator.errors import ENTRIES
from tests.support.emulator_requests import BOTH, HELLO, MODEL, OPENAI


def test_an_unknown_fault_is_named(http: httpx.Client) -> None:
    response = http.post(OPENAI, json={}, headers={"x-emulator-fault": "earthquake"})
    assert response.status_code == 400
    assert "earthquake" in response.text
    with pytest.raises(ValueError, match="earthquake"):
        EmulatorServer(faults=["earthquake"])


def test_the_faults_come_one_after_the_other() -> None:
    server = EmulatorServer(faults=["http429", "none", "http503"], first_token_s=0, piece_s=0)
    url = server.start()
    try:
        with httpx.Client() as client:
            body = {"model": MODEL, "messages": HELLO}
            statuses = [client.post(f"{url}/chat/completions", json=body).status_code for _ in range(4)]
    finally:
        server.stop()
    assert statuses == [429, 200, 503, 200]


def test_an_error_may_be_framed_as_a_stream_and_still_call_itself_json(http: httpx.Client) -> None:
    body = {"model": MODEL, "messages": HELLO, "stream": True}
    response = http.post(OPENAI, json=body, headers={"x-emulator-fault": "sse_http400"})
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/json"
    assert response.text.startswith('data: {"error":')


@pytest.mark.parametrize("fault", ["reset", "reset_at_once"])
def test_the_reset_faults_reset_the_connection(http: httpx.Client, fault: str) -> None:
    body = {"model": MODEL, "messages": HELLO, "stream": True}
    with pytest.raises(httpx.TransportError):
        http.post(OPENAI, json=body, headers={"x-emulator-fault": fault})


@pytest.mark.parametrize("fault", ["drip", "halves", "keep_alive", "no_done"])
def test_a_slow_or_odd_stream_has_the_same_text(http: httpx.Client, fault: str) -> None:
    def texts(fault: str) -> str:
        body = {"model": MODEL, "messages": HELLO, "stream": True}
        response = http.post(OPENAI, json=body, headers={"x-emulator-fault": fault})
        events = [line[6:] for line in response.text.splitlines() if line.startswith("data: {")]
        return "".join(json.loads(event)["choices"][0]["delta"]["content"] for event in events)

    assert texts(fault) == texts("none")


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.code)
def test_every_error_of_the_catalogue_can_be_requested_on_both_routes(http: httpx.Client, entry: Any) -> None:
    for path, body in BOTH:
        response = http.post(path, json=body, headers={"x-emulator-fault": f"http:{entry.code}"})
        assert response.status_code == entry.status
        value = response.json()
        got = value.get("error", value)
        assert got["code"] == (entry.openai_code or entry.code if "error" in value else entry.code)
        assert got["message"]
        assert "retry-after" not in response.headers


@pytest.mark.parametrize("fault", ["id_only", "id_inside", "no_ids"])
def test_ids_can_be_elsewhere_or_missing(http: httpx.Client, fault: str) -> None:
    value = http.post(OPENAI, json=BOTH[0][1], headers={"x-emulator-fault": fault}).json()
    places = ("request_id" in value, "id" in value, "id" in value["error"])
    assert places == {"id_only": (False, True, False), "id_inside": (False, False, True), "no_ids": (False,) * 3}[fault]


def test_a_giant_answer_ends_where_the_model_must(http: httpx.Client) -> None:
    value = http.post(OPENAI, json=BOTH[0][1], headers={"x-emulator-fault": "giant"}).json()
    assert value["choices"][0]["finish_reason"] == "length"
    assert value["usage"]["completion_tokens"] == 4000


def test_halves_cut_characters_and_a_drip_comes_byte_by_byte(http: httpx.Client) -> None:
    for fault in ("halves", "drip"):
        with http.stream(
            "POST", OPENAI, json={**BOTH[0][1], "stream": True}, headers={"x-emulator-fault": fault}
        ) as response:
            parts = list(response.iter_raw())
        assert b"".join(parts).decode()
        assert fault == "drip" or any(part[:1] and part[0] & 0xC0 == 0x80 for part in parts)


@pytest.mark.parametrize("fault", ["cut_short", "garbage", "html"])
def test_an_answer_in_one_piece_can_be_broken_too(http: httpx.Client, fault: str) -> None:
    response = http.post(OPENAI, json=BOTH[0][1], headers={"x-emulator-fault": fault})
    assert response.status_code == 200
    with pytest.raises(ValueError, match=r"."):
        json.loads(response.content)
