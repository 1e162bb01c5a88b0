"""The model's own tokens, where they can be had: `qwen.tiktoken` and `tiktoken`, both of which come with development.

The ranks lie inside the installed `dashscope` package, which is never imported. Loading takes a few tenths of a second
and is done once, off the loop. Where either is missing (on a device), tokens are estimated: a word, a sign or a Han
character each, and `exact` is False.

The only file that knows tiktoken. Both kinds may be used from any thread.
"""

from __future__ import annotations

import base64
import importlib.util
import re
import zlib
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from importlib import metadata
from pathlib import Path

from companion.emulator.bias import without_banned, write
from companion.emulator.vocabulary import END, START, Token, Tokens

_SPECIAL = {"<|endoftext|>": 151_643, "<|im_start|>": START, "<|im_end|>": END}
_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""The vocabulary's own rule for cutting text before its pairs are merged."""

_LONGEST_PIECE = 50_000
"""Characters. tiktoken runs out of stack on texts without a space much longer than this."""


def ranks_file() -> Path | None:
    """Where the vocabulary lies; None where it or tiktoken is not installed."""
    if importlib.util.find_spec("tiktoken") is None:
        return None
    try:
        path = Path(str(metadata.distribution("dashscope").locate_file("dashscope/resources/qwen.tiktoken")))
    except metadata.PackageNotFoundError:
        return None
    return path if path.is_file() else None


@cache
def load_tokens() -> Tokens:
    """The real tokens, else the estimates. Blocks for a few tenths of a second the first time."""
    path = ranks_file()
    return EstimatedTokens() if path is None else ExactTokens(path)


class ExactTokens:
    """The vocabulary of `qwen.tiktoken`."""

    exact = True

    def __init__(self, path: Path) -> None:
        import tiktoken

        lines = path.read_bytes().splitlines()
        self._ranks = {base64.b64decode(token): int(rank) for token, rank in (line.split() for line in lines if line)}
        self._texts = {rank: token for token, rank in self._ranks.items()}
        self.longest = max(map(len, self._ranks))
        self._encoding = tiktoken.Encoding("qwen", pat_str=_SPLIT, mergeable_ranks=self._ranks, special_tokens=_SPECIAL)
        # A conversation comes back with every request.
        self.encode = lru_cache(maxsize=8192)(self._encode)

    def _encode(self, text: str) -> tuple[int, ...]:
        ids: list[int] = []
        for at in range(0, len(text), _LONGEST_PIECE):
            ids += self._encoding.encode_ordinary(text[at : at + _LONGEST_PIECE])
        return tuple(ids)

    def text_of(self, token: int) -> bytes | None:
        """What the token writes; None for one that writes nothing."""
        return self._texts.get(token)

    def token_of(self, text: bytes) -> int | None:
        """The token that writes exactly this."""
        return self._ranks.get(text)

    def write(self, text: str, bias: Mapping[int, float], *, splits: bool = False) -> list[Token]:
        """See `bias.write`."""
        banned = frozenset(token for token, weight in bias.items() if weight == -100)
        if not banned.isdisjoint(self._texts):
            return write(self, text, banned, splits=splits)
        return [(token, self._texts[token]) for token in self.encode(text)]


class EstimatedTokens:
    """About as many tokens as there would be."""

    exact = False

    _PIECE = re.compile(r"\s?[A-Za-z\u00c0-\u024f0-9']+|\s?\S|\s+")
    """A word or a single sign, with the space before it."""

    def encode(self, text: str) -> Sequence[int]:
        """Numbers that are equal where the pieces are."""
        return [zlib.crc32(piece.encode()) for piece in self._PIECE.findall(text)]

    def text_of(self, token: int) -> bytes | None:  # noqa: ARG002
        """None: nobody knows."""
        return None

    def write(self, text: str, bias: Mapping[int, float], *, splits: bool = False) -> list[Token]:  # noqa: ARG002
        """The text in pieces, without the directions whose signs are banned."""
        banned = frozenset(token for token, weight in bias.items() if weight == -100)
        pieces = self._PIECE.findall(without_banned(text, banned))
        return [(zlib.crc32(piece.encode()), piece.encode()) for piece in pieces]
