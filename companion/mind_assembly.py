"""The mind of a device, ready to talk: the key found, the local stand-in started where there is none, all parts made.

For `app` and for `companion chat`; a part of the composition root.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from companion import plugins
from companion.config import Device
from companion.errors import ConfigError
from companion.mind import models
from companion.mind.assembly import build, is_own_host
from companion.mind.character import ServiceCharacter
from companion.mind.context import ContextProvider
from companion.mind.context_providers import BUILT_IN
from companion.mind.key import find_key
from companion.persona import Persona


@asynccontextmanager
async def mind(device: Device, persona: Persona) -> AsyncIterator[ServiceCharacter]:
    """The character, as long as this is entered; its summaries are made meanwhile, and all is closed in the end.

    Raises `ConfigError` for a key or an address that cannot be used, `EngineUnavailable` for a context provider.
    """
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
        character = await build(device, persona, base_url, key, contexts)
        stack.push_async_callback(character.close)
        async with asyncio.TaskGroup() as group:
            summaries = group.create_task(character.run())
            yield character
            summaries.cancel()


def _context(name: str, device: Device, persona: Persona) -> ContextProvider:
    """A built-in provider, or one that is installed."""
    if name in BUILT_IN:
        return BUILT_IN[name](device, persona)
    provider: ContextProvider = plugins.build_engine("contexts", name, device, persona)
    return provider
