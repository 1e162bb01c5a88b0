"""Strict chat templates: whatever the talk, they get messages that they take, and what was said is in them."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.mind.api.chat_template import Strictness, fold_messages, required_strictness
from tests.mind.api.servers import templates
from tests.mind.api.servers.loopback import Reply, Request, choice, frames, refused, spoken, talking_to
from tests.mind.api.servers.templates import Template
from tests.support.service_scene import CAST, PROFILE, persona, talk, whole

STRICT = [
    templates.qwen3,
    templates.mistral,
    templates.gemma,
    templates.deepseek,
    templates.anthropic,
    templates.nameless,
]


def strict(template: Template, status: int) -> type:
    """A server with this template, and how often it refused."""

    class Strict:
        refusals = 0

        @classmethod
        def reply(cls, request: Request) -> Reply:
            if why := template(request["messages"]):
                cls.refusals += 1
                return refused(status, {"error": {"code": status, "message": why, "type": "invalid_request_error"}})
            return frames(*spoken(["Hi."]), choice({}, "stop"))

    return Strict


@pytest.mark.parametrize("status", [400, 500])
@pytest.mark.parametrize("template", STRICT, ids=lambda one: one.__name__)
async def test_a_strict_template_is_learnt_once_and_the_whole_talk_goes_on(
    template: Template, status: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server = strict(template, status)
    context = {"providers": ["clock"]}
    async with talking_to(server.reply, tmp_path, tables={"context": context}) as (character, requests):
        assert await talk(character, "hello") == "Hi."
        learnt = server.refusals
        assert await talk(character, "I'm Ana") == "Hi."
        assert await talk(character, "sing me a song") == "Hi."
        assert await whole(character.rephrase()) == "Hi."
        assert await whole(character.continue_speaking()) == "Hi."
    assert 1 <= learnt <= 3
    assert server.refusals == learnt
    last = requests[-3]["messages"]
    assert PROFILE in last[0]["content"]
    told = " ".join(message["content"] for message in last)
    assert all(words in told for words in ("Hello!", "I'm Ana", "sing me a song"))
    assert "logit_bias" in requests[-1], "only the messages were at fault"
    assert any("chat template" in one.message for one in caplog.records if one.levelno >= logging.WARNING)


@pytest.mark.parametrize("template", STRICT, ids=lambda one: one.__name__)
async def test_a_group_is_folded_too(template: Template, tmp_path: Path) -> None:
    server = strict(template, 400)
    async with talking_to(server.reply, tmp_path, persona(cast=CAST)) as (character, _):
        assert await talk(character, "hello you two") == "Hi. Hi."
        assert await talk(character, "and a song") == "Hi. Hi."


ROLES = st.sampled_from(["system", "user", "assistant"])


@given(roles=st.lists(ROLES, max_size=8))
def test_nothing_is_lost_and_every_template_is_pleased(roles: list[str]) -> None:
    sent = [{"role": role, "content": f"<{at}>"} for at, role in enumerate(["system", *roles])]
    for strictness, pleased in (
        (Strictness.SYSTEM_FIRST, templates.qwen3),
        (Strictness.ALTERNATING, templates.mistral),
        (Strictness.NO_SYSTEM, templates.gemma),
    ):
        folded = list(fold_messages(sent, strictness))
        assert pleased(folded) == ""
        told = "".join(message["content"] for message in folded)
        assert all(message["content"] in told for message in sent)
    assert fold_messages(sent, Strictness.NONE) == tuple(sent)


@pytest.mark.parametrize(
    ("message", "strictness"),
    [
        ("System message must be at the beginning.", Strictness.SYSTEM_FIRST),
        ("Only the first message can have the system role", Strictness.SYSTEM_FIRST),
        ("Unexpected role 'system' after role 'assistant'", Strictness.SYSTEM_FIRST),
        ("After the optional system message, conversation roles must alternate", Strictness.ALTERNATING),
        ("Please ensure that multiturn requests alternate between user and model", Strictness.ALTERNATING),
        ("Last message must have role `user`", Strictness.ALTERNATING),
        ("Cannot have 2 or more assistant messages at the end of the list.", Strictness.ALTERNATING),
        ("An assistant message may not come first.", Strictness.ALTERNATING),
        ("System role not supported", Strictness.NO_SYSTEM),
        ("Only user and assistant roles are supported!", Strictness.NO_SYSTEM),
        ("'messages[0].role' does not support 'system' with this model.", Strictness.NO_SYSTEM),
        ("Range of top_p should be (0.0, 1.0]", None),
    ],
)
def test_the_words_of_templates(message: str, strictness: Strictness | None) -> None:
    assert required_strictness(message, Strictness.NONE, surely=True) == strictness
    assert required_strictness(message, Strictness.NO_SYSTEM, surely=False) is None
