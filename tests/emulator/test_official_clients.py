"""The service's own client libraries, unmodified, against the emulator: every sample of the service's page, and faults.

Nothing leaves this machine: both libraries are given the emulator's address, and proxies are out of the environment.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from companion.emulator import EmulatorServer
from companion.emulator.limits import Limits
from companion.emulator.tokens import vocabulary_file
from tests.support.paths import DATA

openai = pytest.importorskip("openai")
dashscope = pytest.importorskip("dashscope")

MODEL = "qwen-plus-character"
SAMPLES = json.loads((DATA / "published" / "samples.json").read_text("utf-8"))
CHAT, GROUP = SAMPLES["chat"]["messages"], SAMPLES["group"]["messages"]
SILENCE, EXTRA = SAMPLES["silence"]["messages"], SAMPLES["extra"]["messages"]
BAN = {str(token): -100 for token in SAMPLES["documented_ban"]}
PROFILE = CHAT[0]["content"]

pytestmark = pytest.mark.skipif(vocabulary_file() is None, reason="the vocabulary is not installed")


@pytest.fixture(scope="module", autouse=True)
def nothing_leaves_this_machine() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            patch.delenv(name, raising=False)
        patch.setenv("NO_PROXY", "*")
        yield


@pytest.fixture(scope="module")
def server() -> Iterator[EmulatorServer]:
    one = EmulatorServer(first_token_s=0, piece_s=0, required_key="sk-right", min_memory_entries=3)
    one.start()
    yield one
    one.stop()


@pytest.fixture(scope="module")
def client(server: EmulatorServer) -> Iterator[Any]:
    with openai.OpenAI(base_url=server.base_url, api_key="sk-right", max_retries=0) as one:
        yield one


Call = Callable[..., Any]


@pytest.fixture(scope="module")
def call(server: EmulatorServer) -> Iterator[Call]:
    """`dashscope.Generation.call` with the emulator's address."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dashscope, "base_http_api_url", server.dashscope_url)

        def generation(messages: Any, **options: Any) -> Any:
            return dashscope.Generation.call(**{"model": MODEL, "api_key": "sk-right", "messages": messages, **options})

        yield generation
        dashscope.api_entities.http_request.close_shared_sync_session()


def ask(client: Any, messages: Any, **options: Any) -> Any:
    return client.chat.completions.create(**{"model": MODEL, "messages": messages, **options})


# The samples of the page


def test_chat(client: Any, call: Call) -> None:
    answer = ask(client, CHAT)
    assert answer.choices[0].message.content
    assert answer.choices[0].message.role == "assistant"
    assert answer.choices[0].finish_reason == "stop"
    assert (answer.object, answer.model) == ("chat.completion", MODEL)
    assert answer.id.startswith("chatcmpl-")
    assert answer.usage.prompt_tokens == 130
    assert answer.usage.total_tokens == 130 + answer.usage.completion_tokens
    other = call(CHAT, result_format="message")
    assert other.status_code == 200
    assert other.output.choices[0].message.content == answer.choices[0].message.content
    assert other.output.choices[0].finish_reason == "stop"
    assert (other.usage.input_tokens, other.usage.output_tokens) == (130, answer.usage.completion_tokens)
    assert other.request_id == other.headers["x-request-id"]


def test_the_text_format_has_no_choices(call: Call) -> None:
    as_text, as_message = call(CHAT, result_format="text"), call(CHAT)
    assert as_text.output.text == as_message.output.choices[0].message.content
    assert as_text.output.finish_reason == "stop"
    assert as_text.output.choices is None


def test_several_answers_cost_one_input(client: Any, call: Call) -> None:
    answer = ask(client, CHAT, n=2)
    texts = [choice.message.content for choice in answer.choices]
    assert [choice.index for choice in answer.choices] == [0, 1]
    assert len(set(texts)) == 2
    assert answer.usage.prompt_tokens == 130
    one = ask(client, CHAT).usage.completion_tokens
    assert answer.usage.completion_tokens > one
    other = call(CHAT, n=2, result_format="message")
    assert [choice.message.content for choice in other.output.choices] == texts
    assert other.usage.output_tokens == answer.usage.completion_tokens


