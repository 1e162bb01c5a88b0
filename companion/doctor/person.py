"""The person at the station, who sees what no sensor sees. Questions go to stderr, answers come from the terminal.

On the event loop: the terminal is watched, never waited for, so that a question without an answer ends by itself and
nothing hangs on it.
"""

from __future__ import annotations

import asyncio
import os
from typing import Literal, Protocol, TextIO

Answer = Literal["yes", "no", "again", "none"]

PATIENCE_S = 30.0
"""How long an answer is waited for."""

_WORDS: dict[str, Answer] = {"y": "yes", "yes": "yes", "n": "no", "no": "no", "r": "again", "again": "again"}


class Person(Protocol):
    """Somebody who can be asked."""

    async def ask(self, question: str) -> Answer:
        """Put a yes-or-no question; `again` asks to be shown once more, `none` is no answer in time."""

    def tell(self, text: str) -> None:
        """Say what to do now."""


class Terminal:
    """A person at a terminal: `reading` is its file descriptor. Satisfies `Person`."""

    def __init__(self, reading: int, shown: TextIO, patience_s: float = PATIENCE_S) -> None:
        self._reading = reading
        self._shown = shown
        self._patience_s = patience_s

    async def ask(self, question: str) -> Answer:
        """See `Person.ask`."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._patience_s):
                while True:
                    self._shown.write(f"  ?  {question} [y = yes, n = no, r = once more] ")
                    self._shown.flush()
                    ready = asyncio.Event()
                    loop.add_reader(self._reading, ready.set)
                    try:
                        await ready.wait()
                        line = os.read(self._reading, 1024)
                    finally:
                        loop.remove_reader(self._reading)
                    if not line:
                        return "none"
                    answer = _WORDS.get(line.decode("utf-8", "replace").strip().casefold())
                    if answer is not None:
                        return answer
        except TimeoutError:
            self._shown.write("(no answer)\n")
            return "none"
        except OSError:
            # The terminal went away, and with it whoever sat there.
            return "none"

    def tell(self, text: str) -> None:
        """See `Person.tell`."""
        self._shown.write(f"  >  {text}\n")
        self._shown.flush()
