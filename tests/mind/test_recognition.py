"""Who gets the memories of somebody: with a policy that asks for a secret word, or for the owner's leave."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from companion.errors import CompanionError
from companion.mind import recognition
from companion.mind.character import ServiceCharacter
from companion.mind.memory import secret_word
from companion.mind.memory.long_term import LongTermMemory
from companion.mind.memory.store import Store
from tests.support.service_scene import ANSWER, Line, discretion_of, persona, stored, talk

AT = datetime(2026, 11, 28, 14, 3)


class Clock:
    def __init__(self) -> None:
        self.at = AT

    def __call__(self) -> datetime:
        return self.at


@asynccontextmanager
async def known_ana(
    folder: Path, line: Line, now: Clock | None = None, word: str = "rainbow", **policy: Any
) -> AsyncIterator[ServiceCharacter]:
    """A character that remembers Ana and her unicorn."""
    now = now or Clock()
    store = await Store.open(folder, now)
    LongTermMemory(store, persona().name, now).keep("Ana", "i have a unicorn called sparkle", "Oh!")
    if word:
        await store.change(lambda on: secret_word.set_word(on, "Ana", word))
    await store.close()
    character = await stored(line, folder, discretion=discretion_of(persona(), **policy), now=now)
    yield character
    await character.close()


async def say(character: ServiceCharacter, said: str) -> str:
    """As the dialogue does it: what is said in place of an answer, or the answer."""
    return await character.ask_speaker(said) or await talk(character, said)


def written(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


def knows_ana(line: Line) -> bool:
    return "sparkle" in json.dumps(line.requests[-1:]).casefold()


async def test_only_the_word_gives_the_memories_and_it_is_neither_sent_nor_stored(tmp_path: Path) -> None:
    line = Line(ANSWER)
    async with known_ana(tmp_path, line) as character:
        assert "secret word" in await say(character, "i'm ana")
        assert character.awaits_word
        assert "isn't the word" in await say(character, "banana")
        await say(character, "do you know my unicorn")
        assert (character.person, knows_ana(line)) == ("", False)
        await say(character, "hello i'm ana")
        assert "Ana" in await say(character, "My word is: Rain-bow!")
        await say(character, "do you know my unicorn")
        assert (character.person, knows_ana(line)) == ("Ana", True)
    assert "rainbow" not in json.dumps(line.requests).casefold()
    assert b"rainbow" not in written(tmp_path).lower()


async def test_what_a_stranger_says_is_kept_nowhere_and_ana_s_memories_stay_as_they_were(tmp_path: Path) -> None:
    line = Line(ANSWER)
    async with known_ana(tmp_path, line) as character:
        await say(character, "i'm ana")
        await say(character, "quizzical")
        await say(character, "i like zeppelins")
        assert line.said(-1) == ["i like zeppelins"]
        await say(character, "i'm ana")
        await say(character, "rainbow")
        assert [one.said for one in character.working_memory.history.exchanges] == ["i have a unicorn called sparkle"]
    assert b"zeppelin" not in written(tmp_path)


async def test_somebody_who_is_known_and_has_no_word_yet_is_nobody_s_to_claim(tmp_path: Path) -> None:
    line = Line(ANSWER)
    async with known_ana(tmp_path, line, word="") as character:
        await say(character, "i'm ana")
        assert "isn't the word" in await say(character, "anything")
        await say(character, "who am i")
        assert (character.person, knows_ana(line)) == ("", False)


async def test_a_new_person_chooses_a_word_and_is_known_by_it_after_a_restart(tmp_path: Path) -> None:
    line = Line(ANSWER)
    async with known_ana(tmp_path, line) as character:
        assert "secret word" in await say(character, "my name is ben")
        assert "Ben" in await say(character, "i choose purple elephant")
        await say(character, "i like trains")
        assert character.person == "Ben"
    async with known_ana(tmp_path, line) as character:
        await say(character, "i'm ben")
        assert "Ben" in await say(character, "it's purple elephant")
        await say(character, "hello")
        assert line.said(-1)[:1] == ["i like trains"]


async def test_whoever_tells_a_story_in_place_of_a_word_is_answered_and_stays_a_stranger(tmp_path: Path) -> None:
    line = Line(ANSWER)
    async with known_ana(tmp_path, line) as character:
        await say(character, "my name is ben")
        assert await say(character, "i do not want to do this can we play instead") == "Hi."
        assert character.person == ""
        assert not character.awaits_word


async def test_after_three_wrong_words_even_the_right_one_has_to_wait_longer_each_time(tmp_path: Path) -> None:
    line, now = Line(ANSWER), Clock()

    async def attempt(character: ServiceCharacter, word: str) -> str:
        asked = await say(character, "i'm ana")
        return await say(character, word) if character.awaits_word else asked

    async with known_ana(tmp_path, line, now) as character:
        for word in ("red", "green", "blue"):
            assert "isn't the word" in await attempt(character, word)
        assert "later" in await attempt(character, "rainbow")
        now.at += timedelta(seconds=61)
        assert "isn't the word" in await attempt(character, "black")
        now.at += timedelta(seconds=61)
        assert "later" in await attempt(character, "rainbow")
    # The wait outlives a restart, and a clock that was set back.
    now.at -= timedelta(days=1000)
    store = await Store.open(tmp_path, now)
    await store.read(lambda on: secret_word.standing(on, "Ana", now()))
    await store.close()
    character = await stored(line, tmp_path, discretion=discretion_of(persona()), now=now)
    assert "later" in await attempt(character, "rainbow")
    now.at += timedelta(seconds=121)
    assert "know that it's you, Ana" in await attempt(character, "rainbow")
    await character.close()


async def test_after_a_while_or_a_goodbye_somebody_else_may_be_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = Line(ANSWER)
    for leaves in (True, False):
        async with known_ana(tmp_path, line) as character:
            await say(character, "i'm ana")
            await say(character, "rainbow")
            await say(character, "hello")
            assert knows_ana(line)
            if leaves:
                character.leave()
            else:
                monkeypatch.setattr(recognition, "HOLDS_S", -1.0)
            assert not character.may_think_ahead("what do you know of me")
            assert character.rephrase() is None
            await say(character, "what do you know of me")
            assert (character.person, knows_ana(line)) == ("", False)
            async for _ in character.continue_speaking():
                pass
            assert not knows_ana(line)


async def test_no_answer_is_made_ahead_of_a_word(tmp_path: Path) -> None:
    async with known_ana(tmp_path, Line(ANSWER)) as character:
        await say(character, "i'm ana")
        assert not character.may_think_ahead("rainbow")


async def test_the_owner_s_default_person_is_a_stranger_too_until_the_word_is_said(tmp_path: Path) -> None:
    line = Line(ANSWER)
    async with known_ana(tmp_path, line):
        pass
    character = await stored(line, tmp_path, discretion=discretion_of(persona()), memory={"person": "Ana"})
    await say(character, "hello")
    assert (character.person, knows_ana(line)) == ("", False)
    await character.close()


async def test_whoever_never_says_who_they_are_is_remembered_without_a_name_as_ever(tmp_path: Path) -> None:
    line = Line(ANSWER)
    async with known_ana(tmp_path, line) as character:
        await say(character, "i like trains")
        await say(character, "hello")
        assert line.said(-1) == ["i like trains", "hello"]


async def test_the_page_lets_somebody_in_until_a_time_and_before_that_only_the_name_is_known(tmp_path: Path) -> None:
    line, now = Line(ANSWER), Clock()
    async with known_ana(tmp_path, line, now, recognise="page") as character:
        await say(character, "i'm ana")
        assert not knows_ana(line)
        assert "You are talking with Ana." in json.dumps(line.requests[-1])
        assert character.person == ""
    store = await Store.open(tmp_path, now)
    await store.change(lambda on: secret_word.let_in(on, "ana", AT + timedelta(hours=2)))
    await store.close()
    character = await stored(line, tmp_path, discretion=discretion_of(persona(), recognise="page"), now=now)
    await say(character, "i'm ana")
    assert (character.person, knows_ana(line)) == ("Ana", True)
    await character.close()
    now.at += timedelta(hours=3)
    character = await stored(line, tmp_path, discretion=discretion_of(persona(), recognise="page"), now=now)
    await say(character, "i'm ana")
    assert (character.person, knows_ana(line)) == ("", False)
    await character.close()


async def test_with_trust_a_name_is_enough_as_before(tmp_path: Path) -> None:
    line = Line(ANSWER)
    async with known_ana(tmp_path, line, recognise="trust") as character:
        await say(character, "i'm ana")
        assert knows_ana(line)


async def test_forgetting_a_person_takes_their_word_and_leave_unless_another_character_knows_them(
    tmp_path: Path,
) -> None:
    store = await Store.open(tmp_path, Clock())
    momo, pip = (LongTermMemory(store, name, Clock()) for name in ("Momo", "Pip"))
    for memory in (momo, pip):
        memory.keep("Ana", "hello", "Hi.")
    await store.change(lambda on: secret_word.set_word(on, "Ana", "rainbow"))
    await momo.forget("Ana")
    assert await store.read(lambda on: secret_word.has_word(on, "Ana"))
    await pip.forget("Ana")
    assert not await store.read(lambda on: secret_word.has_word(on, "Ana"))
    await store.close()


@pytest.mark.parametrize("word", ["", "!", "a", "  "])
async def test_a_word_that_is_none_is_refused(tmp_path: Path, word: str) -> None:
    store = await Store.open(tmp_path, Clock())
    with pytest.raises(CompanionError, match="too short"):
        await store.change(lambda on: secret_word.set_word(on, "Ana", word))
    await store.close()


def test_words_are_compared_without_case_marks_and_blanks() -> None:
    assert secret_word.normalised(" Purple  Éléphant! ") == secret_word.normalised("purpleéléphant")
    assert secret_word.normalised("彩 虹。") == "彩虹"


async def test_whom_the_owner_lets_in_needs_no_word_meanwhile(tmp_path: Path) -> None:
    line, now = Line(ANSWER), Clock()
    async with known_ana(tmp_path, line, now):
        pass
    store = await Store.open(tmp_path, now)
    await store.change(lambda on: secret_word.let_in(on, "Ana", AT + timedelta(hours=1)))
    await store.close()
    character = await stored(line, tmp_path, discretion=discretion_of(persona()), now=now)
    assert await say(character, "i'm ana") == "Hi."
    assert knows_ana(line)
    await character.close()
