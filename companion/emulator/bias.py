"""What a model writes when some of its tokens are banned.

Pure. A scripted answer stands for what the model wants to say. It is written in the vocabulary's canonical tokens;
where one is banned, the longest allowed token that writes what comes next takes its place. Such detours are how a
bracket gets through an incomplete ban: `(the` is one token, and the ban of `(` does not touch it. A real model takes
them rarely; this one takes every one. Where nothing allowed can write the next character, the model goes on without
it, and without the whole stage direction if that would begin there.

A model could also spell a character in parts: `（` as the bytes EF BC and 88. The published answers under the
documented ban show no such thing, so that is done only where `splits` asks for the worst that a filter can meet.
"""

from __future__ import annotations

import re

from companion.emulator.vocabulary import Token, Vocabulary

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
