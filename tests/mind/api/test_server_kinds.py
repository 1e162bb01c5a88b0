"""The servers that people run and rent, as they really behave, on loopback and through the real client."""

from __future__ import annotations

from pathlib import Path

import pytest

from companion.errors import CharacterError, CharacterRefused
from tests.mind.api.servers import templates
from tests.mind.api.servers.llama_cpp import LlamaServer
from tests.mind.api.servers.lm_studio import LmStudio
from tests.mind.api.servers.loopback import Server, talking_to
from tests.mind.api.servers.ollama import ollama
from tests.mind.api.servers.openrouter import OpenRouter
from tests.mind.api.servers.templates import Template
from tests.mind.api.servers.vllm import Vllm
from tests.support.service_scene import answer, talk

GOOD = "Good morning."
TEMPLATES = [templates.qwen3, templates.mistral, templates.gemma]


@pytest.mark.parametrize("kind", [LlamaServer, Vllm, LmStudio])
@pytest.mark.parametrize("template", TEMPLATES, ids=lambda one: one.__name__)
async def test_a_talk_with_every_template(
    kind: type[LlamaServer | Vllm | LmStudio], template: Template, tmp_path: Path
) -> None:
    async with talking_to(kind(template), tmp_path, tables={"context": {"providers": ["clock"]}}) as (character, sent):
        assert [await talk(character, said) for said in ("hello", "I'm Ana", "a song")] == [GOOD] * 3
    assert "logit_bias" in sent[-1]
    assert "stream_options" in sent[-1]


HOSTED: list[Server] = [ollama, OpenRouter()]


@pytest.mark.parametrize("server", HOSTED)
async def test_a_talk_where_anything_is_taken(server: Server, tmp_path: Path) -> None:
    async with talking_to(server, tmp_path, model="qwen3:8b") as (character, sent):
        assert [await talk(character, said) for said in ("hello", "a song")] == [GOOD] * 2
        report = character.last_report
    assert len(sent) == 2
    assert report is not None
    assert (report.cost.prompt, report.cost.estimated) == (40, False)


@pytest.mark.parametrize(
    ("server", "model", "extra"),
    [
        (LlamaServer(templates.qwen3, thinks=True), "qwen3", {"chat_template_kwargs": {"enable_thinking": False}}),
        (ollama, "qwen3:8b", {"reasoning_effort": "none"}),
        (OpenRouter(), "qwen3", {"reasoning": {"enabled": False}}),
    ],
)
async def test_a_model_is_asked_not_to_think(
    server: Server, model: str, extra: dict[str, object], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with talking_to(server, tmp_path / "a", model=model) as (character, _):
        assert await answer(character) == GOOD
    assert sum("thinks before it answers" in one.message for one in caplog.records) == 1
    caplog.clear()
    async with talking_to(server, tmp_path / "b", model=model, extra=extra) as (character, _):
        assert await answer(character) == GOOD
    assert "thinks" not in caplog.text


async def test_llama_cpp_while_it_loads_and_with_one_choice_only(tmp_path: Path) -> None:
    async with talking_to(LlamaServer(templates.qwen3, loading=1), tmp_path / "a") as (character, _):
        assert await answer(character) == GOOD
    async with talking_to(LlamaServer(templates.qwen3), tmp_path / "b", candidates=2) as (character, sent):
        assert await answer(character) == GOOD
    assert "n" not in sent[-1]
    assert "logit_bias" in sent[-1], "only the number of answers was at fault"


@pytest.mark.parametrize("server", [LlamaServer(templates.qwen3, breaks=True), OpenRouter(breaks=True)])
async def test_what_came_before_a_break_is_heard(server: Server, tmp_path: Path) -> None:
    async with talking_to(server, tmp_path) as (character, _):
        deltas = character.reply("hello")
        assert await anext(deltas) == "Good "
        with pytest.raises(CharacterError):
            await anext(deltas)


async def test_ollama_without_the_model(tmp_path: Path) -> None:
    async with talking_to(ollama, tmp_path, model="qwen9") as (character, sent):
        with pytest.raises(CharacterRefused, match=r"does not know the model.*character\.model"):
            await answer(character)
    assert len(sent) == 1


async def test_vllm_with_another_vocabulary_and_fields_that_it_does_not_know(tmp_path: Path) -> None:
    server = Vllm(templates.qwen3, vocabulary=2)
    async with talking_to(server, tmp_path, extra={"think": False}, seed=1) as (character, sent):
        assert await answer(character) == GOOD
        assert await answer(character) == GOOD
    assert not {"think", "logit_bias"} & set(sent[-1])
    assert {"seed", "stream_options", "max_tokens", "stop"} <= set(sent[-1])


async def test_vllm_with_a_small_context_gets_a_shorter_history(tmp_path: Path) -> None:
    async with talking_to(Vllm(templates.qwen3, context=600), tmp_path) as (character, sent):
        for number in range(12):
            assert await talk(character, f"tell me story number {number}, please, and make it long") == GOOD
    assert "max_tokens" in sent[-1]


async def test_lm_studio_without_a_model_and_with_errors_in_its_stream(tmp_path: Path) -> None:
    async with talking_to(LmStudio(templates.gemma, loaded=False), tmp_path / "a") as (character, sent):
        with pytest.raises(CharacterRefused, match="does not know the model"):
            await answer(character)
    assert len(sent) == 1
    async with talking_to(LmStudio(templates.gemma, streams_errors=True), tmp_path / "b") as (character, _):
        assert await answer(character) == GOOD


@pytest.mark.parametrize(("error", "line"), [("credits", "unpaid"), ("moderated", "change_subject")])
async def test_openrouter_refuses_in_its_own_words(error: str, line: str, tmp_path: Path) -> None:
    async with talking_to(OpenRouter([error]), tmp_path) as (character, sent):
        with pytest.raises(CharacterRefused) as caught:
            await answer(character)
        assert caught.value.line == line
        assert "dog" not in str(caught.value)
        assert await answer(character) == GOOD
    assert len(sent) == 2


async def test_openrouter_tries_another_way_where_that_helps(tmp_path: Path) -> None:
    async with talking_to(OpenRouter(["limited"]), tmp_path / "a") as (character, _):
        assert await answer(character) == GOOD
    async with talking_to(OpenRouter(ends="content_filter"), tmp_path / "b") as (character, _):
        with pytest.raises(CharacterRefused) as caught:
            await answer(character)
    assert caught.value.line == "change_subject"
