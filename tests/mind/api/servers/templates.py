"""What the chat templates of three families of models refuse, in the words of those templates."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

Messages = list[dict[str, Any]]
Template = Callable[[Messages], str]
"""Messages in; why they are refused out, empty where they are not."""

ALTERNATE = "Conversation roles must alternate user/assistant/user/assistant/..."


def _alternates(messages: Messages) -> bool:
    return bool(messages) and all(
        message["role"] == ("user", "assistant")[at % 2] for at, message in enumerate(messages)
    )


def qwen3(messages: Messages) -> str:
    """Qwen3.5 and later: one system message, and somebody must ask something."""
    if any(message["role"] == "system" for message in messages[1:]):
        return "System message must be at the beginning."
    return "" if any(message["role"] == "user" for message in messages) else "No user query found in messages."


def mistral(messages: Messages) -> str:
    """Mistral: one system message, then user and assistant in turn."""
    rest = messages[1:] if messages and messages[0]["role"] == "system" else messages
    if not _alternates(rest):
        return f"After the optional system message, c{ALTERNATE[1:]}"
    return "" if rest[-1]["role"] == "user" else "Expected last role User or Tool but got assistant"


def gemma(messages: Messages) -> str:
    """Gemma 2: no system message at all."""
    if messages[0]["role"] == "system":
        return "System role not supported"
    return "" if _alternates(messages) else ALTERNATE


def deepseek(messages: Messages) -> str:
    """The hosted reasoner."""
    rest = messages[1:] if messages[0]["role"] == "system" else messages
    if any(one["role"] == other["role"] for one, other in pairwise(rest)):
        return (
            "deepseek-reasoner does not support successive user or assistant messages (messages[1] and messages[2] "
            "in your input). You should interleave the user/assistant messages in the message sequence."
        )
    if rest[0]["role"] != "user":
        return "The first message (except the system message) of deepseek-reasoner must be a user message."
    return ""


def anthropic(messages: Messages) -> str:
    """A gateway before the Messages API, which keeps the system message apart."""
    if any(message["role"] == "system" for message in messages):
        return 'messages: Unexpected role "system". The Messages API accepts a top-level `system` parameter.'
    if messages[0]["role"] != "user":
        return 'messages: first message must use the "user" role'
    if not _alternates(messages):
        return 'messages: roles must alternate between "user" and "assistant", but found multiple "user" roles in a row'
    return ""


def nameless(messages: Messages) -> str:
    """A gateway that hides which template it uses."""
    return "" if not gemma(messages) else "Invalid chat template input."
