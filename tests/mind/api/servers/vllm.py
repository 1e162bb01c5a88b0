"""vLLM: names what is wrong in the words of its validation, knows its vocabulary, and is strict where the model is."""

from __future__ import annotations

from tests.mind.api.servers.loopback import Reply, Request, choice, frames, refused
from tests.mind.api.servers.templates import Template

USAGE = {"choices": [], "usage": {"prompt_tokens": 40, "completion_tokens": 3, "total_tokens": 43}}
KNOWN = frozenset(
    {
        *("model", "messages", "stream", "stream_options", "n", "seed", "max_tokens", "temperature", "top_p", "top_k"),
        *("presence_penalty", "frequency_penalty", "repetition_penalty", "stop", "logit_bias", "chat_template_kwargs"),
    }
)


class Vllm:
    """With one model's template, a vocabulary and a context of these sizes, in tokens."""

    def __init__(self, template: Template, *, vocabulary: int = 152_000, context: int = 32_768) -> None:
        self._template = template
        self._vocabulary = vocabulary
        self._context = context

    def __call__(self, request: Request) -> Reply:
        """Answer one chat request."""
        for name in request:
            if name not in KNOWN:
                where = f"[{{'type': 'extra_forbidden', 'loc': ('body', '{name}'), 'msg': 'Extra inputs', 'input': 1}}]"
                return self._bad(where)
        if too_large := [int(token) for token in request.get("logit_bias", ()) if int(token) >= self._vocabulary]:
            return self._bad(
                f"token_id(s) {too_large} in logit_bias contain out-of-vocab token ids. "
                f"Vocabulary size: {self._vocabulary}"
            )
        size = sum(len(message["content"]) for message in request["messages"])
        if size + request["max_tokens"] > self._context:
            return self._bad(
                f"'max_tokens' or 'max_completion_tokens' is too large: {request['max_tokens']}. This model's maximum "
                f"context length is {self._context} tokens and your request has {size} input tokens."
            )
        if why := self._template(request["messages"]):
            return self._bad(why)
        said = [choice({"content": text}, stop_reason=None) for text in ("Good ", "morning.")]
        begin = choice({"role": "assistant", "content": ""})
        end = choice({"content": ""}, "stop", stop_reason=None)
        return frames(begin, *said, end, *([USAGE] if request.get("stream_options") else []))

    @staticmethod
    def _bad(message: str) -> Reply:
        return refused(
            400, {"object": "error", "message": message, "type": "BadRequestError", "param": None, "code": 400}
        )
