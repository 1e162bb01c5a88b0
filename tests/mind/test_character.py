"""The client of the character service: against the emulator, against replayed bytes, and in virtual time."""

from __future__ import annotations

import asyncio
import gzip
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from companion.emulator import EmulatorServer
from companion.errors import CharacterError, CharacterRefused, ConfigError
from companion.mind.api.capabilities import ban_list
from companion.mind.api.key import Key
from companion.mind.assembly import build
from companion.mind.character import ServiceCharacter
from tests.support.service_scene import (
    ANSWER,
    HEAD,
    Line,
    Step,
    answer,
    device,
    error,
    event,
    on,
    persona,
    read_request,
    replayed,
)

SECRET = "the dog ate my cake"


async def listen(character: ServiceCharacter, said: str, heard: list[str]) -> None:
    async with aclosing(character.reply(said)) as deltas:
        async for delta in deltas:
            heard.append(delta)


# Against the emulator


class Faults:
    """What befalls the next requests; then all is well."""

    def __init__(self) -> None:
        self.coming: deque[str] = deque()

    def __iter__(self) -> Faults:
        return self

    def __next__(self) -> str:
        return self.coming.popleft() if self.coming else "none"


@pytest.fixture(scope="module")
def stand_in() -> Iterator[tuple[str, Faults]]:
    faults = Faults()
    server = EmulatorServer(first_token_s=0, piece_s=0, faults=faults, required_key="sk-right")
    yield server.start(), faults
    server.stop()


Emulated = Callable[..., AbstractAsyncContextManager[ServiceCharacter]]


@pytest.fixture
def emulated(stand_in: tuple[str, Faults], tmp_path: Path) -> Emulated:
    """`emulated(*faults, channel="emoji", **settings)`: a character whose next requests suffer these faults."""
    url, faults = stand_in

    @asynccontextmanager
    async def make(*coming: str, channel: str = "emoji", **settings: Any) -> AsyncIterator[ServiceCharacter]:
        faults.coming = deque(coming)
        character = await build(device(tmp_path, character=settings), persona(channel), url, Key("sk-right"))
        try:
            yield character
        finally:
            await character.close()

    return make


async def test_it_answers_in_many_pieces(emulated: Emulated) -> None:
    async with emulated() as character, aclosing(character.reply("tell me a story")) as deltas:
        pieces = [delta async for delta in deltas]
    assert len(pieces) > 10
    assert "once" in "".join(pieces).lower()


async def test_brackets_come_only_where_directions_are_the_cue_channel(emulated: Emulated) -> None:
    async with emulated(channel="emoji") as character:
        assert "(" not in await answer(character)
    async with emulated(channel="directions") as character:
        assert "(" in await answer(character)
    async with emulated(channel="emoji", ban_brackets="off") as character:
        assert "(" in await answer(character)


async def test_what_was_heard_goes_with_the_next_request(emulated: Emulated) -> None:
    async with emulated() as character:
        first = await answer(character, "sing a song")
        assert await answer(character, "sing a song") == first
        character.remember("sing a song", first)
        assert await answer(character, "sing a song") != first


@pytest.mark.parametrize("fault", ["drip", "halves", "no_done", "keep_alive", "http429", "http503", "reset_at_once"])
async def test_the_answer_survives(emulated: Emulated, fault: str) -> None:
    async with emulated() as character:
        healthy = await answer(character)
    async with emulated(fault) as character:
        assert await answer(character) == healthy


