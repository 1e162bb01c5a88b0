"""Answers in the forms in which servers send them: parts, repeated ends, other speakers, what is withheld."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.errors import CharacterError, CharacterRefused
from companion.mind.api.answer_filter import AnswerFilter
from companion.mind.api.content import read_content
from companion.mind.api.speakers import TEMPLATE_NAMES
from tests.support.service_scene import CAST, Line, answer, event, on, persona

DONE = b"data: [DONE]\n\n"

FORMS = [
    "Hi.",
    [{"type": "text", "text": "Hi."}],
    [{"text": "Hi."}],
    {"type": "text", "text": "Hi."},
    {"text": "Hi."},
    {"parts": ["H", "i."]},
    ["H", "i."],
    [{"type": "output_text", "text": {"value": "Hi."}}],
    [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "Hi."}],
    [{"type": "reasoning", "text": "hm"}, {"type": "text", "content": "Hi."}],
    [{"text": "hm", "thought": True}, {"text": "Hi."}],
]


def streamed(content: Any) -> list[bytes]:
    chunk = {"choices": [{"index": 0, "delta": {"content": content}, "finish_reason": None}]}
    return [b"data: " + json.dumps(chunk).encode() + b"\n\n", event("", "stop"), DONE]


def in_one_piece(content: Any) -> list[bytes]:
    return [json.dumps({"choices": [{"message": {"content": content}, "finish_reason": "stop"}]}).encode()]


def dashscope(content: Any) -> list[bytes]:
    output = {"choices": [{"message": {"content": content, "role": "assistant"}, "finish_reason": "stop"}]}
    return [b"event:result\ndata:" + json.dumps({"output": output}).encode() + b"\n\n"]


@pytest.mark.looptime
@pytest.mark.parametrize("content", FORMS, ids=json.dumps)
@pytest.mark.parametrize("sent", [streamed, in_one_piece, dashscope])
async def test_the_text_is_found_in_every_form(content: Any, sent: Any) -> None:
    protocol = "dashscope" if sent is dashscope else "openai"
    assert await answer(on(Line(sent(content)), protocol=protocol)) == "Hi."


@pytest.mark.looptime
@pytest.mark.parametrize("content", [7, [7], {"blob": "x"}, [{"type": "image_url", "image_url": {}}]], ids=json.dumps)
async def test_a_form_that_is_not_known_is_called_so(content: Any) -> None:
    line = Line(streamed(content))
    with pytest.raises(CharacterError, match="in a form that is not known"):
        await answer(on(line))
    assert len(line.requests) == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["text", "type", "content", "parts", "thought"]), inner, max_size=3)
    ),
)


@given(JSON)
def test_any_content_is_read(value: Any) -> None:
    assert isinstance(read_content(value).text, str)


@pytest.mark.looptime
async def test_the_older_route_completes_a_text() -> None:
    chunk = {"choices": [{"index": 0, "text": "Hi.", "finish_reason": "stop"}]}
    assert await answer(on(Line([b"data: " + json.dumps(chunk).encode() + b"\n\n", DONE]))) == "Hi."


@pytest.mark.looptime
@pytest.mark.parametrize("last", ["morning.", "Good morning."])
async def test_what_comes_once_more_with_the_reason_is_said_once(last: str) -> None:
    line = Line([event("Good "), event("morning."), event(last, "stop"), DONE])
    assert await answer(on(line)) == "Good morning."


@pytest.mark.looptime
async def test_a_last_piece_that_is_new_is_said() -> None:
    line = Line([event("Good "), event("morning", "stop"), DONE])
    assert await answer(on(line)) == "Good morning"


@pytest.mark.looptime
@pytest.mark.parametrize("reason", ["content_filter", "sensitive", "SAFETY"])
async def test_what_is_withheld_changes_the_subject(reason: str) -> None:
    line = Line([event("Once "), event("", reason), DONE])
    deltas = on(line).reply("hello")
    assert await anext(deltas) == "Once "
    with pytest.raises(CharacterRefused) as caught:
        await anext(deltas)
    assert caught.value.line == "change_subject"
    line = Line([event("", reason), DONE])
    with pytest.raises(CharacterRefused) as caught:
        await answer(on(line))
    assert caught.value.line == "change_subject"
    assert len(line.requests) == 1


@pytest.mark.looptime
async def test_a_refusal_in_a_field_of_its_own_is_one() -> None:
    whole = {"choices": [{"message": {"content": None, "refusal": "I cannot."}, "finish_reason": "stop"}]}
    with pytest.raises(CharacterRefused) as caught:
        await answer(on(Line([json.dumps(whole).encode()])))
    assert caught.value.line == "change_subject"


SCRIPTS = [
    ("I found honey!\nUser: Give me some!\nMomo: Here.", "I found honey!\n"),
    ("I found honey!\n\nHuman: Give me some!\nAssistant: Here.", "I found honey!\n\n"),
    ("I found honey!\n**User:** more", "I found honey!\n"),
    ("I found honey!\n### User: more", "I found honey!\n"),
    ("I found honey!\nAna: more", "I found honey!\n"),
    ("I found honey!\nAna： more", "I found honey!\n"),
    ("Assistant: I found honey!", "I found honey!"),
    ("I found honey!\nAna, look!\nUsers: none", "I found honey!\nAna, look!\nUsers: none"),
    ("Ana: look, honey!", "Ana: look, honey!"),
    ("I say: User: is a word.", "I say: User: is a word."),
    ("U", "U"),
    ("Hi.\nUser", "Hi.\nUser"),
]


@pytest.mark.parametrize(("text", "said"), SCRIPTS)
@given(data=st.data())
def test_another_speaker_ends_the_answer(text: str, said: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=5)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    for some in (pieces, list(text), [text]):
        reader = AnswerFilter([*TEMPLATE_NAMES, "Ana"])
        assert "".join([*map(reader.feed, some), reader.close()]) == said


@pytest.mark.looptime
async def test_other_members_and_the_person_end_an_answer_and_are_sent_as_stop() -> None:
    line = Line([event("Hi!\nKiki"), event(": squawk"), event(" more"), event("", "stop"), DONE])
    character = on(line, who=persona(cast=CAST), base_url="http://llama/v1")
    await character.switch_person("Ana")
    assert (await answer(character)).strip() == "Hi!"
    assert line.requests[0]["stop"] == ["\nKiki:", "\nAna:", "\nUser:", "\nHuman:"]


@pytest.mark.looptime
async def test_the_words_of_the_language_count_too() -> None:
    line = Line([event("我找到蜂蜜了！\n用户：给我一点！\n"), event("", "stop"), DONE])
    assert (await answer(on(line, who=persona(language="zh")))).strip() == "我找到蜂蜜了！"


@pytest.mark.looptime
async def test_the_service_itself_gets_only_the_stops_that_were_set() -> None:
    line = Line([event("Hi.", "stop"), DONE])
    await answer(on(line))
    assert "stop" not in line.requests[0]


def test_a_summary_may_speak_of_anybody() -> None:
    reader = AnswerFilter()
    text = "Facts:\nUser: Ana, 6.\nAssistant: a bear."
    assert reader.feed(text) + reader.close() == text


@pytest.mark.looptime
@pytest.mark.parametrize(
    ("pieces", "heard"),
    [
        (["Good morning, my fri", "e"], "Good morning, my "),
        (["Good morning. I'", "m"], "Good morning. "),
        (["Good morning."], "Good morning."),
        (["早上好", "我的朋"], "早上好我的朋"),
        (["Hel", "lo"], "Hello"),
    ],
)
async def test_a_word_that_the_limit_cut_is_not_said(pieces: list[str], heard: str) -> None:
    assert await answer(on(Line([*map(event, pieces), event("", "length"), DONE]))) == heard
    assert await answer(on(Line([*map(event, pieces), event("", "stop"), DONE]))) == "".join(pieces)
