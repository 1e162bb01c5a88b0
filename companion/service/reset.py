"""The factory reset of a running unit: asked for on the owner's page, or by a button that is held at power-on.

The unit says so, writes down that it was asked, and ends with an error, so that the service manager starts it anew; the
new process erases everything before it opens anything (`finish_reset`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from companion.errors import CompanionError
from companion.factory_reset import ResetReport, ask_reset, erase_unit, is_asked

log = logging.getLogger("companion")

HELD_S = 10.0
"""So long the button is held, from the start on."""
SAYING_S = 8.0
"""So long the unit may take to say that it begins anew."""
_LOOK_S = 0.1


class ResetAsked(CompanionError):
    """The process ends to begin anew."""


async def reset(state: Path, say: Callable[[], None]) -> None:
    """Have everything erased. Raises `ResetAsked` in the end, and `CompanionError` where it cannot be asked for."""
    ask_reset(state)
    log.warning("A factory reset was asked for: everything is erased, and the unit begins anew.")
    try:
        say()
    except CompanionError as error:
        log.warning("That the unit begins anew could not be said: %s", error)
    await asyncio.sleep(SAYING_S)
    raise ResetAsked("The unit begins anew: what it has learnt is erased at this start.")


async def reset_if_held(is_down: Callable[[], bool], state: Path, say: Callable[[], None]) -> None:
    """Reset where the button is held from now on for `HELD_S`; return as soon as it is not."""
    until = asyncio.get_running_loop().time() + HELD_S
    while is_down():
        if asyncio.get_running_loop().time() >= until:
            await reset(state, say)
        await asyncio.sleep(_LOOK_S)


def finish_reset(state: Path, memory: Path | None) -> ResetReport | None:
    """Erase the unit's own part where that was asked for; None where it was not. Blocks; before anything is opened."""
    if not is_asked(state):
        return None
    report = erase_unit(state, memory)
    for sentence in report.failed:
        log.error("%s", sentence)
    log.warning("Factory reset: %d entries of %s were erased.", len(report.erased), state)
    return report
