"""Models that think before they answer: only spoken words are first words, and the log says what to do."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from companion.errors import CharacterError, CharacterRefused
from tests.support.service_scene import ANSWER, Line, Step, answer, event, on, plain

END = (event("", "stop"), b"data: [DONE]\n\n")


def thought(text: str = "step ", field: str = "reasoning_content", reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {field: text, "content": None}, "finish_reason": reason}
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


def thinking(seconds: int, piece: bytes) -> list[Step]:
    return [step for _ in range(seconds) for step in (piece, 1.0)]


@pytest.mark.looptime
@pytest.mark.parametrize(
    "script",
    [
        [*thinking(6, thought()), event("Hi."), *END],
        [*thinking(6, thought(field="reasoning")), event("Hi."), *END],
        [event("<think>"), *thinking(6, event("step ")), event("</think>\n\n"), event("Hi."), *END],
        [
            event("<|channel|>analysis<|message|>"),
            *thinking(6, event("step ")),
            event("<|end|><|start|>assistant<|channel|>final<|message|>"),
            event("Hi."),
            *END,
        ],
    ],
    ids=["reasoning_content", "reasoning", "inline", "harmony"],
)
async def test_a_thought_is_a_sign_of_life_and_nothing_that_is_said(
    script: list[Step], caplog: pytest.LogCaptureFixture
) -> None:
    character = on(Line(script))
    began = asyncio.get_running_loop().time()
    assert await answer(character) == "Hi."
    assert await answer(character) == "Hi."
    assert asyncio.get_running_loop().time() - began == pytest.approx(12, abs=0.2)
    assert sum("thinks before it answers" in one.message for one in caplog.records) == 1
    assert "character.extra" in caplog.text


@pytest.mark.looptime
async def test_thinking_has_an_end_of_its_own() -> None:
    character = on(Line([*thinking(100, thought())]), thinking_s=8)
    began = asyncio.get_running_loop().time()
    with pytest.raises(CharacterError, match=r"still thinking.*character\.extra"):
        await answer(character)
    assert asyncio.get_running_loop().time() - began == pytest.approx(8)


@pytest.mark.looptime
@pytest.mark.parametrize(
    "script",
    [
        [thought(), thought(), event("", "length"), b"data: [DONE]\n\n"],
        [event("<think>"), event("and so on", "length"), b"data: [DONE]\n\n"],
        [event("<|channel|>analysis<|message|>and so on", "length"), b"data: [DONE]\n\n"],
        [
            json.dumps(
                {"choices": [{"message": {"content": "", "reasoning": "hm"}, "finish_reason": "length"}]}
            ).encode()
        ],
    ],
)
async def test_thoughts_that_used_it_all_cost_one_request_and_a_true_sentence(script: list[Step]) -> None:
    line = Line(script)
    with pytest.raises(CharacterRefused, match=r"character\.max_tokens.*character\.extra"):
        await answer(on(line))
    assert len(line.requests) == 1


@pytest.mark.looptime
async def test_a_thought_without_an_opening_is_held_back_from_the_second_answer_on() -> None:
    pieces = [event("The child says hello. "), event("I am warm.\n</think>\n\n"), event("Hi."), *END]
    character = on(Line(pieces))
    assert await answer(character) == "The child says hello. Hi.", "what was said cannot be taken back"
    assert await answer(character) == "Hi."
    assert await answer(character) == "Hi."


@pytest.mark.looptime
async def test_a_model_that_stops_thinking_is_not_waited_for_any_longer() -> None:
    lost = [event("Hm.</think>Hi."), *END]
    line = Line(lost, [event("One "), event("two."), *END], [event("Three "), 3.0, event("four."), *END])
    character = on(line)
    assert [await answer(character) for _ in range(2)] == ["Hi.", "One two."]
    deltas = character.reply("hello")
    assert await anext(deltas) == "Three "
    await deltas.aclose()


@pytest.mark.looptime
async def test_the_thought_of_each_of_several_answers_is_unspoken() -> None:
    line = Line([plain("<think>Hm.</think>Hi.", "Ha.</think>Hello.")])
    assert await answer(on(line, candidates=2)) in ("Hi.", "Hello.")


@pytest.mark.looptime
async def test_a_thinking_model_gets_no_stop_of_ours() -> None:
    line = Line([thought(), *ANSWER])
    character = on(line, base_url="http://llama/v1", stop=["END"])
    await answer(character)
    await answer(character)
    stops: list[Any] = [request["stop"] for request in line.requests]
    assert "END" in stops[0]
    assert "\nUser:" in stops[0]
    assert stops[1] == ["END"]


@pytest.mark.looptime
async def test_a_model_that_thinks_in_the_middle_of_its_answer_is_heard_to_its_end() -> None:
    character = on(Line([event("Hi. "), thought(), 3.0, thought(), event("Bye."), *END]))
    assert await answer(character) == "Hi. Bye."


LOST = (event("Hm, a child. "), event("Be brief.</think>\n"), event("Hi."), *END)


@pytest.mark.looptime
@pytest.mark.parametrize("model", ["deepseek-r1:7b", "Qwen3-4B-Thinking-2507", "qwq-32b", "deepseek-reasoner"])
async def test_a_model_that_thinks_by_its_name_is_held_back_from_the_first_answer_on(model: str) -> None:
    character = on(Line(LOST), base_url="http://127.0.0.1:9/v1", model=model)
    assert [await answer(character) for _ in range(2)] == ["Hi.", "Hi."]


@pytest.mark.looptime
@pytest.mark.parametrize("model", ["qwen3:8b", "qwen3-no-think", "thinker", "r10"])
async def test_another_model_is_heard_at_once_and_held_back_once_it_lost_an_opening(model: str) -> None:
    character = on(Line(LOST), base_url="http://127.0.0.1:9/v1", model=model)
    assert (await answer(character)).startswith("Hm, a child.")
    assert await answer(character) == "Hi."


@pytest.mark.looptime
async def test_where_thoughts_have_a_field_of_their_own_the_text_is_heard_as_it_comes() -> None:
    line = Line([thought(), event("One "), event("two. "), 3.0, event("Three."), *END])
    character = on(line, base_url="http://127.0.0.1:9/v1", model="deepseek-r1")
    deltas = character.reply("hello")
    began = asyncio.get_running_loop().time()
    assert await anext(deltas) == "One "
    assert asyncio.get_running_loop().time() - began < 1
    await deltas.aclose()
