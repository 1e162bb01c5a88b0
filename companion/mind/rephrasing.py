"""The last answer in other words: an answer that only repeats an earlier one is asked for once more.

Nothing is said while what comes may be a repetition. Of two answers that both repeat, the one that is less alike is
said. Runs on the event loop's thread; seconds are the loop's.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace

from companion.config.character import CharacterSettings
from companion.errors import CharacterError
from companion.mind.candidates import NEAR, likeness, may_repeat
from companion.mind.reply import ReplyRequest

log = logging.getLogger("companion")

SEEDS = 2**31


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


async def ask_again(
    stream: Callable[[ReplyRequest, float], AsyncGenerator[str]],
    asked: ReplyRequest,
    hint: str,
    earlier: Sequence[str],
    began: float,
    settings: CharacterSettings,
) -> AsyncGenerator[str]:
    """The answer to a request that was answered before, unlike the `earlier` ones.

    `stream` gives the answer to a request that began at that time; `hint` asks the model for other words, where the
    first attempt has the same ones.
    """

    def ask(again: bool) -> AsyncGenerator[str]:
        if not again:
            return stream(asked, began)
        hinted = "\n".join(filter(None, (asked.extra, hint)))
        more = replace(asked, extra=hinted, seed=((asked.seed or 0) + 1) % SEEDS, again=True)
        return stream(more, asyncio.get_running_loop().time())

    until = began + settings.answer_within_s
    async with aclosing(in_other_words(ask, earlier, until, until + settings.stall_s)) as deltas:
        async for delta in deltas:
            yield delta