def test_another_seed_is_another_answer_and_the_same_seed_the_same(client: Any, call: Call) -> None:
    first, again, other = (ask(client, CHAT, seed=seed).choices[0].message.content for seed in (123321, 123321, 123322))
    assert first == again != other
    assert call(CHAT, seed=123321).output.choices[0].message.content == first
    assert call(CHAT, seed=123322).output.choices[0].message.content == other


def test_group_chat_goes_on_from_the_name(client: Any, call: Call) -> None:
    answer = ask(client, GROUP)
    assert answer.usage.prompt_tokens == 218
    text = answer.choices[0].message.content
    assert text
    assert not text.startswith("凌路")
    assert call(GROUP).output.choices[0].message.content == text
    assert call(GROUP).usage.input_tokens == 218


def test_a_continued_reply_needs_no_user(client: Any, call: Call) -> None:
    text = ask(client, SILENCE).choices[0].message.content
    assert text
    assert not text.startswith("江让")
    assert call(SILENCE).output.choices[0].message.content == text


def test_the_thirteen_documented_tokens_keep_chinese_directions_away(client: Any, call: Call) -> None:
    free = ask(client, CHAT).choices[0].message.content
    banned = ask(client, CHAT, logit_bias=BAN).choices[0].message.content
    assert "（" in free
    assert "（" not in banned
    assert banned
    assert call(CHAT, logit_bias=BAN).output.choices[0].message.content == banned


def test_one_off_information_stands_before_the_last_message(client: Any, call: Call) -> None:
    assert ask(client, EXTRA).choices[0].message.content
    assert call(EXTRA).status_code == 200


def test_long_term_memory_needs_only_what_is_new(client: Any, call: Call) -> None:
    options = {"profile": PROFILE, "memory": {"enable_long_term_memory": True, "memory_entries": 3}}

    def openai_way(said: str) -> Any:
        return ask(
            client,
            [{"role": "user", "content": said}],
            extra_headers={"x-dashscope-aca-session": "user_123_session_xxx"},
            extra_body={"character_options": options},
        )

    def dashscope_way(said: str) -> Any:
        return call(
            [{"role": "user", "content": said}],
            character_options=options,
            headers={"x-dashscope-aca-session": "user-123-session-xxx"},
        )

    openai_way("我的狗叫旺财。")
    assert "旺财" in openai_way("我的狗叫什么？").choices[0].message.content
    for _ in range(3):
        last = openai_way("今天天气真不错！")
    details = last.usage.prompt_tokens_details
    assert details.current_memory_tokens == details.summary_memory_usage["output_tokens"] > 0
    # The facts are in the summary now, and in no message.
    assert "旺财" in openai_way("我的狗叫什么？").choices[0].message.content
    dashscope_way("我的狗叫小白。")
    assert "小白" in dashscope_way("我的狗叫什么？").output.choices[0].message.content
    for _ in range(2):
        other = dashscope_way("今天天气真不错")
    assert other.usage.prompt_tokens_details["current_memory_tokens"] > 0


def test_the_usage_reports_the_session_cache(client: Any, call: Call) -> None:
    def cached(session: str) -> int:
        answer = ask(client, CHAT, extra_headers={"x-dashscope-aca-session": session})
        return int(answer.usage.prompt_tokens_details.cached_tokens)

    assert [cached("one"), cached("one"), cached("two")] == [0, 128, 0]
    other = call(CHAT, headers={"x-dashscope-aca-session": "one"})
    assert other.usage.prompt_tokens_details["cached_tokens"] == 128
    assert ask(client, CHAT).usage.prompt_tokens_details.cached_tokens == 0


def test_a_stream_of_the_openai_library(client: Any) -> None:
    whole = ask(client, CHAT, n=2)
    chunks = list(ask(client, CHAT, n=2, stream=True, stream_options={"include_usage": True}))
    texts = ["", ""]
    for choice in (choice for chunk in chunks for choice in chunk.choices):
        texts[choice.index] += choice.delta.content or ""
    assert texts == [choice.message.content for choice in whole.choices]
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens
    assert all(chunk.usage is None for chunk in chunks[:-1])
    assert [choice.finish_reason for chunk in chunks[-3:-1] for choice in chunk.choices] == ["stop", "stop"]
    assert len({chunk.id for chunk in chunks}) == len({chunk.created for chunk in chunks}) == 1


