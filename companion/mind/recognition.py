"""Who may be taken for whom, where a policy asks for more than a name.

Whoever says "I'm Ana" is a stranger at first: they get a session of their own, nothing of Ana's is read, and nothing
that they say is kept. With `word`, the next thing that they say is taken for Ana's secret word; a person of whom
nothing is known is asked to choose one. With `page`, the name is all that is known of Ana. With both, the owner may
let her in for a time: then her name is enough. Once recognised, a person stays so for `HOLDS_S` after their last words:
then somebody else may be there.

The word itself is neither remembered nor sent. Everything runs on the event loop's thread; seconds are the loop's.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from companion.config.policy import MemoryRules
from companion.errors import CompanionError
from companion.languages.understood import Understood, closed_up
from companion.mind.memory import secret_word
from companion.mind.memory.store import Store
from companion.mind.memory.working_memory import GUEST

log = logging.getLogger("companion")

HOLDS_S = 300.0
"""So long after their last words somebody is still taken for the person that they were."""
MOST_WORDS = 6
"""A secret word may be a few words; whoever says more than this tells something else."""

Line = Literal["ask_word", "wrong_word", "new_word", "right_word", "wait_word"]


@dataclass(frozen=True, slots=True)
class Found:
    """What came of some words."""

    line: Line | None = None
    """What is said in place of an answer; None where the character answers."""
    name: str = ""
    """Whose name it is about."""
    speaks: Literal["same", "person", "stranger"] = "same"
    """Who speaks from here on: whoever it was, the person of that name, or somebody of whom nothing is kept."""


@dataclass(frozen=True, slots=True)
class _Asked:
    name: str
    is_new: bool


class Recognition:
    """Who was recognised, and who is being asked."""

    def __init__(
        self, rules: MemoryRules, store: Store | None, now: Callable[[], datetime], languages: Understood
    ) -> None:
        """Without a `store` nobody is remembered, so that anybody may give any name."""
        self._how = rules.recognise if store is not None else "trust"
        self._store = store
        self._now = now
        self._languages = languages
        self._asked: _Asked | None = None
        self._known: str | None = None
        self._heard_at = 0.0

    @property
    def trusts(self) -> bool:
        """Whether a name is enough."""
        return self._how == "trust"

    @property
    def awaits_word(self) -> bool:
        """Whether what is said next is a secret word."""
        return self._asked is not None

    @property
    def is_over(self) -> bool:
        """Whether somebody was recognised so long ago that it may be another one who speaks now."""
        return self._known is not None and asyncio.get_running_loop().time() - self._heard_at > HOLDS_S

    @property
    def is_unsure(self) -> bool:
        """Whether it is not sure who says the next words."""
        return self.awaits_word or self.is_over

    def forget(self) -> None:
        """Nobody is recognised any more."""
        self._asked = self._known = None

    def keep_up(self) -> None:
        """Whoever was recognised has just said something, or was answered."""
        self._heard_at = asyncio.get_running_loop().time()

    def end(self) -> None:
        """Whoever was recognised has said goodbye."""
        self._heard_at = -HOLDS_S

    async def allowed(self, person: str) -> str:
        """The person, where a talk may begin as if they spoke, without a word; else nobody in particular."""
        if self.trusts or not person or person.casefold() == GUEST or self._store is None:
            return person
        return person if (await self._standing(self._store, person)).is_let_in else ""

    async def hear(self, said: str, introduced: str | None) -> Found:
        """What comes of what was `said`, in which somebody `introduced` themselves by that name."""
        self.keep_up()
        if self._store is None or self.trusts:
            return Found()
        asked, self._asked = self._asked, None
        if introduced is not None:
            if introduced == self._known:
                return Found()
            self._known = None
            return await self._introduced(self._store, introduced)
        if asked is None:
            return Found()
        words = self._words_in(said)
        if asked.is_new:
            return await self._chosen(self._store, asked.name, words)
        if await self._try(self._store, asked.name, words):
            return self._recognised(asked.name)
        return Found("wrong_word", asked.name)

    async def _introduced(self, store: Store, name: str) -> Found:
        standing = await self._standing(store, name)
        if standing.is_let_in:
            self._known = name
            return Found(None, name, "person")
        if self._how == "page":
            return Found(None, name, "stranger")
        if standing.must_wait:
            now = self._now()
            store.write(lambda on: secret_word.restart_wait(on, name, now))
            return Found("wait_word", name, "stranger")
        is_new = not standing.has_word and not standing.is_remembered
        self._asked = _Asked(name, is_new)
        return Found("new_word" if is_new else "ask_word", name, "stranger")

    async def _chosen(self, store: Store, name: str, words: Sequence[str]) -> Found:
        if len(words[0].split()) > MOST_WORDS:
            return Found()
        try:
            await store.change(lambda on: secret_word.set_word(on, name, words[0]))
        except CompanionError as error:
            log.warning("The secret word of a new person was not kept: %s", error)
            return Found("wrong_word", name)
        return self._recognised(name)

    async def _try(self, store: Store, name: str, words: Sequence[str]) -> bool:
        now = self._now()
        try:
            return await store.change(lambda on: secret_word.try_word(on, name, words, now))
        except CompanionError as error:
            # Where tries cannot be counted there are none.
            log.warning("A secret word could not be compared: %s", error)
            return False

    async def _standing(self, store: Store, name: str) -> secret_word.Standing:
        now = self._now()
        return await store.read(lambda on: secret_word.standing(on, name, now))

    def _recognised(self, name: str) -> Found:
        self._known = name
        return Found("right_word", name, "person")

    def _words_in(self, said: str) -> tuple[str, ...]:
        """What may be the word: what was said without what stands before the word, then all of it, then its end."""
        said = closed_up(" ".join(said.casefold().replace("’", "'").split()))
        leads = [lead for one in self._languages for lead in one.recognition.word_is]
        before = re.compile(rf"^(?:(?:{'|'.join(leads)})[\s,:]*)+") if leads else re.compile(r"(?!)")
        alone = before.sub("", said).strip(" .,!?。！？、") or said
        return tuple(dict.fromkeys((alone, said, " ".join(alone.split()[-2:]), alone.split()[-1])))
