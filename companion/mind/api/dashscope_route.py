"""The service's own route: what is sent to it, and what its JSON objects say (sections 3 and 5).

Pure. Only new text is asked for (`incremental_output`), but some gateways do not pass that on and every frame repeats
the whole text so far: `Unrepeated` takes the repetition off.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from companion.mind.api.messages import Chunk, Request
from companion.mind.api.openai_route import piece, pieces, read_usage

PATH = "services/aigc/text-generation/generation"

_SURE = 8
"""Characters. A piece of an answer that begins with all of the answer so far, if that is as long as this and no mere
laughter, can only come from a server that repeats."""


def body(request: Request) -> dict[str, Any]:
    """The JSON object of `POST {base}/services/aigc/text-generation/generation`; what is not asked for is left out."""
    return {
        "model": request.model,
        "input": {"messages": list(request.messages)},
        "parameters": {"result_format": "message", "incremental_output": True, **request.parameters()},
    }


def headers(request: Request) -> dict[str, str]:
    """What the route wants beside the headers of every request: without the second it answers in one piece."""
    if not request.stream:
        return {"Accept": "application/json"}
    return {"Accept": "text/event-stream", "X-DashScope-SSE": "enable"}


def read(value: Mapping[str, Any]) -> Chunk | None:
    """A frame of a stream, or a whole answer, in either `result_format`; None for what is neither."""
    output = value.get("output")
    if not isinstance(output, dict):
        return None
    found = pieces(output.get("choices"))
    if not found and isinstance(output.get("text"), str):
        found = (piece(0, output["text"], output.get("finish_reason")),)
    return Chunk(found, read_usage(value.get("usage")), may_repeat=True)


class Unrepeated:
    """One answer's pieces without what they repeat.

    At first nobody knows whether the server repeats. A piece that does not begin with all that came before shows that
    it does not; one that does, with enough before it, that it does. A piece that leaves it open is held back until the
    next: `哈` and then `哈哈` may be two laughs or three.
    """

    def __init__(self) -> None:
        self._repeats: bool | None = None
        self._latest = ""
        """The latest piece; from a server that repeats: all so far."""
        self._given = 0
        """Of a server that repeats: the characters of it that are out."""
        self._held: list[str] = []

    def take(self, text: str, *, last: bool) -> str:
        """The next piece, `last` if the answer ends with it; returns the text that is new."""
        # A server that cuts characters in two puts this for the first half, and the character into the next piece.
        text = text.rstrip("\ufffd")
        if self._repeats is None:
            self._judge(text, last=last)
        if self._repeats is None:
            if not self._latest:
                self._latest, self._given = text, len(text)
                return text
            self._held.append(text)
            self._latest = text
            return ""
        begin = min(len(text), len(self._latest), _SURE)
        if self._repeats and text[:begin] != self._latest[:begin]:
            # It was chance after all.
            self._repeats = False
            return text
        if self._repeats:
            new = text[self._given :]
            if new:
                self._latest, self._given = text, len(text)
            return new
        new, self._held = "".join([*self._held, text]), []
        return new

    def rest(self) -> str:
        """What is held back, when no more will come: better too little than everything twice."""
        if not self._held:
            return ""
        self._held = []
        new, self._given = self._latest[self._given :], len(self._latest)
        return new

    def _judge(self, text: str, *, last: bool) -> None:
        before = self._latest
        if not before:
            return
        if not text.startswith(before):
            # A server that repeats never sends less than before, not even in its last frame.
            self._repeats = False
        elif last or (len(before) >= _SURE and len(set(before)) > _SURE // 2):
            self._repeats = True
            self._held = []
