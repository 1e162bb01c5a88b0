"""The model's own tokens, where they can be had: `qwen.tiktoken` and `tiktoken`, both of which come with development.

The ranks lie inside the installed `dashscope` package, which is never imported. Loading takes a few tenths of a second
and is done once, off the loop. Where either is missing (on a device), tokens are estimated: a word, a sign or a Han
character each, and `exact` is False.

The only file that knows tiktoken. Both kinds may be used from any thread.

What there is to know of a model's tokens. Pure; `tokens` holds the two kinds.

What a model writes when some of its tokens are banned.

Pure. A scripted answer stands for what the model wants to say. It is written in the vocabulary's canonical tokens;
where one is banned, the longest allowed token that writes what comes next takes its place. Such detours are how a
bracket gets through an incomplete ban: `(the` is one token, and the ban of `(` does not touch it. A real model takes
them rarely; this one takes every one. Where nothing allowed can write the next character, the model goes on without
it, and without the whole stage direction if that would begin there.

A model could also spell a character in parts: `（` as the bytes EF BC and 88. The published answers under the
documented ban show no such thing, so that is done only where `splits` asks for the worst that a filter can meet.

A conversation as the model reads it: ChatML, counted to the token (section 3.2 of the service's specification).

Pure. An open prefix (`partial`) is an assistant's turn that is not closed: it counts as prompt. What ends an answer,
`<|im_end|>`, is not counted anywhere.
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
from typing import Protocol

from companion.emulator.request import Message

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


_CLOSERS = {
    "(": ")",
    "（": "）",
    "[": "]",
    "［": "］",
    "【": "】",
    "〔": "〕",
    "{": "}",
    "<": ">",
    "*": "*",
    "＊": "＊",
}
"""What opens a direction, and what ends it."""

_DIRECTIONS = (
    # What writes it, and the tokens without which the model cannot begin it.
    (re.compile(r"\([^()]*\)\s*"), frozenset({7, 320})),
    (re.compile(r"（[^（）]*）\s*"), frozenset({9909, 42344})),
    (re.compile(r"\*[^*]+\*\s*"), frozenset({9, 353})),
)


def write(vocabulary: Vocabulary, text: str, banned: frozenset[int], *, splits: bool = False) -> list[Token]:
    """The tokens of `text`, none of them banned, and what they write: always whole characters in the end."""
    written: list[Token] = []
    rest = text
    while rest:
        done = _canonical(vocabulary, rest, banned)
        written += done
        rest = rest[len(b"".join(piece for _, piece in done).decode()) :]
        if not rest:
            break
        if detour := _spell(vocabulary, rest.encode(), banned, splits):
            written += detour
            rest = rest[len(b"".join(piece for _, piece in detour).decode()) :]
        else:
            rest = _without_first(rest)
    return written


def _canonical(vocabulary: Vocabulary, text: str, banned: frozenset[int]) -> list[Token]:
    """The text's own tokens up to the first banned one, and back to the last whole character before it."""
    taken: list[Token] = []
    data = text.encode()
    at = whole = 0
    for token in vocabulary.encode(text):
        piece = vocabulary.text_of(token) or b""
        if token in banned:
            break
        taken.append((token, piece))
        at += len(piece)
        if _is_boundary(data, at):
            whole = len(taken)
    return taken[:whole]


def _spell(
    vocabulary: Vocabulary, data: bytes, banned: frozenset[int], splits: bool, at: int = 0
) -> list[Token] | None:
    """Allowed tokens that write the next characters, the longest that there is first; None where there are none."""
    for end in range(min(len(data), at + vocabulary.longest), at, -1):
        token = vocabulary.token_of(data[at:end])
        if token is None or token in banned:
            continue
        if _is_boundary(data, end):
            return [(token, data[at:end])]
        if splits and (more := _spell(vocabulary, data, banned, splits, end)):
            return [(token, data[at:end]), *more]
    return None


def _is_boundary(data: bytes, at: int) -> bool:
    return at >= len(data) or data[at] & 0xC0 != 0x80


def _without_first(text: str) -> str:
    """The text without its first character, or without the direction that begins with it."""
    closer = _CLOSERS.get(text[0])
    end = text.find(closer, 1) if closer else -1
    return text[1:] if end < 0 else text[end + 1 :].lstrip()


def without_banned(text: str, banned: frozenset[int]) -> str:
    """Where the tokens are not known: the text without the directions whose plain opening sign is banned."""
    for direction, openers in _DIRECTIONS:
        if banned & openers:
            text = direction.sub("", text)
    return text.strip()


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


def prompt_tokens(tokens: Tokens, messages: Sequence[Message]) -> list[int]:
    """The tokens that the model is given."""
    prompt: list[int] = []
    line_end = tokens.encode("\n")
    for message in messages:
        prompt.append(START)
        prompt += tokens.encode(f"{message.role}\n{message.content}")
        if not message.partial:
            prompt.append(END)
            prompt += line_end
    if not messages[-1].partial:
        prompt.append(START)
        prompt += tokens.encode("assistant\n")
    return prompt
