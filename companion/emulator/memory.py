"""Long-term memory, as the service keeps it (section 6 of its specification).

Pure; seconds are those of an injected clock. The rule, which gives the service's own six-round table:

    1. New messages join the history, and those that no summary holds yet.
    2. The model is given the profile, the newest summary, and the last N messages of the history.
    3. When N or more are in no summary, the oldest N of them and the summary so far make the next summary, which is
       used from the next request on.
    4. The answer joins as the new messages did.

What `skip_save_types` names is given to the model once and not kept. A session that was not used for 365 days is gone.
The summary is an extract, not a model's: sentences as they were said, the oldest dropped where it grows too long.

What of a prompt a session has had before (section 7 of the service's specification).

Pure. Whole blocks of 16 tokens count, from the beginning of the prompt up to the first difference, and never its last
token: 160 of a repeated prompt of 163. Only prompts are remembered, no answers: the service may be kinder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from companion.emulator.request import MemoryOptions, Message
from companion.emulator.script import sentences

KEPT_S = 365 * 86_400.0
SUMMARY_TOKENS = 1_000
"""The seed page's limit; a newer page says 1,500."""

_SUMMARIES_SHOWN = 1_000

Count = Callable[[str], int]
"""The tokens of a text."""


@dataclass(slots=True)
class _Session:
    used: float
    history: list[Message] = field(default_factory=list)
    loose: list[Message] = field(default_factory=list)
    """In no summary yet."""
    summary: str = ""
    coming: str | None = None
    """The summary from the next request on."""
    usage: Mapping[str, Any] | None = None
    coming_usage: Mapping[str, Any] | None = None
    summaries: list[tuple[Message, ...]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Recalled:
    """What the model is given in place of the new messages alone."""

    messages: tuple[Message, ...]
    details: Mapping[str, Any]
    """For the usage's `prompt_tokens_details`."""


class LongTermMemory:
    """All sessions of all accounts."""

    def __init__(self, count: Count, summary_tokens: int = SUMMARY_TOKENS) -> None:
        self._count = count
        self._summary_tokens = summary_tokens
        self._sessions: dict[tuple[str, str], _Session] = {}

    def recall(
        self, account: str, session: str, options: MemoryOptions, new: Sequence[Message], now: float
    ) -> Recalled:
        """Rules 1 to 3, for a request that has come."""
        kept = self._session(account, session, now)
        if kept.coming is not None:
            kept.summary, kept.usage, kept.coming = kept.coming, kept.coming_usage, None
        given = _given(kept, options, new)
        # An open prefix is not a message yet: it is kept with the answer that completes it.
        fresh = [message for message in new if message.role not in options.skip and not message.partial]
        kept.history += fresh
        kept.loose += fresh
        # Nothing older is ever given to the model again.
        del kept.history[: -options.entries]
        details = self._details(kept)
        if len(kept.loose) >= options.entries:
            self._summarise(kept, options)
        return Recalled(given, details)

    def keep(self, account: str, session: str, options: MemoryOptions, answer: str) -> None:
        """Rule 4. `answer` holds the open prefix that it completes."""
        kept = self._sessions.get((account, session))
        if kept is not None and "output" not in options.skip:
            kept.history.append(Message("assistant", answer))
            kept.loose.append(Message("assistant", answer))

    def summarised(self, account: str, session: str) -> tuple[tuple[Message, ...], ...]:
        """The messages that each of the last summaries was made from; for tests, the service has no such call."""
        kept = self._sessions.get((account, session))
        return tuple(kept.summaries) if kept else ()

    def forget(self) -> None:
        """Forget everybody."""
        self._sessions.clear()

    def _session(self, account: str, session: str, now: float) -> _Session:
        for key in [key for key, one in self._sessions.items() if now - one.used >= KEPT_S]:
            del self._sessions[key]
        kept = self._sessions.setdefault((account, session), _Session(now))
        kept.used = now
        return kept

    def _details(self, kept: _Session) -> dict[str, Any]:
        if not kept.summary:
            return {}
        return {"current_memory_tokens": self._count(kept.summary), "summary_memory_usage": kept.usage}

    def _summarise(self, kept: _Session, options: MemoryOptions) -> None:
        taken = tuple(kept.loose[: options.entries])
        del kept.loose[: options.entries]
        kept.summaries.append(taken)
        del kept.summaries[:-_SUMMARIES_SHOWN]
        text = "\n".join([kept.summary, *(message.content for message in taken)])
        lines = list(dict.fromkeys(sentences(text)))
        while len(lines) > 1 and self._count("\n".join(lines)) > self._summary_tokens:
            del lines[: max(1, len(lines) // 20)]
        kept.coming = "\n".join(lines)
        read, made = self._count(text), self._count(kept.coming)
        kept.coming_usage = {
            "input_tokens": read,
            "output_tokens": made,
            "prompt_tokens_details": {"cached_tokens": 0},
            "total_tokens": read + made,
        }


def _given(kept: _Session, options: MemoryOptions, new: Sequence[Message]) -> tuple[Message, ...]:
    """Profile, summary, and the last messages, those included that will not be kept."""
    last = [*kept.history, *new][-options.entries :]
    summary = [Message("system", kept.summary)] if kept.summary else []
    return (Message("system", options.profile), *summary, *last)


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
