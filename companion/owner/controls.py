"""What the owner's page can see and do of the running unit; `companion.service.owner_access` does it.

All methods run on the unit's own loop, whatever thread asks (`Unit.ask`). They raise `CompanionError` with a sentence
for people where something cannot be done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

from companion.errors import CompanionError
from companion.mind.memory.guard_records import GuardRecord
from companion.mind.memory.inspection import PersonMemory, PersonOverview

Result = TypeVar("Result")

PATIENCE_S = 15.0


@dataclass(frozen=True, slots=True)
class Limits:
    """When, and for how long, it talks."""

    minutes_a_day: int | None = None
    """None: no limit, or that of the policy; so the others."""
    bedtime: str | None = None
    """Local hours, as `20:00-07:00`; empty for none."""
    break_after_minutes: int | None = None


@dataclass(frozen=True, slots=True)
class Overview:
    """The unit at this moment."""

    status: Mapping[str, Any]
    """As `companion status --json` prints it."""
    volume: int
    """0 to 100."""
    switched_off: bool
    """The hardware mute switch is closed: nothing but the switch opens the ears."""
    minutes_today: float
    limits: Limits
    """Those that hold."""
    decided: Limits
    """Those that the owner has set."""
    needs_consent: bool
    """The policy wants a guardian's consent."""
    consent: str
    """Since when there is one, local time as it is shown; empty where there is none."""
    policy: str
    persona: str


@dataclass(frozen=True, slots=True)
class PersonaChoice:
    """A persona that the unit could be."""

    file: str
    """Its name for `change_persona`."""
    name: str
    audience: str
    is_present: bool


@dataclass(frozen=True, slots=True)
class Guarded:
    """What was kept from being said."""

    blocked: Sequence[GuardRecord] = ()
    """The newest first."""
    notices: Sequence[GuardRecord] = ()
    keep_words: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """Everything about one person, and whether they are let in to it."""

    persona: str
    memory: PersonMemory
    asks: bool
    """Whether the policy lets nobody have the memories of a name alone."""
    let_in_until: datetime | None = None
    has_word: bool = False
    """Whether they have a secret word."""


@dataclass(frozen=True, slots=True)
class WakeWord:
    """What wakes it."""

    words: tuple[str, ...] = ()
    learns: str = ""
    """What is said to it so that it learns a voice; empty where its words learn none."""


class Controls(Protocol):
    """See the head of this file."""

    async def overview(self) -> Overview:
        """The unit at this moment."""

    async def press(self, button: str) -> None:
        """`mute`, `unmute` or `stop`; never a hardware mute."""

    async def set_volume(self, percent: int) -> int:
        """Set the volume; returns what it is now, which a policy may hold lower."""

    async def set_limits(self, limits: Limits) -> None:
        """Other limits, from now on and over restarts."""

    async def persons(self) -> tuple[PersonOverview, ...]:
        """Everyone of whom something is remembered, by all characters."""

    async def person(self, persona: str, name: str) -> Person | None:
        """One person; None where nothing is remembered of them."""

    async def correct(self, persona: str, number: int, text: str) -> None:
        """Correct a fact, or what was said in a turn."""

    async def forget_entry(self, persona: str, number: int) -> None:
        """Erase a fact or a turn for good."""

    async def forget_person(self, persona: str, name: str) -> None:
        """Erase everything about a person for good."""

    async def export(self, persona: str, name: str) -> list[dict[str, Any]]:
        """Everything about a person, for JSON."""

    async def let_in(self, persona: str, name: str, hours: int | None) -> None:
        """Let a person have their memories for so long; None shuts them out again."""

    async def guarded(self) -> Guarded:
        """What was blocked, and what a guardian should know."""

    async def clear_guarded(self) -> None:
        """Erase that."""

    async def personas(self) -> tuple[PersonaChoice, ...]:
        """Whom the unit could be."""

    async def change_persona(self, file: str) -> None:
        """Become another persona, as soon as nobody speaks."""

    async def wake_word(self) -> WakeWord:
        """What wakes it."""

    async def set_consent(self, by: str) -> None:
        """A guardian of this name agrees; an empty name takes it back."""

    async def keep_words(self, keep: bool) -> None:
        """Whether the words of what is kept back are kept from now on."""

    async def factory_reset(self) -> None:
        """Erase memory, keys, pairing and Wi-Fi; the unit then starts anew."""


class Unit:
    """Asks the controls from another loop."""

    def __init__(self, controls: Controls, loop: asyncio.AbstractEventLoop) -> None:
        """`loop` is the unit's."""
        self._controls, self._loop = controls, loop

    async def ask(self, what: Callable[[Controls], Coroutine[Any, Any, Result]]) -> Result:
        """What the controls answer. Raises `CompanionError`, also where the unit is busy for long."""
        future = asyncio.run_coroutine_threadsafe(what(self._controls), self._loop)
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await asyncio.wrap_future(future)
        except TimeoutError as error:
            raise CompanionError("The unit is busy; try again in a moment.") from error
