"""Ollama: takes any messages, names a missing model with 404, thinks in `reasoning` unless told otherwise."""

from __future__ import annotations

from tests.mind.api.servers.loopback import Reply, Request, choice, frames, refused

MODELS = ("qwen3:8b", "gemma3:4b")
USAGE = {"prompt_tokens": 40, "completion_tokens": 3, "total_tokens": 43}


def ollama(request: Request) -> Reply:
    """Answer one chat request."""
    model = request["model"]
    if model not in MODELS:
        message = f'model "{model}" not found, try pulling it first'
        return refused(404, {"error": {"message": message, "type": "api_error", "param": None, "code": None}})
    same = {"id": "chatcmpl-123", "model": model, "system_fingerprint": "fp_ollama"}
    thinks = model.startswith("qwen3") and request.get("reasoning_effort") != "none"
    thoughts = [choice({"role": "assistant", "content": "", "reasoning": "Hm."}, **same)] if thinks else []
    said = [choice({"role": "assistant", "content": text}, **same) for text in ("Good ", "morning.")]
    end = choice({"role": "assistant", "content": ""}, "stop", **same)
    counts = [{**same, "choices": [], "usage": USAGE}] if request.get("stream_options") else []
    return frames(*thoughts, *said, end, *counts)