@pytest.mark.parametrize("fault", ["http429", "http500", "http503", "reset_at_once", "html", "empty"])
async def test_it_tries_once_more_and_no_oftener(emulated: Emulated, fault: str) -> None:
    async with emulated(fault, fault) as character:
        with pytest.raises(CharacterError) as caught:
            await answer(character, SECRET)
        assert not isinstance(caught.value, CharacterRefused)
        assert_plain(caught.value)
        assert await answer(character)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("http400", "data_inspection_failed"),
        ("sse_http400", "data_inspection_failed"),
        ("http401", "invalid_api_key"),
        ("arrears", "Arrearage"),
        ("http404", "model_not_found"),
    ],
)
async def test_a_final_refusal_is_not_tried_again(emulated: Emulated, fault: str, reason: str) -> None:
    async with emulated(fault) as character:
        with pytest.raises(CharacterRefused) as caught:
            await answer(character, SECRET)
        assert caught.value.reason == reason
        assert_plain(caught.value)
        assert await answer(character)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("reset", CharacterError),
        ("cut_short", CharacterError),
        ("moderated_midway", CharacterRefused),
    ],
)
async def test_after_the_first_words_they_stand_and_nothing_is_tried_again(
    emulated: Emulated, fault: str, kind: type[CharacterError]
) -> None:
    async with emulated(fault) as character:
        heard: list[str] = []
        with pytest.raises(CharacterError) as caught:
            await listen(character, SECRET, heard)
        assert heard
        assert type(caught.value) is kind
        assert_plain(caught.value)
        # The fault was used up, so this is only the second request.
        assert await answer(character)


def assert_plain(error: CharacterError) -> None:
    """One sentence for a person, without anything that was said and without the key."""
    sentence = str(error)
    assert sentence[0].isupper()
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert SECRET not in sentence
    assert "sk-" not in sentence


async def test_a_wrong_key_is_refused_with_what_to_do(tmp_path: Path) -> None:
    server = EmulatorServer(required_key="sk-right")
    character = await build(device(tmp_path), persona(), server.start(), Key("sk-wrong"))
    with pytest.raises(CharacterRefused, match="check DASHSCOPE_API_KEY"):
        await answer(character)
    await character.close()
    server.stop()


async def test_the_ban_list_shrinks_where_it_is_refused_and_stays_small(
    emulated: Emulated, caplog: pytest.LogCaptureFixture
) -> None:
    async with emulated(*["refuse_long_bias"] * 4, ban_brackets="complete") as character:
        assert await answer(character)
        assert await answer(character)
    assert [record.levelno for record in caplog.records if "ban list" in record.message] == [logging.WARNING] * 2


async def test_a_service_that_is_not_there_is_told_at_once(tmp_path: Path) -> None:
    server = EmulatorServer()
    url = server.start()
    server.stop()
    character = await build(device(tmp_path), persona(), url, None)
    began = asyncio.get_running_loop().time()
    await character.prepare()
    with pytest.raises(CharacterError, match=r"at 127\.0\.0\.1 cannot be reached"):
        await answer(character)
    assert asyncio.get_running_loop().time() - began < 3
    await character.close()


