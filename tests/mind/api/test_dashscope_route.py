"""The service's own route: every framing and oddity of sections 5.1 to 5.3, and servers that repeat themselves."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.mind.api.parser import (
    AnswerParser,
    Broken,
    Delta,
    Done,
    Event,
    Finished,
    Refused,
    Request,
    ServiceMemory,
    ServiceMemoryUsage,
    Usage,
    encode_request,
    parse_answer,
    parse_refusal,
)

REQUEST_ID = "71689cfc-0000-9000-8000-000000000001"


def frame(text: str, reason: str = "null", *, number: int = 1, index: int = 0, tokens: int = 0) -> bytes:
    choice = {"message": {"content": text, "role": "assistant"}, "index": index, "finish_reason": reason}
    usage = {
        "total_tokens": 130 + tokens,
        "output_tokens": tokens,
        "input_tokens": 130,
        "prompt_tokens_details": {"cached_tokens": 112},
    }
    value = {"output": {"choices": [choice]}, "usage": usage, "request_id": REQUEST_ID}
    data = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return f"id:{number}\nevent:result\n:HTTP_STATUS/200\ndata:{data}\n\n".encode()


def stream(texts: Sequence[str], last: str = "") -> bytes:
    frames = [frame(text, number=number, tokens=number) for number, text in enumerate(texts, 1)]
    return b"".join([*frames, frame(last, "stop", number=len(texts) + 1, tokens=len(texts))])


def repeating(texts: Sequence[str]) -> bytes:
    """What a server sends that does not know `incremental_output`: its last frame repeats all, too."""
    told = list(itertools.accumulate(texts))
    return stream(told, told[-1] if told else "")


def read(data: bytes, places: Sequence[int] = ()) -> list[Event]:
    parser = AnswerParser("dashscope")
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    events = [event for a, b in itertools.pairwise(edges) for event in parser.feed(data[a:b])]
    return events + parser.close()


def spoken(events: Sequence[Event], index: int = 0) -> str:
    return "".join(event.text for event in events if isinstance(event, Delta) and event.index == index)


@given(st.lists(st.integers(0, 10_000), max_size=40))
def test_any_cut_gives_the_same_events(places: list[int]) -> None:
    assert read(stream(["Oh? 🧸", "（笑）你好"]), places) == [
        Delta(0, "Oh? 🧸"),
        Delta(0, "（笑）你好"),
        Finished(0, "stop"),
        Usage(130, 2, 112),
        Done(),
    ]


def test_the_recorded_answer_of_a_server_that_repeats() -> None:
    told = stream(["Oh?", "Oh? (Leaning"], "Oh? (Leaning closer) Hi.")
    assert spoken(read(told)) == "Oh? (Leaning closer) Hi."


@pytest.mark.parametrize(
    "texts",
    [
        ["Oh?", " (Leaning", " closer)", " Hi."],
        ["哈", "哈哈", "哈哈哈", "，真好笑！"],
        ["Ha", "Ha ha", "! That is funny."],
        ["No", "No", "No", "!"],
        ["La la la la la la", " la", "."],
        ["The cat sat", ".", " The cat sat", " again."],
        ["好"],
        ["1", "1", "1"],
        [],
    ],
)
@pytest.mark.parametrize("places", [(), range(1000)])
def test_nothing_is_doubled_and_nothing_lost(texts: list[str], places: Sequence[int]) -> None:
    assert spoken(read(stream(texts), places)) == "".join(texts)
    assert spoken(read(repeating(texts), places)) == "".join(texts)


@given(st.lists(st.text(st.sampled_from("ab 哈。"), min_size=1, max_size=4), max_size=8))
def test_a_server_that_repeats_is_never_doubled(texts: list[str]) -> None:
    assert spoken(read(repeating(texts))) == "".join(texts)


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\ufffd"), min_size=1, max_size=6), max_size=8))
def test_a_server_that_does_as_asked_loses_nothing(texts: list[str]) -> None:
    assert spoken(read(stream(texts))) == "".join(texts)


def test_text_is_not_held_back_longer_than_it_must() -> None:
    parser = AnswerParser("dashscope")
    assert parser.feed(frame("Once")) == [Delta(0, "Once")]
    assert parser.feed(frame(" upon")) == [Delta(0, " upon")]
    again = AnswerParser("dashscope")
    told = ["Once upon", "Once upon a time", "Once upon a time there"]
    assert [again.feed(frame(text)) for text in told] == [
        [Delta(0, "Once upon")],
        [Delta(0, " a time")],
        [Delta(0, " there")],
    ]


def test_a_character_cut_in_two_by_the_server_comes_whole() -> None:
    told = stream(["I like you \ufffd", "I like you 🧸", "I like you 🧸!"], "I like you 🧸!")
    assert spoken(read(told)) == "I like you 🧸!"


def test_a_repeating_server_that_ends_with_nothing_or_less_takes_nothing_back() -> None:
    for last in ("", "Once upon a time"):
        assert spoken(read(stream(["Once upon a time ", "Once upon a time there "], last))) == "Once upon a time there "


def test_what_is_held_back_comes_before_a_break_or_a_refusal() -> None:
    start = frame("Ha") + frame("Ha ha")
    assert read(start)[:2] == [Delta(0, "Ha"), Delta(0, " ha")]
    refused = read(start + b'event:error\n:HTTP_STATUS/400\ndata:{"code":"DataInspectionFailed","message":"x"}\n\n')
    assert refused == [
        Delta(0, "Ha"),
        Delta(0, " ha"),
        Usage(130, 0, 112),
        Refused("DataInspectionFailed", "x", 400),
    ]


def test_several_answers_are_kept_apart() -> None:
    told = [frame("A", index=0), frame("B", index=1), frame("Aa", index=0), frame("Bb", "stop", index=1)]
    events = read(b"".join([*told, frame("Aaa", "stop", index=0)]))
    assert (spoken(events, 0), spoken(events, 1)) == ("Aaa", "Bb")
    assert isinstance(events[-1], Done)
    assert isinstance(read(b"".join(told))[-1], Broken)


def test_an_answer_in_one_piece_in_both_formats_and_all_shapes_of_the_cache_count() -> None:
    choices = [
        {"finish_reason": "stop", "index": i, "message": {"role": "assistant", "content": t}}
        for i, t in enumerate("xy")
    ]
    usage = {"input_tokens": 130, "output_tokens": 38, "total_tokens": 168}
    caches: list[tuple[dict[str, Any], int]] = [
        ({}, 0),
        ({"cached_tokens": 16}, 16),
        ({"prompt_tokens_details": {"cached_tokens": 32}}, 32),
    ]
    for cache, cached in caches:
        body = {"output": {"choices": choices}, "usage": {**usage, **cache}, "request_id": REQUEST_ID}
        assert parse_answer(json.dumps(body).encode(), "dashscope") == [
            Delta(0, "x"),
            Finished(0, "stop"),
            Delta(1, "y"),
            Finished(1, "stop"),
            Usage(130, 38, cached),
            Done(),
        ]
    oldest = {"output": {"choices": [{"finish_reason": "stop", "message": {"content": "x"}}]}, "usage": usage}
    text = {"output": {"text": "x", "finish_reason": "stop"}, "usage": usage}
    full = {**text, "status_code": 200, "code": "", "message": ""}
    bodies: list[dict[str, Any]] = [oldest, text, full]
    for body in bodies:
        assert parse_answer(json.dumps(body).encode(), "dashscope")[:2] == [Delta(0, "x"), Finished(0, "stop")]


def test_the_format_text_streams() -> None:
    texts = [("Oh", "null"), ("Oh, hello", "null"), ("Oh, hello there", "stop")]
    frames = [{"output": {"text": text, "finish_reason": reason}} for text, reason in texts]
    told = "".join(f"event:result\ndata:{json.dumps(value)}\n\n" for value in frames)
    assert read(told.encode()) == [Delta(0, "Oh"), Delta(0, ", hello there"), Finished(0, "stop"), Done()]


def test_the_word_null_is_no_end_of_an_answer() -> None:
    assert [type(event) for event in read(frame("Once"))] == [Delta, Usage, Broken]


def test_the_cost_of_the_services_memory() -> None:
    details = {
        "cached_tokens": 3024,
        "current_memory_tokens": 671,
        "summary_memory_usage": {"input_tokens": 4700, "output_tokens": 671, "cached_tokens": 3328},
    }
    usage = {"input_tokens": 4091, "output_tokens": 45, "prompt_tokens_details": details}
    body = {"output": {"text": "x", "finish_reason": "stop"}, "usage": usage}
    events = parse_answer(json.dumps(body).encode(), "dashscope")
    assert events[2] == Usage(4091, 45, 3024, ServiceMemoryUsage(671, 4700, 671, 3328))


ERROR = (
    '{"code":"InvalidParameter","message":"<400> InternalError.Algo.InvalidParameter: '
    f'Range of max_tokens should be [1, 32768]","request_id":"{REQUEST_ID}"}}'
)
RANGE = "<400> InternalError.Algo.InvalidParameter: Range of max_tokens should be [1, 32768]"


@pytest.mark.parametrize(
    "body",
    [
        ERROR,
        f"id:1\nevent:error\n:HTTP_STATUS/400\ndata:{ERROR}\n\n",
        f"id: 1\nevent: error\n: HTTP_STATUS/400\ndata: {ERROR}",
        f"\ufeffid:1\r\nevent:error\r\n:HTTP_STATUS/400\r\ndata:{ERROR}\r\n\r\n",
    ],
)
def test_a_refusal_before_the_answer(body: str) -> None:
    assert parse_refusal(400, body.encode()) == Refused("InvalidParameter", RANGE, 400, REQUEST_ID)


def test_a_refusal_under_status_200_has_the_status_of_its_frame() -> None:
    body = f"id:1\nevent:error\n:HTTP_STATUS/429\ndata:{ERROR}\n\n".encode()
    assert read(body) == [Refused("InvalidParameter", RANGE, 429, REQUEST_ID)]


def test_a_refusal_in_the_manner_of_the_other_route() -> None:
    body = b'{"error":{"message":"no such model","type":"invalid_request_error","code":"model_not_found"}}'
    assert parse_refusal(404, body) == Refused("model_not_found", "no such model", 404)


def test_the_request() -> None:
    request = Request(
        "qwen-plus-character",
        ({"role": "user", "content": "hi"},),
        n=2,
        seed=7,
        max_tokens=50,
        logit_bias={"7": -100},
        memory=ServiceMemory("P", 50),
    )
    sent = encode_request("dashscope", request)
    assert sent.path == "services/aigc/text-generation/generation"
    assert sent.headers == {"Accept": "text/event-stream", "X-DashScope-SSE": "enable"}
    options: dict[str, Any] = {
        "profile": "P",
        "memory": {"enable_long_term_memory": True, "memory_entries": 50, "skip_save_types": []},
    }
    assert json.loads(sent.body) == {
        "model": "qwen-plus-character",
        "input": {"messages": [{"role": "user", "content": "hi"}]},
        "parameters": {
            "result_format": "message",
            "incremental_output": True,
            "n": 2,
            "seed": 7,
            "max_tokens": 50,
            "logit_bias": {"7": -100},
            "character_options": options,
        },
    }


def test_a_request_for_one_piece_asks_for_no_stream() -> None:
    sent = encode_request("dashscope", Request("m", ({"role": "user", "content": "hi"},), stream=False))
    assert sent.headers == {"Accept": "application/json"}