@pytest.mark.parametrize("incremental", [True, False])
def test_a_stream_of_the_dashscope_library(call: Call, incremental: bool) -> None:
    whole = call(CHAT, result_format="message")
    text = whole.output.choices[0].message.content
    frames = list(call(CHAT, stream=True, incremental_output=incremental, result_format="message"))
    contents = [frame.output.choices[0].message.content for frame in frames]
    assert ("".join(contents) if incremental else contents[-1]) == text
    assert incremental or all(later.startswith(earlier) for earlier, later in itertools.pairwise(contents))
    assert [frame.output.choices[0].finish_reason for frame in frames] == [*["null"] * (len(frames) - 1), "stop"]
    counts = [frame.usage.output_tokens for frame in frames]
    assert counts == sorted(counts)
    assert counts[-1] == whole.usage.output_tokens
    assert all(frame.usage.input_tokens == 130 for frame in frames)
    assert len({frame.request_id for frame in frames}) == 1


def test_a_dashscope_stream_of_several_answers(call: Call) -> None:
    whole = call(CHAT, n=3, result_format="message")
    texts = ["", "", ""]
    for frame in call(CHAT, n=3, stream=True, incremental_output=True, result_format="message"):
        for choice in frame.output.choices:
            texts[choice.index] += choice.message.content
    assert texts == [choice.message.content for choice in whole.output.choices]


async def test_the_asynchronous_clients(server: EmulatorServer, call: Call) -> None:
    text = call(CHAT).output.choices[0].message.content
    async with openai.AsyncOpenAI(base_url=server.base_url, api_key="sk-right", max_retries=0) as client:
        stream = await client.chat.completions.create(model=MODEL, messages=CHAT, stream=True)
        assert "".join([chunk.choices[0].delta.content async for chunk in stream]) == text


def test_the_models_are_listed(client: Any) -> None:
    assert MODEL in [model.id for model in client.models.list()]


# Errors and faults


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"n": 5}, "invalid_parameter_error", "Range of n should be [1, 4]"),
        ({"max_tokens": 40_000}, "invalid_parameter_error", "Range of max_tokens should be [1, 4000]"),
        ({"seed": -1}, "invalid_value", "-1 is lesser than the minimum of 0 - 'seed'"),
        ({"messages": []}, "invalid_parameter_error", "[] is too short"),
        ({"temperature": 2.0}, "invalid_parameter_error", "Temperature should be in [0.0, 2.0)"),
    ],
)
def test_a_wrong_parameter_is_a_bad_request(client: Any, change: dict[str, Any], code: str, words: str) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        ask(client, **{"messages": CHAT, **change})
    assert caught.value.code == code
    assert words in caught.value.message


@pytest.mark.parametrize("stream", [False, True])
def test_a_wrong_parameter_is_a_clean_response_of_the_dashscope_library(call: Call, stream: bool) -> None:
    answer = call(CHAT, n=9, stream=stream)
    response = next(answer) if stream else answer
    assert (response.status_code, response.code) == (400, "InvalidParameter")
    assert response.message == "<400> InternalError.Algo.InvalidParameter: Range of n should be [1, 4]"
    assert response.request_id


def test_a_wrong_key(server: EmulatorServer, call: Call) -> None:
    with (
        openai.OpenAI(base_url=server.base_url, api_key="sk-wrong", max_retries=0) as client,
        pytest.raises(openai.AuthenticationError) as caught,
    ):
        ask(client, CHAT)
    assert caught.value.code == "invalid_api_key"
    response = call(CHAT, api_key="sk-wrong")
    assert (response.status_code, response.code) == (401, "InvalidApiKey")
    assert response.message == "Invalid API-key provided."
    assert next(call(CHAT, api_key="sk-wrong", stream=True)).status_code == 401


