"""The emulator on the wire: what it refuses, how it fails, what it can be told, and who answers."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.cli.emulate import emulate
from companion.emulator import EmulatorServer
from companion.emulator.errors import ENTRIES, Refusal
from companion.emulator.faults import FAULTS, KINDS
from companion.emulator.request import Message, read_dashscope, read_openai
from companion.emulator.script import Cast, Rule, Script, load_cast
from companion.emulator.tokens import EstimatedTokens, without_banned
from companion.errors import CompanionError, ConfigError, DeviceError
from tests.support.paths import DATA, ROOT

MODEL = "qwen-plus-character"
OPENAI = "/compatible-mode/v1/chat/completions"
DASHSCOPE = "/api/v1/services/aigc/text-generation/generation"
WORDS = DATA / "vosk-tiny" / "lexicon.txt"


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
    with httpx.Client(base_url=httpx.URL(base_url).join("/")) as client:
        yield client


def test_the_stream_is_framed_as_the_service_frames_it(http: httpx.Client) -> None:
    body = {"model": MODEL, "messages": conversation("hello"), "stream": True}
    response = http.post(OPENAI, json=body)
    assert response.headers["content-type"].startswith("text/event-stream")
    *events, done, rest = response.text.split("\n\n")
    assert (done, rest) == ("data: [DONE]", "")
    chunks = [json.loads(event.removeprefix("data: ")) for event in events]
    assert chunks[0]["choices"] == [
        {"delta": {"content": "", "role": "assistant"}, "index": 0, "logprobs": None, "finish_reason": None}
    ]
    assert chunks[-1]["choices"][0]["delta"] == {"content": ""}
    assert all(chunk["usage"] is None and chunk["object"] == "chat.completion.chunk" for chunk in chunks)


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
        ({"messages": [{"role": "user"}]}, "The content field is a required field."),
        ({"messages": ["hi"]}, "Input should be a valid dictionary"),
        ({"messages": [*ok, {"role": "user", "content": "x", "partial": True}]}, "partial"),
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
    response = http.post(OPENAI, json={"model": MODEL, "messages": ok, **change})
    assert response.status_code == 400
    assert words in response.json()["error"]["message"]
    assert response.json()["request_id"]


def test_an_unknown_model_is_not_found(http: httpx.Client) -> None:
    response = http.post(OPENAI, json={"model": "qwen-plus", "messages": ok})
    assert (response.status_code, response.json()["error"]["code"]) == (404, "model_not_found")


def test_an_unknown_fault_is_named(http: httpx.Client) -> None:
    response = http.post(OPENAI, json={}, headers={"x-emulator-fault": "earthquake"})
    assert response.status_code == 400
    assert "earthquake" in response.text
    with pytest.raises(ValueError, match="earthquake"):
        EmulatorServer(faults=["earthquake"])


@given(st.binary(max_size=80) | st.dictionaries(st.sampled_from(["model", "messages", "n"]), st.text()).map(json.dumps))
def test_no_request_gets_past_the_check_but_a_right_one(body: bytes | str) -> None:
    data = body if isinstance(body, bytes) else body.encode()
    with pytest.raises(Refusal):
        read_openai(data)
    with pytest.raises(Refusal):
        read_dashscope(data, stream=False)


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 2**70) | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["role", "7", "memory"]), inner, max_size=3)
    ),
    max_leaves=6,
)
NAMES = [
    *("temperature", "top_p", "top_k", "presence_penalty", "repetition_penalty", "seed", "n", "max_tokens", "stop"),
    *("logit_bias", "tools", "stream", "stream_options", "character_options", "result_format", "messages"),
]


@given(st.dictionaries(st.sampled_from(NAMES), anything, max_size=4))
def test_whatever_stands_in_a_request_it_is_read_or_refused(change: dict[str, Any]) -> None:
    words = []
    for read, body in (
        (read_openai, {"model": MODEL, "messages": ok, **change}),
        (
            lambda data: read_dashscope(data, stream=True),
            {"model": MODEL, "input": {"messages": ok}, "parameters": change},
        ),
    ):
        try:
            request = read(json.dumps(body).encode())
        except Refusal as refusal:
            words.append(refusal.entry.message)
        else:
            assert 1 <= request.parameters.n <= 4
            assert all(-100 <= weight <= 100 for weight in request.parameters.bias.values())
    assert all(words)


@given(st.text())
def test_the_estimated_pieces_of_a_text_are_the_text(text: str) -> None:
    if "\ud800" <= max(text, default="") <= "\udfff":
        return
    pieces = EstimatedTokens().write(text, {})
    assert b"".join(piece for _, piece in pieces).decode().strip() == text.strip()


def test_an_answer_is_cut_at_max_tokens(official: Any) -> None:
    answer = official.chat.completions.create(model=MODEL, messages=ok, max_tokens=3)
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 3


@pytest.fixture(scope="module")
def cast() -> Cast:
    return load_cast()


def answer(cast: Cast, said: str, system: str = "You are Momo, a teddy bear.", shift: int = 0) -> str:
    return cast.answer([Message("system", system), Message("user", said)], shift)


CHARACTERS = load_cast().characters


def test_the_same_thing_said_again_gets_another_answer_and_the_same_talk_the_same(cast: Cast) -> None:
    first = answer(cast, "sing a song")
    talk = [Message("system", "You are Momo."), Message("user", "sing a song"), Message("assistant", first)]
    again = [*talk, Message("user", "another song please")]
    assert cast.answer(again) != first
    assert cast.answer(again) == cast.answer(again) == answer(cast, "sing a song", shift=1)


@pytest.mark.parametrize(
    ("system", "said", "part"),
    [
        ("You are Momo, a small brown teddy bear.", "i am hungry", "honey"),
        ("You are Jiang Rang, a young Go player.", "i read a book", "student|page"),
        ("你是江让，围棋天才。", "我在看书", "用功|十分钟"),
        ("You are the co-driver of a rally car.", "i am tired", "rest stop|Pull over"),
        ("You are a pirate parrot.", "thank you", "welcome"),
    ],
)
def test_the_character_is_the_one_that_the_system_message_means(cast: Cast, system: str, said: str, part: str) -> None:
    assert re.search(part, answer(cast, said, system))


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
def test_momo_answers_what_children_say(cast: Cast, said: str, about: str) -> None:
    for shift in range(4):
        assert re.search(about, answer(cast, said, shift=shift), re.IGNORECASE)


def test_momo_has_something_of_her_own_to_say_to_the_words_that_the_ears_know(cast: Cast) -> None:
    words = sorted({line.split()[0] for line in WORDS.read_text().splitlines() if line.strip()})
    assert len(words) > 200
    own = [word for word in words if answer(cast, word) != answer(cast, "zzz")]
    assert len(own) > 100


@pytest.mark.parametrize("script", CHARACTERS, ids=lambda script: script.name)
def test_every_answer_is_short_speakable_and_rich_in_cues(script: Script) -> None:
    for text in (*(text for rule in script.rules for text in rule.answers), *script.goes_on):
        assert re.match(r"[(（]", text), "the manner of the real model: a direction first"
        spoken = without_banned(text, frozenset({7, 9909, 9}))
        assert not re.search(r"[()（）*\[\]【】]", spoken)
        assert not spoken[0].isalnum(), "then an emoji"
        assert 1 <= len(re.findall(r"[.!?。！？…]+", spoken)) <= 5
        assert 5 < len(spoken) < 200


@pytest.mark.parametrize("system", ["You are Momo, a teddy bear.", "You are a pirate parrot."])
@pytest.mark.parametrize(
    ("said", "written"),
    [("今天天气不错", "[\u4e00-\u9fff]"), ("楽しいね", "[\u3040-\u30ff]"), ("aku mau bermain", r"lagi|bagaimana")],
)
def test_they_answer_in_the_language_spoken(cast: Cast, system: str, said: str, written: str) -> None:
    assert re.search(written, answer(cast, said, system))


@pytest.mark.parametrize(
    ("told", "asked", "part"),
    [
        ("my dog is called rex", "what is my dog called", "rex"),
        ("My sister's name is Ana.", "do you remember my sister's name?", "Ana"),
        ("my name is tom", "what is my name", "tom"),
        ("i like strawberry ice cream", "what do i like", "strawberry ice cream"),
        ("i live in jakarta", "where do i live", "jakarta"),
        ("我的狗叫旺财", "我的狗叫什么", "旺财"),
        ("我喜欢吃草莓", "我喜欢吃什么", "草莓"),
        ("我今年七岁", "我几岁了", "七"),
        ("犬の名前はポチです", "犬の名前は何", "ポチ"),
        ("nama kucing saya Belang", "siapa nama kucing saya", "Belang"),
    ],
)
@pytest.mark.parametrize("place", ["user", "system", "profile"])
def test_what_the_model_was_given_can_be_asked_for(cast: Cast, told: str, asked: str, part: str, place: str) -> None:
    profile = Message("system", f"You are Momo.\n{told}" if place == "profile" else "You are Momo.")
    earlier = [Message("user", told), Message("assistant", "(nods) 😊 Good!")] if place == "user" else []
    extra = [Message("system", told)] if place == "system" else []
    assert part not in cast.answer([Message("system", "You are Momo."), Message("user", asked)])
    assert part in cast.answer([profile, *earlier, *extra, Message("user", asked)])


def test_what_was_said_later_is_right(cast: Cast) -> None:
    talk = [Message("user", "my dog is called rex"), Message("user", "my dog is called max")]
    assert "max" in cast.answer([*talk, Message("user", "what is my dog called")])


def test_nobody_answering_makes_it_go_on_in_other_words(cast: Cast) -> None:
    talk = [Message("system", "You are Momo."), Message("assistant", "Hello!")]
    name = Message("assistant", "Momo:", partial=True)
    first = cast.answer([*talk, name])
    second = cast.answer([*talk, Message("assistant", first), name])
    assert first != second
    assert not first.startswith("Momo")


def test_in_a_group_the_open_prefix_decides_who_speaks(cast: Cast) -> None:
    talk = [Message("system", "A chat of friends."), Message("user", "Ana: i am tired")]
    one, other = (
        cast.answer([*talk, Message("assistant", f"{name}:", partial=True)]) for name in ("Momo", "Co-driver")
    )
    assert one == answer(cast, "i am tired")
    assert "rest stop" in other


def test_a_summary_is_an_extract(cast: Cast) -> None:
    text = "The summary so far:\nTheir dog is called Rex.\n\nPerson: I like tea. I like tea.\nMomo: (nods) Good!"
    made = cast.answer([Message("system", "[summary] Please sum this up."), Message("user", text)])
    assert made.splitlines() == ["Their dog is called Rex.", "Person: I like tea.", "I like tea.", "Momo: (nods) Good!"]


def test_a_rule_with_a_place_that_nothing_fills_is_refused() -> None:
    with pytest.raises(ValueError, match="no group of that name"):
        Rule(when=("x",), answers=("Hello {name}!",))


def test_a_folder_without_a_character_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no character"):
        EmulatorServer(scripts=tmp_path)
    (tmp_path / "a.toml").write_text("name = 'A'\nplays = ['(']\nrules = [{when = [''], answers = ['x']}]\n", "utf-8")
    with pytest.raises(ConfigError, match=r"a\.toml: plays\.0: is no regular expression"):
        EmulatorServer(scripts=tmp_path)


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
    response = http.post(OPENAI, json=body, headers={"x-emulator-fault": "sse_http400"})
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/json"
    assert response.text.startswith('data: {"error":')


@pytest.mark.parametrize("fault", ["reset", "reset_at_once"])
def test_a_reset_is_one(http: httpx.Client, fault: str) -> None:
    body = {"model": MODEL, "messages": ok, "stream": True}
    with pytest.raises(httpx.TransportError):
        http.post(OPENAI, json=body, headers={"x-emulator-fault": fault})


@pytest.mark.parametrize("fault", ["drip", "halves", "keep_alive", "no_done"])
def test_a_slow_or_odd_stream_says_the_same(http: httpx.Client, fault: str) -> None:
    def texts(fault: str) -> str:
        body = {"model": MODEL, "messages": ok, "stream": True}
        response = http.post(OPENAI, json=body, headers={"x-emulator-fault": fault})
        events = [line[6:] for line in response.text.splitlines() if line.startswith("data: {")]
        return "".join(json.loads(event)["choices"][0]["delta"]["content"] for event in events)

    assert texts(fault) == texts("none")


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.code)
def test_every_row_of_the_catalogue_can_be_asked_for_on_both_routes(http: httpx.Client, entry: Any) -> None:
    for path, body in BOTH:
        response = http.post(path, json=body, headers={"x-emulator-fault": f"http:{entry.code}"})
        assert response.status_code == entry.status
        value = response.json()
        got = value.get("error", value)
        assert got["code"] == (entry.openai_code or entry.code if "error" in value else entry.code)
        assert got["message"]
        assert "retry-after" not in response.headers


BOTH = (
    (OPENAI, {"model": MODEL, "messages": conversation("hi")}),
    (DASHSCOPE, {"model": MODEL, "input": {"messages": conversation("hi")}}),
)


def dashscope(http: httpx.Client, fault: str = "none", sse: bool = True, **body: Any) -> httpx.Response:
    headers = {"x-emulator-fault": fault, **({"X-DashScope-SSE": "enable"} if sse else {})}
    value = {"model": MODEL, "input": {"messages": conversation("hi")}, **body}
    return http.post(DASHSCOPE, json={name: one for name, one in value.items() if one is not None}, headers=headers)


def test_the_dashscope_stream_is_framed_as_the_service_frames_it(http: httpx.Client) -> None:
    response = dashscope(http)
    assert response.headers["content-type"] == "text/event-stream;charset=UTF-8"
    *frames, rest = response.text.split("\n\n")
    assert rest == ""
    for number, frame in enumerate(frames, 1):
        id_, event, comment, data = frame.split("\n")
        assert (id_, event, comment) == (f"id:{number}", "event:result", ":HTTP_STATUS/200")
        value = json.loads(data.removeprefix("data:"))
        reason = value["output"]["choices"][0]["finish_reason"]
        assert reason == ("null" if number < len(frames) else "stop")
        usage = value["usage"]
        assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert "[DONE]" not in response.text


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        ({"model": None}, "BadRequest.EmptyModel", 'Required parameter "model" missing from request.'),
        ({"model": "qwen-plus"}, "ModelNotFound", "The model qwen-plus does not exist"),
        ({"input": None}, "BadRequest.EmptyInput", "Required input parameter missing from request."),
        ({"input": {}}, "InvalidParameter", 'Either "prompt" or "messages" must exist'),
        ({"parameters": {"seed": 2**63}}, "InvalidParameter", "Range of seed should be [0, 9223372036854775807]"),
        ({"parameters": {"seed": "x"}}, "InvalidParameter", "Range of seed should be [0, 9223372036854775807]"),
        ({"parameters": {"top_k": -1}}, "InvalidParameter", "Parameter top_k be greater than or equal to 0"),
        ({"parameters": {"stop": ["a", 1]}}, "InvalidParameter", 'The "stop" parameter must be of type'),
        ({"parameters": {"max_tokens": 4001}}, "InvalidParameter", "Range of max_tokens should be [1, 4000]"),
    ],
)
def test_a_wrong_dashscope_request_is_refused_in_its_own_envelope(
    http: httpx.Client, body: dict[str, Any], code: str, words: str
) -> None:
    response = dashscope(http, sse=False, **body)
    value = response.json()
    assert response.status_code == (404 if code == "ModelNotFound" else 400)
    assert value["code"] == code
    assert words in value["message"]
    assert value.keys() == {"code", "message", "request_id"}


def test_a_dashscope_call_may_do_without_parameters_and_with_a_seed_beyond_32_bits(http: httpx.Client) -> None:
    assert dashscope(http, sse=False).status_code == 200
    assert dashscope(http, sse=False, parameters={"seed": 2**62}).status_code == 200


def test_the_responses_carry_the_headers_seen_in_the_field(http: httpx.Client) -> None:
    for path, body in BOTH:
        headers = http.post(path, json=body).headers
        names = ("x-request-id", "x-dashscope-call-gateway", "x-dashscope-finished", "req-cost-time", "req-arrive-time")
        assert all(headers[name] for name in (*names, "resp-start-time", "x-envoy-upstream-service-time", "set-cookie"))
        assert headers["server"] == "istio-envoy"
        assert headers["x-emulator-tokens"] in ("exact", "estimated")


def test_a_prompt_that_is_too_long_is_refused(http: httpx.Client) -> None:
    body = {"model": "qwen-flash-character", "messages": conversation("very long " * 9_000)}
    response = http.post(OPENAI, json=body)
    assert response.status_code == 400
    assert "Range of input length should be [1, 8000]" in response.json()["error"]["message"]


MEMORY = {"profile": "P", "memory": {"enable_long_term_memory": True}}


@pytest.mark.parametrize(
    ("options", "session", "words"),
    [
        (MEMORY, None, "x-dashscope-aca-session is required"),
        ({**MEMORY, "profile": " "}, "s", "character_options.profile is required"),
        ({"profile": "P", "memory": {**MEMORY["memory"], "memory_entries": 19}}, "s", "should be [20, 400]"),  # type: ignore[dict-item]
        ({"profile": "P", "memory": {**MEMORY["memory"], "memory_entries": 401}}, "s", "should be [20, 400]"),  # type: ignore[dict-item]
        ({"profile": "P", "memory": {**MEMORY["memory"], "skip_save_types": ["x"]}}, "s", "skip_save_types"),  # type: ignore[dict-item]
    ],
)
def test_wrong_memory_options_are_refused_on_both_routes(
    http: httpx.Client, options: dict[str, Any], session: str | None, words: str
) -> None:
    headers = {"x-dashscope-aca-session": session} if session else {}
    messages = [{"role": "user", "content": "hi"}]
    bodies = [
        (OPENAI, {"model": MODEL, "messages": messages, "character_options": options}),
        (DASHSCOPE, {"model": MODEL, "input": {"messages": messages}, "parameters": {"character_options": options}}),
        (DASHSCOPE, {"model": MODEL, "input": {"messages": messages}, "character_options": options}),
    ]
    for path, body in bodies:
        response = http.post(path, json=body, headers=headers)
        assert response.status_code == 400
        assert words in response.text


def test_memory_takes_a_stream_several_answers_and_an_open_prefix(http: httpx.Client) -> None:
    headers = {"x-dashscope-aca-session": "stream"}
    common = {"model": MODEL, "character_options": {**MEMORY, "profile": "You are Momo."}}
    told = {"messages": [{"role": "user", "content": "my dog is called rex"}], "stream": True, "n": 2}
    assert http.post(OPENAI, json={**common, **told}, headers=headers).status_code == 200
    goes_on = {"messages": [{"role": "assistant", "content": "Momo:", "partial": True}]}
    assert http.post(OPENAI, json={**common, **goes_on}, headers=headers).status_code == 200
    asks = {"messages": [{"role": "user", "content": "what is my dog called"}]}
    answered = http.post(OPENAI, json={**common, **asks}, headers=headers).json()
    assert "rex" in answered["choices"][0]["message"]["content"]


@pytest.mark.parametrize("fault", ["id_only", "id_inside", "no_ids"])
def test_ids_may_stand_elsewhere_or_nowhere(http: httpx.Client, fault: str) -> None:
    value = http.post(OPENAI, json=BOTH[0][1], headers={"x-emulator-fault": fault}).json()
    places = ("request_id" in value, "id" in value, "id" in value["error"])
    assert places == {"id_only": (False, True, False), "id_inside": (False, False, True), "no_ids": (False,) * 3}[fault]


def test_a_giant_answer_ends_where_the_model_must(http: httpx.Client) -> None:
    value = http.post(OPENAI, json=BOTH[0][1], headers={"x-emulator-fault": "giant"}).json()
    assert value["choices"][0]["finish_reason"] == "length"
    assert value["usage"]["completion_tokens"] == 4000


def test_halves_cut_characters_and_a_drip_comes_byte_by_byte(http: httpx.Client) -> None:
    for fault in ("halves", "drip"):
        with http.stream(
            "POST", OPENAI, json={**BOTH[0][1], "stream": True}, headers={"x-emulator-fault": fault}
        ) as response:
            parts = list(response.iter_raw())
        assert b"".join(parts).decode()
        assert fault == "drip" or any(part[:1] and part[0] & 0xC0 == 0x80 for part in parts)


@pytest.mark.parametrize("fault", ["cut_short", "garbage", "html"])
def test_an_answer_in_one_piece_can_be_broken_too(http: httpx.Client, fault: str) -> None:
    response = http.post(OPENAI, json=BOTH[0][1], headers={"x-emulator-fault": fault})
    assert response.status_code == 200
    with pytest.raises(ValueError, match=r"."):
        json.loads(response.content)


# Control


@pytest.fixture
def own() -> Iterator[tuple[EmulatorServer, httpx.Client]]:
    server = EmulatorServer(first_token_s=0, piece_s=0, required_key="sk-secret")
    with httpx.Client(base_url=server.start(), headers={"Authorization": "Bearer sk-secret"}) as client:
        yield server, client
    server.stop()


def chat(client: httpx.Client, said: str = "hi", **headers: str) -> httpx.Response:
    return client.post("chat/completions", json={"model": MODEL, "messages": conversation(said)}, headers=headers)


def test_faults_can_be_planned_while_it_runs(own: tuple[EmulatorServer, httpx.Client]) -> None:
    server, client = own
    planned = client.post(f"{server.control_url}/faults", json={"faults": ["http429", "http:InternalError.Algo"]})
    assert planned.json() == {"done": True}
    assert [chat(client).status_code for _ in range(3)] == [429, 500, 200]
    client.post(f"{server.control_url}/faults", json={"faults": ["http503"], "repeat": True})
    assert [chat(client).status_code for _ in range(3)] == [503] * 3
    client.post(f"{server.control_url}/reset")
    assert chat(client).status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("faults", b'{"faults": ["earthquake"]}', "earthquake"),
        ("faults", b'{"faults": ["http:Nonsense"]}', "Nonsense"),
        ("faults", b'{"faults": "stall"}', '"NAME"'),
        ("faults", b"[]", "not a JSON object"),
        ("faults", b"\xff", "not JSON"),
        ("clock", b'{"advance_days": -1}', "0 to 36500"),
        ("clock", b'{"advance_days": NaN}', "0 to 36500"),
    ],
)
def test_a_wrong_order_is_one_plain_sentence(
    own: tuple[EmulatorServer, httpx.Client], path: str, body: bytes, words: str
) -> None:
    server, client = own
    response = client.post(f"{server.control_url}/{path}", content=body)
    assert response.status_code == 400
    assert words in response.json()["problem"]
    assert chat(client).status_code == 200


def test_what_was_asked_can_be_seen_but_never_the_key(own: tuple[EmulatorServer, httpx.Client]) -> None:
    server, client = own
    chat(client, "tell me a story")
    chat(client, **{"x-emulator-fault": "http429"})
    client.post("chat/completions", content=b"\xff{")
    shown = client.get(f"{server.control_url}/requests")
    asked = shown.json()["requests"]
    assert [one["status"] for one in asked] == [200, 429, 400]
    assert asked[0]["body"]["messages"][-1]["content"] == "tell me a story"
    assert asked[0]["usage"]["prompt_tokens"] > 0
    assert asked[1]["fault"] == "http429"
    assert "sk-secret" not in shown.text
    client.post(f"{server.control_url}/reset")
    assert client.get(f"{server.control_url}/requests").json() == {"requests": []}


def test_a_year_can_pass(own: tuple[EmulatorServer, httpx.Client]) -> None:
    server, client = own

    def says(said: str) -> str:
        body = {"model": MODEL, "messages": [{"role": "user", "content": said}], "character_options": MEMORY}
        response = client.post("chat/completions", json=body, headers={"x-dashscope-aca-session": "s"})
        return str(response.json()["choices"][0]["message"]["content"])

    says("my dog is called rex")
    client.post(f"{server.control_url}/clock", json={"advance_days": 364})
    assert "rex" in says("what is my dog called")
    client.post(f"{server.control_url}/clock", json={"advance_days": 365})
    assert "rex" not in says("what is my dog called")


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}])
def test_a_web_page_cannot_see_what_was_asked(
    own: tuple[EmulatorServer, httpx.Client], headers: dict[str, str]
) -> None:
    server, client = own
    assert client.get(f"{server.control_url}/requests", headers=headers).status_code == 403
    assert client.post(f"{server.control_url}/reset", headers=headers).status_code == 403


def test_without_control_nobody_can_see_what_was_asked() -> None:
    server = EmulatorServer(control=False, first_token_s=0, piece_s=0)
    url = server.start()
    try:
        with httpx.Client(base_url=url) as client:
            assert chat(client).status_code == 200
            assert client.get(f"{server.control_url}/requests").status_code == 404
            assert client.post(f"{server.control_url}/faults", json={"faults": []}).status_code == 404
    finally:
        server.stop()


@pytest.mark.parametrize("where", ["mainland", "Singapore"])
def test_the_limits_are_the_regions(where: str) -> None:
    server = EmulatorServer(region="china" if where == "mainland" else "international", first_token_s=0, piece_s=0)
    try:
        response = httpx.post(f"{server.start()}/chat/completions", json={**BOTH[0][1], "max_tokens": 5000})
    finally:
        server.stop()
    assert f"[1, {4096 if where == 'mainland' else 4000}]" in response.text


# The command


def run_emulate(*options: str, **environment: str) -> subprocess.Popen[str]:
    code = "from companion.cli.emulate import emulate; emulate(standalone_mode=False)"
    return subprocess.Popen(
        [sys.executable, "-c", code, *options],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_the_command_serves_until_it_is_told_to_stop(end: signal.Signals) -> None:
    with run_emulate("--port", "0", "--key-env", "MY_KEY", "--first-token-ms", "0", MY_KEY="sk-mine") as process:
        try:
            assert process.stdout
            said = [process.stdout.readline() for _ in range(4)]
            assert "no language model" in said[0]
            url = said[1].split()[-1]
            assert url.startswith("http://127.0.0.1:")
            assert said[2].split()[-1] == url.replace("/compatible-mode/v1", "/api/v1")
            with httpx.Client(base_url=url, headers={"Authorization": "Bearer sk-mine"}) as client:
                statuses = [chat(client).status_code for _ in range(3)]
                assert statuses == [200, 200, 429], "limits as the service has them"
            assert httpx.get(f"{url}/models").status_code == 401
            process.send_signal(end)
            _, log = process.communicate(timeout=20)
        finally:
            process.kill()
    assert process.returncode == 0
    assert "sk-mine" not in log


def test_what_is_wrong_with_the_command_is_one_sentence(base_url: str, tmp_path: Path) -> None:
    port = str(httpx.URL(base_url).port)
    for options, words in (
        (["--port", port], f"cannot use port {port}"),
        (["--key-env", "NO_SUCH_VARIABLE"], "NO_SUCH_VARIABLE: holds no key"),
        (["--scripts", str(tmp_path / "nowhere")], "there is no such folder"),
        (["--scripts", str(tmp_path)], "there is no character"),
    ):
        with pytest.raises(CompanionError, match=re.escape(words)) as caught:
            emulate.main(options, standalone_mode=False)
        assert "\n" not in str(caught.value)


def test_the_page_on_the_emulator_names_every_fault_and_every_option() -> None:
    page = (ROOT / "docs" / "emulator.md").read_text()
    assert [fault for fault in (*FAULTS, *(f"{kind}CODE" for kind in KINDS)) if f"`{fault}`" not in page] == []
    options = [name for option in emulate.params for name in (*option.opts, *option.secondary_opts)]
    assert [option for option in options if option not in page] == []
