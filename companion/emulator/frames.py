"""Responses in the shapes of the two routes (sections 4 and 5 of the service's specification). Pure."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from companion.emulator.answer import Answer, Usage
from companion.emulator.errors import Refusal
from companion.emulator.request import ChatRequest

DONE = b"data: [DONE]\n\n"
OPENAI_STREAM = "text/event-stream"
DASHSCOPE_STREAM = "text/event-stream;charset=UTF-8"

RUNNING = "null"
"""The finish reason of an unfinished answer: a string, not JSON's null."""


class OpenAiFrames:
    """One response of the OpenAI-compatible route, in one piece or as a stream."""

    def __init__(self, request: ChatRequest, usage: Usage, id_: str, created: int) -> None:
        """`id_` is the request's UUID, `created` seconds since 1970."""
        self._request = request
        self._usage = usage
        self._id = id_
        self._common = {
            "created": created,
            "system_fingerprint": None,
            "model": request.model.name,
            "id": f"chatcmpl-{id_}",
        }

    def whole(self, answers: Sequence[Answer]) -> dict[str, Any]:
        """The response in one piece."""
        choices = [
            {
                "message": {"content": answer.text, "role": "assistant"},
                "finish_reason": answer.reason,
                "index": index,
                "logprobs": None,
            }
            for index, answer in enumerate(answers)
        ]
        usage = self._usage.openai(sum(answer.tokens for answer in answers))
        return {"choices": choices, "object": "chat.completion", "usage": usage, **self._common}

    def events(self, answers: Sequence[Answer]) -> Iterator[bytes]:
        """The stream; the chunks of several answers alternate."""
        for index in range(len(answers)):
            yield self._chunk({"content": "", "role": "assistant"}, index, None)
        for row in itertools.zip_longest(*(answer.chunks for answer in answers)):
            for index, chunk in enumerate(row):
                if chunk is not None:
                    yield self._chunk({"content": chunk.text}, index, None)
        for index, answer in enumerate(answers):
            yield self._chunk({"content": ""}, index, answer.reason)
        if self._request.include_usage:
            usage = self._usage.openai(sum(answer.tokens for answer in answers))
            yield _openai_event({"choices": [], "object": "chat.completion.chunk", "usage": usage, **self._common})
        yield DONE

    def refusal(self, refusal: Refusal) -> bytes:
        """An error in the middle of a stream."""
        return openai_refusal(refusal, self._id)

    def _chunk(self, delta: Mapping[str, str], index: int, reason: str | None) -> bytes:
        choice = {"delta": delta, "index": index, "logprobs": None, "finish_reason": reason}
        return _openai_event({"choices": [choice], "object": "chat.completion.chunk", "usage": None, **self._common})


def openai_refusal(refusal: Refusal, id_: str) -> bytes:
    """An error framed as a stream."""
    return _openai_event(refusal.openai(id_))


def _openai_event(value: Mapping[str, Any]) -> bytes:
    """One event."""
    return b"data: " + json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


class DashScopeFrames:
    """One response of the DashScope route, in one piece or as a stream."""

    def __init__(self, request: ChatRequest, usage: Usage, id_: str, *, incremental: bool, numbered: bool) -> None:
        """`id_` is the request's UUID. `numbered`: choices have an `index`, as they do since 2025."""
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
        """The stream. Every frame has the usage so far; the chunks of several answers alternate."""
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
        return dashscope_refusal(refusal, self._id, number=next(self._frames))

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
        return _dashscope_event(next(self._frames), "result", 200, body)


def dashscope_refusal(refusal: Refusal, id_: str, *, number: int = 1, status: int | None = None) -> bytes:
    """An error framed as a stream."""
    return _dashscope_event(number, "error", status or refusal.status, refusal.dashscope(id_))


def _dashscope_event(number: int, event: str, status: int, body: Mapping[str, Any]) -> bytes:
    data = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return f"id:{number}\nevent:{event}\n:HTTP_STATUS/{status}\ndata:{data}\n\n".encode()
