"""Builds a character from its parts: the connection, the store, the memory, as the settings say."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from companion.config.device import Device
from companion.config.persona import Persona
from companion.errors import EngineUnavailable
from companion.factory_reset import session_salt
from companion.languages.language import language
from companion.languages.understood import understood
from companion.mind.api import models
from companion.mind.api.capabilities import Capabilities
from companion.mind.api.client import ServiceClient
from companion.mind.api.connection import Connection
from companion.mind.api.key import Key
from companion.mind.api.rate_limit import RateLimiter
from companion.mind.budget import Budget, Ledger
from companion.mind.character import ServiceCharacter
from companion.mind.context import BUILT_IN, ContextCollector, ContextProvider
from companion.mind.discretion import Discretion
from companion.mind.memory.long_term import LongTermMemory
from companion.mind.memory.store import Store, local_now, open_store
from companion.mind.memory.working_memory import WorkingMemory, session_id
from companion.storage import create_private_folder, state_folder

log = logging.getLogger("companion")

MACHINE_FILES = (Path("/proc/device-tree/serial-number"), Path("/etc/machine-id"))
"""The board's serial number comes first: units flashed from one image can share a machine id, but not a board."""


async def build(
    device: Device,
    persona: Persona,
    base_url: str,
    key: Key | None,
    contexts: Sequence[ContextProvider] | None = None,
    now: Callable[[], datetime] = local_now,
    connection: Connection | None = None,
    store: Store | None = None,
    discretion: Discretion | None = None,
) -> ServiceCharacter:
    """The character behind `base_url` (`device.character.base_url`, the region's, or that of the emulator), ready.

    `contexts` are the providers that `device.context` names; where None, the built-in ones are made here. `connection`
    replaces the one to `base_url`. A `store` is left open; without one the character opens and closes its own. By the
    `discretion` it is remembered and sent; without one, everything. Raises
    `ConfigError` where the address, or a proxy named in the environment, cannot be used, and `EngineUnavailable` for a
    provider that is not built in.
    """
    settings = device.character
    model = models.find(settings.model, settings.region)
    identity = device_identity(device)
    providers = _built_in(device, persona) if contexts is None else contexts
    if connection is None:
        connection = Connection(
            base_url,
            session_id(identity, persona.name),
            key,
            protocol=settings.protocol,
            connect_s=settings.answer_within_s,
            ca_file=settings.ca_file,
        )
    discretion = discretion or Discretion()
    owns_store = store is None
    store = store or await open_store(device, now)
    ledger = Ledger(store, now)
    await ledger.load()
    by_service = _by_service(device, persona, base_url)
    memory = None
    if device.memory.mode != "off":
        memory = LongTermMemory(store, persona.name, now, understood(persona.language), discretion.may_keep)
        await memory.prepare()
    client = ServiceClient(
        connection,
        settings.protocol,
        _capabilities(device, persona, base_url),
        RateLimiter(settings.requests_per_second, model.tokens_per_minute),
        Budget(device.spending, model, persona.name, ledger),
    )
    character = ServiceCharacter(
        device,
        persona,
        model,
        client,
        make_working_memory(device, identity, memory, by_service=by_service),
        ContextCollector(providers, device.context.longest),
        service_memory=by_service,
        store=store,
        owns_store=owns_store,
        discretion=discretion,
        now=now,
    )
    await character.start()
    return character


def make_working_memory(
    device: Device, identity: str, memory: LongTermMemory | None, *, by_service: bool = False
) -> WorkingMemory:
    """What is kept where: by the service, else in the `memory`; without one nothing is kept."""
    keeps = memory is not None and not by_service
    history = device.character.history
    # Where a summary takes the older half away, the history may grow until the summary is made.
    longest = 2 * min(history, device.memory.entries) if keeps else history
    return WorkingMemory(memory, identity, longest, keeps=keeps, known=device.memory.persons)


def _capabilities(device: Device, persona: Persona, base_url: str) -> Capabilities:
    settings = device.character
    wants_directions = persona.cues.channel == "directions"
    return Capabilities(
        None if wants_directions or settings.ban_brackets == "off" else settings.ban_brackets,
        asterisks=persona.cues.channel == "emoji",
        foreign=_is_foreign(device, base_url),
        model=settings.model,
        may_think="think" not in str(dict(settings.extra)),
    )


def _is_foreign(device: Device, base_url: str) -> bool:
    """Whether another server answers. The emulator's address is not in the settings."""
    return base_url == device.character.base_url and not models.is_own_host(base_url)


def _by_service(device: Device, persona: Persona, base_url: str) -> bool:
    """Whether the service remembers. It does so for one character only, and in Chinese only; other servers never do."""
    if device.memory.mode != "service":
        return False
    if _is_foreign(device, base_url):
        log.warning('memory.mode = "service" is for the service itself; with another server it is remembered here.')
        return False
    if persona.cast:
        log.warning('memory.mode = "service" is not for groups; they are remembered on this device.')
        return False
    if not language(persona.language).general.service_memory:
        log.warning("The service's own memory understands Chinese only; for other languages use memory.mode = local.")
    return True


def _built_in(device: Device, persona: Persona) -> tuple[ContextProvider, ...]:
    names = device.context.providers
    unknown = [name for name in names if name not in BUILT_IN]
    if unknown:
        raise EngineUnavailable(f"{unknown[0]}: there is no such context provider; there is {', '.join(BUILT_IN)}.")
    return tuple(BUILT_IN[name](device, persona) for name in names)


def device_identity(device: Device, machine_files: Sequence[Path] = MACHINE_FILES) -> str:
    """This unit's identity: `device.identity`, else one derived from the machine, else a random one that is kept.

    Where it cannot be kept it is valid for this run only, and the log says so. Never the machine's raw number.
    """
    identity = device.identity or _machine_identity(machine_files) or _random_identity()
    # After a factory reset nothing that the service keeps of earlier sessions can be reached.
    with suppress(RuntimeError):
        if salt := session_salt(state_folder()):
            return hashlib.blake2b(identity.encode(), key=salt.encode(), digest_size=16).hexdigest()
    return identity


def _machine_identity(machine_files: Sequence[Path]) -> str:
    """Derived from the machine's number; empty where it has none."""
    for path in machine_files:
        if number := _machine_number(path):
            return hashlib.blake2b(number, key=b"companion device identity", digest_size=16).hexdigest()
    return ""


def _machine_number(path: Path) -> bytes:
    """The number in the file; empty where the file is missing or has none (`uninitialized`, all zeros)."""
    try:
        number = path.read_bytes().strip(b"\0 \r\n")
    except OSError:
        return b""
    return number if len(number) >= 8 and number != b"uninitialized" and number.strip(b"0") else b""


def _random_identity() -> str:
    try:
        path = state_folder() / "device-identity"
        kept = path.read_text(encoding="ascii", errors="replace").strip() if path.exists() else ""
        if re.fullmatch(r"[0-9a-f]{32}", kept):
            return kept
        create_private_folder(path.parent)
        # Whole or not at all: the power may fail here.
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        fresh.write_text(uuid.uuid4().hex, encoding="ascii")
        os.replace(fresh, path)
        return path.read_text(encoding="ascii")
    except (OSError, RuntimeError) as error:
        log.warning(
            "This unit's identity holds for this run only, because it could not be kept: %s. "
            "Set `identity` in the device file.",
            error,
        )
        return uuid.uuid4().hex
