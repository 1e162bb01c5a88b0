"""What the character remembers, is told, and may spend: who speaks, summaries, sessions, extra information, caps."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from companion.config.persona import Persona
from companion.errors import CharacterError, CharacterRefused
from companion.languages.language import language
from companion.mind.assembly import local_now
from companion.mind.character import ServiceCharacter
from companion.mind.context_providers import Clock
from companion.mind.memory.long_term import LongTermMemory
from companion.mind.memory.store import Store
from companion.mind.summary import instruction
from tests.support.service_scene import (
    ANSWER,
    CAST,
    Line,
    Stream,
    answer,
    error,
    event,
    on,
    persona,
    plain,
    stored,
    talk,
    usage,
    whole,
)

Made = Callable[..., AbstractAsyncContextManager[ServiceCharacter]]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """`made(line, who=None, **tables)`: a character with a store, and its summaries made meanwhile."""

    @asynccontextmanager
    async def make(line: Line, who: Persona | None = None, **tables: Any) -> AsyncIterator[ServiceCharacter]:
        character = await stored(line, tmp_path, who, **tables)
        async with asyncio.TaskGroup() as group:
            background = group.create_task(character.run())
            try:
                yield character
            finally:
                background.cancel()
                await character.close()

    return make


def contents(request: Any) -> list[str]:
    return [message["content"] for message in request["messages"]]


async def test_what_was_said_is_there_after_a_restart_and_the_opening_line_is_said_once(made: Made) -> None:
    line = Line(ANSWER)
    async with made(line) as character:
        assert character.opening() == "Hello!"
        await talk(character, "my dog is called rex")
        assert character.opening() == ""
    async with made(line) as character:
        assert character.opening() == ""
        await talk(character, "hello")
    assert contents(line.requests[-1]) == [PROFILE_AND_STYLE, "Hello!", "my dog is called rex", "Hi.", "hello"]
    assert line.sessions[0] == line.sessions[1]


PROFILE_AND_STYLE = persona().system_message()


async def test_memories_never_cross_over_and_each_person_has_a_session(made: Made) -> None:
    line = Line(ANSWER)
    async with made(line) as character:
        await talk(character, "i like pizza")
        await talk(character, "my name is ana")
        await talk(character, "i like cats")
        await talk(character, "no i'm ben")
        await talk(character, "what do i like")
        await talk(character, "hi it's me ana")
        await talk(character, "hello")
    assert line.said(4) == ["no i'm ben", "what do i like"]
    assert line.said(6) == ["my name is ana", "i like cats", "hi it's me ana", "hello"]
    assert line.sessions[1] == line.sessions[2] == line.sessions[6]
    assert len(set(line.sessions)) == 3
    assert "You are talking with Ben." in contents(line.requests[4])[-2]


async def test_nothing_of_a_guest_is_kept(made: Made, tmp_path: Path) -> None:
    line = Line(ANSWER)
    async with made(line) as character:
        await talk(character, "my name is ana")
        character.start_guest_session()
        await talk(character, "i stole the cookies")
        await talk(character, "hello")
        await talk(character, "i'm ana")
    assert line.said(2) == ["i stole the cookies", "hello"]
    assert line.said(3) == ["my name is ana", "i'm ana"]
    assert len(set(line.sessions)) == 2
    file = (tmp_path / "companion.db").read_bytes()
    assert b"cookies" not in file
    assert b"my name is ana" in file


async def test_two_guests_have_nothing_in_common(made: Made) -> None:
    line = Line(ANSWER)
    async with made(line, memory={"person": "guest"}) as character:
        await talk(character, "one")
        character.start_guest_session()
        await talk(character, "two")
    assert line.said(1) == ["two"]
    assert line.sessions[0] != line.sessions[1]


async def test_what_matters_is_told_just_before_what_was_said_and_never_kept(made: Made) -> None:
    line = Line(ANSWER)
    async with made(line, character={"history": 4}, memory={"entries": 20}) as character:
        await talk(character, "my dog is called rex")
        for number in range(10):
            await talk(character, f"number {number}")
        character.recollection.history.clear()
    async with made(line) as character:
        character.recollection.history.clear()
        character.told_besides = "It rains."
        await talk(character, "what is my dog called")
        await talk(character, "well")
    asked = line.requests[-2]["messages"]
    assert [message["role"] for message in asked[-2:]] == ["system", "user"]
    assert "It rains." in asked[-2]["content"]
    assert sum(message["role"] == "system" for message in line.requests[-1]["messages"]) == 2


async def test_forgetting_in_another_process_is_noticed_before_the_next_request(made: Made, tmp_path: Path) -> None:
    line = Line(ANSWER)
    async with made(line) as character:
        await talk(character, "i like pizza")
        elsewhere = await Store.open(tmp_path, local_now)
        await LongTermMemory(elsewhere, "Momo", local_now).forget(None)
        await elsewhere.close()
        await talk(character, "what do i like")
    assert line.said(1) == ["what do i like"]
    assert line.sessions[0] != line.sessions[1]


SUMMARY = (event("They like pizza."), event("", "stop"), usage(500, 8), b"data: [DONE]\n\n")


class Summarised(Line):
    """Answers requests for a summary so; `failures` of them are refused first, and each takes `wait_s`."""

    def __init__(self, failures: int = 0, wait_s: float = 0.0) -> None:
        super().__init__(ANSWER)
        self.failures = failures
        self.wait_s = wait_s
        self.asked = asyncio.Event()
        self.summaries: list[Any] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        if body["messages"][0]["content"] != instruction(language("en")):
            return await super().handle_async_request(request)
        self.summaries.append(body)
        self.asked.set()
        if self.failures:
            self.failures -= 1
            return httpx.Response(400, stream=Stream([error("invalid_parameter_error")]))
        return httpx.Response(200, stream=Stream([self.wait_s, *SUMMARY]))


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quiet moment is short, so that no test waits for it."""
    monkeypatch.setattr("companion.mind.summarizer.QUIET_S", 0.0)


