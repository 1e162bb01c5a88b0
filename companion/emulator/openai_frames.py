"""Answers in the shapes of the OpenAI-compatible route (section 4 of the service's specification). Pure."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from companion.emulator.answer import Answer, Usage
from companion.emulator.errors import Refusal
from companion.emulator.request import ChatRequest

DONE = b"data: [DONE]\n\n"
MEDIA_TYPE = "text/event-stream"


class OpenAiFrames:
    """One response, whole or as a stream."""

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
        """The stream; several answers take turns in it."""
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
            yield frame({"choices": [], "object": "chat.completion.chunk", "usage": usage, **self._common})
        yield DONE

    def refusal(self, refusal: Refusal) -> bytes:
        """An error in the middle of a stream."""
        return refusal_frame(refusal, self._id)

    def _chunk(self, delta: Mapping[str, str], index: int, reason: str | None) -> bytes:
        choice = {"delta": delta, "index": index, "logprobs": None, "finish_reason": reason}
        return frame({"choices": [choice], "object": "chat.completion.chunk", "usage": None, **self._common})


def refusal_frame(refusal: Refusal, id_: str) -> bytes:
    """An error framed as a stream."""
    return frame(refusal.openai(id_))


def frame(value: Mapping[str, Any]) -> bytes:
    """One event."""
    return b"data: " + json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"
