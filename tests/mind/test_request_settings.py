"""What `[character]` adds to every request, on both routes, and what it may not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from companion.config.device import Device
from companion.config.loading import read_settings
from companion.errors import ConfigError
from tests.support.service_scene import ANSWER, Line, answer, event, on

CHOSEN: dict[str, Any] = {
    "top_p": 0.8,
    "top_k": 40,
    "presence_penalty": 0.5,
    "frequency_penalty": -0.5,
    "repetition_penalty": 1.1,
    "stop": ["\n\n"],
}


@pytest.mark.looptime
@pytest.mark.parametrize("protocol", ["openai", "dashscope"])
async def test_every_request_says_what_was_chosen(protocol: str) -> None:
    line = Line((event("Hi.", "stop"),))
    extra = {"enable_thinking": False, "chat_template_kwargs": {"thinking": False}}
    await answer(on(line, protocol=protocol, extra=extra, **CHOSEN))
    sent = line.requests[0] if protocol == "openai" else line.requests[0]["parameters"]
    assert {name: sent[name] for name in CHOSEN} == CHOSEN
    assert {name: sent[name] for name in extra} == extra


@pytest.mark.looptime
async def test_nothing_is_said_of_what_was_not_chosen() -> None:
    line = Line(ANSWER)
    await answer(on(line))
    assert not set(line.requests[0]) & {*CHOSEN, "extra"}


@pytest.mark.looptime
async def test_an_extra_field_that_is_refused_is_left_out() -> None:
    line = Line([400, b'{"error":{"message":"unknown field \\"think\\"","code":400}}'], ANSWER)
    character = on(line, base_url="http://llama/v1", extra={"think": False, "top_a": 0.1})
    assert await answer(character) == "Hi."
    assert "think" not in line.requests[-1]
    assert line.requests[-1]["top_a"] == 0.1


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("top_p = 1.5", "character.top_p"),
        ("top_k = -1", "character.top_k"),
        ('stop = [""]', "character.stop"),
        ("extra.stream = false", "stream is set by the product itself"),
        ("extra.messages = []", "messages is set by the product itself"),
        ('extra.model = "other"', "model has a key of its own: write it as character.model"),
        ("extra.top_p = 0.5", "top_p has a key of its own: write it as character.top_p"),
        ("extra.since = 2026-01-01", "since must be text, a number"),
        ("extra.top_a = nan", "top_a must be text, a number"),
    ],
)
def test_check_says_what_is_wrong(text: str, problem: str, tmp_path: Path) -> None:
    file = tmp_path / "unit.toml"
    file.write_text(f'persona = "p.toml"\n[character]\n{text}\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=problem):
        read_settings(file, Device)