async def summary_of(character: ServiceCharacter) -> None:
    """Return when the summary is there."""
    async with asyncio.timeout(5):
        while not character.recollection.summary:  # noqa: ASYNC110 - it is looked at from outside
            await asyncio.sleep(0)


@pytest.mark.usefixtures("no_waiting")
async def test_the_older_half_becomes_a_summary_and_the_prefix_changes_only_then(made: Made) -> None:
    line = Summarised()
    async with made(line, memory={"entries": 20}) as character:
        for number in range(10):
            await talk(character, f"number {number}")
        before = [contents(request)[0] for request in line.requests]
        await summary_of(character)
        await talk(character, "now")
        assert await answer(character, "and now")
    assert set(before) == {PROFILE_AND_STYLE}
    assert (
        contents(line.requests[10])[0]
        == f"{PROFILE_AND_STYLE}\n\nWhat you remember of earlier talks:\nThey like pizza."
    )
    assert line.said(10) == [*(f"number {number}" for number in range(5, 10)), "now"]
    assert "number 4" in line.summaries[0]["messages"][1]["content"]
    assert "number 5" not in line.summaries[0]["messages"][1]["content"]
    async with made(line) as character:
        assert character.recollection.summary == "They like pizza."


@pytest.mark.usefixtures("no_waiting")
async def test_a_summary_that_fails_does_not_disturb_the_talk_and_is_tried_again(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("companion.mind.api.rate_limit.BackOff.wait_s", lambda *_: 0.0)
    line = Summarised(failures=2)
    async with made(line, memory={"entries": 20}) as character:
        for number in range(10):
            await talk(character, f"number {number}")
        await summary_of(character)
    assert len(line.summaries) == 3


@pytest.mark.usefixtures("no_waiting")
async def test_an_answer_stops_a_summary_that_is_under_way(made: Made) -> None:
    line = Summarised(wait_s=60.0)
    async with made(line, memory={"entries": 20}) as character:
        for number in range(10):
            await talk(character, f"number {number}")
        async with asyncio.timeout(5):
            await line.asked.wait()
            line.asked.clear()
            assert await talk(character, "now") == "Hi."
            # In the next quiet moment it is tried again.
            await line.asked.wait()
    assert len(line.summaries) >= 2
    assert character.recollection.summary == ""


@pytest.mark.usefixtures("no_waiting")
async def test_the_summary_is_made_in_time_though_there_is_never_a_pause(made: Made) -> None:
    line = Summarised()
    async with made(line, memory={"entries": 20}) as character:
        async with aclosing(character.reply("a long story please")) as never_done:
            await anext(never_done)
            for number in range(10):
                character.remember(f"number {number}", "Hi.")
            await asyncio.sleep(0.05)
            assert line.summaries == []
            for number in range(10, 13):
                character.remember(f"number {number}", "Hi.")
            await summary_of(character)
        assert character.recollection.history.count < 20


@pytest.mark.usefixtures("no_waiting")
async def test_an_answer_does_not_stop_a_summary_that_is_late(made: Made) -> None:
    line = Summarised(wait_s=0.1)
    async with made(line, memory={"entries": 20}) as character:
        for number in range(13):
            character.remember(f"number {number}", "Hi.")
        async with asyncio.timeout(5):
            await line.asked.wait()
            await talk(character, "now")
        await summary_of(character)
    assert len(line.summaries) == 1


@pytest.mark.looptime
async def test_without_a_memory_the_history_is_cut_in_blocks() -> None:
    line = Line(ANSWER)
    character = on(line, history=10)
    cuts = 0
    for number in range(40):
        await talk(character, f"number {number}")
        sent = [contents(request)[:-1] for request in line.requests[-2:]]
        cuts += len(sent) == 2 and sent[1][: len(sent[0])] != sent[0]
    # Ten messages are cut to five and fewer: two exchanges stay, and three more are room for.
    assert cuts <= 40 / 3


@pytest.mark.looptime
async def test_a_request_never_exceeds_the_input_of_the_model() -> None:
    line = Line(ANSWER)
    character = on(line, model="qwen-flash-character", history=400)
    long = "a bear has to think about this for a very long time indeed " * 20
    for _ in range(60):
        await talk(character, long)
    sizes = [sum(len(text) for text in contents(request)) for request in line.requests]
    # An English token has about four letters, and no input may have more than 7,892 tokens.
    assert max(sizes) < 7_892 * 5
    assert max(sizes) > 15_000


# Another answer, several answers, speaking on


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
    assert contents(line.requests[-1])[2:] == [
        *("sing", "One.", "say that another way", "Two.", "again", "Three.", "well"),
    ]


@pytest.mark.looptime
async def test_the_best_of_several_answers_is_said() -> None:
    line = Line([plain("(waves) Hello (nods) you.", "Hello you.", "(bows) Hello.")])
    character = on(line, candidates=3)
    assert await answer(character) == "Hello you."
    assert line.requests[0]["n"] == 3
    assert "stream" not in line.requests[0]
    assert character.answered is not None
    assert [verdict.index for verdict in character.answered.verdicts] == [1, 2, 0]
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
    assert contents(line.requests[1])[2:] == ["hello", "Hi.", "And then?", "what"]


# A group


@pytest.mark.looptime
async def test_a_group_answers_one_after_the_other_each_from_its_own_side() -> None:
    line = Line([event("Momo: Honey.", "stop")], [event("Nuts.", "stop")], ANSWER)
    character = on(line, who=persona(cast=CAST))
    assert await talk(character, "what do you eat") == "Honey. Nuts."
    momo, kiki = line.requests
    assert momo["messages"] == [
        {"role": "system", "content": PROFILE_AND_STYLE},
        {"role": "assistant", "content": "Momo: Hello!"},
        {"role": "user", "content": "Friend: what do you eat"},
        {"role": "assistant", "content": "Momo:", "partial": True},
    ]
    assert kiki["messages"][0]["content"].startswith("You are Kiki, a parrot.")
    assert [(one["role"], one["content"]) for one in kiki["messages"][1:]] == [
        ("user", "Momo: Hello!"),
        ("user", "Friend: what do you eat"),
        ("user", "Momo: Honey."),
        ("assistant", "Kiki:"),
    ]
    assert line.sessions[0] != line.sessions[1]
    assert character.speakers("Kiki, what do you think?") == ("Kiki",)
    assert character.speakers("say that another way") == ("Kiki",)


@pytest.mark.looptime
async def test_the_same_words_twice_are_asked_twice() -> None:
    line = Line(ANSWER)
    character = on(line, who=persona(cast=CAST))
    await talk(character, "hello")
    await talk(character, "hello")
    assert [message["content"] for message in line.requests[2]["messages"][2:]] == [
        *("Friend: hello", "Momo: Hi.", "Kiki: Hi.", "Friend: hello", "Momo:"),
    ]


# The service's own memory


async def test_the_services_memory_is_sent_what_it_does_not_know(made: Made) -> None:
    line = Line(ANSWER)
    chinese = persona(language="zh")
    async with made(line, chinese, memory={"mode": "service", "entries": 50}) as character:
        assert character.opening() == "Hello!"
        await talk(character, "你好")
        character.told_besides = "下雨了。"
        await talk(character, "再来")
    options = line.requests[0]["character_options"]
    assert options["profile"] == chinese.system_message()
    assert options["memory"]["enable_long_term_memory"] is True
    assert options["memory"]["memory_entries"] == 50
    assert options["memory"]["skip_save_types"] == ["system", "output"]
    assert [contents(request) for request in line.requests] == [["Hello!", "你好"], ["Hi.", "下雨了。", "再来"]]
    # The talk goes on where it was: nothing is sent twice, and the opening line is not said again.
    async with made(line, chinese, memory={"mode": "service"}) as character:
        assert character.opening() == ""
        await talk(character, "还在吗")
    assert contents(line.requests[-1]) == ["还在吗"]
    assert len(set(line.sessions)) == 1


async def test_the_services_memory_is_for_chinese_and_says_so(made: Made, caplog: pytest.LogCaptureFixture) -> None:
    async with made(Line(ANSWER), memory={"mode": "service"}):
        pass
    assert "Chinese only" in caplog.text


# What else is told


@pytest.mark.looptime
async def test_the_moment_is_told_just_before_the_last_words() -> None:
    line = Line(ANSWER)
    clock = Clock(language("en"), lambda: datetime(2026, 12, 24, 18, 5))
    character = on(line, contexts=[clock])
    await talk(character, "hello")
    await talk(character, "well")
    assert contents(line.requests[1])[-2] == "It is Thursday, 24 December 2026, 18:05."
    assert contents(line.requests[1]).count("It is Thursday, 24 December 2026, 18:05.") == 1


# Money


async def test_every_request_is_paid_for_and_at_the_cap_the_character_says_so(made: Made) -> None:
    line = Line([event("Hi."), event("", "stop"), usage(100_000, 10_000, cached=50_000), b"data: [DONE]\n\n"])
    async with made(line, spending={"daily": 0.05}) as character:
        await talk(character, "one")
        # At half a dollar a million, at a fifth of that, and at 1.4 dollars.
        assert character.spent.today_micro == 25_000 + 5_000 + 14_000
        await talk(character, "two")
        with pytest.raises(CharacterRefused, match=r"spending\.daily") as caught:
            await answer(character, "three")
        assert caught.value.line == "spent"
    assert len(line.requests) == 2
    async with made(line, spending={"monthly": 0.05}) as character:
        with pytest.raises(CharacterRefused, match=r"spending\.monthly"):
            await answer(character, "four")


async def test_an_interrupted_answer_is_paid_for_by_estimate(made: Made) -> None:
    line = Line([event("Once upon a time "), event("there was"), 60.0])
    async with made(line) as character:
        deltas = character.reply("hello")
        await anext(deltas)
        await deltas.aclose()
        assert character.answered is not None
        assert character.answered.cost.estimated
        assert character.spent.today_micro > 0


async def test_an_unknown_price_cannot_be_capped_and_the_log_says_so_once(
    made: Made, caplog: pytest.LogCaptureFixture
) -> None:
    async with made(Line(ANSWER), character={"model": "mine"}, spending={"daily": 0.01}) as character:
        for _ in range(3):
            await talk(character, "hello")
    assert sum("cannot be capped" in record.message for record in caplog.records) == 1


# Limits, and servers that are not the service


@pytest.mark.looptime
async def test_no_more_requests_are_sent_than_the_account_allows() -> None:
    line = Line(ANSWER)
    character = on(line, requests_per_second=2)
    for _ in range(9):
        await talk(character, "hello")
    assert all(later - earlier >= 1.0 for earlier, later in zip(line.times, line.times[2:], strict=False))


REFUSALS = ["logit_bias", "stream_options", "seed", "partial", "n"]


@pytest.mark.looptime
@pytest.mark.parametrize("field", REFUSALS)
async def test_what_a_server_names_as_unknown_is_left_out_from_then_on(
    field: str, caplog: pytest.LogCaptureFixture
) -> None:
    refusal: list[bytes | int] = [400, error("bad_request", f"Unrecognized request argument supplied: '{field}'")]
    line = Line(refusal, ANSWER)
    character = on(
        line, who=persona(cast=CAST), base_url="http://llama/v1", seed=1, candidates=2 if field == "n" else 1
    )
    assert await answer(character) == "Hi."
    assert await answer(character) == "Hi."
    assert [field in json.dumps(request) for request in line.requests] == [True, False, False] or field == "n"
    assert "n" not in line.requests[-1] or field != "n"
    assert sum("refuses the ban list" in one.message or f"`{field}`" in one.message for one in caplog.records) == 1


@pytest.mark.looptime
async def test_a_strange_server_that_refuses_without_a_reason_gets_less_and_less() -> None:
    refusal: list[bytes | int] = [400, b"{}"]
    line = Line(refusal, refusal, refusal, refusal, ANSWER)
    character = on(line, who=persona(cast=CAST), base_url="http://llama/v1", seed=1)
    assert await answer(character) == "Hi."
    assert set(line.requests[-1]) == {"model", "messages", "stream", "max_tokens"}
    assert line.requests[-1]["messages"][-1]["role"] == "user"


BREAKS: list[bytes | int] = [
    500,
    b'{"error":{"code":500,"message":"type must be array, but is object","type":"server_error"}}',
]


@pytest.mark.looptime
async def test_a_strange_server_that_breaks_on_what_it_cannot_read_gets_less_and_less(
    caplog: pytest.LogCaptureFixture,
) -> None:
    line = Line(BREAKS, BREAKS, BREAKS, ANSWER)
    character = on(line, base_url="http://llama/v1", seed=1)
    assert await answer(character) == "Hi."
    assert await answer(character) == "Hi."
    assert [("logit_bias" in one, "stream_options" in one, "seed" in one) for one in line.requests] == [
        *((True, True, True), (True, True, True), (False, True, True), (False, False, True)),
        (False, False, True),
    ]
    assert sum("`logit_bias`, `stream_options`" in one.message for one in caplog.records) == 1


@pytest.mark.looptime
async def test_a_strange_server_that_is_down_for_a_while_has_everything_again_later() -> None:
    line = Line(BREAKS, BREAKS, BREAKS, BREAKS, BREAKS, ANSWER)
    character = on(line, base_url="http://llama/v1", seed=1)
    with pytest.raises(CharacterError):
        await answer(character)
    assert await answer(character) == "Hi."
    assert {"logit_bias", "stream_options", "seed"} <= set(line.requests[-1])


@pytest.mark.looptime
async def test_one_fault_of_a_strange_server_takes_nothing_away() -> None:
    line = Line(BREAKS, ANSWER, BREAKS, ANSWER)
    character = on(line, base_url="http://llama/v1", seed=1)
    assert [await answer(character), await answer(character)] == ["Hi.", "Hi."]
    assert all("logit_bias" in one for one in line.requests)


@pytest.mark.looptime
async def test_the_service_itself_is_not_tried_to_please() -> None:
    line = Line([400, error("invalid_parameter_error", "Range of top_p should be (0.0, 1.0]")])
    with pytest.raises(CharacterRefused):
        await answer(on(line))
    assert len(line.requests) == 1


@pytest.mark.looptime
async def test_the_ban_list_is_not_for_models_of_another_vocabulary() -> None:
    line = Line(ANSWER)
    await answer(on(line, base_url="http://llama/v1", model="gemma-3"))
    await answer(on(line, base_url="http://llama/v1", model="qwen2.5:7b"))
    assert ["logit_bias" in request for request in line.requests] == [False, True]


@pytest.mark.looptime
@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        ([429, error("limit_requests")], "busy"),
        ([503, error("ModelServingError")], "busy"),
        ([401, error("invalid_api_key")], "denied"),
        ([400, error("Arrearage")], "unpaid"),
        ([400, error("data_inspection_failed")], "change_subject"),
        ([404, error("model_not_found")], "denied"),
        ([httpx.ConnectError("no route")], "offline"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_each_kind_of_failure_has_its_line(refusal: list[Any], said: str) -> None:
    with pytest.raises(CharacterError) as caught:
        await answer(on(Line(refusal)))
    assert caught.value.line == said


@pytest.mark.looptime
async def test_moderation_in_the_middle_lets_stand_what_came() -> None:
    line = Line([event("Once "), error_event("data_inspection_failed")])
    deltas = on(line).reply("hello")
    assert await anext(deltas) == "Once "
    with pytest.raises(CharacterRefused) as caught:
        await anext(deltas)
    assert caught.value.line == "change_subject"


def error_event(code: str) -> bytes:
    return b"data: " + error(code) + b"\n\n"
