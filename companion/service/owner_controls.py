"""What the owner's page does with the running unit. Satisfies `companion.owner.controls.Controls`. On the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from companion.app import Unit
from companion.config.device import Device
from companion.config.persona import load_persona
from companion.config.policy import Policy, policy_of
from companion.ears.wake_words import spoken
from companion.errors import ConfigError
from companion.events import State
from companion.languages.understood import understood
from companion.mind.budget import usage_entries_of
from companion.mind.memory import inspection, secret_word
from companion.mind.memory.database import Connection
from companion.mind.memory.erasing import erase_person
from companion.mind.memory.inspection import PersonMemory, PersonOverview
from companion.owner.controls import Guarded, Limits, Overview, Person, PersonaChoice, WakeWord
from companion.owner_settings import Consent, KeptOwnerSettings
from companion.service.control_protocol import BUTTONS
from companion.service.owned_daemon import OwnedDaemon

TURNS = 50
LOOKS = 50


class Change(Protocol):
    """Keeps a decision of the owner: a key of `OwnerSettings` and its value. Raises `CompanionError`."""

    async def __call__(self, **changes: object) -> None: ...


class OwnerControls:
    """See the head of this file."""

    def __init__(
        self,
        settings: KeptOwnerSettings,
        change: Change,
        reset: Callable[[], None],
        daemon: OwnedDaemon,
        unit: Unit,
        device: Device,
    ) -> None:
        """`change` keeps a decision of the owner; `reset` begins a factory reset, and the unit ends soon after."""
        self._settings, self._change, self._reset = settings, change, reset
        self._daemon, self._unit, self._device = daemon, unit, device

    @property
    def _policy(self) -> Policy:
        guardian = self._unit.conversation.dialogue.guardian
        return guardian.policy if guardian is not None else policy_of(self._device.policy, "adult")

    async def overview(self) -> Overview:
        """See `Controls`."""
        dialogue = self._unit.conversation.dialogue
        guardian = dialogue.guardian
        policy, decided = self._policy, self._settings.now()
        rules, consent = decided.time_rules(policy.time), decided.consent
        named = self._device.policy
        return Overview(
            status=self._daemon.status(),
            volume=round(self._daemon.loudspeaker.volume * 100),
            switched_off=self._daemon.switches.muted,
            minutes_today=0.0 if guardian is None else guardian.talk()[0] / 60,
            limits=Limits(rules.minutes_a_day, rules.bedtime, rules.break_after_minutes),
            decided=Limits(decided.minutes_a_day, decided.bedtime, decided.break_after_minutes),
            needs_consent=policy.consent.guardian,
            consent="" if consent is None else f"{consent.at:%Y-%m-%d %H:%M}, {consent.by}",
            policy=policy.audience if named is None else named.stem,
            persona=dialogue.persona.name,
        )

    async def press(self, button: str) -> None:
        """See `Controls`."""
        await self._daemon.press(next(one for one in BUTTONS if one == button))
        if button in ("mute", "unmute"):
            # The page shows next what it has become.
            for _ in range(LOOKS):
                if (self._unit.conversation.state is State.MUTED) == (button == "mute"):
                    break
                await asyncio.sleep(0.02)

    async def set_volume(self, percent: int) -> int:
        """See `Controls`."""
        self._daemon.loudspeaker.volume = percent / 100
        await self._change(volume=percent / 100)
        return round(self._daemon.loudspeaker.volume * 100)

    async def set_limits(self, limits: Limits) -> None:
        """See `Controls`."""
        await self._change(
            minutes_a_day=limits.minutes_a_day,
            break_after_minutes=limits.break_after_minutes,
            bedtime=limits.bedtime,
        )

    async def persons(self) -> tuple[PersonOverview, ...]:
        """See `Controls`."""
        return await self._unit.store.read(inspection.list_persons)

    async def person(self, persona: str, name: str) -> Person | None:
        """See `Controls`."""

        def described(on: Connection) -> tuple[PersonMemory, datetime | None, bool] | None:
            found = inspection.describe_persons(on, persona, name, turns=TURNS)
            return (found[0], secret_word.let_in_until(on, name), secret_word.has_word(on, name)) if found else None

        found = await self._unit.store.read(described)
        if found is None:
            return None
        memory, until, has_word = found
        asks = self._policy.memory.recognise != "trust"
        now = until is not None and until > datetime.now().astimezone()
        return Person(persona, memory, asks, until if now else None, has_word)

    async def correct(self, persona: str, number: int, text: str) -> None:
        """See `Controls`."""
        languages = understood(self._unit.conversation.dialogue.persona.language)
        await self._unit.store.change(lambda on: inspection.correct_entry(on, persona, number, text, languages))

    async def forget_entry(self, persona: str, number: int) -> None:
        """See `Controls`."""
        await self._unit.store.erase(lambda on: inspection.forget_entries(on, persona, (number,)))

    async def forget_person(self, persona: str, name: str) -> None:
        """See `Controls`."""
        await self._unit.store.erase(lambda on: erase_person(on, persona, name))

    async def export(self, persona: str, name: str) -> list[dict[str, Any]]:
        """See `Controls`."""

        def everything(on: Connection) -> list[dict[str, Any]]:
            found = inspection.describe_persons(on, persona, name, replaced=True)
            return [{**asdict(one), "requests": usage_entries_of(on, persona, one.person)} for one in found]

        return await self._unit.store.read(everything)

    async def let_in(self, persona: str, name: str, hours: int | None) -> None:
        """See `Controls`."""
        del persona  # They are let in by all characters.
        until = None if hours is None else datetime.now().astimezone() + timedelta(hours=hours)
        await self._unit.store.change(lambda on: secret_word.let_in(on, name, until))

    async def guarded(self) -> Guarded:
        """See `Controls`."""
        records = self._unit.records
        return Guarded(await records.blocked(), await records.notices(), records.keep_words)

    async def clear_guarded(self) -> None:
        """See `Controls`."""
        await self._unit.records.clear()

    async def keep_words(self, keep: bool) -> None:
        """See `Controls`."""
        await self._change(keep_words=keep)
        self._unit.records.keep_words = keep

    async def personas(self) -> tuple[PersonaChoice, ...]:
        """See `Controls`."""
        return await asyncio.to_thread(_personas_beside, self._daemon.persona_file)

    async def change_persona(self, file: str) -> None:
        """See `Controls`."""
        self._daemon.reload(file)
        await self._change(persona=file)

    async def wake_word(self) -> WakeWord:
        """See `Controls`."""
        wake, persona = self._device.ears.wake, self._unit.conversation.dialogue.persona
        words = tuple(spoken(one) for one in wake.listed) if self._unit.wake_words is not None else ()
        learns = any(True for _ in wake.heard_by("embedding"))
        phrases = understood(persona.language).languages[0].commands.learn_voice if learns else ()
        return WakeWord(words, next(iter(phrases), ""))

    async def set_consent(self, by: str) -> None:
        """See `Controls`."""
        await self._change(consent=Consent(at=datetime.now().astimezone(), by=by) if by else None)

    async def factory_reset(self) -> None:
        """See `Controls`."""
        self._reset()


def _personas_beside(present: Path) -> tuple[PersonaChoice, ...]:
    found = []
    for file in sorted(present.parent.glob("*.toml")):
        with suppress(ConfigError):  # a device or choreography in the same folder, or a persona with mistakes
            persona = load_persona(file)
            found.append(PersonaChoice(file.stem, persona.name, persona.audience, file == present))
    return tuple(found)
