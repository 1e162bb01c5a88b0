"""What a request cost, in the shapes that the two routes give it (sections 4, 5 and 6 of the specification). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

CacheShape = Literal["details", "flat", "none"]
"""Where the cached tokens are told: today's place, that of September 2025, or nowhere as before."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens."""

    prompt: int
    cached: int
    memory: Mapping[str, Any]
    """What long-term memory adds to the details."""
    shape: CacheShape = "details"

    def openai(self, completion: int) -> dict[str, Any]:
        """For the OpenAI-compatible route."""
        named = {"prompt_tokens": self.prompt, "completion_tokens": completion}
        return {**named, "total_tokens": self.prompt + completion, **self._details()}

    def dashscope(self, output: int) -> dict[str, Any]:
        """For the DashScope route."""
        named = {"total_tokens": self.prompt + output, "output_tokens": output, "input_tokens": self.prompt}
        return {**named, **self._details()}

    def _details(self) -> dict[str, Any]:
        if self.shape == "details":
            return {"prompt_tokens_details": {"cached_tokens": self.cached, **self.memory}}
        return {"cached_tokens": self.cached} if self.shape == "flat" else {}
