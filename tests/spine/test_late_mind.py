"""The character may come after the ears listen: nothing is lost, and what needs no character does not wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from companion import minds
from companion.config.device import Device, load_device
from companion.config.persona import Persona
from companion.dialogue import Dialogue
from companion.errors import ConfigError
from companion.mind.memory.store import Store, local_now
from tests.support.doubles import MUTE, ScriptedCharacter, pass_time
from tests.support.paths import CONFIGS
from tests.support.scene import PERSONA, WAKE, Scene, said, scene

DEVICE = load_device(CONFIGS / "devices" / "desk.toml")


def without_character(s: Scene) -> Dialogue:
    """Takes the scene's character away until it is given with `take`."""
    s.conversation.dialogue = Dialogue(None, PERSONA, s.conversation.dialogue.tools)
    return s.conversation.dialogue


async def test_words_wait_for_the_character_and_are_answered() -> None:
    async with scene() as s:
        dialogue = without_character(s)
        s.listener.put(WAKE, said("hi"))
        await pass_time(1)
        assert s.conversation.state == "idle"
        dialogue.take(s.character)
        await s.until("follow_up")
        assert s.character.asked == ["hi"]


async def test_muting_does_not_wait_for_it() -> None:
    async with scene() as s:
        without_character(s)
        s.listener.put(MUTE)
        await s.until("muted", within_s=1)


@asynccontextmanager
async def scripted_mind(
    _device: Device, _persona: Persona, _store: Store, _guardian: object
) -> AsyncIterator[ScriptedCharacter]:
    yield ScriptedCharacter()


@asynccontextmanager
async def no_mind(
    _device: Device, _persona: Persona, _store: Store, _guardian: object
) -> AsyncIterator[ScriptedCharacter]:
    raise ConfigError("character: no key")
    yield ScriptedCharacter()


async def opened(listens: asyncio.Event | None, folder: Path) -> Dialogue:
    """A dialogue whose mind was opened, after ten seconds and closed again."""
    store = await Store.open(folder, local_now)
    async with scene() as s:
        dialogue = Dialogue(None, PERSONA, s.conversation.dialogue.tools)
        async with asyncio.TaskGroup() as group, minds.mind_of(dialogue, DEVICE, store, group, listens):
            assert dialogue.is_ready == (listens is None)
            await asyncio.sleep(10)
    await store.close()
    return dialogue


@pytest.mark.parametrize("listens", [None, asyncio.Event()], ids=["at once", "no microphone"])
async def test_it_comes_though_the_ears_never_listen(
    listens: asyncio.Event | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(minds, "mind", scripted_mind)
    assert (await opened(listens, tmp_path)).is_ready


@pytest.mark.parametrize("listens", [None, asyncio.Event()], ids=["at once", "later"])
async def test_what_is_wrong_with_it_is_raised(
    listens: asyncio.Event | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(minds, "mind", no_mind)
    with pytest.raises(ExceptionGroup) as caught:
        await opened(listens, tmp_path)
    assert caught.group_contains(ConfigError, match="no key")
