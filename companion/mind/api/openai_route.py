"""The OpenAI-compatible route: what is sent to it, and what its JSON objects say (sections 3 and 4).

Pure. Also spoken by llama.cpp, Ollama and vLLM, so every field may be missing or of another type.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from companion.mind.api.messages import Chunk, MemoryUse, Piece, Request, Usage, count, whole_text

PATH = "chat/completions"


def body(request: Request) -> dict[str, Any]:
    """The JSON object of `POST {base}/chat/completions`; what is not asked for is left out."""
    value: dict[str, Any] = {"model": request.model, "messages": list(request.messages)}
    if request.stream:
        value["stream"] = True
        if request.include_usage:
            value["stream_options"] = {"include_usage": True}
    return value | request.parameters()


def headers(request: Request) -> dict[str, str]:
    """What the route wants beside the headers of every request."""
    return {"Accept": "text/event-stream" if request.stream else "application/json"}


def read(value: Mapping[str, Any]) -> Chunk | None:
    """A chunk of a stream, or a whole answer; None for what is neither."""
    choices = value.get("choices")
    usage = value.get("usage")
    if not isinstance(choices, list) and (not isinstance(usage, dict) or "output" in value):
        return None
    return Chunk(pieces(choices), read_usage(usage))


def pieces(choices: object) -> tuple[Piece, ...]:
    """What `choices` says; they look the same on both routes, but for `delta`."""
    if not isinstance(choices, list):
        return ()
    return tuple(_piece(choice) for choice in choices if isinstance(choice, dict))


def piece(index: object, text: object, reason: object) -> Piece:
    """From raw values. A reason that is the word `null` is none (section 5.2)."""
    return Piece(
        count(index),
        whole_text(text) if isinstance(text, str) else "",
        reason if isinstance(reason, str) and reason != "null" else "",
    )


def read_usage(usage: object) -> Usage | None:
    """The counts of either route; None where there are none.

    The cached ones stood in two places over time, and in none before (section 5.1).
    """
    if not isinstance(usage, dict) or not usage:
        return None
    prompt = count(usage.get("prompt_tokens")) or count(usage.get("input_tokens"))
    return Usage(
        prompt,
        count(usage.get("completion_tokens")) or count(usage.get("output_tokens")),
        min(_cached(usage), prompt),
        _memory(_details(usage)),
    )


def _piece(choice: Mapping[str, Any]) -> Piece:
    holder = choice.get("delta") or choice.get("message")
    text = holder.get("content") if isinstance(holder, dict) else None
    return piece(choice.get("index"), text, choice.get("finish_reason"))


def _details(usage: Mapping[str, Any]) -> Mapping[str, Any]:
    details = usage.get("prompt_tokens_details")
    return details if isinstance(details, dict) else {}


def _cached(usage: Mapping[str, Any]) -> int:
    return count(_details(usage).get("cached_tokens")) or count(usage.get("cached_tokens"))


def _memory(details: Mapping[str, Any]) -> MemoryUse | None:
    summary, made = details.get("current_memory_tokens"), details.get("summary_memory_usage")
    if summary is None and not isinstance(made, dict):
        return None
    making = read_usage(made) or Usage(0, 0, 0)
    return MemoryUse(count(summary), making.prompt, making.completion, making.cached)
