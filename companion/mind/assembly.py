"""Makes a character out of its parts: the connection, the store, and what the settings say."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from companion.config.device import Device
from companion.config.persona import Persona
from companion.errors import ConfigError, EngineUnavailable
from companion.languages.language import language
from companion.languages.understood import understood
from companion.mind.api import models
from companion.mind.api.capabilities import Features
from companion.mind.api.client import Asking
from companion.mind.api.connection import Connection
from companion.mind.api.key import Key
from companion.mind.api.rate_limit import Pacer
from companion.mind.budget import Ledger, Spending
from companion.mind.character import ServiceCharacter
from companion.mind.context import ContextProvider, Contexts
from companion.mind.context_providers import BUILT_IN
from companion.mind.memory.long_term import LongTermMemory
from companion.mind.memory.store import Store
from companion.mind.memory.working_memory import Recollection
from companion.mind.session import device_identity, session_id
from companion.storage import state_folder

log = logging.getLogger("companion")

_OWN_HOSTS = (".aliyuncs.com", ".aliyun.com", ".qwenai.com", ".qwencloud.com")


def local_now() -> datetime:
    """The wall clock, in local time."""
    return datetime.now().astimezone()


async def build(
    device: Device,
    persona: Persona,
    base_url: str,
    key: Key | None,
    contexts: Sequence[ContextProvider] | None = None,
    now: Callable[[], datetime] = local_now,
    connection: Connection | None = None,
) -> ServiceCharacter:
    """The character behind `base_url` (`device.character.base_url`, the region's, or that of the emulator), ready.

    `contexts` are the providers that `device.context` names; where None, the built-in ones are made here. `connection`
    takes the place of one to `base_url`. Raises `ConfigError` where the address, or a proxy named in the environment,
    cannot be used, and `EngineUnavailable` for a provider that is not built in.
    """
    settings = device.character
    model = models.find(settings.model, settings.region)
    identity = device_identity(device)
    providers = _built_in(device, persona) if contexts is None else contexts
    if connection is None:
        connection = Connection(base_url, session_id(identity, persona.name), key, protocol=settings.protocol)
    store = await Store.open(_folder(device), now)
    ledger = Ledger(store, now)
    await ledger.load()
    by_service = _by_service(device, persona)
    memory = None
    if device.memory.mode != "off":
        memory = LongTermMemory(store, persona.name, now, understood(persona.language))
        await memory.update_index()
    asking = Asking(
        connection,
        settings.protocol,
        _features(device, persona, base_url),
        Pacer(settings.requests_per_second, model.tokens_per_minute),
        Spending(device.spending, model, persona.name, ledger),
    )
    character = ServiceCharacter(
        device,
        persona,
        model,
        asking,
        recollection(device, persona, identity, memory),
        Contexts(providers, device.context.longest),
        service_memory=by_service,
        store=store,
    )
    await character.start()
    return character


def recollection(device: Device, persona: Persona, identity: str, memory: LongTermMemory | None) -> Recollection:
    """What is kept where, as `device.memory` says. Without a `memory` nothing is kept."""
    keeps = memory is not None and not _by_service(device, persona)
    history = device.character.history
    # Where a summary takes the older half away, the history may grow until that is made.
    longest = 2 * min(history, device.memory.entries) if keeps else history
    return Recollection(memory, identity, longest, keeps=keeps, known=device.memory.persons)


def is_own_host(base_url: str) -> bool:
    """Whether the address is one of the service itself, rather than of another server that speaks its protocol."""
    host = urlsplit(base_url).hostname or ""
    return f".{host}".endswith(_OWN_HOSTS)


def _features(device: Device, persona: Persona, base_url: str) -> Features:
    settings = device.character
    wants_directions = persona.cues.channel == "directions"
    return Features(
        None if wants_directions or settings.ban_brackets == "off" else settings.ban_brackets,
        asterisks=persona.cues.channel == "emoji",
        # The emulator's address is not in the settings.
        foreign=base_url == settings.base_url and not is_own_host(base_url),
        model=settings.model,
    )


def _by_service(device: Device, persona: Persona) -> bool:
    """Whether the service remembers. It does so for one character only, and in Chinese only."""
    if device.memory.mode != "service":
        return False
    if persona.cast:
        log.warning('memory.mode = "service" is not for groups; they are remembered on this device.')
        return False
    if not language(persona.language).general.service_memory:
        log.warning("The service's own memory understands Chinese only; for other languages use memory.mode = local.")
    return True


def _folder(device: Device) -> Path:
    if device.memory.folder is not None:
        return device.memory.folder
    try:
        return state_folder()
    except RuntimeError as error:
        raise ConfigError("memory.folder: this user has no home folder: name a folder for the memory") from error


def _built_in(device: Device, persona: Persona) -> tuple[ContextProvider, ...]:
    names = device.context.providers
    unknown = [name for name in names if name not in BUILT_IN]
    if unknown:
        raise EngineUnavailable(f"{unknown[0]}: there is no such context provider; there is {', '.join(BUILT_IN)}.")
    return tuple(BUILT_IN[name](device, persona) for name in names)
