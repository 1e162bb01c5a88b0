"""Another answer, the best of several answers, and speaking on."""

from __future__ import annotations

import pytest

from tests.support.service_scene import (
    ANSWER,
    Line,
    answer,
    event,
    on,
    plain,
    request_contents,
    talk,
    whole,
)


@pytest.mark.looptime
async def test_the_last_answer_in_other_words() -> None:
    line = Line([event("One."), event("", "stop")], [event("Two."), event("", "stop")], [event("Three.", "stop")])
    character = on(line, seed=7)
    await character.start()
    assert character.rephrase() is None
    await talk(character, "sing")
    assert await whole(character.rephrase()) == "Two."
    character.remember("say that another way", "Two.")
    assert await whole(character.rephrase()) == "Three."
    character.remember("again", "Three.")
    first, second, third = line.requests
    assert first["messages"] == second["messages"] == third["messages"]
    assert first["seed"] == 7
    assert len({first["seed"], second["seed"], third["seed"]}) == 3
    await talk(character, "well")
    assert request_contents(line.requests[-1])[2:] == [
        *("sing", "One.", "say that another way", "Two.", "again", "Three.", "well"),
    ]


@pytest.mark.looptime
async def test_the_best_of_several_answers_is_said() -> None:
    line = Line([plain("(waves) Hello (nods) you.", "Hello you.", "(bows) Hello.")])
    character = on(line, candidates=3)
    assert await answer(character) == "Hello you."
    assert line.requests[0]["n"] == 3
    assert "stream" not in line.requests[0]
    assert character.last_report is not None
    assert [verdict.index for verdict in character.last_report.verdicts] == [1, 2, 0]
    # What was just said is not said again.
    character.remember("hello", "Hello you.")
    assert await answer(character) == "(bows) Hello."


@pytest.mark.looptime
async def test_the_character_speaks_on() -> None:
    line = Line([event("Momo: "), event("And then?"), event("", "stop")], ANSWER)
    character = on(line)
    await talk(character, "hello")
    line.requests.clear()
    line = Line([event(" Momo: "), event("And then?"), event("", "stop")], ANSWER)
    character = on(line)
    await character.start()
    character.remember("hello", "Hi.")
    assert await whole(character.continue_speaking()) == "And then?"
    assert line.requests[0]["messages"][-2:] == [
        {"role": "assistant", "content": "Hi."},
        {"role": "assistant", "content": "Momo:", "partial": True},
    ]
    character.remember("", "And then?")
    await answer(character, "what")
    assert request_contents(line.requests[1])[2:] == ["hello", "Hi.", "And then?", "what"]
