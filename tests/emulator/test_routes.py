"""The emulator over HTTP: frames and headers of both routes, and the requests that it refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.emulator import EmulatorServer
from companion.emulator.errors import Refusal
from companion.emulator.request import read_dashscope, read_openai
from companion.emulator.tokens import EstimatingTokenizer
from tests.support.emulator_requests import BOTH, DASHSCOPE, HELLO, MEMORY, MODEL, OPENAI, conversation


@pytest.fixture(scope="module")
def official(base_url: str) -> Iterator[Any]:
    with openai.OpenAI(base_url=base_url, api_key="sk-any", max_retries=0) as client:
        yield client


def test_the_stream_is_framed_as_the_service_frames_it(http: httpx.Client) -> None:
    body = {"model": MODEL, "messages": conversation("hello"), "stream": True}
    response = http.post(OPENAI, json=body)
    assert response.headers["content-type"].startswith("text/event-stream")
    *events, done, rest = response.text.split("\n\n")
    assert (done, rest) == ("data: [DONE]", "")
    chunks = [json.loads(event.removeprefix("data: ")) for event in events]
    assert chunks[0]["choices"] == [
        {"delta": {"content": "", "role": "assistant"}, "index": 0, "logprobs": None, "finish_reason": None}
    ]
    assert chunks[-1]["choices"][0]["delta"] == {"content": ""}
    assert all(chunk["usage"] is None and chunk["object"] == "chat.completion.chunk" for chunk in chunks)


def test_the_models_are_listed_and_the_page_says_what_this_is(official: Any, base_url: str) -> None:
    assert MODEL in [model.id for model in official.models.list()]
    page = httpx.get(str(httpx.URL(base_url).join("/"))).text
    assert "not a language model" in page


def test_a_required_key_is_required() -> None:
    server = EmulatorServer(required_key="sk-right", first_token_s=0, piece_s=0)
    url = server.start()
    client: Any
    try:
        with openai.OpenAI(base_url=url, api_key="sk-wrong", max_retries=0) as client:
            with pytest.raises(openai.AuthenticationError) as caught:
                client.models.list()
            assert caught.value.code == "invalid_api_key"
        with openai.OpenAI(base_url=url, api_key="sk-right", max_retries=0) as client:
            client.chat.completions.create(model=MODEL, messages=conversation("hi"))
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model": None}, "you must provide a model parameter"),
        ({"messages": []}, "[] is too short"),
        ({"messages": None}, 'Either "prompt" or "messages" must exist'),
        ({"messages": [{"role": "user", "content": ["x"]}]}, "input content must be a string"),
        ({"messages": [{"role": "user"}]}, "The content field is a required field."),
        ({"messages": ["hi"]}, "Input should be a valid dictionary"),
        ({"messages": [*HELLO, {"role": "user", "content": "x", "partial": True}]}, "partial"),
        ({"messages": HELLO[:1]}, "should not contain only one message with role"),
        ({"messages": [*HELLO, {"role": "assistant", "content": "x"}]}, "the role in last message must be"),
        ({"messages": [{"role": "bear", "content": "x"}, *HELLO]}, "Role must be in"),
        ({"n": 5}, "Range of n should be [1, 4]"),
        ({"max_tokens": 0}, "Range of max_tokens should be [1, 4000]"),
        ({"temperature": 2}, "Temperature should be in [0.0, 2.0)"),
        ({"temperature": "hot"}, "'temperature' must be Float"),
        ({"top_p": 0}, "Range of top_p should be (0.0, 1.0]"),
        ({"presence_penalty": 3}, "Presence_penalty should be in [-2.0, 2.0]"),
        ({"seed": -1}, "-1 is lesser than the minimum of 0 - 'seed'"),
        ({"seed": 1.5}, "'seed' must be Integer"),
        ({"logit_bias": {"7": -101}}, "logit_bias"),
        ({"logit_bias": {"seven": -1}}, "logit_bias"),
    ],
)
def test_a_wrong_request_is_refused_in_the_services_words(
    http: httpx.Client, change: dict[str, object], words: str
) -> None:
    response = http.post(OPENAI, json={"model": MODEL, "messages": HELLO, **change})
    assert response.status_code == 400
    assert words in response.json()["error"]["message"]
    assert response.json()["request_id"]


def test_an_unknown_model_is_not_found(http: httpx.Client) -> None:
    response = http.post(OPENAI, json={"model": "qwen-plus", "messages": HELLO})
    assert (response.status_code, response.json()["error"]["code"]) == (404, "model_not_found")


@given(st.binary(max_size=80) | st.dictionaries(st.sampled_from(["model", "messages", "n"]), st.text()).map(json.dumps))
def test_only_a_valid_request_passes_the_check(body: bytes | str) -> None:
    data = body if isinstance(body, bytes) else body.encode()
    with pytest.raises(Refusal):
        read_openai(data)
    with pytest.raises(Refusal):
        read_dashscope(data, stream=False)


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 2**70) | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["role", "7", "memory"]), inner, max_size=3)
    ),
    max_leaves=6,
)


NAMES = [
    *("temperature", "top_p", "top_k", "presence_penalty", "repetition_penalty", "seed", "n", "max_tokens", "stop"),
    *("logit_bias", "tools", "stream", "stream_options", "character_options", "result_format", "messages"),
]


@given(st.dictionaries(st.sampled_from(NAMES), anything, max_size=4))
def test_any_request_is_read_or_refused(change: dict[str, Any]) -> None:
    words = []
    for read, body in (
        (read_openai, {"model": MODEL, "messages": HELLO, **change}),
        (
            lambda data: read_dashscope(data, stream=True),
            {"model": MODEL, "input": {"messages": HELLO}, "parameters": change},
        ),
    ):
        try:
            request = read(json.dumps(body).encode())
        except Refusal as refusal:
            words.append(refusal.error.message)
        else:
            assert 1 <= request.parameters.n <= 4
            assert all(-100 <= weight <= 100 for weight in request.parameters.bias.values())
    assert all(words)


@given(st.text())
def test_the_estimated_pieces_of_a_text_are_the_text(text: str) -> None:
    if "\ud800" <= max(text, default="") <= "\udfff":
        return
    pieces = EstimatingTokenizer().generate(text, {})
    assert b"".join(piece for _, piece in pieces).decode().strip() == text.strip()


def test_an_answer_is_cut_at_max_tokens(official: Any) -> None:
    answer = official.chat.completions.create(model=MODEL, messages=HELLO, max_tokens=3)
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 3


def dashscope(http: httpx.Client, fault: str = "none", sse: bool = True, **body: Any) -> httpx.Response:
    headers = {"x-emulator-fault": fault, **({"X-DashScope-SSE": "enable"} if sse else {})}
    value = {"model": MODEL, "input": {"messages": conversation("hi")}, **body}
    return http.post(DASHSCOPE, json={name: one for name, one in value.items() if one is not None}, headers=headers)


def test_the_dashscope_stream_is_framed_as_the_service_frames_it(http: httpx.Client) -> None:
    response = dashscope(http)
    assert response.headers["content-type"] == "text/event-stream;charset=UTF-8"
    *frames, rest = response.text.split("\n\n")
    assert rest == ""
    for number, frame in enumerate(frames, 1):
        id_, event, comment, data = frame.split("\n")
        assert (id_, event, comment) == (f"id:{number}", "event:result", ":HTTP_STATUS/200")
        value = json.loads(data.removeprefix("data:"))
        reason = value["output"]["choices"][0]["finish_reason"]
        assert reason == ("null" if number < len(frames) else "stop")
        usage = value["usage"]
        assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert "[DONE]" not in response.text


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        ({"model": None}, "BadRequest.EmptyModel", 'Required parameter "model" missing from request.'),
        ({"model": "qwen-plus"}, "ModelNotFound", "The model qwen-plus does not exist"),
        ({"input": None}, "BadRequest.EmptyInput", "Required input parameter missing from request."),
        ({"input": {}}, "InvalidParameter", 'Either "prompt" or "messages" must exist'),
        ({"parameters": {"seed": 2**63}}, "InvalidParameter", "Range of seed should be [0, 9223372036854775807]"),
        ({"parameters": {"seed": "x"}}, "InvalidParameter", "Range of seed should be [0, 9223372036854775807]"),
        ({"parameters": {"top_k": -1}}, "InvalidParameter", "Parameter top_k be greater than or equal to 0"),
        ({"parameters": {"stop": ["a", 1]}}, "InvalidParameter", 'The "stop" parameter must be of type'),
        ({"parameters": {"max_tokens": 4001}}, "InvalidParameter", "Range of max_tokens should be [1, 4000]"),
    ],
)
def test_a_wrong_dashscope_request_is_refused_in_its_own_envelope(
    http: httpx.Client, body: dict[str, Any], code: str, words: str
) -> None:
    response = dashscope(http, sse=False, **body)
    value = response.json()
    assert response.status_code == (404 if code == "ModelNotFound" else 400)
    assert value["code"] == code
    assert words in value["message"]
    assert value.keys() == {"code", "message", "request_id"}


def test_a_dashscope_call_may_do_without_parameters_and_with_a_seed_beyond_32_bits(http: httpx.Client) -> None:
    assert dashscope(http, sse=False).status_code == 200
    assert dashscope(http, sse=False, parameters={"seed": 2**62}).status_code == 200


def test_the_responses_carry_the_headers_seen_in_the_field(http: httpx.Client) -> None:
    for path, body in BOTH:
        headers = http.post(path, json=body).headers
        names = ("x-request-id", "x-dashscope-call-gateway", "x-dashscope-finished", "req-cost-time", "req-arrive-time")
        assert all(headers[name] for name in (*names, "resp-start-time", "x-envoy-upstream-service-time", "set-cookie"))
        assert headers["server"] == "istio-envoy"
        assert headers["x-emulator-tokens"] in ("exact", "estimated")


def test_a_prompt_that_is_too_long_is_refused(http: httpx.Client) -> None:
    body = {"model": "qwen-flash-character", "messages": conversation("very long " * 9_000)}
    response = http.post(OPENAI, json=body)
    assert response.status_code == 400
    assert "Range of input length should be [1, 8000]" in response.json()["error"]["message"]


@pytest.mark.parametrize(
    ("options", "session", "words"),
    [
        (MEMORY, None, "x-dashscope-aca-session is required"),
        ({**MEMORY, "profile": " "}, "s", "character_options.profile is required"),
        ({"profile": "P", "memory": {**MEMORY["memory"], "memory_entries": 19}}, "s", "should be [20, 400]"),  # type: ignore[dict-item]
        ({"profile": "P", "memory": {**MEMORY["memory"], "memory_entries": 401}}, "s", "should be [20, 400]"),  # type: ignore[dict-item]
        ({"profile": "P", "memory": {**MEMORY["memory"], "skip_save_types": ["x"]}}, "s", "skip_save_types"),  # type: ignore[dict-item]
    ],
)
def test_wrong_memory_options_are_refused_on_both_routes(
    http: httpx.Client, options: dict[str, Any], session: str | None, words: str
) -> None:
    headers = {"x-dashscope-aca-session": session} if session else {}
    messages = [{"role": "user", "content": "hi"}]
    bodies = [
        (OPENAI, {"model": MODEL, "messages": messages, "character_options": options}),
        (DASHSCOPE, {"model": MODEL, "input": {"messages": messages}, "parameters": {"character_options": options}}),
        (DASHSCOPE, {"model": MODEL, "input": {"messages": messages}, "character_options": options}),
    ]
    for path, body in bodies:
        response = http.post(path, json=body, headers=headers)
        assert response.status_code == 400
        assert words in response.text


def test_memory_takes_a_stream_several_answers_and_an_open_prefix(http: httpx.Client) -> None:
    headers = {"x-dashscope-aca-session": "stream"}
    common = {"model": MODEL, "character_options": {**MEMORY, "profile": "You are Momo."}}
    told = {"messages": [{"role": "user", "content": "my dog is called rex"}], "stream": True, "n": 2}
    assert http.post(OPENAI, json={**common, **told}, headers=headers).status_code == 200
    goes_on = {"messages": [{"role": "assistant", "content": "Momo:", "partial": True}]}
    assert http.post(OPENAI, json={**common, **goes_on}, headers=headers).status_code == 200
    asks = {"messages": [{"role": "user", "content": "what is my dog called"}]}
    answered = http.post(OPENAI, json={**common, **asks}, headers=headers).json()
    assert "rex" in answered["choices"][0]["message"]["content"]


@pytest.mark.parametrize("where", ["mainland", "Singapore"])
def test_the_limits_are_the_regions(where: str) -> None:
    server = EmulatorServer(region="china" if where == "mainland" else "international", first_token_s=0, piece_s=0)
    try:
        response = httpx.post(f"{server.start()}/chat/completions", json={**BOTH[0][1], "max_tokens": 5000})
    finally:
        server.stop()
    assert f"[1, {4096 if where == 'mainland' else 4000}]" in response.text