@pytest.mark.parametrize(
    ("code", "status", "openai_code", "dashscope_code"),
    [
        ("limit_requests", 429, "limit_requests", "Throttling.RateQuota"),
        ("insufficient_quota", 429, "insufficient_quota", "Throttling.AllocationQuota"),
        ("Arrearage", 400, "Arrearage", "Arrearage"),
        ("ModelServingError", 503, "ModelServingError", "ModelServingError"),
        ("AllocationQuota.FreeTierOnly", 403, "AllocationQuota.FreeTierOnly", "AllocationQuota.FreeTierOnly"),
        ("data_inspection_failed", 400, "data_inspection_failed", "DataInspectionFailed"),
    ],
)
def test_the_catalogues_codes_reach_both_libraries(
    client: Any, call: Call, code: str, status: int, openai_code: str, dashscope_code: str
) -> None:
    fault = {"x-emulator-fault": f"http:{code}"}
    with pytest.raises(openai.APIStatusError) as caught:
        ask(client, CHAT, extra_headers=fault)
    assert (caught.value.status_code, caught.value.code) == (status, openai_code)
    assert "retry-after" not in caught.value.response.headers
    response = call(CHAT, headers=fault)
    assert (response.status_code, response.code) == (status, dashscope_code)


def stream_with(call: Call, fault: str) -> list[Any]:
    return list(call(CHAT, stream=True, headers={"x-emulator-fault": fault}))


def test_what_the_dashscope_library_does_with_errors_framed_as_a_stream(call: Call) -> None:
    """The table of section 5.3."""
    with pytest.raises(json.JSONDecodeError):
        stream_with(call, "sse_http400")
    (framed,) = stream_with(call, "event_stream_http400")
    assert (framed.status_code, framed.code) == (400, "DataInspectionFailed")
    (inside,) = stream_with(call, "error_http200")
    assert (inside.status_code, inside.code) == (400, "DataInspectionFailed")
    with pytest.raises(TypeError):
        stream_with(call, "spaced_error")
    bare = stream_with(call, "bare_http404")
    assert bare[0].status_code == 404
    assert not bare[0].code


def test_an_error_in_the_middle_of_a_stream(client: Any, call: Call) -> None:
    frames = stream_with(call, "moderated_midway")
    assert frames[0].status_code == 200
    assert (frames[-1].code, frames[-1].message) == (
        "DataInspectionFailed",
        "Output data may contain inappropriate content.",
    )
    stream = ask(client, CHAT, stream=True, extra_headers={"x-emulator-fault": "moderated_midway"})
    got = []
    with pytest.raises(openai.APIError, match="Output data may contain"):
        got += [chunk.choices[0].delta.content for chunk in stream]


@pytest.mark.parametrize("fault", ["drip", "halves", "keep_alive", "cumulative", "no_index", "flat_cache"])
def test_the_libraries_read_an_odd_stream_all_the_same(client: Any, call: Call, fault: str) -> None:
    text = ask(client, CHAT).choices[0].message.content
    odd = {"x-emulator-fault": fault}
    chunks = ask(client, CHAT, stream=True, extra_headers=odd)
    assert "".join(chunk.choices[0].delta.content for chunk in chunks) == text
    assert stream_with(call, fault)[-1].output.choices[0].message.content == text


def test_a_broken_connection_is_an_error_of_the_library(client: Any) -> None:
    with pytest.raises(openai.APIConnectionError):
        ask(client, CHAT, extra_headers={"x-emulator-fault": "reset_at_once"})


def test_a_third_request_in_a_second_is_refused_and_one_a_second_later_is_not() -> None:
    now = [1_000.0]
    server = EmulatorServer(first_token_s=0, piece_s=0, limits=Limits(), clock=lambda: now[0])
    server.start()
    try:
        with openai.OpenAI(base_url=server.base_url, api_key="k", max_retries=0) as client:
            statuses = [ask(client, CHAT).usage.prompt_tokens for _ in range(2)]
            with pytest.raises(openai.RateLimitError) as caught:
                ask(client, CHAT)
            now[0] += 1.0
            statuses.append(ask(client, CHAT).usage.prompt_tokens)
    finally:
        server.stop()
    assert caught.value.code == "limit_requests"
    assert statuses == [130, 130, 130]
