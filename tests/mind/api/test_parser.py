"""The OpenAI-compatible route: whatever way the bytes are cut and framed, the same events come out.

Garbage raises nothing, on either route. The other route has `test_dashscope_protocol`.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.mind.api.parser import (
    LONGEST_LINE,
    AnswerParser,
    Broken,
    Delta,
    Done,
    Event,
    Finished,
    Protocol,
    Refused,
    Request,
    ServiceMemory,
    ServiceMemoryUsage,
    Usage,
    encode_request,
    parse_answer,
    parse_refusal,
)

PROTOCOLS: list[Protocol] = ["openai", "dashscope"]

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


def read(parts: Sequence[bytes], protocol: Protocol = "openai") -> list[Event]:
    parser = AnswerParser(protocol)
    events = [event for part in parts for event in parser.feed(part)]
    return events + parser.close()


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges)]


def finish(index: int) -> str:
    return json.dumps({"choices": [{"delta": {}, "index": index, "finish_reason": "stop"}]})


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


@pytest.mark.parametrize("protocol", PROTOCOLS)
@given(garbage=st.binary(max_size=300), places=st.lists(st.integers(0, 300), max_size=8))
def test_garbage_raises_nothing_and_ends(protocol: Protocol, garbage: bytes, places: list[int]) -> None:
    events = read(cut(garbage, places), protocol)
    assert events == read([garbage], protocol)
    assert isinstance(events[-1], Done | Broken | Refused)


NAMES = (
    "choices delta message content usage error code index finish_reason output text request_id id prompt_tokens "
    "prompt_tokens_details cached_tokens summary_memory_usage detail"
)
KEYS = st.sampled_from(NAMES.split())
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@given(st.dictionaries(KEYS, json_values, max_size=5))
def test_json_of_any_shape_raises_nothing(protocol: Protocol, value: dict[str, Any]) -> None:
    data = json.dumps(value).encode()
    for body in (data, b"data: " + data + b"\n\n", b"event:error\n:HTTP_STATUS/400\ndata:" + data + b"\n\n"):
        events = parse_answer(body, protocol)
        assert isinstance(events[-1], Done | Broken | Refused)
        assert sum(isinstance(event, Usage) for event in events) <= 1


@pytest.mark.parametrize("body", [b"data: " + b"[" * 100_000 + b"\n\n", b"{" * 100_000, b"data: {\n\n", b"data: 7\n\n"])
def test_what_is_no_answer_is_broken(body: bytes) -> None:
    events = parse_answer(body)
    assert len(events) == 1
    assert isinstance(events[0], Broken)


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
REFUSED = Refused("data_inspection_failed", "no", 400)


@pytest.mark.parametrize(
    "body",
    [
        f'{ERROR},"request_id":"1f-2"}}',
        f'{ERROR},"id":"chatcmpl-9","request_id":"1f-2"}}',
        f'{ERROR},"id":"chatcmpl-1f-2"}}',
        f'data: {ERROR},"id":"chatcmpl-1f-2"}}',
        f'data: {ERROR},"id":"chatcmpl-1f-2"}}\n\n',
        f'id:1\nevent:error\n:HTTP_STATUS/400\ndata:{ERROR},"request_id":"1f-2"}}\n\n',
        '{"error":{"id":"chatcmpl-1f-2","message":"no","code":"data_inspection_failed"}}',
        '{"code":"data_inspection_failed","message":"no","request_id":"1f-2"}',
        '{"error":{"message":"no","code":400,"type":"data_inspection_failed"},"id":"1f-2"}',
    ],
)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_recorded_shape_of_an_error_is_read(protocol: Protocol, body: str) -> None:
    assert parse_refusal(400, body.encode()) == replace(REFUSED, request_id="1f-2")
    (event,) = parse_answer(body.encode(), protocol)
    assert isinstance(event, Refused)
    assert (event.code, event.message, event.request_id) == ("data_inspection_failed", "no", "1f-2")


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        (
            '{"error":{"code":400,"message":"`logit_bias` no","type":"invalid_request_error"}}',
            Refused("invalid_request_error", "`logit_bias` no", 400),
        ),
        (
            '{"object":"error","message":"too long","type":"BadRequestError","code":400}',
            Refused("BadRequestError", "too long", 400),
        ),
        ('{"error":"model not found"}', Refused("", "model not found")),
        ('{"detail":"Not Found"}', Refused("", "Not Found")),
        ('error: {"code":500,"message":"slot","type":"server_error"}\n\n', Refused("server_error", "slot", 500)),
        ("event:error\ndata:sorry\n\n", Refused("", "")),
    ],
)
def test_other_servers_errors_are_read_too(body: str, refused: Refused) -> None:
    assert parse_answer(body.encode()) == [refused]


def test_a_list_of_what_is_wrong_is_the_message() -> None:
    body = b'{"detail":[{"loc":["body","seed"],"msg":"Extra inputs are not permitted"}]}'
    assert "seed" in parse_refusal(422, body).message


@pytest.mark.parametrize("body", [b"", b"Bad gateway", b"<html>", b"{}", b'{"error":true}', b"\xff\xfe"])
def test_an_error_without_a_code_is_named_after_its_status(body: bytes) -> None:
    assert parse_refusal(502, body).code == "http_502"


def test_a_code_is_no_place_for_other_text() -> None:
    body = json.dumps({"error": {"code": "bad\nthing <b>" + "x" * 500, "message": "no"}}).encode()
    assert parse_refusal(400, body).code == ("badthingb" + "x" * 500)[:64]


def test_an_error_in_the_middle_ends_the_answer_with_or_without_done() -> None:
    start = f"data: {delta('Once')}\n\ndata: {ERROR}}}\n\n".encode()
    assert (
        read([start])
        == read([start, b"data: [DONE]\n\n"])
        == [
            Delta(0, "Once"),
            replace(REFUSED, status=None),
        ]
    )


def test_halves_of_characters_never_leave_the_parser() -> None:
    events = parse_answer(b'data: {"choices":[{"delta":{"content":"\\ud83e\\uddf8 \\ud83e"},"index":0}]}\n\n')
    assert events[:2] == [Delta(0, "🧸 "), Delta(0, "\ufffd")]


def test_halves_of_characters_in_two_pieces_are_joined() -> None:
    pieces = [r"Hi \ud83d", r"\udc3b there \udc3b.", r"\ud83d!"]
    sent = "".join(f'data: {{"choices":[{{"delta":{{"content":"{one}"}},"index":0}}]}}\n\n' for one in pieces)
    text = "".join(event.text for event in parse_answer(sent.encode()) if isinstance(event, Delta))
    assert text == "Hi 🐻 there \ufffd.\ufffd!"


def sent(request: Request, protocol: Protocol = "openai") -> Any:
    return json.loads(encode_request(protocol, request).body)


MESSAGES = ({"role": "user", "content": "hi"},)


def test_the_request_holds_what_was_given_and_nothing_else() -> None:
    assert sent(Request("m", MESSAGES, stream=False)) == {"model": "m", "messages": [*MESSAGES]}
    whole = Request("m", MESSAGES, n=2, seed=0, max_tokens=9, temperature=0.0, logit_bias={"7": -100})
    assert sent(whole) == {
        "model": "m",
        "messages": [*MESSAGES],
        "stream": True,
        "stream_options": {"include_usage": True},
        "n": 2,
        "seed": 0,
        "max_tokens": 9,
        "temperature": 0.0,
        "logit_bias": {"7": -100},
    }


def test_a_server_without_stream_options_is_not_asked_for_them() -> None:
    assert "stream_options" not in sent(Request("m", MESSAGES, include_usage=False))


def test_the_services_memory_stands_beside_the_messages() -> None:
    body = sent(Request("m", MESSAGES, memory=ServiceMemory("A bear.", 50, ("system",))))
    assert body["character_options"] == {
        "profile": "A bear.",
        "memory": {"enable_long_term_memory": True, "memory_entries": 50, "skip_save_types": ["system"]},
    }


def test_the_way_of_the_request() -> None:
    one = encode_request("openai", Request("m", MESSAGES))
    assert (one.path, one.headers) == ("chat/completions", {"Accept": "text/event-stream"})
    assert encode_request("openai", Request("m", MESSAGES, stream=False)).headers == {"Accept": "application/json"}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@given(text=st.text(st.characters(categories=None)))
def test_any_text_can_be_sent(protocol: Protocol, text: str) -> None:
    body = encode_request(protocol, Request("m", ({"role": "user", "content": text},))).body
    received = json.loads(body.decode("utf-8"))
    messages = received["messages"] if protocol == "openai" else received["input"]["messages"]
    if text.isprintable():
        assert messages[0]["content"] == text


def test_halves_of_characters_are_joined_or_replaced_on_the_way_out() -> None:
    text = sent(Request("m", ({"role": "user", "content": "\ud83e\uddf8 \ud83e"},)))["messages"][0]["content"]
    assert text == "🧸 \ufffd"


def test_several_answers_are_kept_apart_and_all_must_end() -> None:
    two = [delta("A", 0), delta("B", 1), delta("a", 0), finish(0), delta("b", 1)]
    framed = b"".join(f"data: {one}\n\n".encode() for one in two)
    told = [Delta(0, "A"), Delta(1, "B"), Delta(0, "a"), Finished(0, "stop"), Delta(1, "b")]
    assert read([framed, f"data: {finish(1)}\n\n".encode()]) == [*told, Finished(1, "stop"), Done()]
    assert [type(event) for event in read([framed])][-1] is Broken


def test_the_cost_is_told_once_though_every_chunk_tells_it() -> None:
    chunk = (
        '{{"choices":[{{"delta":{{"content":"x"}},"index":0}}],"usage":{{"prompt_tokens":9,"completion_tokens":{}}}}}'
    )
    parser = AnswerParser()
    events = [event for tokens in (1, 2, 3) for event in parser.feed(f"data: {chunk.format(tokens)}\n\n".encode())]
    assert Usage(9, 3, 0) not in events
    assert parser.usage == Usage(9, 3, 0)
    assert [event for event in parser.close() if isinstance(event, Usage)] == [Usage(9, 3, 0)]


def test_the_cost_of_the_services_memory() -> None:
    usage = (
        b'{"prompt_tokens":4091,"completion_tokens":45,"total_tokens":4136,"prompt_tokens_details":{"cached_tokens":3024,'
        b'"current_memory_tokens":671,"summary_memory_usage":{"input_tokens":4700,"output_tokens":671,'
        b'"prompt_tokens_details":{"cached_tokens":3328},"total_tokens":5371}}}'
    )
    events = parse_answer(b'{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}],"usage":' + usage + b"}")
    assert events[2] == Usage(4091, 45, 3024, ServiceMemoryUsage(671, 4700, 671, 3328))


def test_an_answer_without_end_is_given_up() -> None:
    parser = AnswerParser()
    chunk = f"data: {delta('la ' * 20_000)}\n\n".encode()
    events = [event for _ in range(40) for event in parser.feed(chunk)]
    assert isinstance(events[-1], Broken)
    assert len(events) < 40
