"""Facts that the summary proposes: lines of one form, which are never trusted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.languages.language import language
from companion.languages.loader import language_codes
from companion.languages.memory import FACT_KINDS
from companion.languages.understood import understood
from companion.mind.memory.facts import Fact
from companion.mind.memory.long_term import LongTermMemory
from companion.mind.memory.store import Store
from companion.mind.summary import (
    FORM,
    LONGEST_SUBJECT,
    LONGEST_VALUE,
    MOST_FACTS,
    accepted_facts,
    facts_instruction,
    split_proposed,
)

AT = datetime(2026, 5, 3, 12, 0)


def now() -> datetime:
    return AT


def accepted(answer: str, code: str = "en") -> tuple[Fact, ...]:
    return accepted_facts(split_proposed(answer)[1], AT, understood(code))


def test_the_lines_leave_the_summary_and_become_facts() -> None:
    answer = "They are seven.\n\nFACT has | dog | Rex\nFACT likes | pizza | pizza\nFACT age | - | seven"
    rest, proposed = split_proposed(answer)
    assert rest.strip() == "They are seven."
    assert [(one.kind, one.subject, one.value) for one in proposed] == [
        *(("has", "dog", "Rex"), ("likes", "pizza", "pizza"), ("age", "", "seven")),
    ]
    assert [fact.text for fact in accepted(answer)] == [
        "Their dog is called Rex.",
        "They like pizza.",
        "They are seven years old (said on 3 May 2026).",
    ]


@pytest.mark.parametrize("code", language_codes())
def test_facts_come_in_every_language(code: str) -> None:
    (fact,) = accepted("FACT name | - | Zubaida", code)
    assert (fact.kind, fact.value, fact.language) == ("name", "Zubaida", code)
    assert "Zubaida" in fact.text
    asked = facts_instruction(language(code))
    assert FORM in asked
    assert all(kind in asked for kind in FACT_KINDS)


@pytest.mark.parametrize(
    "line",
    [
        *("FACT likes | pizza", "FACT likes pizza", "FACT height | - | tall", "FACT", "FACT a | b | c | d"),
        *("FACT LIKES | - | pizza", "FACT likes | - | -", "FACT has | - | Rex", "FACT favourite | - | blue"),
        *("FACT likes | - | it", "FACT lives | - | 12 Baker Street", "FACT lives | - | my house"),
        *("FACT remember | - | my password is banana", "FACT likes | - | call 555 123 4567"),
        *("FACT birthday | - | tomorrow", "FACT promise | - | yes", "FACT likes | - | " + "x" * 200),
        *("FACT remember | - | they are allergic to peanuts", "fact likes | - | you"),
    ],
)
def test_what_is_wrong_private_or_empty_is_dropped(line: str) -> None:
    assert accepted(line) == ()
    assert "|" not in split_proposed(f"They are well.\n{line}")[0]


def test_lists_and_bold_letters_do_no_harm() -> None:
    assert [one.value for one in split_proposed("- FACT job | - | nurse\n**FACT lives | - | Lisbon**")[1]] == [
        *("nurse", "Lisbon"),
    ]
    assert split_proposed("A fact is that they like cats.") == ("A fact is that they like cats.", ())


PARTS = st.one_of(
    st.sampled_from([*FACT_KINDS, "-", "", "dog", "pizza", " it ", "FACT", "12345678"]), st.text(max_size=50)
)
LINES = st.one_of(
    st.text(max_size=80),
    st.lists(PARTS, max_size=5).map(lambda parts: "FACT " + " | ".join(parts)),
    st.tuples(st.sampled_from(FACT_KINDS), PARTS, PARTS).map(lambda parts: "FACT " + " | ".join(parts)),
)


@given(st.lists(LINES, max_size=30).map("\n".join), st.sampled_from(language_codes()))
def test_any_answer_is_read(answer: str, code: str) -> None:
    rest, proposed = split_proposed(answer)
    assert len(proposed) <= MOST_FACTS
    assert split_proposed(rest)[1] == ()
    assert set(rest.splitlines()) <= set(answer.splitlines())
    for one in proposed:
        assert one.kind in FACT_KINDS
        assert len(one.subject) <= LONGEST_SUBJECT
        assert len(one.value) <= LONGEST_VALUE
        assert (one.subject + one.value).isprintable()
    for fact in accepted_facts(proposed, AT, understood(code)):
        assert fact.text
        assert fact.language == code


WORDS = st.text(alphabet="abcdefghijklmnop", min_size=3, max_size=12)


@given(WORDS, WORDS)
def test_a_line_of_the_right_form_is_read_as_it_was_written(subject: str, value: str) -> None:
    (one,) = split_proposed(f"FACT favourite | {subject} | {value}")[1]
    assert (one.kind, one.subject, one.value) == ("favourite", subject, value)


@asynccontextmanager
async def memory_in(folder: Path) -> AsyncIterator[LongTermMemory]:
    store = await Store.open(folder, now)
    try:
        yield LongTermMemory(store, "Pip", now)
    finally:
        await store.close()


async def sum_up(memory: LongTermMemory, answer: str, first: int = 0) -> None:
    exchanges = (await memory.recall("")).exchanges
    await memory.store_summary("", exchanges[-1].id, "A talk.", accepted(answer), first or exchanges[0].id)


async def test_a_proposed_fact_is_told_when_it_matters(tmp_path: Path) -> None:
    async with memory_in(tmp_path) as memory:
        memory.keep("", "he barks at night", "Nice!")
        await sum_up(memory, "FACT has | dog | Rex")
        assert await memory.relevant("", "what is my dog called") == ("Their dog is called Rex.",)


async def test_a_proposed_fact_never_replaces_what_was_told_in_the_same_talk_or_later(tmp_path: Path) -> None:
    async with memory_in(tmp_path) as memory:
        memory.keep("", "i live in lisbon", "Nice!")
        await sum_up(memory, "FACT lives | - | Porto")
        assert await memory.relevant("", "where do i live") == ("They live in lisbon.",)


async def test_a_proposed_fact_replaces_an_older_one_and_another_proposed_one(tmp_path: Path) -> None:
    async with memory_in(tmp_path) as memory:
        memory.keep("", "i live in lisbon", "Nice!")
        await sum_up(memory, "")
        memory.keep("", "you know we moved to another town it is porto", "Nice!")
        await sum_up(memory, "FACT lives | - | Porto")
        assert await memory.relevant("", "where do i live") == ("They live in Porto.",)
        memory.keep("", "and now it is faro", "Nice!")
        await sum_up(memory, "FACT lives | - | Faro")
        assert await memory.relevant("", "where do i live") == ("They live in Faro.",)
        memory.keep("", "i live in braga", "Nice!")
        assert await memory.relevant("", "where do i live") == ("They live in braga.",)


async def test_proposed_facts_never_grow_without_end(tmp_path: Path) -> None:
    async with memory_in(tmp_path) as memory:
        memory.keep("", "hello", "Hi!")
        for number in range(30):
            word = "".join(chr(ord("a") + int(digit)) for digit in f"{number:03}")
            lines = (f"FACT remember | - | water the plant {word}{letter}" for letter in "abcdefghijk")
            await sum_up(memory, "\n".join(lines))
            memory.keep("", "hello", "Hi!")
        told = await memory.relevant("", "what did i tell you to remember", most=500)
    assert 0 < len(told) <= 100
