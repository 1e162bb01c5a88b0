"""What of a prompt a session has had before (section 7 of the service's specification).

Pure. Whole blocks of 16 tokens count, from the beginning of the prompt up to the first difference, and never its last
token: 160 of a repeated prompt of 163. Only prompts are remembered, no answers: the service may be kinder.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

BLOCK = 16
"""Tokens."""

_MOST_SESSIONS = 1_000
_MOST_BLOCKS = 200_000


class SessionCache:
    """The blocks that each session has seen."""

    def __init__(self, implicit_minimum: int | None = None) -> None:
        """`implicit_minimum`: requests without a session share a cache that counts from so many tokens on (the pages
        say 256 or 1,024); None: they have none.
        """
        self._implicit_minimum = implicit_minimum
        self._sessions: dict[tuple[str, ...], dict[int, None]] = {}
        """Each session's blocks, the one used last at the end."""

    def cached(self, account: str, model: str, session: str | None, prompt: Sequence[int]) -> int:
        """How many tokens of the prompt were in the cache; from now on all of it is."""
        if session is None and self._implicit_minimum is None:
            return 0
        key = (account, model) if session is None else (account, model, session)
        seen = self._sessions.pop(key, {})
        blocks = list(_blocks(prompt))
        usable = blocks[: (len(prompt) - 1) // BLOCK]
        hit = BLOCK * next((at for at, block in enumerate(usable) if block not in seen), len(usable))
        kept = {**seen, **dict.fromkeys(blocks)} if len(seen) < _MOST_BLOCKS else dict.fromkeys(blocks)
        self._sessions[key] = kept
        if len(self._sessions) > _MOST_SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        return hit if session is not None or hit >= (self._implicit_minimum or 0) else 0

    def forget(self) -> None:
        """Empty it."""
        self._sessions.clear()


def _blocks(prompt: Sequence[int]) -> Iterator[int]:
    """One number for each whole block, which stands for all that came before it as well."""
    before = 0
    for at in range(0, len(prompt) - BLOCK + 1, BLOCK):
        before = hash(tuple(chain((before,), prompt[at : at + BLOCK])))
        yield before
