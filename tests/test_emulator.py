"""The emulator, seen through the service's own client library and on the wire."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.emulator import EmulatorServer
from companion.emulator.faults import FAULTS
from companion.emulator.script import Script, choose, load_scripts, without_banned
from companion.emulator.wire import Refusal, pieces, read_request
from companion.errors import DeviceError

MODEL = "qwen-plus-character"
WORDS = Path(__file__).parent / "data" / "vosk-tiny" / "lexicon.txt"


def conversation(said: str, system: str = "You are Momo, a teddy bear.") -> list[dict[str, str]]:
    return [{"role": "system", "content": system}, {"role": "user", "content": said}]


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    server = EmulatorServer(first_token_s=0, piece_s=0)
    yield server.start()
    server.stop()


@pytest.fixture(scope="module")
def official(base_url: str) -> Iterator[Any]:
    with openai.OpenAI(base_url=base_url, api_key="sk-any", max_retries=0) as client:
        yield client


@pytest.fixture(scope="module")
def http(base_url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=base_url) as client:
        yield client


def test_the_official_client_gets_an_answer(official: Any) -> None:
    answer = official.chat.completions.create(model=MODEL, messages=conversation("hello"))
    assert "Hello" in (answer.choices[0].message.content or "")
    assert answer.choices[0].finish_reason == "stop"
    assert answer.id.startswith("chatcmpl-")
    assert answer.model == MODEL
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert answer.usage.prompt_tokens_details is not None
    assert answer.usage.prompt_tokens_details.cached_tokens == 0


def test_the_official_client_gets_the_same_answer_as_a_stream(official: Any) -> None:
    messages = conversation("tell me a story")
    whole = official.chat.completions.create(model=MODEL, messages=messages)
    chunks = list(
        official.chat.completions.create(
            model=MODEL, messages=messages, stream=True, stream_options={"include_usage": True}
        )
    )
    texts = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]
    assert "".join(texts) == whole.choices[0].message.content
    assert len(texts) > 10
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens
    assert len({chunk.id for chunk in chunks}) == len({chunk.created for chunk in chunks}) == 1


def test_the_stream_is_framed_as_the_service_frames_it(http: httpx.Client) -> None:
    body = {"model": MODEL, "messages": conversation("hello"), "stream": True}
    response = http.post("chat/completions", json=body)
    assert response.headers["content-type"].startswith("text/event-stream")
    *events, done, rest = response.text.split("\n\n")
    assert (done, rest) == ("data: [DONE]", "")
    chunks = [json.loads(event.removeprefix("data: ")) for event in events]
    assert chunks[0]["choices"] == [
        {"delta": {"content": "", "role": "assistant"}, "index": 0, "logprobs": None, "finish_reason": None}
    ]
    assert chunks[-1]["choices"][0]["delta"] == {"content": ""}
    assert all(chunk["usage"] is None and chunk["object"] == "chat.completion.chunk" for chunk in chunks)


def test_several_answers_differ_and_take_turns_in_the_stream(official: Any) -> None:
    stream = official.chat.completions.create(
        model=MODEL,
        messages=conversation("hello"),
        n=3,
        stream=True,
    )
    choices = [choice for chunk in stream for choice in chunk.choices]
    order = [choice.index for choice in choices]
    assert len(list(itertools.groupby(order))) > 6
    texts = {"".join(c.delta.content or "" for c in choices if c.index == index) for index in range(3)}
    assert len(texts) == 3


def test_the_models_are_listed_and_the_page_says_what_this_is(official: Any, base_url: str) -> None:
    assert MODEL in [model.id for model in official.models.list()]
    page = httpx.get(str(httpx.URL(base_url).join("/"))).text
    assert "not a language model" in page


def test_the_log_says_that_it_is_a_stand_in(caplog: pytest.LogCaptureFixture) -> None:
    server = EmulatorServer()
    server.start()
    server.stop()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "no language model" in caplog.text


def test_a_taken_port_is_one_sentence(base_url: str) -> None:
    port = httpx.URL(base_url).port
    assert port
    with pytest.raises(DeviceError, match=f"cannot use port {port}"):
        EmulatorServer(port=port).start()


def test_a_required_key_is_required() -> None:
    server = EmulatorServer(required_key="sk-right", first_token_s=0, piece_s=0)
    url = server.start()
    client: Any
    try:
        with openai.OpenAI(base_url=url, api_key="sk-wrong", max_retries=0) as client:
            with pytest.raises(openai.AuthenticationError) as caught:
                client.models.list()
            assert caught.value.code == "invalid_api_key"
        with openai.OpenAI(base_url=url, api_key="sk-right", max_retries=0) as client:
            client.chat.completions.create(model=MODEL, messages=conversation("hi"))
    finally:
        server.stop()


ok = conversation("hi")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model": None}, "you must provide a model parameter"),
        ({"messages": []}, "[] is too short"),
        ({"messages": None}, 'Either "prompt" or "messages" must exist'),
        ({"messages": [{"role": "user", "content": ["x"]}]}, "input content must be a string"),
        ({"messages": [{"role": "user"}]}, "input content must be a string"),
        ({"messages": ok[:1]}, "should not contain only one message with role"),
        ({"messages": [*ok, {"role": "assistant", "content": "x"}]}, "the role in last message must be"),
        ({"messages": [{"role": "bear", "content": "x"}, *ok]}, "Role must be in"),
        ({"n": 5}, "Range of n should be [1, 4]"),
        ({"max_tokens": 0}, "Range of max_tokens should be [1, 4000]"),
        ({"temperature": 2}, "Temperature should be in [0.0, 2.0)"),
        ({"temperature": "hot"}, "'temperature' must be Float"),
        ({"top_p": 0}, "Range of top_p should be (0.0, 1.0]"),
        ({"presence_penalty": 3}, "Presence_penalty should be in [-2.0, 2.0]"),
        ({"seed": -1}, "-1 is lesser than the minimum of 0 - 'seed'"),
        ({"seed": 1.5}, "'seed' must be Integer"),
        ({"logit_bias": {"7": -101}}, "logit_bias"),
        ({"logit_bias": {"seven": -1}}, "logit_bias"),
    ],
)
def test_a_wrong_request_is_refused_in_the_services_words(
    http: httpx.Client, change: dict[str, object], words: str
) -> None:
    response = http.post("chat/completions", json={"model": MODEL, "messages": ok, **change})
    assert response.status_code == 400
    assert words in response.json()["error"]["message"]
    assert response.json()["request_id"]


def test_an_unknown_model_is_not_found(http: httpx.Client) -> None:
    response = http.post("chat/completions", json={"model": "qwen-plus", "messages": ok})
    assert (response.status_code, response.json()["error"]["code"]) == (404, "model_not_found")


def test_an_unknown_fault_is_named(http: httpx.Client) -> None:
    response = http.post("chat/completions", json={}, headers={"x-emulator-fault": "earthquake"})
    assert response.status_code == 400
    assert "earthquake" in response.text
    with pytest.raises(ValueError, match="earthquake"):
        EmulatorServer(faults=["earthquake"])


@given(st.binary(max_size=80) | st.dictionaries(st.sampled_from(["model", "messages", "n"]), st.text()).map(json.dumps))
def test_no_request_gets_past_the_check_but_a_right_one(body: bytes | str) -> None:
    with pytest.raises(Refusal):
        read_request(body if isinstance(body, bytes) else body.encode())


@given(st.text())
def test_the_pieces_of_a_text_are_the_text(text: str) -> None:
    assert "".join(pieces(text)) == text


def test_an_answer_is_cut_at_max_tokens(official: Any) -> None:
    answer = official.chat.completions.create(model=MODEL, messages=ok, max_tokens=3)
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 3


@pytest.mark.parametrize(
    ("said", "opener", "ban"), [("hello", "(", "7"), ("hello", "(", "320"), ("你好", "（", "9909")]
)
def test_banned_brackets_do_not_come_and_the_words_do(official: Any, said: str, opener: str, ban: str) -> None:
    def ask(bias: dict[str, int]) -> str:
        answer = official.chat.completions.create(
            model=MODEL,
            messages=conversation(said, "You are Jiang Rang, a Go prodigy."),
            logit_bias=bias,
        )
        return answer.choices[0].message.content or ""

    free, banned = ask({}), ask({ban: -100})
    assert opener in free
    assert opener not in banned
    assert free.endswith(banned)


def momo() -> Script:
    return choose(load_scripts(), conversation("x"))


def test_the_character_is_the_one_that_the_system_message_means() -> None:
    scripts = load_scripts()

    def name(system: str) -> str:
        return choose(scripts, conversation("x", system)).name

    assert name("You are Momo, a small brown teddy bear.") == "Momo"
    assert name("You are Jiang Rang, a young Go player.") == name("你是江让，围棋天才。") == "Jiang Rang"
    assert name("You are the co-driver of a rally car.") == "Co-driver"
    assert name("You are a pirate parrot.") == "Stranger"


def test_the_same_thing_said_again_gets_another_answer_and_the_same_talk_the_same() -> None:
    script = momo()
    messages = conversation("sing a song")
    first = script.answer(messages)
    again = [*messages, {"role": "assistant", "content": first}, {"role": "user", "content": "another song please"}]
    assert script.answer(again) != first
    assert script.answer(messages) == first
    assert script.answer(messages, turn=1) == script.answer(again)


@pytest.mark.parametrize(
    ("said", "about"),
    [
        ("hello momo", "hello|hi"),
        ("how are you", "fine|awake|sleepy"),
        ("what is your name", "momo"),
        ("how old are you", "old"),
        ("sing me a song", "sing|la la|honey|hop"),
        ("tell me a story", "once|found|was"),
        ("tell me a joke", "what|why"),
        ("can you dance", "danc|wiggle"),
        ("jump please", "hop|up"),
        ("i am sad", "sorry|with you"),
        ("i am not happy", "sorry|with you"),
        ("i am happy", "happy"),
        ("i am tired", "tired|rest"),
        ("good night", "night|sleep"),
        ("what is your favorite color", "color|red"),
        ("do you like cat or dog", "animal|lion|pandas|bird"),
        ("thank you", "welcome|always"),
        ("i love you", "love|favorite"),
        ("play some music", "music|dum"),
        ("count to ten", "one, two|numbers"),
        ("i am hungry", "hungry|honey"),
        ("good morning", "good to see|awake"),
    ],
)
def test_momo_answers_what_children_say(said: str, about: str) -> None:
    for turn in range(4):
        assert re.search(about, momo().answer(conversation(said), turn), re.IGNORECASE)


def test_momo_has_something_of_her_own_to_say_to_the_words_that_the_ears_know() -> None:
    words = sorted({line.split()[0] for line in WORDS.read_text().splitlines() if line.strip()})
    assert len(words) > 200
    script = momo()
    own = [word for word in words if script.answer(conversation(word)) != script.answer(conversation("zzz"))]
    assert len(own) > 100


@pytest.mark.parametrize("script", load_scripts(), ids=lambda script: script.name)
def test_every_answer_is_short_speakable_and_rich_in_cues(script: Script) -> None:
    for answer in (answer for rule in script.rules for answer in rule.answers):
        assert re.match(r"[(（]", answer), "the manner of the real model: a direction first"
        spoken = without_banned(answer, frozenset({7, 9909, 9}))
        assert not re.search(r"[()（）*\[\]【】]", spoken)
        assert not spoken[0].isalnum(), "then an emoji"
        assert 1 <= len(re.findall(r"[.!?。！？…]+", spoken)) <= 5
        assert 5 < len(spoken) < 200


@pytest.mark.parametrize("said", ["今天天气不错", "楽しいね", "aku mau bermain", "nice weather"])
def test_anybody_answers_in_the_language_spoken(said: str) -> None:
    script = choose(load_scripts(), conversation("x", "You are a pirate parrot."))
    answer = script.answer(conversation(said))
    assert ("（" in answer) == (not said.isascii())
    assert ("か" in answer or "て" in answer) == (said == "楽しいね")


def test_the_faults_come_one_after_the_other() -> None:
    server = EmulatorServer(faults=["http429", "none", "http503"], first_token_s=0, piece_s=0)
    url = server.start()
    try:
        with httpx.Client() as client:
            body = {"model": MODEL, "messages": ok}
            statuses = [client.post(f"{url}/chat/completions", json=body).status_code for _ in range(4)]
    finally:
        server.stop()
    assert statuses == [429, 200, 503, 200]


def test_an_error_may_be_framed_as_a_stream_and_still_call_itself_json(http: httpx.Client) -> None:
    body = {"model": MODEL, "messages": ok, "stream": True}
    response = http.post("chat/completions", json=body, headers={"x-emulator-fault": "sse_http400"})
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/json"
    assert response.text.startswith('data: {"error":')


@pytest.mark.parametrize("fault", ["reset", "reset_at_once"])
def test_a_reset_is_one(http: httpx.Client, fault: str) -> None:
    body = {"model": MODEL, "messages": ok, "stream": True}
    with pytest.raises(httpx.TransportError):
        http.post("chat/completions", json=body, headers={"x-emulator-fault": fault})


@pytest.mark.parametrize("fault", ["drip", "halves", "keep_alive", "no_done"])
def test_a_slow_or_odd_stream_says_the_same(http: httpx.Client, fault: str) -> None:
    def texts(fault: str) -> str:
        body = {"model": MODEL, "messages": ok, "stream": True}
        response = http.post("chat/completions", json=body, headers={"x-emulator-fault": fault})
        events = [line[6:] for line in response.text.splitlines() if line.startswith("data: {")]
        return "".join(json.loads(event)["choices"][0]["delta"]["content"] for event in events)

    assert texts(fault) == texts("none")


def test_the_page_on_the_emulator_names_every_fault() -> None:
    page = (Path(__file__).parent.parent / "docs" / "emulator.md").read_text()
    assert [fault for fault in FAULTS if f"`{fault}`" not in page] == []
