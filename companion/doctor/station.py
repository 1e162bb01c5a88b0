"""What every check is given: the unit as its files describe it, where it keeps things, and who stands beside it.

The person at the station, who sees what no sensor sees. Questions go to stderr, answers come from the terminal.

On the event loop: the terminal is watched, never waited for, so that a question without an answer ends by itself and
nothing hangs on it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Protocol, TextIO

from companion.config.device import Device
from companion.config.persona import Persona
from companion.errors import DeviceError

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


STOP_IT = "Stop the companion for the test (sudo systemctl stop companion) and start it again behind it."


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What stands around a unit, whatever its files say."""

    state: Path
    """The unit's state folder."""
    person: Person | None = None
    """Who is asked; None where nobody is."""
    daemon: Mapping[str, Any] | None = None
    """How the running companion says it is (`companion.service.status`); None while none runs."""
    daemon_trouble: str = ""
    """Why one that seems to run did not answer."""
    socket: Path | None = None
    """Where it listens, if not at the usual place."""
    pace: float = 1.0
    """How long the body's motions take, compared with what a person can follow. Tests hurry."""

    @property
    def daemon_runs(self) -> bool:
        """Whether a companion holds this unit's devices, as far as is known."""
        return self.daemon is not None or bool(self.daemon_trouble)

    def blamed(self, error: DeviceError) -> DeviceError:
        """An error of a device, with what to do where the running companion may be its cause."""
        return DeviceError(f"{error} {STOP_IT}") if self.daemon_runs else error


@dataclass(frozen=True, kw_only=True)
class Station(Surroundings):
    """One unit under test, as its files describe it."""

    device: Device
    persona: Persona

    def with_gain(self, gain: float) -> Station:
        """The same unit with another microphone gain."""
        microphone = self.device.ears.microphone.model_copy(update={"gain": gain})
        ears = self.device.ears.model_copy(update={"microphone": microphone})
        return replace(self, device=self.device.model_copy(update={"ears": ears}))
