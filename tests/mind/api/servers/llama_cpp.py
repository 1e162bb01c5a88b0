"""`llama-server`: template errors are 500, one choice only, and a name of its own for an error midway."""

from __future__ import annotations

from tests.mind.api.servers.loopback import Reply, Request, choice, frames, refused
from tests.mind.api.servers.templates import Template

USAGE = {"choices": [], "usage": {"prompt_tokens": 40, "completion_tokens": 3, "total_tokens": 43}}
BROKEN = 'error: {"code":500,"message":"context shift is disabled","type":"server_error"}'


class LlamaServer:
    """With one model's template; `loading`: how many requests come while the model loads."""

    def __init__(self, template: Template, *, loading: int = 0, thinks: bool = False, breaks: bool = False) -> None:
        self._template = template
        self._loading = loading
        self._thinks = thinks
        self._breaks = breaks

    def __call__(self, request: Request) -> Reply:
        """Answer one chat request."""
        if self._loading:
            self._loading -= 1
            return self._error(503, "Loading model", "unavailable_error")
        if request.get("n", 1) > 1:
            return self._error(400, "Only one completion choice is allowed", "invalid_request_error")
        if why := self._template(request["messages"]):
            return self._error(500, f"Jinja Exception: {why} at row 4, column 9:\n{{{{- raise_exception(...) }}}}")
        thinks = self._thinks and request.get("chat_template_kwargs", {}).get("enable_thinking", True)
        thoughts = [choice({"reasoning_content": "Hm."})] if thinks else []
        begin = choice({"role": "assistant", "content": None})
        if self._breaks:
            return Reply(frames(begin, choice({"content": "Good "}), done=False).body + f"{BROKEN}\n\n".encode())
        end = choice({}, "stop", timings={"predicted_n": 3})
        counts = [USAGE] if request.get("stream_options", {}).get("include_usage") else []
        return frames(begin, *thoughts, choice({"content": "Good "}), choice({"content": "morning."}), end, *counts)

    @staticmethod
    def _error(status: int, message: str, kind: str = "server_error") -> Reply:
        return refused(status, {"error": {"code": status, "message": message, "type": kind}})
