"""The service's two routes: what is sent on each, and what its JSON objects say (sections 3 to 5).

Pure. `OPENAI` is the OpenAI-compatible route, which llama.cpp, Ollama and vLLM speak too, so every field may be missing
or of another type. `DASHSCOPE` is the service's own. There only new text is asked for (`incremental_output`), but some
gateways do not pass that on and repeat the whole text so far in every frame: `RepetitionFilter` takes that off.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from companion.mind.api.content import Content, read_message
from companion.mind.api.messages import (
    Chunk,
    Piece,
    Protocol,
    Request,
    ServiceMemoryUsage,
    Usage,
    non_negative,
)

_SURE = 8
"""Characters. A piece that begins with all of the answer so far, where that is at least this long and no mere laughter,
can only come from a server that repeats."""


@dataclass(frozen=True, slots=True)
class Route:
    """How one route is spoken."""

    path: str
    """Below the route's base address."""
    body: Callable[[Request], dict[str, Any]]
    """The JSON object of a request; what is not asked for is left out."""
    stream_headers: Mapping[str, str]
    """Headers of a request for a stream, beside those of every request."""
    read: Callable[[Mapping[str, Any]], Chunk | None]
    """A chunk of a stream, or a whole answer; None for what is neither."""

    def headers(self, request: Request) -> dict[str, str]:
        """Headers of this request, beside those of every request."""
        return dict(self.stream_headers) if request.stream else {"Accept": "application/json"}


def _openai_body(request: Request) -> dict[str, Any]:
    value: dict[str, Any] = {"model": request.model, "messages": list(request.messages)}
    if request.stream:
        value["stream"] = True
        if request.include_usage:
            value["stream_options"] = {"include_usage": True}
    return value | request.parameters()


def _read_openai(value: Mapping[str, Any]) -> Chunk | None:
    choices = value.get("choices")
    usage = value.get("usage")
    if not isinstance(choices, list | dict) and (not isinstance(usage, dict) or "output" in value):
        return None
    return Chunk(_pieces(choices), read_usage(usage))


def _dashscope_body(request: Request) -> dict[str, Any]:
    return {
        "model": request.model,
        "input": {"messages": list(request.messages)},
        "parameters": {
            "result_format": "message",
            **({"incremental_output": True} if request.stream else {}),
            **request.parameters(),
        },
    }


def _read_dashscope(value: Mapping[str, Any]) -> Chunk | None:
    """In either `result_format`."""
    output = value.get("output")
    if not isinstance(output, dict):
        return None
    found = _pieces(output.get("choices"))
    if not found and isinstance(output.get("text"), str):
        found = (_piece(0, Content(output["text"]), output.get("finish_reason")),)
    return Chunk(found, read_usage(value.get("usage")), may_repeat=True)


OPENAI = Route("chat/completions", _openai_body, {"Accept": "text/event-stream"}, _read_openai)
DASHSCOPE = Route(
    "services/aigc/text-generation/generation",
    _dashscope_body,
    # Without the second header it answers in one piece.
    {"Accept": "text/event-stream", "X-DashScope-SSE": "enable"},
    _read_dashscope,
)
ROUTES: dict[Protocol, Route] = {"openai": OPENAI, "dashscope": DASHSCOPE}


def _pieces(choices: object) -> tuple[Piece, ...]:
    """What `choices` says; they look the same on both routes, apart from `delta`."""
    if isinstance(choices, dict):
        choices = [choices]
    if not isinstance(choices, list):
        return ()
    return tuple(_piece_of(place, choice) for place, choice in enumerate(choices) if isinstance(choice, dict))


def _piece_of(place: int, choice: Mapping[str, Any]) -> Piece:
    """A choice; `place` is its index where it names none."""
    holder = choice.get("delta") or choice.get("message")
    if not isinstance(holder, dict):
        # The text by itself, or the older route, which completes a text.
        holder = {"content": holder or choice.get("text")}
    piece = _piece(choice.get("index", place), read_message(holder), choice.get("finish_reason"))
    return replace(piece, reason="content_filter") if holder.get("refusal") else piece


def _piece(index: object, said: Content, reason: object) -> Piece:
    """From raw values. A reason that is the word `null` is none (section 5.2)."""
    return Piece(
        non_negative(index),
        said.text,
        reason if isinstance(reason, str) and reason != "null" else "",
        said.has_thought,
        said.is_unknown,
    )


def read_usage(usage: object) -> Usage | None:
    """The counts of either route; None where there are none.

    The number of cached tokens stood in two places over time, and in none before (section 5.1).
    """
    if not isinstance(usage, dict) or not usage:
        return None
    details = usage.get("prompt_tokens_details")
    details = details if isinstance(details, dict) else {}
    prompt = non_negative(usage.get("prompt_tokens")) or non_negative(usage.get("input_tokens"))
    cached = non_negative(details.get("cached_tokens")) or non_negative(usage.get("cached_tokens"))
    completion = non_negative(usage.get("completion_tokens")) or non_negative(usage.get("output_tokens"))
    return Usage(prompt, completion, min(cached, prompt), _memory_usage(details))


def _memory_usage(details: Mapping[str, Any]) -> ServiceMemoryUsage | None:
    summary, made = details.get("current_memory_tokens"), details.get("summary_memory_usage")
    if summary is None and not isinstance(made, dict):
        return None
    making = read_usage(made) or Usage(0, 0, 0)
    return ServiceMemoryUsage(non_negative(summary), making.prompt, making.completion, making.cached)


class RepetitionFilter:
    """Takes off what the pieces of one answer repeat.

    At first it is unknown whether the server repeats. A piece that does not begin with everything before it shows that
    the server does not; one that does, with enough before it, shows that it does. A piece that leaves the question open
    is held back until the next one: `哈` and then `哈哈` may be two laughs or three.
    """

    def __init__(self) -> None:
        self._repeats: bool | None = None
        self._latest = ""
        """The latest piece; of a server that repeats: the whole text so far."""
        self._given = 0
        """Of a server that repeats: how many characters of it were returned."""
        self._held: list[str] = []

    def take(self, text: str, *, last: bool) -> str:
        """The next piece, `last` if the answer ends with it; returns the text that is new."""
        # A server that cuts a character in two sends this for its first half, and the character in the next piece.
        text = text.rstrip("\ufffd")
        if self._repeats is None:
            self._judge(text, last=last)
        if self._repeats is None:
            if not self._latest:
                self._latest, self._given = text, len(text)
                return text
            self._held.append(text)
            self._latest = text
            return ""
        begin = min(len(text), len(self._latest), _SURE)
        if self._repeats and text[:begin] != self._latest[:begin]:
            # It was a coincidence after all.
            self._repeats = False
            return text
        if self._repeats:
            new = text[self._given :]
            if new:
                self._latest, self._given = text, len(text)
            return new
        new, self._held = "".join([*self._held, text]), []
        return new

    def rest(self) -> str:
        """What was held back, when no more will come: better too little than everything twice."""
        if not self._held:
            return ""
        self._held = []
        new, self._given = self._latest[self._given :], len(self._latest)
        return new

    def _judge(self, text: str, *, last: bool) -> None:
        before = self._latest
        if not before:
            return
        if not text.startswith(before):
            # A server that repeats never sends less than before, not even in its last frame.
            self._repeats = False
        elif last or (len(before) >= _SURE and len(set(before)) > _SURE // 2):
            self._repeats = True
            self._held = []
