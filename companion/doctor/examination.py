"""Checks, one after the other, each within its time.

A check is a coroutine function that returns a `Finding`; an error of ours that it raises is a FAIL with the error's
sentence. One that is still at work at the end of its time is cut off: a FAIL that says so. What blocks runs in a
thread (`blocking`), which a cut-off leaves behind: whoever runs an examination then ends the process by force.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from companion.doctor.report import Finding, Result, failed, skipped
from companion.errors import CompanionError

LONGEST_S = 60.0
"""What all checks together may take while nobody is asked."""

T = TypeVar("T")


@dataclass(frozen=True)
class Check:
    """One thing to look at."""

    name: str
    run: Callable[[], Awaitable[Finding]]
    advice: str
    """What to do where it fails without saying so itself, or hangs."""
    limit_s: float = 5.0
    needs: tuple[str, ...] = ()
    """Checks without which this one makes no sense: it is a SKIP where one of them failed."""
    asks: bool = False
    """Whether a person is asked, whose time does not count."""


async def examine(checks: Sequence[Check], failures: set[str], longest_s: float = LONGEST_S) -> AsyncIterator[Result]:
    """Run them in order and yield each result as it comes. `failures` takes the names of those that failed."""
    left_s = longest_s
    for check in checks:
        if missing := [name for name in check.needs if name in failures]:
            yield Result(check.name, skipped(f"not tried, because {missing[0]} failed"), 0.0)
            continue
        result = await _result(check, check.limit_s if check.asks else min(check.limit_s, left_s))
        if not check.asks:
            left_s = max(0.0, left_s - result.seconds)
        if result.finding.outcome == "fail":
            failures.add(check.name)
        yield result


async def _result(check: Check, limit_s: float) -> Result:
    began = time.monotonic()
    cut_off = False
    try:
        async with asyncio.timeout(limit_s) as limit:
            finding = await check.run()
    except TimeoutError:
        cut_off = limit.expired()
        if not cut_off:
            raise
        finding = failed(f"did not come to an end within {limit_s:.0f} s, and was cut off", check.advice)
    except CompanionError as error:
        finding = failed(str(error), check.advice)
    return Result(check.name, finding, time.monotonic() - began, cut_off)


async def blocking(work: Callable[[], T]) -> T:
    """Run what blocks in a thread of its own. The loop goes on, and a thread that hangs is left behind."""
    executor = ThreadPoolExecutor(1, "doctor")
    try:
        return await asyncio.get_running_loop().run_in_executor(executor, work)
    finally:
        executor.shutdown(wait=False)
