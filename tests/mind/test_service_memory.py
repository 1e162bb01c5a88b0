"""The service's own memory: what it is sent, and for which characters it is used."""

from __future__ import annotations

import pytest

from tests.support.service_scene import (
    ANSWER,
    Line,
    Made,
    error,
    persona,
    request_contents,
    talk,
)


async def test_the_services_memory_is_sent_what_it_does_not_know(made: Made) -> None:
    line = Line(ANSWER)
    chinese = persona(language="zh")
    async with made(line, chinese, memory={"mode": "service", "entries": 50}) as character:
        assert character.opening() == "Hello!"
        await talk(character, "你好")
        character.extra_context = "下雨了。"
        await talk(character, "再来")
    options = line.requests[0]["character_options"]
    assert options["profile"] == chinese.system_message()
    assert options["memory"]["enable_long_term_memory"] is True
    assert options["memory"]["memory_entries"] == 50
    assert options["memory"]["skip_save_types"] == ["system", "output"]
    assert [request_contents(request) for request in line.requests] == [["Hello!", "你好"], ["Hi.", "下雨了。", "再来"]]
    # The talk goes on where it was: nothing is sent twice, and the opening line is not said again.
    async with made(line, chinese, memory={"mode": "service"}) as character:
        assert character.opening() == ""
        await talk(character, "还在吗")
    assert request_contents(line.requests[-1]) == ["还在吗"]
    assert len(set(line.sessions)) == 1


async def test_the_services_memory_is_for_chinese_and_says_so(made: Made, caplog: pytest.LogCaptureFixture) -> None:
    async with made(Line(ANSWER), memory={"mode": "service"}):
        pass
    assert "Chinese only" in caplog.text


async def test_where_the_service_refuses_its_memory_it_is_remembered_here(
    made: Made, caplog: pytest.LogCaptureFixture
) -> None:
    no = [400, error("invalid_parameter_error", "character_options is not supported for this model")]
    line = Line(no, ANSWER)
    async with made(line, persona(language="zh"), memory={"mode": "service"}) as character:
        for said in ("我有一只猫。", "你好", "再来"):
            await talk(character, said)
    assert len(line.requests) == 4
    assert "character_options" not in line.requests[-1]
    assert caplog.text.count("remembered here") == 1
    # After a restart what was said is there again, once the service has refused again.
    line = Line(no, ANSWER)
    async with made(line, persona(language="zh"), memory={"mode": "service"}) as character:
        await talk(character, "你好吗")
        await talk(character, "我有什么？")
    assert "我有一只猫。" in request_contents(line.requests[-1])


async def test_another_server_has_no_memory_of_its_own(made: Made, caplog: pytest.LogCaptureFixture) -> None:
    line = Line(ANSWER)
    tables = {"memory": {"mode": "service"}, "character": {"base_url": "http://127.0.0.1:9/v1"}}
    for said in ("我有一只猫。", "我有什么？"):
        async with made(line, persona(language="zh"), **tables) as character:
            await talk(character, said)
    assert len(line.requests) == 2
    assert "我有一只猫。" in request_contents(line.requests[-1])
    assert "with another server it is remembered here" in caplog.text
