"""Opens a persona's mind: at once, or once the ears listen.

The mind takes half of a start's processor time (HTTP, the service's protocol, the memory's rules), and nobody needs it
before the first words are spoken to the device.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from companion import plugins
from companion.config.device import Device
from companion.config.persona import Persona
from companion.config.policy import policy_of
from companion.dialogue import Dialogue
from companion.errors import ConfigError
from companion.guardian import Guardian
from companion.languages.understood import understood
from companion.voice.stage.inference import load_rules

if TYPE_CHECKING:
    from companion.mind.character import ServiceCharacter
    from companion.mind.context import ContextProvider
    from companion.mind.memory.store import Store


_LISTENS_WITHIN_S = 2.0
"""A unit whose microphone is missing opens its mind after this time: what is wrong with its settings must be told."""


@asynccontextmanager
async def mind_of(
    dialogue: Dialogue, device: Device, store: Store, group: asyncio.TaskGroup, listens: asyncio.Event | None
) -> AsyncIterator[None]:
    """Give the dialogue its character, and close that on exit: before this is entered, or after the unit `listens`.

    What is wrong with the persona or the character is raised here, or, where it comes later, in the `group`.
    """
    persona = dialogue.persona
    if listens is None:
        await asyncio.to_thread(_load_rules, dialogue)
        async with mind(device, persona, store, dialogue.guardian) as character:
            dialogue.take(character)
            yield
        return
    closing = asyncio.Event()

    async def open_later() -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LISTENS_WITHIN_S):
                await listens.wait()
        # In a thread: the ears go on meanwhile.
        await asyncio.to_thread(importlib.import_module, "companion.mind.assembly")
        await asyncio.to_thread(_load_rules, dialogue)
        async with mind(device, persona, store, dialogue.guardian) as character:
            dialogue.take(character)
            await closing.wait()

    opening = group.create_task(open_later())
    try:
        yield
    finally:
        closing.set()
        if not dialogue.is_ready:
            opening.cancel()
        # Its errors are the group's.
        await asyncio.wait([opening])


def _load_rules(dialogue: Dialogue) -> None:
    """They are read when first needed; that would be amid the first answer, on the loop that hears.

    Raises `ConfigError` for a persona that its policy does not allow.
    """
    load_rules(understood(dialogue.persona.language))
    dialogue.turn_taking.load()
    if dialogue.guardian is not None:
        dialogue.guardian.load()


@asynccontextmanager
async def mind(
    device: Device,
    persona: Persona,
    store: Store | None = None,
    guardian: Guardian | None = None,
    *,
    trusts: bool = False,
) -> AsyncIterator[ServiceCharacter]:
    """The character, as long as this is entered; its summaries are made meanwhile, and all is closed in the end.

    A `store` is left open; without one the character has its own. The policy's rules for the memory are those of the
    `guardian`; without one, those of the policy that the settings name. Raises `ConfigError` for a key or an address
    that cannot be used, `EngineUnavailable` for a context provider. Where it `trusts`, a name is enough: who sits at a
    keyboard of the machine can read the memory anyway.
    """
    from companion.mind.api import models
    from companion.mind.api.key import find_key
    from companion.mind.api.models import is_own_host
    from companion.mind.assembly import build
    from companion.mind.discretion import Discretion

    guardian = guardian or Guardian(policy_of(device.policy, persona.audience), persona)
    settings = device.character
    key = None if settings.emulator == "always" else find_key(settings)
    base_url = settings.base_url or models.base_url(settings.region, settings.protocol)
    # A server of one's own may want no key.
    keyless = key is None and is_own_host(base_url)
    if keyless and settings.emulator == "never":
        raise ConfigError(
            "character: no key: set DASHSCOPE_API_KEY, a systemd credential called dashscope-key, or character.key_file"
        )
    contexts = [_context(name, device, persona) for name in device.context.providers]
    async with AsyncExitStack() as stack:
        if keyless or settings.emulator == "always":
            from companion.emulator import EmulatorServer

            # Without its control page: no other user of this machine may read what was said.
            server = EmulatorServer(control=False)
            base_url = server.start()
            stack.callback(server.stop)
            if settings.protocol == "dashscope":
                base_url = server.dashscope_url
        rules = guardian.policy.memory
        if trusts:
            rules = rules.model_copy(update={"recognise": "trust"})
        discretion = Discretion(rules, guardian.clean, guardian.line, guardian.may_keep)
        character = await build(device, persona, base_url, key, contexts, store=store, discretion=discretion)
        stack.push_async_callback(character.close)
        async with asyncio.TaskGroup() as group:
            summaries = group.create_task(character.run())
            yield character
            summaries.cancel()


def _context(name: str, device: Device, persona: Persona) -> ContextProvider:
    """A built-in provider, or one that is installed."""
    from companion.mind.context import BUILT_IN

    if name in BUILT_IN:
        return BUILT_IN[name](device, persona)
    provider: ContextProvider = plugins.build_engine("contexts", name, device, persona)
    return provider
