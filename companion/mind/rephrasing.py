"""The last answer in other words: an answer that only repeats an earlier one is asked for once more.

Nothing is said while what comes may be a repetition. Of two answers that both repeat, the one that is less alike is
said. Runs on the event loop's thread; seconds are the loop's.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from companion.errors import CharacterError
from companion.mind.candidates import NEAR, likeness, may_repeat

log = logging.getLogger("companion")


async def in_other_words(
    ask: Callable[[bool], AsyncGenerator[str]], earlier: Sequence[str], until: float, give_up: float
) -> AsyncGenerator[str]:
    """Text deltas of an answer that is none of the `earlier` ones, if that can be had.

    `ask` makes a request; True for the second one. What comes is held back no longer than `until`, and the second
    answer is waited for until `give_up`. Raises what the first request raises.
    """
    now = asyncio.get_running_loop().time
    first, is_new = "", False
    async with aclosing(ask(False)) as deltas:
        async for delta in deltas:
            if is_new:
                yield delta
                continue
            first += delta
            if not may_repeat(first, earlier) or now() >= until:
                is_new = True
                yield first
    if is_new:
        return
    if likeness(first, earlier) >= NEAR:
        log.debug("An answer repeats an earlier one; it is asked for once more.")
        second = await _second(ask, give_up)
        # Where both were heard before, the one that was not heard last.
        less = [(likeness(one, earlier), likeness(one, earlier[-1:])) for one in (second, first)]
        if second.strip() and less[0] < less[1]:
            first = second
    if first:
        yield first


async def _second(ask: Callable[[bool], AsyncGenerator[str]], give_up: float) -> str:
    """The whole second answer; empty where it does not come in time, or must not be asked for."""
    try:
        async with asyncio.timeout_at(give_up), aclosing(ask(True)) as deltas:
            return "".join([delta async for delta in deltas])
    except (CharacterError, TimeoutError) as error:
        log.debug("There is no second answer: %s", error)
        return ""