async def test_nothing_of_the_talk_or_the_key_gets_into_the_log(
    emulated: Emulated, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with emulated("http500") as character:
        await answer(character, SECRET)
    assert SECRET not in caplog.text
    assert "sk-right" not in caplog.text


async def test_a_proxy_is_not_asked_for_what_is_on_this_machine(
    emulated: Emulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with emulated() as character:
        assert await answer(character)


@pytest.mark.parametrize("url", ["http://", "http://a..b/v1", "http://x:99999/v1", f"https://{'a' * 64}.com/v1"])
async def test_an_address_that_cannot_work_is_a_config_error(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"character\.base_url"):
        await build(device(tmp_path), persona(), url, None)


async def test_a_proxy_that_cannot_work_is_a_config_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("https_proxy", "carrier-pigeon://x")
    with pytest.raises(ConfigError, match="HTTPS_PROXY"):
        await build(device(tmp_path), persona(), "https://dashscope-intl.aliyuncs.com/compatible-mode/v1", None)


# Against replayed bytes


async def test_the_request_on_the_wire(tmp_path: Path) -> None:
    requests = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await read_request(reader))
        writer.write(HEAD + event("Hi.", "stop"))

    async with replayed(handler, tmp_path, temperature=0.5, max_tokens=77) as character:
        await answer(character, "你好")
        await answer(character, "two")
    (line, headers, body), (_, again, _) = requests
    assert line == "POST /v1/chat/completions HTTP/1.1"
    assert headers["authorization"] == "Bearer sk-right"
    assert headers["content-type"] == "application/json"
    assert headers["x-dashscope-aca-session"] == again["x-dashscope-aca-session"]
    assert len(headers["x-dashscope-aca-session"]) == 36
    assert [message["role"] for message in body["messages"]] == ["system", "assistant", "user"]
    assert body["messages"][1:] == [
        {"role": "assistant", "content": "Hello!"},
        {"role": "user", "content": "你好"},
    ]
    assert body["stream"] is True
    assert body["stream_options"] == {"include_usage": True}
    assert (body["model"], body["max_tokens"], body["temperature"]) == ("qwen-plus-character", 77, 0.5)
    assert body["logit_bias"] == ban_list("prose", asterisks=True)


@pytest.mark.parametrize("how", ["close", "cancel"])
async def test_the_model_stops_when_nobody_listens_any_more(how: str, tmp_path: Path) -> None:
    gone = asyncio.Event()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(HEAD + event("Once "))
        assert await reader.read() == b""
        gone.set()

    async with replayed(handler, tmp_path) as character:
        deltas = character.reply("hello")
        assert await anext(deltas) == "Once "
        if how == "cancel":
            waiting = asyncio.ensure_future(anext(deltas))
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        await deltas.aclose()
        async with asyncio.timeout(2):
            await gone.wait()


async def test_the_connection_is_prepared_once_and_used_again(tmp_path: Path) -> None:
    connections = 0
    lines = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while True:
            line, _, _ = await read_request(reader)
            lines.append(line.split()[0])
            if line.startswith("HEAD"):
                writer.write(b"HTTP/1.1 405 Method Not Allowed\r\ncontent-length: 0\r\n\r\n")
            else:
                body = event("Hi.", "stop") + b"data: [DONE]\n\n"
                writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
                writer.write(b"%x\r\n%b\r\n" % (len(body), body))
                await writer.drain()
                writer.write(b"0\r\n\r\n")

    async with replayed(handler, tmp_path) as character:
        await character.prepare()
        await character.prepare()
        for _ in range(3):
            assert await answer(character) == "Hi."
        await character.prepare()
    assert lines == ["HEAD", "POST", "POST", "POST"]
    assert connections == 1


async def test_a_kept_connection_that_has_died_meanwhile_is_replaced(tmp_path: Path) -> None:
    connections = 0

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await read_request(reader)
        body = event("Hi.", "stop") + b"data: [DONE]\n\n"
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
        if connections == 1:
            # The next request is read, and then the server is gone.
            await read_request(reader)

    async with replayed(handler, tmp_path) as character:
        assert await answer(character) == "Hi."
        assert await answer(character) == "Hi."
    assert connections == 2


async def test_a_compressed_flood_is_no_answer(tmp_path: Path) -> None:
    flood = gzip.compress(b"\n" * 30_000_000)

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n"
        writer.write(head % len(flood) + flood)
        await writer.drain()

    async with replayed(handler, tmp_path) as character:
        with pytest.raises(CharacterError, match=r"broke|no answer"):
            await answer(character)


# In virtual time


def now() -> float:
    """The loop's time, which is not the wall's here."""
    return asyncio.get_running_loop().time()


LONG = 3600.0


@pytest.mark.looptime
@pytest.mark.parametrize(
    "script",
    [
        [LONG],
        [b": keep-alive\n\n", LONG],
        [event(""), LONG],
        [*[b": keep-alive\n\n", 0.3] * 100],
        [2.2, httpx.ReadError("reset")],
    ],
    ids=["silent", "alive", "empty first", "alive for ever", "late reset"],
)
async def test_the_first_words_come_in_time_or_not_at_all(script: list[Step]) -> None:
    character = on(Line(script, [LONG]))
    began = now()
    with pytest.raises(CharacterError, match=r"did not answer within 2\.4 s"):
        await answer(character)
    assert now() - began == pytest.approx(2.4, abs=0.01)


@pytest.mark.looptime
async def test_slow_first_words_are_waited_for() -> None:
    assert await answer(on(Line([2.3, *ANSWER]))) == "Hi."
    assert await answer(on(Line([httpx.ConnectTimeout("1 s")], [1.0, *ANSWER]))) == "Hi."


@pytest.mark.looptime
async def test_a_busy_service_is_not_asked_again_at_once() -> None:
    began = now()
    line = Line([b"{}"], [b"{}"], status=429)
    with pytest.raises(CharacterError, match="too often"):
        await answer(on(line))
    assert len(line.requests) == 2
    assert 0.2 <= now() - began <= 0.5


@pytest.mark.looptime
@pytest.mark.parametrize("script", [[event("Once "), LONG], [event("Once "), *[b": alive\n\n", 1.0] * 100]])
async def test_a_stalled_answer_is_given_up(script: list[Step]) -> None:
    heard: list[str] = []
    began = now()
    with pytest.raises(CharacterError, match="stopped in the middle"):
        await listen(on(Line(script)), "x", heard)
    assert heard == ["Once "]
    assert now() - began == pytest.approx(4.0, abs=0.01)


@pytest.mark.looptime
async def test_a_listener_who_takes_long_does_not_make_the_answer_stall() -> None:
    heard = []
    async with aclosing(on(Line([*map(event, "abc"), *ANSWER])).reply("x")) as deltas:
        async for delta in deltas:
            await asyncio.sleep(30)
            heard.append(delta)
    assert "".join(heard) == "abcHi."


@pytest.mark.looptime
async def test_preparing_never_fails_and_never_waits_long() -> None:
    began = now()
    await on(Line([LONG])).prepare()
    assert now() - began <= 3
    await on(Line([httpx.ConnectError("no route")])).prepare()


@pytest.mark.looptime
async def test_the_connection_is_warmed_again_after_a_minute_of_silence() -> None:
    line = Line([b""], [*ANSWER], [b""])
    character = on(line)
    await character.prepare()
    await asyncio.sleep(30)
    await answer(character)
    await asyncio.sleep(59)
    await character.prepare()
    assert len(line.requests) == 2
    await asyncio.sleep(2)
    await character.prepare()
    assert len(line.requests) == 3


MODERATION: list[Step] = [error("data_inspection_failed")]


@pytest.mark.looptime
async def test_what_moderation_refuses_is_not_said_again() -> None:
    line = Line([*MODERATION], [*ANSWER], [*ANSWER])
    character = on(line)
    with pytest.raises(CharacterRefused):
        await answer(character, "bad")
    character.remember("bad", "")
    character.remember("bad luck", "")
    await answer(character, "good")
    assert line.said() == ["bad luck", "good"]


@pytest.mark.looptime
async def test_a_history_that_moderation_refuses_is_dropped() -> None:
    line = Line([*ANSWER], [*MODERATION], [*MODERATION], [*ANSWER])
    character = on(line)
    character.remember("odd", await answer(character, "odd"))
    for _ in range(2):
        with pytest.raises(CharacterRefused):
            await answer(character, "hello")
        character.remember("hello", "")
    await answer(character, "hello")
    assert line.said(2) == ["odd", "hello"]
    assert line.said(3) == ["hello"]


@pytest.mark.looptime
async def test_a_history_that_is_too_long_is_shortened_until_it_fits() -> None:
    too_long = b'{"error":{"code":"invalid_parameter_error","message":"Range of input length should be [1, 80]"}}'
    line = Line([too_long], [too_long], [*ANSWER])
    character = on(line)
    await character.start()
    for number in range(8):
        character.remember(f"q{number}", "a")
    assert await answer(character, "now") == "Hi."
    assert [len(line.said(at)) for at in range(3)] == [9, 5, 3]


@pytest.mark.looptime
async def test_a_redirect_is_a_network_that_wants_something() -> None:
    with pytest.raises(CharacterError, match="the network"):
        await answer(on(Line([b""], [b""], status=302)))
