"""A character with a store, for tests of the mind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from companion.config.persona import Persona
from companion.mind.character import ServiceCharacter
from tests.support.service_scene import Line, Made, stored


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """`made(line, who=None, **tables)`: a character with a store, and its summaries made meanwhile."""

    @asynccontextmanager
    async def make(line: Line, who: Persona | None = None, **tables: Any) -> AsyncIterator[ServiceCharacter]:
        character = await stored(line, tmp_path, who, **tables)
        async with asyncio.TaskGroup() as group:
            background = group.create_task(character.run())
            try:
                yield character
            finally:
                background.cancel()
                await character.close()

    return make
