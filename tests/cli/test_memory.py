"""`companion memory` and `companion usage`, as a person at a terminal uses them."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import stat
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from companion.cli.memory import memory as memory_group
from companion.cli.usage import usage
from companion.config.device import load_device
from companion.config.persona import load_persona
from companion.errors import CompanionError
from companion.mind.budget import Ledger, UsageEntry
from companion.mind.memory.guard_records import GuardRecords
from companion.mind.memory.long_term import LongTermMemory
from companion.mind.memory.persons import key_of
from companion.mind.memory.store import Store
from tests.mind.memory.test_store import full_disk
from tests.support.paths import CONFIGS

DEVICE = CONFIGS / "devices" / "desk.toml"
PERSONA = load_persona(load_device(DEVICE).persona).name


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path / "companion"


@pytest.fixture
def filled(folder: Path) -> Path:
    async def fill() -> None:
        store = await Store.open(folder, datetime.now)
        memory = LongTermMemory(store, PERSONA, datetime.now)
        memory.keep("Ana", "my dog is called rex", "What a fine name!")
        memory.keep("Ana", "i hid the key under the blue flowerpot", "I keep it to myself.")
        memory.keep("Bo", "i like snails", "So slow!")
        await memory.recall("Ana")
        await memory.store_summary("Ana", 1, "Ana talked about her dog Rex.")
        LongTermMemory(store, "Somebody Else", datetime.now).keep("Ana", "i like trains", "Choo!")
        ledger = Ledger(store, datetime.now)
        ledger.add(
            UsageEntry("Ana", PERSONA, "qwen-plus-character", "international", "talk", 1000, 900, 50, 120_000, "USD")
        )
        await store.close()

    asyncio.run(fill())
    return folder


def run(*arguments: str, stdin: str = "") -> Result:
    return CliRunner().invoke(memory_group, [arguments[0], "--device", str(DEVICE), *arguments[1:]], input=stdin)


def printed(*arguments: str) -> str:
    done = run(*arguments)
    assert done.exit_code == 0, done.output
    return done.stdout


def as_json(*arguments: str) -> Any:
    return json.loads(printed(*arguments, "--json"))


def ids(person: str) -> dict[str, int]:
    """By text, the numbers that `show` gives facts and turns."""
    (portrait,) = as_json("show", "--person", person)["persons"]
    return {one["text"]: one["id"] for one in portrait["facts"]} | {
        one["said"]: one["id"] for one in portrait["exchanges"]
    }


def test_where_nothing_is_remembered_no_file_is_made(folder: Path) -> None:
    assert "Nothing is remembered yet" in printed("list")
    assert as_json("list") == []
    assert as_json("show")["persons"] == []
    assert "nothing was erased" in printed("forget", "--all", "--yes")
    assert not folder.exists()


@pytest.mark.usefixtures("filled")
def test_list_and_show() -> None:
    listed = printed("list")
    assert "Ana" in listed
    assert "Bo" in listed
    assert "Somebody Else" in listed
    assert {(one["person"], one["turns"], one["facts"]) for one in as_json("list") if one["persona"] == PERSONA} == {
        ("Ana", 2, 1),
        ("Bo", 1, 1),
    }
    shown = printed("show", "--person", "ana")
    for text in ("Their dog is called Rex.", "Ana talked about her dog Rex.", "flowerpot", "I keep it to myself."):
        assert text in shown
    assert "snails" not in shown
    assert "trains" not in printed("show")


@pytest.mark.usefixtures("filled")
def test_search_finds_other_forms_of_a_word() -> None:
    assert [one["kind"] for one in as_json("search", "dogs")] == ["summary", "fact", "said"]
    assert as_json("search", "hiding", "keys")[0]["text"] == "i hid the key under the blue flowerpot"
    assert as_json("search", "--person", "Bo", "dog") == []
    assert printed("search", "zebra").strip() == "Not found."


@pytest.mark.usefixtures("filled")
def test_correct_a_fact_and_a_turn() -> None:
    number = ids("Ana")["Their dog is called Rex."]
    before = as_json("list")[0]["generation"]
    assert as_json("correct", str(number), "Their dog is called Max.")["before"] == "Their dog is called Rex."
    assert "Max" in printed("show", "--person", "Ana")
    turn = ids("Bo")["i like snails"]
    printed("correct", str(turn), "i like whales")
    shown = printed("show", "--person", "Bo")
    assert "They like whales." in shown
    assert "snails" not in shown
    generations = {one["person"]: one["generation"] for one in as_json("list") if one["persona"] == PERSONA}
    assert generations == {"Ana": before, "Bo": 1}
    assert isinstance(run("correct", "999", "x").exception, CompanionError)
    assert isinstance(run("correct", str(turn), "  ").exception, CompanionError)


@pytest.mark.usefixtures("filled")
def test_forget_a_person_prints_what_was_erased_and_leaves_the_others() -> None:
    printed_text = printed("forget", "--person", "ANA", "--yes")
    assert "Ana: 2 turns, 1 fact, 1 summary" in printed_text
    assert "Their dog is called Rex." in printed_text
    assert [one["person"] for one in as_json("list")] == ["Bo", "Ana"]  # of somebody else
    assert as_json("search", "dog") == []
    done = CliRunner().invoke(usage, ["--device", str(DEVICE), "--json"])
    assert [one["person"] for one in json.loads(done.stdout)["days"]] == [""]


@pytest.mark.usefixtures("filled")
def test_forget_one_fact_and_one_turn() -> None:
    entries = ids("Ana")
    key, dog = entries["i hid the key under the blue flowerpot"], entries["my dog is called rex"]
    erased = as_json("forget", "--yes", str(key), str(dog))
    assert erased["exchanges"] == 2
    assert erased["facts"] == ["Their dog is called Rex."]
    assert erased["summaries"] == 1
    assert as_json("show", "--person", "Ana")["persons"] == []
    failed = run("forget", "--yes", str(ids("Bo")["i like snails"]), "999").exception
    assert isinstance(failed, CompanionError)
    assert "999" in str(failed)
    assert "snails" in printed("show"), "nothing is erased where one number is wrong"


def test_forget_everything_takes_damaged_files_along(filled: Path) -> None:
    (filled / "companion.db.damaged-20260101-000000").write_bytes(b"i hid the key")
    assert "companion.db.damaged-20260101-000000" in printed("forget", "--all", "--yes")
    assert as_json("list") == []
    everything = b"".join(one.read_bytes() for one in filled.iterdir()).lower()
    for word in (b"flowerpot", b"snails", b"trains", b"ana"):
        assert word not in everything


@pytest.mark.parametrize("what", ["--person Ana", "--person Nobody", "1"])
@pytest.mark.parametrize("there", [True, False])
def test_forgetting_anything_takes_what_was_set_aside_along(filled: Path, what: str, there: bool) -> None:
    aside = ("companion.db.damaged-20260101-000000", "companion.db.damaged-20260101-000000-wal", "companion.db.new")
    for name in (*aside, "companion.db.copy"):
        (filled / name).write_bytes(b"i hid the key under the blue flowerpot")
    if not there:
        (filled / "companion.db").unlink()
    told = printed("forget", "--yes", *what.split())
    assert all(f"The damaged file {name}, which was set aside" in told for name in aside)
    assert [one.name for one in filled.iterdir()] == (["companion.db"] if there else [])


def test_forget_on_a_full_disk_says_that_nothing_was_changed(filled: Path) -> None:
    before = as_json("export")
    (filled / "companion.db.damaged-20260101-000000").write_bytes(b"x")
    with full_disk(filled / "companion.db.damaged-20260101-000000"):
        failed = run("forget", "--person", "Ana", "--yes").exception
    assert isinstance(failed, CompanionError)
    assert str(failed).startswith("Nothing was changed: The memory ")
    assert "Make room on the disk" in str(failed)
    assert "until then" not in str(failed), "the daemon's sentence is not this command's"
    assert as_json("export") == before
    assert (filled / "companion.db.damaged-20260101-000000").exists()


@pytest.mark.usefixtures("filled")
def test_forget_requires_a_choice() -> None:
    assert run("forget").exit_code == 2
    assert run("forget", "--all", "--person", "Ana").exit_code == 2
    assert len(as_json("list")) == 3


@pytest.mark.usefixtures("filled")
def test_forget_asks_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("companion.cli.memory.is_interactive", lambda: True)
    assert run("forget", "--all", stdin="n\n").exit_code == 1
    assert len(as_json("list")) == 3
    assert run("forget", "--all", stdin="y\n").exit_code == 0
    assert as_json("list") == []


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("what", [["--all"], ["--person", "Ana"], ["1"]], ids=" ".join)
@pytest.mark.parametrize("stdin", ["", "n\n", "y\n"])
def test_forget_never_erases_unasked_where_nobody_can_be_asked(what: list[str], stdin: str) -> None:
    before = as_json("export")
    done = run("forget", *what, stdin=stdin)
    assert done.exit_code == 2
    assert "add --yes; nothing was erased" in done.output
    assert as_json("export") == before
    assert run("forget", *what, "--yes").exit_code == 0
    assert as_json("export") != before


HOSTILE = "\x1bc\x9b2Jlook\r\n    12  2026-01-01 10:00  > forged\u2028line \u202eabc\x07"


def test_what_was_heard_cannot_control_the_terminal_or_forge_a_line(folder: Path) -> None:
    async def fill() -> None:
        store = await Store.open(folder, datetime.now)
        memory = LongTermMemory(store, PERSONA, datetime.now)
        memory.keep(HOSTILE, f"look here {HOSTILE}", HOSTILE, HOSTILE)
        await memory.recall(HOSTILE)
        await memory.store_summary(HOSTILE, 1, HOSTILE)
        await store.close()

    asyncio.run(fill())
    for words, lines in ((["list"], 1), (["show"], 4), (["search", "look"], 3), (["correct", "1", HOSTILE], 2)):
        for text in (printed(*words).rstrip("\n"), printed(*words, "--json")):
            assert not {one for one in text if not one.isprintable()} - {"\n"}
        assert printed(*words).count("\n") == lines, words
    assert "Not found" not in printed("search", "look")
    for text in (printed("export"), printed("forget", "--all", "--yes")):
        assert not {one for one in text if not one.isprintable()} - {"\n"}


def test_a_link_in_the_place_of_the_memory_is_refused_and_its_target_untouched(filled: Path) -> None:
    target = filled.parent / "elsewhere.db"
    (filled / "companion.db").rename(target)
    target.chmod(0o644)
    (filled / "companion.db").symlink_to(target)
    before = target.read_bytes()
    commands = "list", "show", "search dog", "export", "forget --all --yes", "correct 1 x"
    for words in map(str.split, commands):
        failed = run(*words).exception
        assert isinstance(failed, CompanionError)
        assert "symbolic link" in str(failed)
    assert isinstance(CliRunner().invoke(usage, ["--device", str(DEVICE)]).exception, CompanionError)
    assert stat.S_IMODE(target.stat().st_mode) == 0o644
    assert target.read_bytes() == before
    assert [one.name for one in filled.iterdir()] == ["companion.db"]


@pytest.mark.usefixtures("filled")
def test_export_holds_everything_about_a_person() -> None:
    (ana,) = json.loads(printed("export", "--person", "Ana"))["persons"]
    assert ana["summary"] == "Ana talked about her dog Rex."
    assert [one["said"] for one in ana["exchanges"]] == [
        "my dog is called rex",
        "i hid the key under the blue flowerpot",
    ]
    assert ana["facts"][0]["text"] == "Their dog is called Rex."
    assert ana["requests"][0]["prompt"] == 1000
    assert len(json.loads(printed("export"))["persons"]) == 2


def test_a_damaged_file_is_one_sentence(folder: Path) -> None:
    folder.mkdir()
    (folder / "companion.db").write_bytes(b"garbage" * 1000)
    failed = run("list").exception
    assert isinstance(failed, CompanionError)
    assert "cannot be read" in str(failed)


@pytest.mark.usefixtures("filled")
def test_usage_shows_days_persons_and_caps() -> None:
    command = ["--device", str(DEVICE), "--set", "spending.daily=0.5"]
    done = CliRunner().invoke(usage, command)
    assert done.exit_code == 0, done.output
    assert "Ana" in done.output
    assert "90%" in done.output
    assert "0.1200 USD of 0.5 (24%)" in done.output
    data = json.loads(CliRunner().invoke(usage, [*command, "--json"]).stdout)
    assert data["days"][0]["cached_share"] == 0.9
    assert data["totals"] == [{"currency": "USD", "today": 0.12, "month": 0.12, "daily_cap": 0.5, "monthly_cap": None}]


def test_usage_of_a_new_unit(folder: Path) -> None:
    done = CliRunner().invoke(usage, ["--device", str(DEVICE)])
    assert "No requests" in done.output
    assert not folder.exists()


def test_a_word_is_read_from_standard_input_kept_as_a_digest_and_taken_away(folder: Path) -> None:
    def kept() -> bytes:
        return b"".join(file.read_bytes() for file in folder.iterdir())

    done = run("word", "--person", "Ana", stdin="Purple Elephant\n")
    assert done.exit_code == 0
    assert "Ana has a new word." in done.output
    assert "elephant" not in done.output.casefold()
    assert b"elephant" not in kept().lower()
    assert key_of("ana").encode() in kept()
    assert "no word any more" in printed("word", "--person", "ANA", "--remove")
    assert "had no word" in printed("word", "--person", "Ana", "--remove")
    assert isinstance(run("word", "--person", "Ana", stdin="\n").exception, CompanionError)


def test_forgetting_somebody_who_has_a_word_and_never_spoke_takes_the_word(folder: Path) -> None:
    run("word", "--person", "Zoe", stdin="purple elephant\n")
    printed("forget", "--person", "Zoe", "--yes")
    assert key_of("zoe").encode() not in b"".join(file.read_bytes() for file in folder.iterdir())


def test_what_is_too_old_is_told_and_then_erased(folder: Path, tmp_path: Path) -> None:
    async def fill() -> None:
        store = await Store.open(folder, datetime.now)
        LongTermMemory(store, PERSONA, lambda: datetime(2020, 1, 1)).keep("Ana", "i saw a walrus", "Oh!")
        await store.close()

    asyncio.run(fill())
    assert "no limit" in printed("expire", "--set", "policy=adult")
    policy = tmp_path / "mine.toml"
    policy.write_text('audience = "child"\n[memory]\ndays = 30\n', encoding="utf-8")
    mine = ("--set", f"policy={policy}")
    assert "Too old: 1 turn" in printed("expire", "--dry-run", *mine)
    assert as_json("show", "--person", "Ana")["persons"] != []
    assert as_json("expire", *mine)["exchanges"] == 1
    assert b"walrus" not in b"".join(file.read_bytes() for file in folder.iterdir())
    assert "Erased: 0 turns" in printed("expire", *mine)


def test_forgetting_a_person_takes_word_blocked_entries_and_learned_pause_and_leaves_no_byte(folder: Path) -> None:
    async def fill() -> None:
        store = await Store.open(folder, datetime.now)
        memory = LongTermMemory(store, PERSONA, datetime.now)
        memory.keep("Xanthippe", "i saw a walrus", "Oh!")
        memory.learn_pause("Xanthippe", 0, 1.625)
        records = GuardRecords(store, datetime.now, PERSONA, keep_words=True)
        records.add_blocked("violence", "person", "XANTHIPPE ", "cudgels")
        records.add_notice("self_harm", "Xanthippe", "sorrow")
        records.add_blocked("violence", "answer", "Bo", "truncheons")
        await store.flush()
        await store.copy_if_due()
        await store.close()

    asyncio.run(fill())
    run("word", "--person", "Xanthippe", stdin="purple elephant\n")
    [exported] = as_json("export", "--person", "Xanthippe")["persons"]
    assert ([one["words"] for one in exported["blocked"]], exported["has_word"]) == (["sorrow", "cudgels"], True)
    assert exported["pause"] == 1.625
    printed("forget", "--person", "xanthippe", "--yes")
    everything = b"".join(file.read_bytes() for file in folder.iterdir()).lower()
    assert [word for word in (b"xanthippe", b"walrus", b"cudgels", b"sorrow") if word in everything] == []
    assert b"truncheons" in everything
    # The row stays as a digest and a generation, so that a running talk notices.
    with closing(sqlite3.connect(folder / "companion.db")) as on:
        assert on.execute("SELECT count(*) FROM recognition").fetchone() == (0,)
        assert on.execute("SELECT name, pause FROM persons").fetchall() == [("", 1000)]
