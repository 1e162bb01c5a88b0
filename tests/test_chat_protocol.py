"""The wire format: whatever way the bytes are cut and framed, the same events come out, and garbage raises nothing."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.mind.chat_protocol import (
    LONGEST_LINE,
    AnswerParser,
    Broken,
    Delta,
    Done,
    Event,
    Finished,
    Refused,
    Usage,
    parse_answer,
    parse_refusal,
    request_body,
)
from companion.mind.refusals import is_moderation, sentence, worth_retrying

COMMON = '"created":1768391649,"system_fingerprint":null,"model":"qwen-plus-character","id":"chatcmpl-4bbf"'
STREAM = (
    'data: {"choices":[{"delta":{"content":"","role":"assistant"},"index":0,"logprobs":null,"finish_reason":null}],'
    f'"object":"chat.completion.chunk","usage":null,{COMMON}}}\n\n'
    'data: {"choices":[{"finish_reason":null,"logprobs":null,"delta":{"content":"Oh? 🧸"},"index":0}],'
    f'"object":"chat.completion.chunk","usage":null,{COMMON}}}\n\n'
    'data: {"choices":[{"delta":{"content":"（笑）你好"},"finish_reason":null,"index":0,"logprobs":null}],'
    f'"object":"chat.completion.chunk","usage":null,{COMMON}}}\n\n'
    'data: {"choices":[{"delta":{"content":""},"finish_reason":"stop","index":0,"logprobs":null}],'
    f'"object":"chat.completion.chunk","usage":null,{COMMON}}}\n\n'
    'data: {"choices":[],"object":"chat.completion.chunk","usage":{"prompt_tokens":130,"completion_tokens":31,'
    f'"total_tokens":161,"prompt_tokens_details":{{"cached_tokens":112}}}},{COMMON}}}\n\n'
    "data: [DONE]\n\n"
).encode()
EVENTS: list[Event] = [
    Delta(0, "Oh? 🧸"),
    Delta(0, "（笑）你好"),
    Finished(0, "stop"),
    Usage(130, 31, 112),
    Done(),
]


def read(parts: Sequence[bytes]) -> list[Event]:
    parser = AnswerParser()
    events = [event for part in parts for event in parser.feed(part)]
    return events + parser.close()


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges)]


def delta(text: str, index: int = 0) -> str:
    return json.dumps({"choices": [{"delta": {"content": text}, "index": index, "finish_reason": None}]})


@given(st.lists(st.integers(0, 10_000), max_size=40))
def test_any_cut_gives_the_same_events(places: list[int]) -> None:
    assert read(cut(STREAM, places)) == EVENTS


def test_one_byte_at_a_time_gives_the_same_events() -> None:
    assert read([bytes([byte]) for byte in STREAM]) == EVENTS


def test_text_comes_out_as_soon_as_its_event_is_whole() -> None:
    parser = AnswerParser()
    event = f"data: {delta('now')}\r\n\r\n".encode()
    assert parser.feed(event[:-3]) == []
    assert parser.feed(event[-3:]) == [Delta(0, "now")]


@given(
    texts=st.lists(st.text(st.characters(codec="utf-8"), min_size=1), max_size=8),
    newline=st.sampled_from(["\n", "\r\n", "\r"]),
    space=st.sampled_from(["", " "]),
    bom=st.booleans(),
    noise=st.sampled_from(["", ": keep-alive", "event: result", "id:7", ":HTTP_STATUS/200", "retry: 5"]),
    done=st.booleans(),
    last_newlines=st.integers(0, 2),
    places=st.lists(st.integers(0, 10_000), max_size=12),
)
def test_every_framing_of_the_same_answer_reads_the_same(
    texts: list[str], newline: str, space: str, bom: bool, noise: str, done: bool, last_newlines: int, places: list[int]
) -> None:
    finished = json.dumps({"choices": [{"delta": {}, "index": 0, "finish_reason": "stop"}]})
    payloads = [*map(delta, texts), finished, *(["[DONE]"] if done else [])]
    lines = newline.join(f"{noise}{newline if noise else ''}data:{space}{payload}{newline}" for payload in payloads)
    framed = ("\ufeff" * bom + lines + newline * last_newlines).encode()
    expected = [*(Delta(0, text) for text in texts), Finished(0, "stop"), Done()]
    assert read(cut(framed, places)) == expected


def test_an_event_may_have_several_lines_of_data() -> None:
    assert read([b'data: {"choices":[{"delta":\ndata: {"content":"hi"},\ndata: "index":0}]}\n\n'])[0] == Delta(0, "hi")


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=8))
def test_garbage_raises_nothing_and_ends(garbage: bytes, places: list[int]) -> None:
    events = read(cut(garbage, places))
    assert events == read([garbage])
    assert isinstance(events[-1], Done | Broken | Refused)


KEYS = st.sampled_from(["choices", "delta", "message", "content", "usage", "error", "code", "index", "finish_reason"])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(KEYS, json_values, max_size=5))
def test_json_of_any_shape_raises_nothing(value: dict[str, Any]) -> None:
    data = json.dumps(value).encode()
    for body in (data, b"data: " + data + b"\n\n"):
        assert isinstance(parse_answer(body)[-1], Done | Broken | Refused)


@pytest.mark.parametrize("body", [b"data: " + b"[" * 100_000 + b"\n\n", b"{" * 100_000, b"data: {\n\n", b"data: 7\n\n"])
def test_what_is_no_answer_is_broken(body: bytes) -> None:
    events = parse_answer(body)
    assert len(events) == 1
    assert isinstance(events[0], Broken)


def test_what_stands_before_a_break_is_kept() -> None:
    broken = f"data: {delta('Once')}\n\ndata: {{nonsense\n\ndata: {delta('never')}\n\n".encode()
    events = read([broken])
    assert events[0] == Delta(0, "Once")
    assert isinstance(events[1], Broken)
    assert len(events) == 2


@pytest.mark.parametrize("begin", [b"data: ", b"", b"{", b"data: x\n" * 200_000])
def test_a_line_without_end_is_given_up(begin: bytes) -> None:
    parser = AnswerParser()
    events: list[Event] = []
    for part in (begin, *[b"x" * 65_536] * (LONGEST_LINE // 65_536 + 1)):
        events += parser.feed(part)
    assert len(events) == 1
    assert isinstance(events[0], Broken)


def test_an_answer_that_stops_early_is_not_taken_for_whole() -> None:
    events = read([f"data: {delta('Once upon')}\n\n".encode()])
    assert events[0] == Delta(0, "Once upon")
    assert isinstance(events[1], Broken)


def test_a_web_page_is_no_answer() -> None:
    assert [type(event) for event in parse_answer(b"<html><body>Please: sign in</body></html>")] == [Broken]


def test_an_answer_in_one_piece() -> None:
    body = {
        "choices": [
            {"message": {"content": "Hi.", "role": "assistant"}, "finish_reason": "stop", "index": 0, "logprobs": None},
            {"message": {"content": "Ho.", "role": "assistant"}, "finish_reason": "length", "index": 1},
        ],
        "usage": {"prompt_tokens": 130, "completion_tokens": 52, "total_tokens": 182},
    }
    for text in (json.dumps(body), json.dumps(body, indent=2), "\ufeff\n" + json.dumps(body)):
        assert parse_answer(text.encode()) == [
            Delta(0, "Hi."),
            Finished(0, "stop"),
            Delta(1, "Ho."),
            Finished(1, "length"),
            Usage(130, 52, 0),
            Done(),
        ]


def test_cached_tokens_are_found_where_they_stood_earlier() -> None:
    events = parse_answer(
        b'data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":1,"cached_tokens":8}}\n\n'
    )
    assert events[0] == Usage(9, 1, 8)


ERROR = '{"error":{"message":"no","type":"t","param":null,"code":"data_inspection_failed"}'
REFUSED = Refused("data_inspection_failed", "no")


@pytest.mark.parametrize(
    "body",
    [
        f'{ERROR},"request_id":"1"}}',
        f'{ERROR},"id":"chatcmpl-1","request_id":"1"}}',
        f"{ERROR}}}",
        f'data: {ERROR},"id":"chatcmpl-1"}}',
        f'data: {ERROR},"id":"chatcmpl-1"}}\n\n',
        f"id:1\nevent:error\n:HTTP_STATUS/400\ndata:{ERROR}}}\n\n",
        '{"error":{"id":"chatcmpl-1","message":"no","code":"data_inspection_failed"}}',
        '{"code":"data_inspection_failed","message":"no","request_id":"1"}',
        '{"error":{"message":"no","code":400,"type":"data_inspection_failed"}}',
    ],
)
def test_every_recorded_shape_of_an_error_is_read(body: str) -> None:
    assert parse_refusal(400, body.encode()) == REFUSED
    assert parse_answer(body.encode()) == [REFUSED]


@pytest.mark.parametrize("body", [b"", b"Bad gateway", b"<html>", b"{}", b'{"error":true}', b"\xff\xfe"])
def test_an_error_without_a_code_is_named_after_its_status(body: bytes) -> None:
    assert parse_refusal(502, body).code == "http_502"


def test_a_code_is_no_place_for_other_text() -> None:
    body = json.dumps({"error": {"code": "bad\nthing <b>" + "x" * 500, "message": "no"}}).encode()
    assert parse_refusal(400, body).code == ("badthingb" + "x" * 500)[:64]


def test_an_error_in_the_middle_ends_the_answer_with_or_without_done() -> None:
    start = f"data: {delta('Once')}\n\ndata: {ERROR}}}\n\n".encode()
    assert read([start]) == read([start, b"data: [DONE]\n\n"]) == [Delta(0, "Once"), REFUSED]


def test_halves_of_characters_never_leave_the_parser() -> None:
    events = parse_answer(b'data: {"choices":[{"delta":{"content":"\\ud83e\\uddf8 \\ud83e"},"index":0}]}\n\n')
    assert events[0] == Delta(0, "🧸 \ufffd")


def test_the_request_holds_what_was_given_and_nothing_else() -> None:
    messages = [{"role": "user", "content": "hi"}]
    assert request_body("m", messages, stream=False) == {"model": "m", "messages": messages}
    assert request_body("m", messages, logit_bias={"7": -100}, max_tokens=9, temperature=0.0) == {
        "model": "m",
        "messages": messages,
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 9,
        "temperature": 0.0,
        "logit_bias": {"7": -100},
    }


@pytest.mark.parametrize(
    ("status", "code", "again"),
    [
        (429, "limit_requests", True),
        (429, "insufficient_quota", True),
        (429, "PrepaidBillOverdue", False),
        (500, "internal_error", True),
        (503, "http_503", True),
        (200, "internal_error", True),
        (200, "data_inspection_failed", False),
        (400, "Arrearage", False),
        (400, "invalid_parameter_error", False),
        (401, "invalid_api_key", False),
        (403, "AllocationQuota.FreeTierOnly", False),
        (404, "model_not_found", False),
    ],
)
def test_only_passing_troubles_are_worth_retrying(status: int, code: str, again: bool) -> None:
    assert worth_retrying(status, code) is again


def test_a_refusal_says_what_to_do_and_never_what_was_said() -> None:
    heard = "my secret <400> Range of max_tokens should be [1, 4000] my secret"
    for status, code in [(400, "x"), (401, "invalid_api_key"), (403, "y"), (404, "http_404"), (400, "Arrearage")]:
        said = sentence(status, Refused(code, heard))
        assert code in said
        assert ":" in said
        assert "secret" not in said
    assert "Range of max_tokens should be [1, 4000]" in sentence(400, Refused("x", heard))
    assert is_moderation("data_inspection_failed")
