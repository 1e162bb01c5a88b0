"""What is told to the model beside the talk: the time, the battery, where the unit stands. Never kept.

Providers are asked all at once and within a limit, because a person waits. One that is late or fails is left out, or
speaks with what it last said while that is still fresh; a failure stands in the log once, until it works again.
Everything runs on the event loop's thread; whoever reads a file or waits for a program does so off it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Protocol

from companion.errors import CompanionError

log = logging.getLogger("companion")

ASK_S = 0.3
"""All of them have this long before a request."""
FRESH_S = 60.0
"""What was told longer ago than this is not told again."""
AHEAD_S = 2.0
"""So long they have while somebody is only about to speak."""

_FAILURES = (CompanionError, OSError, ValueError, LookupError, TypeError, ArithmeticError)


class ContextProvider(Protocol):
    """Knows one thing about the moment."""

    @property
    def name(self) -> str:
        """What the log calls it."""

    async def told(self) -> str:
        """It, in the persona's language, as one or a few short sentences; empty where there is nothing to tell.

        May raise `CompanionError`, `OSError` or `ValueError`.
        """


class Contexts:
    """All that a unit knows of the moment."""

    def __init__(self, providers: Sequence[ContextProvider], longest: int) -> None:
        """`longest` is the number of characters that each may take."""
        self._providers = tuple(providers)
        self._longest = longest
        self._last: dict[str, tuple[float, str]] = {}
        """What each told last, and when."""
        self._failed: set[str] = set()

    async def told(self, within_s: float = ASK_S) -> tuple[str, ...]:
        """What they tell, in their order."""
        asked = asyncio.get_running_loop().time()
        async with asyncio.TaskGroup() as group:
            for provider in self._providers:
                group.create_task(self._ask(provider, within_s))
        fresh = (self._last.get(provider.name, (float("-inf"), "")) for provider in self._providers)
        return tuple(text for when, text in fresh if text and asked - when <= FRESH_S)

    async def _ask(self, provider: ContextProvider, within_s: float) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(within_s):
                text = await provider.told()
        except TimeoutError:
            # What it told before may stand for it.
            self._fails(provider.name, "did not answer in time")
        except _FAILURES as error:
            self._fails(provider.name, str(error) or type(error).__name__)
            self._last.pop(provider.name, None)
        else:
            self._failed.discard(provider.name)
            self._last[provider.name] = loop.time(), " ".join(text.split())[: self._longest]

    def _fails(self, name: str, why: str) -> None:
        if name not in self._failed:
            self._failed.add(name)
            log.warning("The context `%s` is left out: %s.", name, why.rstrip("."))
