"""Words and slots that another version, or another language, stored: they are made anew, once, whole or not at all."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import pytest

from companion.languages.understood import understood
from companion.mind.memory import database
from companion.mind.memory.fact_store import update_index
from companion.mind.memory.index_words import ALGORITHM, index_words
from companion.mind.memory.long_term import LongTermMemory
from companion.mind.memory.persons import key_of
from companion.mind.memory.schema import APPLICATION_ID, MIGRATIONS, VOCABULARY
from companion.mind.memory.store import FILE, Store

Row = tuple[int, str, str]
EXCHANGES: Sequence[Row] = (
    (1, "grandpa promised me a silver whistle", "grandfath1 promis1 silv1 whistl1"),
    (3, "we were hiding in the cellar with anna", "hid1 cellar1 anna1"),
)
"""Id, what was said, and words of a stemmer of before, by which nothing is found today."""
FACTS: Sequence[tuple[int, str, str, str, str]] = (
    (2, "likes", "likes:cooky", "cookies", "They like cookies."),
    (4, "has", "has:pupy", "Rex", "Their dog is called Rex."),
    (5, "favourite", "favourite:color", "blue", "Their favourite colour is blue."),
)
"""Id, kind, slot, value and sentence, as version 1 stored them."""


def now() -> datetime:
    return datetime(2026, 5, 3, 12, 0)


def old_file(folder: Path) -> Path:
    """`companion.db` as the first version made it."""
    path = folder / FILE
    with closing(sqlite3.connect(path, isolation_level=None)) as on:
        for statement in MIGRATIONS[0]:
            on.execute(statement)
        on.execute("INSERT INTO persons (id, persona, key, name) VALUES (1, 'Pip', ?, '')", (key_of(""),))
        for number, said, words in EXCHANGES:
            on.execute("INSERT INTO exchanges VALUES (?, 1, ?, 'Oh!', '', '2026-05-01T10:00:00')", (number, said))
            on.execute("INSERT INTO words (rowid, said) VALUES (?, ?)", (number, words))
        for number, kind, slot, value, text in FACTS:
            on.execute(
                "INSERT INTO facts (id, person, kind, slot, about, value, text, exchange, at) "
                "VALUES (?, 1, ?, ?, '', ?, ?, NULL, '2026-05-01T10:00:00')",
                (number, kind, slot, value, text),
            )
        on.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        on.execute("PRAGMA user_version = 1")
    return path


@asynccontextmanager
async def memory_in(folder: Path, language: str = "en") -> AsyncIterator[LongTermMemory]:
    store = await Store.open(folder, now)
    try:
        yield LongTermMemory(store, "Pip", now, understood(language))
    finally:
        await store.close()


def stored(path: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as on:
        return on.execute(query).fetchall()


async def test_what_an_old_version_stored_is_found_after_the_update(tmp_path: Path) -> None:
    old_file(tmp_path)
    async with memory_in(tmp_path) as memory:
        question = "who promised me the silver whistle"
        assert await memory.relevant("", question) == ()
        await memory.prepare()
        assert "silver whistle" in (await memory.relevant("", question))[0]
        assert await memory.relevant("", "what is my favourite color") == ("Their favourite colour is blue.",)


async def test_a_fact_in_a_slot_of_before_is_replaced_all_the_same(tmp_path: Path) -> None:
    path = old_file(tmp_path)
    async with memory_in(tmp_path) as memory:
        await memory.prepare()
        memory.keep("", "i hate cookies", "Oh!")
        memory.keep("", "my favourite colour is red", "Oh!")
    holding = stored(path, "SELECT text FROM facts WHERE replaced IS NULL ORDER BY id")
    assert ("They do not like cookies.",) in holding
    assert ("They like cookies.",) not in holding
    assert ("Their favourite colour is red.",) in holding
    assert ("Their favourite colour is blue.",) not in holding


async def test_slots_that_have_become_one_hold_the_newest_fact(tmp_path: Path) -> None:
    path = old_file(tmp_path)
    with closing(sqlite3.connect(path, isolation_level=None)) as on:
        on.execute(
            "INSERT INTO facts (id, person, kind, slot, about, value, text, exchange, at) VALUES "
            "(6, 1, 'dislikes', 'likes:cookie', '', 'cookie', 'They do not like cookie.', NULL, '2026-05-02T10:00:00')"
        )
    async with memory_in(tmp_path) as memory:
        await memory.prepare()
    rows = stored(path, "SELECT id, replaced FROM facts WHERE kind IN ('likes', 'dislikes') ORDER BY id")
    assert rows == [(2, "2026-05-02T10:00:00"), (6, None)]


async def test_a_second_update_does_nothing_and_another_language_makes_all_anew(tmp_path: Path) -> None:
    path = old_file(tmp_path)
    async with memory_in(tmp_path) as memory:
        await memory.prepare()
    with closing(sqlite3.connect(path, isolation_level=None)) as on:
        on.execute("DELETE FROM words")
    async with memory_in(tmp_path) as memory:
        await memory.prepare()
        assert await memory.relevant("", "who promised me the silver whistle") == ()
    async with memory_in(tmp_path, "de") as memory:
        await memory.prepare()
        assert await memory.relevant("", "who promised me the silver whistle") != ()


async def test_another_character_keeps_its_words(tmp_path: Path) -> None:
    path = old_file(tmp_path)
    before = stored(path, "SELECT rowid, said FROM words ORDER BY rowid")
    store = await Store.open(tmp_path, now)
    await LongTermMemory(store, "Momo", now).prepare()
    await store.close()
    assert stored(path, "SELECT rowid, said FROM words ORDER BY rowid") == before


def test_an_update_that_is_cut_off_leaves_everything_as_it_was(tmp_path: Path) -> None:
    path = old_file(tmp_path)
    tables = ("words", "facts", "indexes")
    with closing(database.connect(path)) as on:
        before = [on.execute(f"SELECT * FROM {table}").fetchall() for table in tables]

        def power_cut(_: sqlite3.Connection) -> bool:
            raise RuntimeError("the power is gone")

        with pytest.raises(RuntimeError):
            database.apply(on, [lambda on: update_index(on, "Pip", understood()), power_cut])
        assert [on.execute(f"SELECT * FROM {table}").fetchall() for table in tables] == before


def test_the_rules_name_the_stemmer_that_is_installed() -> None:
    """An index made by another version of the stemmer must count as old."""
    assert f"snowballstemmer {version('snowballstemmer')}" in ALGORITHM


def test_a_file_of_the_first_version_becomes_one_of_today(tmp_path: Path) -> None:
    old_file(tmp_path)
    for _ in range(2):
        with closing(database.connect(tmp_path / FILE)) as on:
            assert on.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
            assert on.execute("SELECT count(*) FROM exchanges").fetchone() == (len(EXCHANGES),)
    assert "fts5vocab" in VOCABULARY


@pytest.mark.parametrize(
    ("code", "one", "other"),
    [
        ("de", "die Äpfel", "ein Apfel"),
        ("es", "las canciones", "una canción"),
        ("fr", "les clés", "la clé"),
        ("id", "anjingku", "anjing"),
        ("en", "puppies", "a dog"),
    ],
)
def test_forms_of_a_word_meet_in_every_language_with_a_stemmer(code: str, one: str, other: str) -> None:
    languages = understood(code)
    if not languages.own.index.stemmer:
        pytest.skip(f"{code} has no index.toml yet")
    assert set(index_words(one, languages, languages.own)) & set(index_words(other, languages, languages.own))
