"""The service's shapes on the wire, from the server's side: requests are checked, answers and errors are framed.

Pure, and written apart from `companion.mind.chat_protocol`, so that one misreading cannot hide in both. Token counts
are estimates: a word, a sign or a Han character counts as one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MODELS = ("qwen-plus-character", "qwen-flash-character", "qwen-plus-character-ja", "qwen-flash-character-2026-02-26")
MOST_TOKENS = 4000

_PIECE = re.compile(r"\s?[A-Za-z\u00c0-\u024f0-9']+|\s?\S|\s+")
"""A word or a single sign, with the space before it."""


class Refusal(Exception):
    """The request is answered with an error."""

    def __init__(self, status: int, code: str, message: str, kind: str = "invalid_request_error") -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"message": message, "type": kind, "param": None, "code": code}}


def invalid(what: str) -> Refusal:
    """The refusal of a parameter."""
    return Refusal(400, "invalid_parameter_error", f"<400> InternalError.Algo.InvalidParameter: {what}")


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What was asked for."""

    model: str
    messages: tuple[Mapping[str, str], ...]
    stream: bool
    include_usage: bool
    n: int
    seed: int
    max_tokens: int
    banned: frozenset[int]
    """Tokens with a bias of -100."""


def read_request(body: bytes) -> ChatRequest:
    """Check the body of `POST /chat/completions`. Raises `Refusal` with the service's own words."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise invalid("Required body invalid, please check the request body format.") from error
    if not isinstance(value, dict):
        raise invalid("Required body invalid, please check the request body format.")
    model = value.get("model")
    if not isinstance(model, str) or not model:
        raise invalid("you must provide a model parameter.")
    if model not in MODELS:
        raise Refusal(404, "model_not_found", f"The model {model} does not exist or you do not have access to it.")
    options = value.get("stream_options")
    _within(value, "temperature", 0, 2, "Temperature should be in [0.0, 2.0)", upper_open=True)
    _within(value, "top_p", 0, 1, "Range of top_p should be (0.0, 1.0]", lower_open=True)
    _within(value, "presence_penalty", -2, 2, "Presence_penalty should be in [-2.0, 2.0]")
    return ChatRequest(
        model=model,
        messages=_messages(value.get("messages")),
        stream=value.get("stream") is True,
        include_usage=isinstance(options, dict) and options.get("include_usage") is True,
        n=_whole(value, "n", 1, 4, 1),
        seed=_seed(value.get("seed")),
        max_tokens=_whole(value, "max_tokens", 1, MOST_TOKENS, MOST_TOKENS),
        banned=_banned(value.get("logit_bias")),
    )


def pieces(text: str) -> list[str]:
    """The text in pieces about as large as tokens."""
    return _PIECE.findall(text)


class Envelope:
    """What all parts of one response have in common."""

    def __init__(self, request: ChatRequest, id_: str, created: int) -> None:
        """`id_` is the request's UUID, `created` seconds since 1970."""
        self._request = request
        self._prompt = sum(len(pieces(message["content"])) + 4 for message in request.messages)
        self._common = {"created": created, "system_fingerprint": None, "model": request.model, "id": f"chatcmpl-{id_}"}

    def first(self, index: int) -> bytes:
        """The chunk that opens an answer."""
        return self._chunk({"content": "", "role": "assistant"}, index, None)

    def delta(self, index: int, text: str) -> bytes:
        """A chunk of an answer."""
        return self._chunk({"content": text}, index, None)

    def last(self, index: int, reason: str) -> bytes:
        """The chunk that closes an answer: `stop` or `length`."""
        return self._chunk({"content": ""}, index, reason)

    def usage(self, completion: int) -> bytes:
        """The chunk without choices."""
        return frame(
            {"choices": [], "object": "chat.completion.chunk", "usage": self._usage(completion), **self._common}
        )

    def whole(self, answers: list[tuple[str, str]], completion: int) -> dict[str, Any]:
        """The response in one piece: texts and their finish reasons."""
        choices = [
            {
                "message": {"content": text, "role": "assistant"},
                "finish_reason": reason,
                "index": index,
                "logprobs": None,
            }
            for index, (text, reason) in enumerate(answers)
        ]
        return {"choices": choices, "object": "chat.completion", "usage": self._usage(completion), **self._common}

    def _usage(self, completion: int) -> dict[str, Any]:
        return {
            "prompt_tokens": self._prompt,
            "completion_tokens": completion,
            "total_tokens": self._prompt + completion,
            "prompt_tokens_details": {"cached_tokens": 0},
        }

    def _chunk(self, delta: dict[str, str], index: int, reason: str | None) -> bytes:
        choice = {"delta": delta, "index": index, "logprobs": None, "finish_reason": reason}
        return frame({"choices": [choice], "object": "chat.completion.chunk", "usage": None, **self._common})


DONE = b"data: [DONE]\n\n"


def frame(value: Mapping[str, Any]) -> bytes:
    """One event of a stream."""
    return b"data: " + json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


def _messages(value: object) -> tuple[Mapping[str, str], ...]:
    if not isinstance(value, list):
        raise invalid('Either "prompt" or "messages" must exist and cannot both be none')
    if not value:
        raise invalid("[] is too short - 'messages'")
    for message in value:
        if not isinstance(message, dict) or not isinstance(message.get("content"), str):
            raise invalid("input content must be a string.")
    roles = [message.get("role") for message in value]
    if set(roles) - {"system", "user", "assistant"} or roles[-1] != "user":
        if set(roles) == {"system"}:
            raise invalid(
                'The messages list should not contain only one message with role "system". '
                "Please include at least one other role in the messages."
            )
        raise invalid(
            'Role must be in ["user","assistant","system","function","plugin","tool"] and the role in last message '
            'must be in ["user","function","tool"]'
        )
    return tuple(value)


def _within(
    value: Mapping[str, Any],
    name: str,
    low: float,
    high: float,
    problem: str,
    *,
    lower_open: bool = False,
    upper_open: bool = False,
) -> None:
    number = value.get(name)
    if number is None:
        return
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise invalid(f"'{name}' must be Float")
    if not low <= number <= high or (lower_open and number == low) or (upper_open and number == high):
        raise invalid(problem)


def _whole(value: Mapping[str, Any], name: str, low: int, high: int, default: int) -> int:
    number = value.get(name, default)
    if number is None:
        return default
    if isinstance(number, bool) or not isinstance(number, int) or not low <= number <= high:
        raise invalid(f"Range of {name} should be [{low}, {high}]")
    return number


def _seed(value: object) -> int:
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refusal(400, "invalid_value", "'seed' must be Integer")
    if not 0 <= value < 2**31:
        bound = "lesser than the minimum of 0" if value < 0 else f"greater than the maximum of {2**31 - 1}"
        raise Refusal(400, "invalid_value", f"{value} is {bound} - 'seed'")
    return value


def _banned(value: object) -> frozenset[int]:
    if value is None:
        return frozenset()
    if not isinstance(value, dict):
        raise invalid("'logit_bias' must be an object")
    for token, weight in value.items():
        if (
            not token.isascii()
            or not token.isdigit()
            or isinstance(weight, bool)
            or not isinstance(weight, int | float)
        ):
            raise invalid("'logit_bias' must map token ids to numbers")
        if not -100 <= weight <= 100:
            raise invalid("Range of logit_bias should be [-100, 100]")
    return frozenset(int(token) for token, weight in value.items() if weight == -100)
