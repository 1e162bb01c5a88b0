"""Strategies for what may come over the wire: frames of both routes, damaged in every way, cut anywhere."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence

from hypothesis import strategies as st

TEXTS = st.one_of(
    st.text(st.sampled_from("abc ABC.!?,;:()（）[]【】*_~`<>|\\/\"“”「」'#-—…。，！😀🧸\n你好"), max_size=30),
    st.sampled_from(
        ["Hello my friend. ", "(waves) ", "*smiles*", "<think>", "</think>", "Once upon a time, ", "你好。"]
    ),
    st.builds(str.__mul__, st.sampled_from("(*a 😀“。"), st.integers(0, 400)),
)
_ODD = st.one_of(st.none(), st.booleans(), st.integers(-2, 9), st.text(max_size=3), st.just([]), st.just({}))
_REASONS = st.one_of(st.none(), st.sampled_from(["stop", "length", "null", ""]), _ODD)
_CHOICES = st.fixed_dictionaries(
    {"index": st.one_of(st.integers(0, 3), _ODD), "finish_reason": _REASONS},
    optional={
        "delta": st.one_of(st.fixed_dictionaries({"content": st.one_of(TEXTS, _ODD)}), _ODD),
        "message": st.fixed_dictionaries({"content": st.one_of(TEXTS, _ODD)}),
        "text": _ODD,
    },
)
_CHUNKS = st.one_of(
    st.builds(lambda choices: {"choices": choices}, st.lists(_CHOICES, max_size=2)),
    st.builds(lambda choices: {"output": {"choices": choices}, "usage": {}}, st.lists(_CHOICES, max_size=2)),
    st.builds(lambda text: {"output": {"text": text, "finish_reason": "null"}}, TEXTS),
    st.builds(lambda text: {"choices": [{"delta": {"content": text}, "index": 0}]}, TEXTS),
    st.sampled_from([{"error": {"code": "x", "message": "no"}}, {"choices": [], "usage": {"prompt_tokens": 1}}, {}]),
)
_PAYLOADS = st.one_of(
    st.builds(json.dumps, _CHUNKS),
    st.builds(lambda chunk, at: json.dumps(chunk)[:at], _CHUNKS, st.integers(0, 60)),
    st.sampled_from(["[DONE]", "ping", ": keep-alive", "null", "[", "", "\ufeff{}"]),
)


def _frame(before: str, payload: str, newline: str, newlines: int) -> bytes:
    return f"{before}{newline if before else ''}data: {payload}{newline * newlines}".encode()


def _good(text: str, index: int, route: str) -> bytes:
    choices = [{"delta" if route == "openai" else "message": {"content": text}, "index": index, "finish_reason": None}]
    return _frame(
        "", json.dumps({"choices": choices} if route == "openai" else {"output": {"choices": choices}}), "\n", 2
    )


_GOOD = st.builds(_good, TEXTS, st.integers(0, 2), st.sampled_from(["openai", "dashscope"]))
_END = _frame("", '{"choices": [{"delta": {}, "index": 0, "finish_reason": "stop"}]}', "\n", 2)

FRAMES = st.one_of(
    _GOOD,
    _GOOD,
    _GOOD,
    st.just(_END),
    st.builds(
        _frame,
        st.sampled_from(["", "", "event: result", "event: error", ": comment", ":HTTP_STATUS/200", ":HTTP_STATUS/500"]),
        _PAYLOADS,
        st.sampled_from(["\n", "\r\n", "\r"]),
        st.integers(0, 3),
    ),
    st.binary(max_size=20),
)


def _pieces(frames: Sequence[bytes], end: int | None, places: Sequence[int]) -> list[bytes]:
    body = b"".join(frames)[:end]
    edges = [0, *sorted(place % (len(body) + 1) for place in places), len(body)]
    return [body[a:b] for a, b in itertools.pairwise(edges)]


BODIES: st.SearchStrategy[list[bytes]] = st.builds(
    _pieces,
    st.one_of(
        st.lists(FRAMES, max_size=8),
        st.builds(
            lambda good, any_: [*good, *any_, _END],
            st.lists(_GOOD, min_size=1, max_size=4),
            st.lists(FRAMES, max_size=4),
        ),
        st.builds(lambda chunk: [json.dumps(chunk).encode()], _CHUNKS),
    ),
    st.one_of(st.none(), st.none(), st.none(), st.integers(0, 400)),
    st.lists(st.integers(0, 5000), max_size=6),
)
"""A response's body in the pieces in which it arrives."""
