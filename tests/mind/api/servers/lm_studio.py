"""LM Studio: thoughts inline, token counts in the last chunk, errors as bare text or as an event of the stream."""

from __future__ import annotations

from tests.mind.api.servers.loopback import Reply, Request, choice, frames, refused
from tests.mind.api.servers.templates import Template

USAGE = {"prompt_tokens": 40, "completion_tokens": 3, "total_tokens": 43}


class LmStudio:
    """With one model's template; `streams_errors`: they come with status 200."""

    def __init__(self, template: Template, *, loaded: bool = True, streams_errors: bool = False) -> None:
        self._template = template
        self._loaded = loaded
        self._streams_errors = streams_errors

    def __call__(self, request: Request) -> Reply:
        """Answer one chat request."""
        if not self._loaded:
            message = "No models loaded. Please load a model in the developer page or use the `lms load` command."
            error = {"message": message, "type": "invalid_request_error", "param": "model", "code": "model_not_found"}
            return refused(404, {"error": error})
        if why := self._template(request["messages"]):
            told = f'Error rendering prompt with jinja template: "{why}". Check the prompt template.'
            if self._streams_errors:
                error = {"error": {"message": told}, "message": told}
                return Reply(b"event: error\n" + frames(error, done=False).body)
            return refused(400, {"error": told})
        pieces = ["<think>", "Hm.", "</think>", "\n\n", "Good ", "morning."]
        said = [choice({"role": "assistant", "content": text}) for text in pieces]
        return frames(*said, choice({}, "stop", usage=USAGE))
