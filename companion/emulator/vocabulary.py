"""What there is to know of a model's tokens. Pure; `tokens` holds the two kinds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

START, END = 151_644, 151_645
"""`<|im_start|>` and `<|im_end|>`."""

Token = tuple[int, bytes]
"""A token's id, and what it writes."""


class Tokens(Protocol):
    """A way to count and to write."""

    exact: bool
    """False where tokens are estimates."""

    def encode(self, text: str) -> Sequence[int]:
        """The text's tokens. Markers such as `<|im_end|>` are text like any other."""

    def text_of(self, token: int) -> bytes | None:
        """What the token writes; None where that is not known, or it writes nothing."""

    def write(self, text: str, bias: Mapping[int, float], *, splits: bool = False) -> list[Token]:
        """The text as a model under this bias would write it. `splits`: see `bias`."""


class Vocabulary(Protocol):
    """Tokens that are known one by one."""

    longest: int
    """Bytes of the longest."""

    def encode(self, text: str) -> Sequence[int]:
        """As `Tokens.encode`."""

    def text_of(self, token: int) -> bytes | None:
        """As `Tokens.text_of`."""

    def token_of(self, text: bytes) -> int | None:
        """The token that writes exactly this."""
