"""Answers in the manner of routes that were never asked, in envelopes, and bodies that are no answer at all."""

from __future__ import annotations

import asyncio
import json
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.errors import CharacterError
from companion.mind.api.other_routes import read_other
from companion.mind.api.parser import AnswerParser, Broken, Delta, Done, Event, Finished, Refused, parse_answer
from tests.support.service_scene import Line, Step, answer, event, on

HI = {"choices": [{"index": 0, "message": {"content": "Good day."}, "finish_reason": "stop"}]}


def events(*objects: dict[str, Any]) -> bytes:
    return b"".join(f"event: {one['type']}\ndata: {json.dumps(one)}\n\n".encode() for one in objects)


def lines(*objects: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in objects)


def data(*objects: Any) -> bytes:
    return b"".join(f"data: {json.dumps(one)}\n\n".encode() for one in objects)


def gemini(text: str, **more: Any) -> dict[str, Any]:
    return {"candidates": [{"content": {"parts": [{"text": text}], "role": "model"}, **more}]}


WHOLE = {
    "ollama": lines(
        {"message": {"role": "assistant", "content": "Good "}, "done": False},
        {"message": {"role": "assistant", "content": "day."}, "done": False},
        {"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop"},
    ),
    "ollama generate": lines({"response": "Good ", "done": False}, {"response": "day.", "done": True}),
    "llama.cpp": data({"content": "Good ", "stop": False}, {"content": "day.", "stop": True}),
    "anthropic": events(
        {"type": "message_start", "message": {"role": "assistant", "content": [], "usage": {"input_tokens": 5}}},
        {"type": "ping"},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hm"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Good "}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "day."}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 4}},
        {"type": "message_stop"},
    ),
    "anthropic, whole": json.dumps(
        {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "Good day."}]}
        | {"stop_reason": "end_turn"}
    ).encode(),
    "gemini": data(gemini("Good "), gemini("day.", finishReason="STOP")),
    "gemini, a list": json.dumps([gemini("Good "), gemini("day.", finishReason="STOP")]).encode(),
    "responses": events(
        {"type": "response.created", "response": {"status": "in_progress", "output": []}},
        {"type": "response.reasoning_summary_text.delta", "delta": "hm"},
        {"type": "response.output_text.delta", "delta": "Good "},
        {"type": "response.output_text.delta", "delta": "day."},
        {"type": "response.output_text.done", "text": "Good day."},
        {"type": "response.completed", "response": {"status": "completed"}},
    ),
    "responses, whole": json.dumps(
        {"status": "completed", "output": [{"type": "reasoning", "summary": ["hm"]}]}
        | {"output": [{"type": "message", "content": [{"type": "output_text", "text": "Good day."}]}]}
    ).encode(),
    "audio": data(
        {"choices": [{"delta": {"content": None, "audio": {"transcript": "Good day."}}, "finish_reason": "stop"}]}
    ),
    "choices, one": data({"choices": HI["choices"][0]}),
    "delta, text": data({"choices": [{"delta": "Good day.", "finish_reason": "stop"}]}),
    "an envelope": json.dumps({"code": 200, "message": "success", "data": HI}).encode(),
    "framed twice": data(HI).replace(b"data: ", b"data: data: "),
    "packed": zlib.compress(data(HI)),
}


@pytest.mark.looptime
@pytest.mark.parametrize("body", WHOLE.values(), ids=WHOLE)
async def test_the_answer_is_heard(body: bytes) -> None:
    assert await answer(on(Line([body]))) == "Good day."


def test_lines_are_read_as_they_come() -> None:
    parser = AnswerParser()
    first, rest = WHOLE["ollama"].split(b"\n", 1)
    assert parser.feed(first + b"\n") == [Delta(0, "Good ")]
    assert parser.feed(rest) + parser.close() == [Delta(0, "day."), Finished(0, "stop"), Done()]


def test_lines_that_stop_before_the_last_are_no_whole_answer() -> None:
    said = [{"message": {"content": one}, "done": False} for one in ("Good day. ", "I am")]
    assert parse_answer(lines(*said))[-1] == Broken("it stopped before the end of the answer")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (events({"type": "response.incomplete"}), "length"),
        (data(gemini("", finishReason="MAX_TOKENS")), "MAX_TOKENS"),
        (data({"content": "Good", "stop": True, "stop_type": "limit"}), "length"),
        (events({"type": "response.refusal.delta", "delta": "I can"}), "content_filter"),
    ],
)
def test_why_it_ends(body: bytes, reason: str) -> None:
    assert Finished(0, reason) in parse_answer(body)


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (b'[{"error": {"code": 400, "message": "no"}}]', "", "no"),
        (events({"type": "response.failed", "response": {"error": {"code": "server_error"}}}), "server_error", ""),
        (b'{"code": 1001, "msg": "no balance", "success": false}', "", "no balance"),
    ],
)
def test_errors(body: bytes, code: str, message: str) -> None:
    found = parse_answer(body)[-1]
    assert isinstance(found, Refused)
    assert (found.code, found.message) == (code, message)


@pytest.mark.looptime
@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"<!DOCTYPE html><html><body>Please sign in</body></html>", "a web page; check character.base_url"),
        (b"", "it is empty"),
        (b"Good day, my friend.", "there is no answer in it"),
        (b"\x1b\x7f\x00\xf8%\xc2\x92", "there is no answer in it"),
        (b"\x28\xb5\x2f\xfd\x04\x00", "compressed (zstd)"),
        (b'{"base_resp": {"status_code": 1004}, "choices": null}', "its form is not known"),
        (b"data: {'choices': []}\n\n", "not a JSON object"),
    ],
)
async def test_what_is_no_answer_is_called_by_its_name(body: bytes, says: str) -> None:
    with pytest.raises(CharacterError) as caught:
        await answer(on(Line([body])))
    assert says in str(caught.value)


NAMES = ("type", "content", "done", "message", "candidates", "output", "delta", "stop", "parts", "text", "response")
KEYS = st.sampled_from(NAMES)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(KEYS | st.just("usage"), JSON))
def test_nothing_raises(value: dict[str, Any]) -> None:
    read_other(value)
    found: list[Event] = parse_answer(json.dumps(value).encode())
    assert isinstance(found[-1], Done | Broken | Refused)


@pytest.mark.looptime
async def test_keep_alives_behind_the_end_do_not_hold_the_turn() -> None:
    keep_alives: list[Step] = [0.3, b": keep-alive\n\n"] * 100
    began = asyncio.get_running_loop().time()
    assert await answer(on(Line([event("Good day.", "stop"), *keep_alives]))) == "Good day."
    assert asyncio.get_running_loop().time() - began < 2


@pytest.mark.looptime
async def test_every_status_of_success_is_one() -> None:
    assert await answer(on(Line([201, data(HI)]))) == "Good day."
    with pytest.raises(CharacterError, match="it is empty"):
        await answer(on(Line([204])))


@pytest.mark.looptime
async def test_a_server_that_only_fails_is_said_to_fail() -> None:
    line = Line([500, b"Internal error"])
    with pytest.raises(CharacterError, match="has a fault of its own") as caught:
        await answer(on(line, base_url="http://127.0.0.1:9/v1", requests_per_second=1))
    assert caught.value.line == "failed"
