"""The model's tokens, exact where its vocabulary is installed, else estimated; and how an answer avoids banned tokens.

The vocabulary is `qwen.tiktoken` from the `dashscope` package (which is never imported), read with `tiktoken`. Both
are development dependencies. Loading takes a few tenths of a second and is done once, off the loop. Where either is
missing (on a device), tokens are estimated: one for each word, sign or Han character, and `exact` is False. This is
the only file that imports tiktoken. Pure, apart from reading the vocabulary. Both tokenizers may be used from any
thread.

Banned tokens: a scripted answer stands for what the model wants to say. It is written in the vocabulary's canonical
tokens; a banned one is replaced by the longest allowed token that writes the next characters. Such detours are how a
bracket gets through an incomplete ban: `(the` is one token, which a ban of `(` does not affect. A real model takes
detours rarely; this one takes all of them. Where no allowed token can write the next character, it is left out, and
with it the whole stage direction that would begin there.

A model could also spell a character in parts: `（` as the bytes EF BC and 88. The published answers under the
documented ban show no such thing, so this is done only where `splits` asks for the worst case for a filter.

Prompts are counted as the model reads them, in ChatML (section 3.2 of the service's specification). An open prefix
(`partial`) is an assistant's turn that is not closed, and counts as prompt. The `<|im_end|>` that ends an answer is not
counted.
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
"""A token's id and its bytes."""


class Tokenizer(Protocol):
    """Turns text into tokens."""

    exact: bool
    """False where tokens are estimates."""

    def encode(self, text: str) -> Sequence[int]:
        """The tokens of the text. Markers such as `<|im_end|>` are treated as ordinary text."""

    def text_of(self, token: int) -> bytes | None:
        """The token's bytes; None where they are unknown or empty."""

    def generate(self, text: str, bias: Mapping[int, float], *, splits: bool = False) -> list[Token]:
        """The tokens that a model under this bias would write for the text. `splits`: see `encode_avoiding`."""


class Vocabulary(Protocol):
    """A vocabulary whose tokens are all known."""

    longest: int
    """Length of the longest token, in bytes."""

    def encode(self, text: str) -> Sequence[int]:
        """As `Tokenizer.encode`."""

    def text_of(self, token: int) -> bytes | None:
        """As `Tokenizer.text_of`."""

    def token_of(self, text: bytes) -> int | None:
        """The token with exactly these bytes, or None."""


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
"""The sign that opens a stage direction, and the one that closes it."""

_DIRECTIONS = (
    # A stage direction, and the tokens without which the model cannot begin it.
    (re.compile(r"\([^()]*\)\s*"), frozenset({7, 320})),
    (re.compile(r"（[^（）]*）\s*"), frozenset({9909, 42344})),
    (re.compile(r"\*[^*]+\*\s*"), frozenset({9, 353})),
)


def encode_avoiding(vocabulary: Vocabulary, text: str, banned: frozenset[int], *, splits: bool = False) -> list[Token]:
    """Tokens for `text` without any banned one; together they always form whole characters.

    `splits`: also spell a character by tokens that contain only a part of its bytes.
    """
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
    """The text's canonical tokens before the first banned one, up to the last whole character."""
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
    """Allowed tokens for the next characters, the longest possible first; None where there are none."""
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
    """The text without its first character, or without the stage direction that begins there."""
    closer = _CLOSERS.get(text[0])
    end = text.find(closer, 1) if closer else -1
    return text[1:] if end < 0 else text[end + 1 :].lstrip()


def strip_banned_directions(text: str, banned: frozenset[int]) -> str:
    """The text without the stage directions whose plain opening sign is banned, where tokens are unknown."""
    for direction, openers in _DIRECTIONS:
        if banned & openers:
            text = direction.sub("", text)
    return text.strip()


_SPECIAL = {"<|endoftext|>": 151_643, "<|im_start|>": START, "<|im_end|>": END}
_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""The vocabulary's own pattern for splitting text before merging."""

_LONGEST_PIECE = 50_000
"""Characters. tiktoken overflows its stack on texts without spaces that are much longer."""


def vocabulary_file() -> Path | None:
    """The vocabulary's path; None where it or tiktoken is not installed."""
    if importlib.util.find_spec("tiktoken") is None:
        return None
    try:
        path = Path(str(metadata.distribution("dashscope").locate_file("dashscope/resources/qwen.tiktoken")))
    except metadata.PackageNotFoundError:
        return None
    return path if path.is_file() else None


@cache
def load_tokenizer() -> Tokenizer:
    """The exact tokenizer where possible, else the estimating one. The first call blocks for tenths of a second."""
    path = vocabulary_file()
    return EstimatingTokenizer() if path is None else QwenTokenizer(path)


class QwenTokenizer:
    """The vocabulary of `qwen.tiktoken`."""

    exact = True

    def __init__(self, path: Path) -> None:
        import tiktoken

        lines = path.read_bytes().splitlines()
        self._ranks = {base64.b64decode(token): int(rank) for token, rank in (line.split() for line in lines if line)}
        self._texts = {rank: token for token, rank in self._ranks.items()}
        self.longest = max(map(len, self._ranks))
        self._encoding = tiktoken.Encoding("qwen", pat_str=_SPLIT, mergeable_ranks=self._ranks, special_tokens=_SPECIAL)
        # Every request repeats the conversation so far.
        self.encode = lru_cache(maxsize=8192)(self._encode)

    def _encode(self, text: str) -> tuple[int, ...]:
        ids: list[int] = []
        for at in range(0, len(text), _LONGEST_PIECE):
            ids += self._encoding.encode_ordinary(text[at : at + _LONGEST_PIECE])
        return tuple(ids)

    def text_of(self, token: int) -> bytes | None:
        """See `Tokenizer.text_of`."""
        return self._texts.get(token)

    def token_of(self, text: bytes) -> int | None:
        """See `Vocabulary.token_of`."""
        return self._ranks.get(text)

    def generate(self, text: str, bias: Mapping[int, float], *, splits: bool = False) -> list[Token]:
        """See `Tokenizer.generate`."""
        banned = frozenset(token for token, weight in bias.items() if weight == -100)
        if not banned.isdisjoint(self._texts):
            return encode_avoiding(self, text, banned, splits=splits)
        return [(token, self._texts[token]) for token in self.encode(text)]


class EstimatingTokenizer:
    """Splits text into about as many tokens as the model would."""

    exact = False

    _PIECE = re.compile(r"\s?[A-Za-z\u00c0-\u024f0-9']+|\s?\S|\s+")
    """A word or a single sign, with the space before it."""

    def encode(self, text: str) -> Sequence[int]:
        """Hashes of the pieces: equal pieces have equal numbers."""
        return [zlib.crc32(piece.encode()) for piece in self._PIECE.findall(text)]

    def text_of(self, token: int) -> bytes | None:  # noqa: ARG002
        """None: estimated tokens have no known bytes."""
        return None

    def generate(self, text: str, bias: Mapping[int, float], *, splits: bool = False) -> list[Token]:  # noqa: ARG002
        """The text in pieces, without the stage directions whose signs are banned."""
        banned = frozenset(token for token, weight in bias.items() if weight == -100)
        pieces = self._PIECE.findall(strip_banned_directions(text, banned))
        return [(zlib.crc32(piece.encode()), piece.encode()) for piece in pieces]


def prompt_tokens(tokens: Tokenizer, messages: Sequence[Message]) -> list[int]:
    """The tokens of the prompt."""
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
