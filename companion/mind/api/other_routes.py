"""Answers in the manner of routes that are never asked: some gateways hand a model's own answer on as it is.

Pure; it never raises. Read are Ollama's and llama.cpp's own objects, Anthropic's, Gemini's, and those of the Responses
API, streamed or in one piece.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from companion.mind.api.content import Content, read_content, read_message
from companion.mind.api.messages import Chunk, Piece
from companion.mind.api.routes import read_usage

_STOP = ("stop", "end_turn", "stop_sequence", "stop_token", "completed", "eos", "load")
"""What other routes call the end of a whole answer."""


def read_other(value: Mapping[str, Any]) -> Chunk | None:
    """What the object says; None where it is none of these."""
    if "choices" in value or isinstance(value.get("output"), dict):
        return None
    kind = value.get("type")
    if isinstance(kind, str) and (found := _read_event(kind, value)) is not None:
        return found
    if isinstance(value.get("done"), bool):
        said = read_message(message) if isinstance(message := value.get("message"), dict) else Content()
        if isinstance(response := value.get("response"), str):
            said = Content(response)
        return _chunk(value, said, (value.get("done_reason") or "stop") if value["done"] else "")
    if isinstance(value.get("content"), str) and isinstance(value.get("stop"), bool):
        cut = value.get("stopped_limit") is True or value.get("stop_type") == "limit"
        return _chunk(value, Content(value["content"]), ("length" if cut else "stop") if value["stop"] else "")
    if isinstance(candidates := value.get("candidates"), list):
        first = next((one for one in candidates if isinstance(one, dict)), {})
        return _chunk(value, read_content(first.get("content") or ""), first.get("finishReason"))
    if isinstance(output := value.get("output"), list):
        items = [one for one in output if isinstance(one, dict)]
        return _chunk(value, read_content([one for one in items if one.get("type") == "message"]), value.get("status"))
    return None


def _read_event(kind: str, value: Mapping[str, Any]) -> Chunk | None:
    """An object that says what it is."""
    match kind:
        case "message" if value.get("role") == "assistant":
            return _chunk(value, read_message(value), value.get("stop_reason"))
        case "content_block_delta":
            return _chunk(value, read_content(value.get("delta")), "")
        case "message_delta":
            delta = value.get("delta")
            return _chunk(value, Content(), delta.get("stop_reason") if isinstance(delta, dict) else "")
        case "response.output_text.delta":
            return _chunk(value, read_content(value.get("delta")), "")
        case "response.completed":
            return _chunk(value, Content(), "stop")
        case "response.incomplete":
            return _chunk(value, Content(), "length")
        case "message_start" | "message_stop" | "content_block_start" | "content_block_stop" | "ping":
            return Chunk((), None)
    if kind.startswith("response.reasoning"):
        return _chunk(value, Content(has_thought=True), "")
    if kind.startswith("response.refusal"):
        return _chunk(value, Content(), "content_filter")
    return Chunk((), None) if kind.startswith("response.") and kind != "response.failed" else None


def _chunk(value: Mapping[str, Any], said: Content, reason: object) -> Chunk:
    reason = reason if isinstance(reason, str) else ""
    reason = "stop" if reason.casefold() in _STOP else reason
    piece = Piece(0, said.text, reason, said.has_thought, said.is_unknown)
    return Chunk((piece,), read_usage(value.get("usage")))
