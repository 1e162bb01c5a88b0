"""What a character remembers, of whom, and what it is told of that when it matters."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.memory import CHINESE, CHINESE_UNRELATED, ENGLISH, ENGLISH_UNRELATED, Weekdays, talk, week
from companion.mind.memory.long_term import LongTermMemory
from companion.mind.memory.store import Store
from companion.mind.summary import count_tokens


def now() -> datetime:
    return datetime(2026, 5, 3, 12, 0)


@asynccontextmanager
async def memory_in(folder: Path, *personas: str) -> AsyncIterator[list[LongTermMemory]]:
    store = await Store.open(folder, now)
    try:
        yield [LongTermMemory(store, persona, now) for persona in personas or ("Pip",)]
    finally:
        await store.close()


async def test_a_talk_goes_on_where_it_stopped(tmp_path: Path) -> None:
    async with memory_in(tmp_path) as (memory,):
        assert (await memory.recall("")).is_new
        memory.keep("", "hello", "Hi there!")
        memory.keep("", "", "Are you still there?", speaker="Pip")
    async with memory_in(tmp_path) as (memory,):
        recalled = await memory.recall("")
    assert [(one.said, one.heard, one.speaker) for one in recalled.exchanges] == [
        ("hello", "Hi there!", ""),
        ("", "Are you still there?", "Pip"),
    ]
    assert recalled.exchanges[0].at == now()
    assert not recalled.is_new
    assert (recalled.summary, recalled.generation) == ("", 0)


async def test_memories_never_cross_over_between_persons_or_characters(tmp_path: Path) -> None:
    async with memory_in(tmp_path, "Pip", "Momo") as (pip, momo):
        pip.keep("Ana", "my dog is called rex and i hid the key in the teapot", "Nice!")
        pip.keep("Bo", "hello", "Hi!")
        momo.keep("Ana", "hello", "Hi!")
        for memory, person in ((pip, "Bo"), (pip, ""), (momo, "Ana")):
            assert await memory.relevant(person, "what is my dog called") == ()
            assert await memory.relevant(person, "where is the key that i hid in the teapot") == ()
            assert all(one.said == "hello" for one in (await memory.recall(person)).exchanges)
        assert await pip.relevant("Ana", "what is my dog called") == ("Their dog is called Rex.",)
        assert await pip.persons() == ("Ana", "Bo")
        assert await momo.persons() == ("Ana",)


@pytest.mark.parametrize("other", ["ana", " ANA ", "Ána", "A\u0301na"])
async def test_a_name_is_one_person_however_it_is_written(tmp_path: Path, other: str) -> None:
    first = "Ana" if other.strip().casefold() == "ana" else "Ána"
    async with memory_in(tmp_path) as (memory,):
        memory.keep(first, "hello", "Hi!")
        memory.keep(other, "hello again", "Hi!")
        assert len((await memory.recall(first)).exchanges) == 2
        assert await memory.persons() == (first,)


async def test_how_long_somebodys_pauses_are_is_kept_of_each_person(tmp_path: Path) -> None:
    async with memory_in(tmp_path) as (memory,):
        memory.keep("Ana", "hello", "Hi!")
        memory.learn_pause("Ana", 0, 1.234)
        memory.learn_pause("Bo", 0, 1.5)
    async with memory_in(tmp_path) as (memory,):
        assert (await memory.recall("ana")).pause == pytest.approx(1.234)
        # Nothing of somebody who never said anything.
        assert (await memory.recall("Bo")).pause == 1.0
        assert await memory.persons() == ("Ana",)


async def test_how_long_somebodys_pauses_are_is_forgotten_with_them(tmp_path: Path) -> None:
    async with memory_in(tmp_path) as (memory,):
        memory.keep("Ana", "hello", "Hi!")
        memory.learn_pause("Ana", 0, 1.5)
        await memory.forget("Ana")
        assert (await memory.recall("Ana")).pause == 1.0
        # What another process still learns of them comes too late.
        memory.learn_pause("Ana", 0, 1.5)
        assert (await memory.recall("Ana")).pause == 1.0


async def test_the_summary_takes_the_place_of_what_it_sums_up(tmp_path: Path) -> None:
    async with memory_in(tmp_path) as (memory,):
        for number in range(10):
            memory.keep("", f"turn {number}", "ok")
        exchanges = (await memory.recall("")).exchanges
        await memory.store_summary("", exchanges[5].id, "They counted to five.")
        recalled = await memory.recall("")
        assert recalled.summary == "They counted to five."
        assert [one.said for one in recalled.exchanges] == ["turn 6", "turn 7", "turn 8", "turn 9"]
        await memory.store_summary("", exchanges[9].id, "They counted to nine.")
        assert not (await memory.recall("")).is_new


async def test_a_summary_of_what_was_forgotten_meanwhile_is_dropped(tmp_path: Path) -> None:
    async with memory_in(tmp_path) as (memory,):
        memory.keep("Ana", "i have a secret", "ok")
        last = (await memory.recall("Ana")).exchanges[-1].id
        await memory.forget("Ana")
        await memory.store_summary("Ana", last, "Ana has a secret.")
        memory.keep("Ana", "hello", "Hi!")
        assert (await memory.recall("Ana")).summary == ""


async def test_what_is_recalled_is_bounded(tmp_path: Path) -> None:
    async with memory_in(tmp_path) as (memory,):
        for number in range(450):
            memory.keep("", f"turn {number}", "ok")
        recalled = (await memory.recall("")).exchanges
    assert len(recalled) == 200
    assert recalled[-1].said == "turn 449"


async def test_a_later_fact_takes_the_place_of_an_earlier_one(tmp_path: Path) -> None:
    async with memory_in(tmp_path) as (memory,):
        memory.keep("", "my dog is called rex", "ok")
        memory.keep("", "no my dog is called max", "ok")
        memory.keep("", "i have a dog", "ok")
        assert await memory.relevant("", "what is my dog called") == ("Their dog is called Max.",)
        memory.keep("", "i like snails", "ok")
        memory.keep("", "i hate snails", "ok")
        assert await memory.relevant("", "do you like snails") == ("They do not like snails.",)


async def test_the_rest_of_a_sentence_with_a_fact_in_it_is_found_too(tmp_path: Path) -> None:
    async with memory_in(tmp_path) as (memory,):
        memory.keep("", "my dog is called rex and i hid the key in the teapot", "ok")
        assert await memory.relevant("", "what is my dog called") == ("Their dog is called Rex.",)
        (quote,) = await memory.relevant("", "where did i hide the key")
        assert "teapot" in quote


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("i am terrified of spiders", "what am i scared of"),
        ("i have three guinea pigs in a hutch", "how many guinea pigs do i have"),
        ("i love trains most of all the very long ones", "which long trains do i like"),
        ("my team won the cup", "did my club win"),
        ("每个星期四我学空手道", "我什么时候学空手道"),
        ("我姐姐会弹钢琴", "我姐姐会什么乐器"),
        ("我有三个姐姐和一个弟弟", "我有几个姐姐"),
        ("你以后叫我圆圆吧", "我的小名是什么"),
    ],
)
async def test_what_was_told_in_other_words_is_found_too(said: str, asked: str, tmp_path: Path) -> None:
    async with memory_in(tmp_path) as (memory,):
        memory.keep("", said, "Oh!")
        for _, (other, heard) in zip(range(60), talk("zh" if "我" in said else "en", 3), strict=False):
            memory.keep("", other, heard)
        told = await memory.relevant("", asked)
        assert any(said in one or "圆圆" in one for one in told)


async def test_of_much_that_was_said_about_one_thing_that_with_the_shape_of_an_answer_comes_first(
    tmp_path: Path,
) -> None:
    async with memory_in(tmp_path) as (memory,):
        memory.keep("", "on friday i meet my teacher mister brown at the lake", "Oh!")
        memory.keep("", "my teacher has six goats at the lake", "Oh!")
        for number in range(8):
            memory.keep("", f"my teacher lost kite {number} near the bridge", "Oh!")
        assert "friday" in (await memory.relevant("", "when do i meet my teacher"))[0]
        assert "six goats" in (await memory.relevant("", "how many goats does my teacher have"))[0]


@pytest.mark.parametrize(
    "asked", ["what is your name", "do you have a dog", "why do we sleep", "你叫什么名字", "你有狗吗"]
)
async def test_who_asks_about_the_character_or_for_a_reason_is_told_nothing_of_themselves(
    asked: str, tmp_path: Path
) -> None:
    async with memory_in(tmp_path) as (memory,):
        for said in (
            "the old lady at the fair has a funny name",
            "our neighbour has a dog with a name",
            "狗的名字很长",
        ):
            memory.keep("", said, "Oh!")
        for number in range(9):
            memory.keep("", f"my cousin says that crab {number} can sleep standing up", "Oh!")
        assert await memory.relevant("", asked) == ()


async def test_what_the_model_sees_anyway_is_not_told_again(tmp_path: Path) -> None:
    async with memory_in(tmp_path) as (memory,):
        memory.keep("", "my dog is called rex", "ok")
        memory.keep("", "i hid the key under the blue flowerpot", "ok")
        besides = [one.id for one in (await memory.recall("")).exchanges]
        for question in ("what is my dog called", "where did i hide the key"):
            assert await memory.relevant("", question) != ()
            assert await memory.relevant("", question, besides=besides) == ()


async def test_quotes_have_their_day_and_questions_are_not_quoted(tmp_path: Path) -> None:
    async with memory_in(tmp_path) as (memory,):
        memory.keep("", "i hid the key under the blue flowerpot", "ok")
        memory.keep("", "where did i hide the key", "Under the flowerpot.")
        assert await memory.relevant("", "where did i hide my key") == (
            'On 3 May 2026 they said: "i hid the key under the blue flowerpot"',
        )


async def test_what_is_told_is_bounded(tmp_path: Path) -> None:
    async with memory_in(tmp_path) as (memory,):
        for number in range(40):
            memory.keep("", f"i promise to paint the fence number {number} " + "as green as the grass " * 12, "ok")
        told = await memory.relevant("", "what did i promise you", most=5)
        assert 0 < len(told) <= 5
        assert sum(map(count_tokens, told)) <= 200
        assert len(await memory.relevant("", "what did i promise you", most=1)) == 1


@pytest.mark.parametrize(("language", "planted"), [("en", ENGLISH), ("zh", CHINESE)])
async def test_a_week_of_talk_later_the_planted_facts_are_found(
    tmp_path: Path, language: str, planted: tuple[object, ...]
) -> None:
    """A smaller version of `bench/memory.py`, with other words in between."""
    unread: list[str] = []
    found, false, anything = await week(tmp_path, language, turns=250, seed=20, note=unread.append)
    assert found == len(planted)
    assert false == 0
    assert anything <= 2


@pytest.mark.parametrize(
    ("language", "planted", "unrelated"),
    [("en", ENGLISH, ENGLISH_UNRELATED), ("zh", CHINESE, CHINESE_UNRELATED)],
)
async def test_with_hardly_anything_said_nothing_is_told_amiss(
    tmp_path: Path, language: str, planted: tuple[tuple[str, str, str], ...], unrelated: tuple[str, ...]
) -> None:
    """Rare words are hard to tell from common ones as long as little was said."""
    clock = Weekdays()
    store = await Store.open(tmp_path, clock)
    memory = LongTermMemory(store, "Pip", clock)
    for said, _, _ in planted:
        memory.keep("", said, "ok")
    for _, (said, heard) in zip(range(5), talk(language, 3), strict=False):
        memory.keep("", said, heard)
    told = [sentence for question in unrelated for sentence in await memory.relevant("", question)]
    missed = [
        question
        for _, question, answer in planted
        if not any(answer in sentence for sentence in await memory.relevant("", question))
    ]
    await store.close()
    assert missed == []
    assert len(told) <= 3, told


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=60), st.text(max_size=60)), min_size=1, max_size=5), st.text(max_size=40))
async def test_any_words_can_be_kept_and_asked(
    tmp_path_factory: pytest.TempPathFactory, exchanges: list[tuple[str, str]], person: str
) -> None:
    async with memory_in(tmp_path_factory.mktemp("any")) as (memory,):
        for said, heard in exchanges:
            memory.keep(person, said, heard)
        recalled = await memory.recall(person)
        assert [(one.said, one.heard) for one in recalled.exchanges] == exchanges
        for said, _ in exchanges:
            assert len(await memory.relevant(person, said)) <= 5
