"""OpenRouter: comments while it waits, thoughts in two fields, and the errors of whoever stands behind it."""

from __future__ import annotations

from collections.abc import Sequence

from tests.mind.api.servers.loopback import Reply, Request, choice, frames, refused

USAGE = {"prompt_tokens": 40, "completion_tokens": 3, "total_tokens": 43, "cost": 0.00001}
ERRORS = {
    "credits": (402, "Insufficient credits. Add more using https://openrouter.ai/settings/credits", {}),
    "moderated": (
        403,
        "Your chosen model requires moderation and your input was flagged for violence",
        {"reasons": ["violence"], "flagged_input": "the dog ate ..."},
    ),
    "limited": (429, "Provider returned error", {"raw": "rate-limited upstream", "provider_name": "A"}),
    "nobody": (404, "No endpoints found that support the requested parameters", {}),
}


class OpenRouter:
    """`errors` befall the first requests; `ends`: the reason with which answers end."""

    def __init__(self, errors: Sequence[str] = (), *, ends: str = "stop", breaks: bool = False) -> None:
        self._errors = list(errors)
        self._ends = ends
        self._breaks = breaks

    def __call__(self, request: Request) -> Reply:
        """Answer one chat request."""
        if self._errors:
            status, message, metadata = ERRORS[self._errors.pop(0)]
            return refused(status, {"error": {"code": status, "message": message, "metadata": metadata}})
        waiting = Reply(b": OPENROUTER PROCESSING\n\n" * 3)
        thinks = request.get("reasoning", {}).get("enabled") is not False
        details = [{"type": "reasoning.text", "text": "Hm.", "format": "unknown", "index": 0}]
        thought = choice({"role": "assistant", "content": "", "reasoning": "Hm.", "reasoning_details": details})
        said = [choice({"role": "assistant", "content": text}, provider="A") for text in ("Good ", "morning.")]
        if self._breaks:
            error = {"code": 502, "message": "Provider disconnected unexpectedly"}
            broken = choice({"role": "assistant", "content": ""}, "error", error=error)
            return Reply(waiting.body + frames(said[0], broken, done=False).body)
        end = choice({"role": "assistant", "content": ""}, self._ends)
        end["choices"][0]["native_finish_reason"] = "STOP"
        counts = {**choice({"role": "assistant", "content": ""}), "usage": USAGE}
        return Reply(waiting.body + frames(*([thought] if thinks else []), *said, end, counts).body)
