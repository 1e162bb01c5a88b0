"""Another answer that is the same again: asked for once more, within bounds."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from companion.mind.candidates import likeness, may_repeat
from tests.support.service_scene import ANSWER, Line, Step, answer, event, on, talk, whole

OLD = "Bees dance to tell their sisters where the flowers are."
OTHER = "A bee wiggles, and everybody at home knows which way to fly."


def says(*pieces: str) -> list[Step | int]:
    return [*map(event, pieces), event("", "stop")]


async def rephrased(*answers: Sequence[Step | int]) -> tuple[str, Line]:
    line = Line(says(OLD), *answers)
    character = on(line)
    await talk(character, "why do bees dance?")
    return await whole(character.rephrase()), line


@pytest.mark.looptime
@pytest.mark.parametrize("again", [[OLD], ["Bees dance to ", "tell their sisters ", "where the flowers are! 🐝"]])
async def test_what_repeats_the_last_answer_is_asked_for_once_more(again: list[str]) -> None:
    said, line = await rephrased(says(*again), says(OTHER))
    assert said == OTHER
    assert len(line.requests) == 3
    assert line.requests[1]["seed"] != line.requests[2]["seed"]
    assert any("different words" in one["content"] for one in line.requests[2]["messages"])


@pytest.mark.looptime
async def test_an_earlier_answer_counts_too() -> None:
    line = Line(says(OLD), says("Honey is sweet because flowers are."), says(OLD), says(OTHER))
    character = on(line)
    await talk(character, "why do bees dance?")
    await talk(character, "why is honey sweet?")
    assert await whole(character.rephrase()) == OTHER


@pytest.mark.looptime
async def test_other_words_are_heard_as_they_come() -> None:
    line = Line(says(OLD), [event("A bee wiggles, and "), 1.0, event("all know."), event("", "stop")])
    character = on(line)
    await talk(character, "why do bees dance?")
    deltas = character.rephrase()
    assert deltas is not None
    began = asyncio.get_running_loop().time()
    assert await anext(deltas) == "A bee wiggles, and "
    assert asyncio.get_running_loop().time() - began < 0.5
    await deltas.aclose()
    assert len(line.requests) == 2


@pytest.mark.looptime
async def test_of_two_repetitions_the_less_alike_is_said() -> None:
    nearly = OLD.replace("tell", "show")
    assert (await rephrased(says(OLD), says(nearly)))[0] == nearly
    assert (await rephrased(says(nearly), says(OLD)))[0] == nearly
    line = Line(says(OLD), says(OTHER), says(OTHER), says(OLD))
    character = on(line)
    await talk(character, "why do bees dance?")
    character.remember("again", await whole(character.rephrase()))
    assert await whole(character.rephrase()) == OLD, "not what was heard last"


@pytest.mark.looptime
@pytest.mark.parametrize("second", [[400, b'{"error": {"code": "x"}}'], [event("A bee "), 60.0], [60.0]])
async def test_the_repetition_is_better_than_nothing(second: list[Step | int]) -> None:
    began = asyncio.get_running_loop().time()
    said, _ = await rephrased(says(OLD), second)
    assert said == OLD
    assert asyncio.get_running_loop().time() - began < 8


@pytest.mark.looptime
async def test_a_slow_repetition_is_not_held_back_for_long() -> None:
    slow: list[Step | int] = [step for word in OLD.split() for step in (event(f"{word} "), 0.5)]
    said, line = await rephrased([*slow, event("", "stop")])
    assert said.strip() == OLD
    assert len(line.requests) == 2


@pytest.mark.looptime
async def test_an_ordinary_question_may_have_the_same_answer() -> None:
    line = Line(ANSWER)
    character = on(line)
    await talk(character, "hello")
    assert await answer(character, "hello") == "Hi."
    assert len(line.requests) == 2


def test_likeness() -> None:
    assert likeness("(waves) One, two!", ["nothing", "one two"]) == 1
    assert likeness("x", []) == 0
    assert may_repeat("Bees d", [OLD])
    assert may_repeat("(smiles) Bees dance to tell their", [OLD])
    assert not may_repeat("A bee wiggles, and", [OLD])
    assert not may_repeat("A bee", [])
