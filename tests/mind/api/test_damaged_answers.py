"""Answers as gateways and other servers damage them: keep-alives as data, strange indexes, no end mark, no end.

What can be read is read, and what is whole is never a failure.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.mind.api.parser import (
    LONGEST_ANSWER,
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
    encode_request,
    parse_answer,
)
from tests.support.damaged_wire import BODIES

PROTOCOLS: list[Protocol] = ["openai", "dashscope"]


def read(parts: list[bytes], protocol: Protocol = "openai") -> list[Event]:
    parser = AnswerParser(protocol)
    events = [event for part in parts for event in parser.feed(part)]
    return events + parser.close()


def finish(index: int) -> str:
    return json.dumps({"choices": [{"delta": {}, "index": index, "finish_reason": "stop"}]})


def delta(text: str, index: int = 0) -> str:
    return json.dumps({"choices": [{"delta": {"content": text}, "index": index, "finish_reason": None}]})


NOISE = ["ping", ": keepalive", "{nonsense", "null", "[]", '"ping"', "7", "\ufffd\x00", '{"choices": [{"delta"', "true"]


@pytest.mark.parametrize("noise", NOISE)
def test_what_is_no_object_is_read_over_while_others_come(noise: str) -> None:
    for newlines in ("\n\n", "\n"):
        payloads = [noise, delta("Good "), noise, noise, delta("day."), finish(0), noise]
        events = read(["".join(f"data: {one}{newlines}" for one in payloads).encode()])
        assert events == [Delta(0, "Good "), Delta(0, "day."), Finished(0, "stop"), Done()]


@pytest.mark.parametrize(
    "behind",
    [
        'data: {"choices":[],"usage":{"prompt_tok',
        'data: {"error":{"message":"usage is not known","code":"internal_error"}}\n\n',
        "event: error\ndata: sorry\n\n",
        ":HTTP_STATUS/500\n\n",
        "data: " + "x" * (LONGEST_LINE + 1),
        "data: x\n" * LONGEST_LINE,
    ],
)
def test_nothing_behind_the_finish_reason_makes_a_failure_of_the_answer(behind: str) -> None:
    whole = f"data: {delta('Hi.')}\n\ndata: {finish(0)}\n\n{behind}".encode()
    parts = [whole[at : at + 999] for at in range(0, len(whole), 999)]
    assert read([whole]) == read(parts) == [Delta(0, "Hi."), Finished(0, "stop"), Done()]


@pytest.mark.parametrize(
    ("said", "end"),
    [
        (["Good morning, ", "my friend."], Done),
        (["Guten Morgen! ", "😊🌞"], Done),
        (["He said “now.”\n"], Done),
        (["早上好。"], Done),
        (["Good morning, "], Broken),
        (["Good"], Broken),
        (["Hello! ", "My"], Broken),
        (["(waves)"], Broken),
        (["Hello! ", "*"], Broken),
        ([" "], Broken),
    ],
)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_without_any_end_mark_the_text_tells_whether_it_is_whole(
    protocol: Protocol, said: list[str], end: type[Event]
) -> None:
    events = read([f"data: {delta(text)}\n\n".encode() for text in said], protocol)
    assert "".join(event.text for event in events if isinstance(event, Delta)) == "".join(said)
    assert type(events[-1]) is end
    unclean = read([*(f"data: {delta(text)}\n\n".encode() for text in said), b'data: {"choices":[{"del'], protocol)
    assert isinstance(unclean[-1], Broken)


@pytest.mark.parametrize(
    "indexes", [(1, 1, 1), (0, 1, 2), (1, 2, 3), (-1, -1, -1), (0, 0, 7), ("0", "1", "x"), (2, None, 0)]
)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_one_answer_was_asked_for_so_every_index_is_that_answer(protocol: Protocol, indexes: tuple[Any, ...]) -> None:
    texts = ["Good ", "day.", ""]
    reasons = [None, None, "stop"]
    told = [
        {"choices": [{"delta": {"content": text}, "index": index, "finish_reason": reason}]}
        for text, index, reason in zip(texts, indexes, reasons, strict=True)
    ]
    parser = AnswerParser(protocol, answers=1)
    events = parser.feed("".join(f"data: {json.dumps(one)}\n\n" for one in told).encode())
    assert parser.is_whole
    assert events + parser.close() == [Delta(0, "Good "), Delta(0, "day."), Finished(0, "stop"), Done()]


@pytest.mark.parametrize("reason", ["stop", None])
def test_one_whole_answer_of_any_index_is_whole_with_its_object(reason: str | None) -> None:
    body = {"choices": [{"index": 1, "message": {"content": "Good day"}, "finish_reason": reason}]}
    parser = AnswerParser(answers=1)
    events = parser.feed(json.dumps(body).encode()) + parser.close()
    assert [event for event in events if not isinstance(event, Finished)] == [Delta(0, "Good day"), Done()]


def test_answers_without_an_index_are_told_apart_by_their_place() -> None:
    body = {"choices": [{"message": {"content": text}, "finish_reason": "stop"} for text in ("Hi.", "Ho.")]}
    assert [event for event in parse_answer(json.dumps(body).encode()) if isinstance(event, Delta)] == [
        Delta(0, "Hi."),
        Delta(1, "Ho."),
    ]


def test_an_answer_is_cut_where_no_answer_of_so_many_tokens_ends() -> None:
    longest = encode_request("openai", Request("m", (), max_tokens=300)).longest
    assert 300 * 6 < longest < 300 * 40
    parser = AnswerParser(answers=1, longest=longest)
    events = parser.feed(f"data: {delta('word ' * longest)}\n\n".encode()[: LONGEST_LINE - 1])
    events += parser.feed(f"data: {delta('word ' * longest)}\n\n".encode()[LONGEST_LINE - 1 :])
    assert [type(event) for event in events] == [Delta, Broken]
    assert isinstance(events[0], Delta)
    assert len(events[0].text) == longest
    assert encode_request("openai", Request("m", ())).longest <= LONGEST_ANSWER


@given(BODIES, st.sampled_from(PROTOCOLS), st.integers(1, 60))
def test_whatever_comes_is_one_bounded_answer_with_one_end(body: list[bytes], protocol: Protocol, longest: int) -> None:
    parser = AnswerParser(protocol, answers=1, longest=longest)
    events = [event for part in body for event in parser.feed(part)] + parser.close()
    ends = [event for event in events if isinstance(event, Done | Broken | Refused)]
    assert ends == events[-1:]
    deltas = [event for event in events if isinstance(event, Delta)]
    assert {event.index for event in deltas} <= {0}
    assert sum(len(event.text) for event in deltas) <= longest
    assert parser.feed(b"data: {}\n\n") == []
    whole = AnswerParser(protocol, answers=1, longest=longest)
    assert whole.feed(b"".join(body)) + whole.close() == events
