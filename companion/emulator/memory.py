"""What the service keeps between requests: long-term memory and the prompt cache.

Pure; seconds are those of an injected clock. From sections 6 and 7 of the service's specification. The rules of
long-term memory, which reproduce the service's own six-round table:

    1. New messages are added to the history and to the messages not yet summarised.
    2. The model gets the profile, the newest summary, and the last N messages of the history.
    3. When N or more messages are not yet summarised, the oldest N of them and the summary so far make the next
       summary, which is used from the next request on.
    4. The answer is added like the new messages.

Messages of the kinds in `skip_save_types` are given to the model once and not stored. A session that was not used for
365 days is deleted. The summary is an extract and not written by a model: sentences as they were said, of which the
oldest are dropped where it grows too long.

The prompt cache counts whole blocks of 16 tokens from the beginning of the prompt up to the first difference, and
never the last token: 160 of a repeated prompt of 163. Only prompts are cached, not answers; the real service may
cache more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from companion.emulator.request import MemoryOptions, Message

KEPT_S = 365 * 86_400.0
SUMMARY_TOKENS = 1_000
"""The limit on the page that this was made from; a newer page says 1,500."""

BLOCK = 16
"""Tokens per block of the prompt cache."""

_SUMMARIES_SHOWN = 1_000
_MOST_SESSIONS = 1_000
_MOST_BLOCKS = 200_000
_SENTENCE = re.compile(r"[^.!?。！？…\n]+(?:[.!?。！？…]+[”\"'）)]*|\n|$)")
_MOST_SENTENCES = 40

Count = Callable[[str], int]
"""Counts the tokens of a text."""


@dataclass(slots=True)
class _Session:
    used: float
    history: list[Message] = field(default_factory=list)
    unsummarised: list[Message] = field(default_factory=list)
    """Messages that are in no summary yet."""
    summary: str = ""
    next_summary: str | None = None
    """The summary from the next request on."""
    usage: Mapping[str, Any] | None = None
    next_usage: Mapping[str, Any] | None = None
    summaries: list[tuple[Message, ...]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RecalledPrompt:
    """The messages that the model gets in place of the new ones alone."""

    messages: tuple[Message, ...]
    details: Mapping[str, Any]
    """Added to the usage's `prompt_tokens_details`."""


class LongTermMemory:
    """The sessions of all accounts."""

    def __init__(self, count: Count, summary_tokens: int = SUMMARY_TOKENS) -> None:
        self._count = count
        self._summary_tokens = summary_tokens
        self._sessions: dict[tuple[str, str], _Session] = {}

    def recall(
        self, account: str, session: str, options: MemoryOptions, new: Sequence[Message], now: float
    ) -> RecalledPrompt:
        """Apply rules 1 to 3 to a request."""
        kept = self._session(account, session, now)
        if kept.next_summary is not None:
            kept.summary, kept.usage, kept.next_summary = kept.next_summary, kept.next_usage, None
        given = _prompt_messages(kept, options, new)
        # An open prefix is not a message yet: it is stored with the answer that completes it.
        fresh = [message for message in new if message.role not in options.skip and not message.partial]
        kept.history += fresh
        kept.unsummarised += fresh
        # Nothing older is ever given to the model again.
        del kept.history[: -options.entries]
        details = self._details(kept)
        if len(kept.unsummarised) >= options.entries:
            self._summarise(kept, options)
        return RecalledPrompt(given, details)

    def store_answer(self, account: str, session: str, options: MemoryOptions, answer: str) -> None:
        """Apply rule 4. `answer` includes the open prefix that it completes."""
        kept = self._sessions.get((account, session))
        if kept is not None and "output" not in options.skip:
            kept.history.append(Message("assistant", answer))
            kept.unsummarised.append(Message("assistant", answer))

    def summary_sources(self, account: str, session: str) -> tuple[tuple[Message, ...], ...]:
        """The messages that each of the last summaries was made from. For tests; the service has no such call."""
        kept = self._sessions.get((account, session))
        return tuple(kept.summaries) if kept else ()

    def clear(self) -> None:
        """Delete all sessions."""
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
        taken = tuple(kept.unsummarised[: options.entries])
        del kept.unsummarised[: options.entries]
        kept.summaries.append(taken)
        del kept.summaries[:-_SUMMARIES_SHOWN]
        text = "\n".join([kept.summary, *(message.content for message in taken)])
        lines = list(dict.fromkeys(split_sentences(text)))
        while len(lines) > 1 and self._count("\n".join(lines)) > self._summary_tokens:
            del lines[: max(1, len(lines) // 20)]
        kept.next_summary = "\n".join(lines)
        read, made = self._count(text), self._count(kept.next_summary)
        kept.next_usage = {
            "input_tokens": read,
            "output_tokens": made,
            "prompt_tokens_details": {"cached_tokens": 0},
            "total_tokens": read + made,
        }


def _prompt_messages(kept: _Session, options: MemoryOptions, new: Sequence[Message]) -> tuple[Message, ...]:
    """Profile, summary, and the last messages, including those that will not be stored."""
    last = [*kept.history, *new][-options.entries :]
    summary = [Message("system", kept.summary)] if kept.summary else []
    return (Message("system", options.profile), *summary, *last)


def split_sentences(text: str) -> list[str]:
    """The sentences of the text, stripped of surrounding space."""
    return [found for one in _SENTENCE.findall(text) if (found := one.strip()) and any(map(str.isalnum, found))]


def extract_summary(text: str, most: int = _MOST_SENTENCES) -> str:
    """The first sentences of a text, without duplicates and headings."""
    found = (sentence for sentence in split_sentences(text) if not sentence.endswith((":", "：")))
    return "\n".join(list(dict.fromkeys(found))[:most])


class PromptCache:
    """The blocks of tokens that each session has sent before."""

    def __init__(self, implicit_minimum: int | None = None) -> None:
        """`implicit_minimum`: requests without a session share a cache that counts from this many tokens on (the pages
        say 256 or 1,024). None: they have no cache.
        """
        self._implicit_minimum = implicit_minimum
        self._sessions: dict[tuple[str, ...], dict[int, None]] = {}
        """Each session's blocks; the session used last is at the end."""

    def count_hits(self, account: str, model: str, session: str | None, prompt: Sequence[int]) -> int:
        """Return how many tokens of the prompt were in the cache, and add the prompt to it."""
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

    def clear(self) -> None:
        """Empty the cache."""
        self._sessions.clear()


def _blocks(prompt: Sequence[int]) -> Iterator[int]:
    """A hash for each whole block, which covers everything before it as well."""
    before = 0
    for at in range(0, len(prompt) - BLOCK + 1, BLOCK):
        before = hash(tuple(chain((before,), prompt[at : at + BLOCK])))
        yield before
