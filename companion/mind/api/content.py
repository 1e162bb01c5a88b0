"""The text of a message in every form in which servers send it, and the thoughts beside it.

Pure; it never raises. Mostly `content` is text. Some send a list of parts, a part alone, or a list of texts, and mark
thoughts among them; most put thoughts into a field of their own, under one of several names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

_THOUGHT_FIELDS = ("reasoning_content", "reasoning", "reasoning_text", "reasoning_details", "thinking", "thought")
_THOUGHT_TYPES = ("think", "thought", "reason", "redacted")
_INSIDE = ("text", "content", "parts", "value", "output_text")
"""Where a part has its text; this or that one."""
_DEEPEST = 6


class Content(NamedTuple):
    """What one message, or one piece of it, says."""

    text: str = ""
    has_thought: bool = False
    is_unknown: bool = False
    """Something is there, but in a form that is not known."""


def read_message(message: Mapping[str, Any]) -> Content:
    """A `message` or `delta`."""
    said = read_content(message.get("content"))
    if not said.text and isinstance(audio := message.get("audio"), dict):
        # A model that speaks by itself writes down what it says.
        said = read_content(audio.get("transcript"))
    thinks = any(message.get(name) and message.get(name) is not True for name in _THOUGHT_FIELDS)
    return said._replace(has_thought=said.has_thought or thinks)


def read_content(value: object, depth: int = 0) -> Content:
    """A value of `content`."""
    if isinstance(value, str):
        return Content(value)
    if not value:
        return Content()
    if isinstance(value, list) and depth < _DEEPEST:
        parts = [read_content(part, depth + 1) for part in value]
        return Content(
            "".join(part.text for part in parts),
            any(part.has_thought for part in parts),
            any(part.is_unknown for part in parts),
        )
    if isinstance(value, dict) and depth < _DEEPEST:
        kind = value.get("type")
        if value.get("thought") is True or (isinstance(kind, str) and kind.casefold().startswith(_THOUGHT_TYPES)):
            return Content(has_thought=True)
        inner = next((value[name] for name in _INSIDE if value.get(name) is not None), None)
        if inner is not None:
            return read_content(inner, depth + 1)
        return Content(has_thought=True) if value.get("thinking") else Content(is_unknown=True)
    return Content(is_unknown=True)
