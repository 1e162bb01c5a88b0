"""Requests to the emulator, on both of its routes."""

from __future__ import annotations

MODEL = "qwen-plus-character"
OPENAI = "/compatible-mode/v1/chat/completions"
DASHSCOPE = "/api/v1/services/aigc/text-generation/generation"


def conversation(said: str, system: str = "You are Momo, a teddy bear.") -> list[dict[str, str]]:
    """The messages of a request in which a user says one thing."""
    return [{"role": "system", "content": system}, {"role": "user", "content": said}]


HELLO = conversation("hi")
BOTH = (
    (OPENAI, {"model": MODEL, "messages": HELLO}),
    (DASHSCOPE, {"model": MODEL, "input": {"messages": HELLO}}),
)
"""The same request on each route: path and body."""
MEMORY = {"profile": "P", "memory": {"enable_long_term_memory": True}}
"""`character_options` with long-term memory enabled."""
