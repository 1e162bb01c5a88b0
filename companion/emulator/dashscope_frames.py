"""Answers in the shapes of the DashScope route (section 5 of the service's specification). Pure."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from companion.emulator.answer import Answer, Usage
from companion.emulator.errors import Refusal
from companion.emulator.request import ChatRequest

MEDIA_TYPE = "text/event-stream;charset=UTF-8"

RUNNING = "null"
"""The finish reason of an answer that goes on: a string."""


class DashScopeFrames:
    """One response, whole or as a stream."""

    def __init__(self, request: ChatRequest, usage: Usage, id_: str, *, incremental: bool, numbered: bool) -> None:
        """`id_` is the request's UUID. `numbered`: choices have an `index`, as they have had since 2025."""
        self._request = request
        self._usage = usage
        self._id = id_
        self._incremental = incremental
        self._numbered = numbered
        self._frames = itertools.count(1)

    def whole(self, answers: Sequence[Answer]) -> dict[str, Any]:
        """The response in one piece."""
        choices = [(index, answer.text, answer.reason) for index, answer in enumerate(answers)]
        return self._body(choices, sum(answer.tokens for answer in answers))

    def events(self, answers: Sequence[Answer]) -> Iterator[bytes]:
        """The stream. Every frame tells the usage so far; several answers take turns."""
        so_far = ["" for _ in answers]
        tokens = [0 for _ in answers]
        for row in itertools.zip_longest(*(answer.chunks for answer in answers)):
            for index, chunk in enumerate(row):
                if chunk is not None:
                    so_far[index] += chunk.text
                    tokens[index] = chunk.tokens
                    text = chunk.text if self._incremental else so_far[index]
                    yield self._event(self._body([(index, text, RUNNING)], sum(tokens)))
        for index, answer in enumerate(answers):
            text = "" if self._incremental else answer.text
            tokens[index] = answer.tokens
            yield self._event(self._body([(index, text, answer.reason)], sum(tokens)))

    def refusal(self, refusal: Refusal) -> bytes:
        """An error in the middle of a stream."""
        return refusal_frame(refusal, self._id, number=next(self._frames))

    def _body(self, choices: Sequence[tuple[int, str, str]], output_tokens: int) -> dict[str, Any]:
        output: dict[str, Any]
        if self._request.as_text:
            _, text, reason = choices[0]
            output = {"text": text, "finish_reason": reason}
        else:
            output = {"choices": [self._choice(*choice) for choice in choices]}
        return {"output": output, "usage": self._usage.dashscope(output_tokens), "request_id": self._id}

    def _choice(self, index: int, text: str, reason: str) -> dict[str, Any]:
        number = {"index": index} if self._numbered else {}
        return {"message": {"content": text, "role": "assistant"}, **number, "finish_reason": reason}

    def _event(self, body: Mapping[str, Any]) -> bytes:
        return _frame(next(self._frames), "result", 200, body)


def refusal_frame(refusal: Refusal, id_: str, *, number: int = 1, status: int | None = None) -> bytes:
    """An error framed as a stream."""
    return _frame(number, "error", status or refusal.status, refusal.dashscope(id_))


def _frame(number: int, event: str, status: int, body: Mapping[str, Any]) -> bytes:
    data = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return f"id:{number}\nevent:{event}\n:HTTP_STATUS/{status}\ndata:{data}\n\n".encode()
