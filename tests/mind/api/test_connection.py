"""Connection and parser against a server that replays the service's frames and each of its oddities, byte by byte.

The server is written apart from the emulator and from the client: a raw socket and frames typed from the specification.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest

from companion.errors import CharacterError, ConfigError
from companion.mind.api.connection import Connection
from companion.mind.api.errors import explain_refusal
from companion.mind.api.key import Key
from companion.mind.api.parser import (
    Broken,
    Delta,
    Done,
    Event,
    Finished,
    Protocol,
    Refused,
    Request,
    Usage,
    encode_request,
)

OPENAI = (
    'data: {"choices":[{"delta":{"content":"","role":"assistant"},"index":0,"logprobs":null,"finish_reason":null}],'
    '"object":"chat.completion.chunk","usage":null,"created":1768391649,"model":"qwen-plus-character","id":"chatcmpl-4b"}\n\n'
    'data: {"choices":[{"finish_reason":null,"logprobs":null,"delta":{"content":"Oh? 🧸"},"index":0}],"usage":null}\n\n'
    'data: {"choices":[{"delta":{"content":""},"finish_reason":"stop","index":0,"logprobs":null}],"usage":null}\n\n'
    'data: {"choices":[],"object":"chat.completion.chunk","usage":{"prompt_tokens":130,"completion_tokens":31,'
    '"total_tokens":161,"prompt_tokens_details":{"cached_tokens":112}},"id":"chatcmpl-4b"}\n\n'
    "data: [DONE]\n\n"
).encode()
DASHSCOPE = (
    'id:1\nevent:result\n:HTTP_STATUS/200\ndata:{"output":{"choices":[{"message":{"content":"Oh? ","role":"assistant"},'
    '"index":0,"finish_reason":"null"}]},"usage":{"total_tokens":133,"output_tokens":3,"input_tokens":130,'
    '"prompt_tokens_details":{"cached_tokens":0}},"request_id":"71689cfc"}\n\n'
    'id:2\nevent:result\n:HTTP_STATUS/200\ndata:{"output":{"choices":[{"message":{"content":"🧸","role":"assistant"},'
    '"index":0,"finish_reason":"stop"}]},"usage":{"total_tokens":161,"output_tokens":31,"input_tokens":130,'
    '"prompt_tokens_details":{"cached_tokens":112}},"request_id":"71689cfc"}\n\n'
).encode()
ANSWERS: dict[Protocol, bytes] = {"openai": OPENAI, "dashscope": DASHSCOPE}
STREAM = b"text/event-stream"
JSON = b"application/json"


@dataclass
class Heard:
    """What came to the server."""

    line: str
    headers: dict[str, str]
    body: bytes = field(repr=False)


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def hear(reader: asyncio.StreamReader) -> Heard:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    return Heard(first, headers, await reader.readexactly(int(headers.get("content-length", 0))))


@asynccontextmanager
async def serving(
    handler: Handler, protocol: Protocol = "openai", below: str = "/v1", key: Key | None = None
) -> AsyncIterator[Connection]:
    talks: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.add(asyncio.current_task())
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            await handler(reader, writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}{below}"
    connection = Connection(url, "session-1", key, protocol=protocol)
    try:
        yield connection
    finally:
        await connection.close()
        server.close()
        await asyncio.wait([talk for talk in talks if talk], timeout=5)


def replaying(body: bytes, status: int = 200, kind: bytes = STREAM, piece: int = 1 << 20) -> Handler:
    """Answers with these bytes, in pieces of that many."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await hear(reader)
        writer.write(
            b"HTTP/1.1 %d X\r\ncontent-type: %b\r\nx-request-id: 1f-2\r\nconnection: close\r\n\r\n" % (status, kind)
        )
        for at in range(0, len(body), piece):
            writer.write(body[at : at + piece])
            await writer.drain()

    return handler


def asking(*, stream: bool = True) -> Request:
    return Request("qwen-plus-character", ({"role": "user", "content": "hi"},), stream=stream)


async def events_of(connection: Connection, protocol: Protocol, *, stream: bool = True) -> list[Event]:
    events: list[Event] = []
    async with aclosing(await connection.send(encode_request(protocol, asking(stream=stream)))) as answer:
        if answer.status != 200:
            return [await answer.refusal()]
        while not events or not isinstance(events[-1], Done | Broken | Refused):
            events.append(await answer.next_event())
    return events


PROTOCOLS: list[Protocol] = ["openai", "dashscope"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("kind", [STREAM, b"text/event-stream;charset=UTF-8", JSON, b"nonsense"])
async def test_a_stream_is_read_whatever_it_is_called(protocol: Protocol, kind: bytes) -> None:
    async with serving(replaying(ANSWERS[protocol], kind=kind, piece=7), protocol) as connection:
        events = await events_of(connection, protocol)
    assert "".join(event.text for event in events if isinstance(event, Delta)) == "Oh? 🧸"
    assert events[-3:] == [Finished(0, "stop"), Usage(130, 31, 112), Done()]


@pytest.mark.parametrize("kind", [STREAM, JSON])
async def test_an_answer_in_one_piece_is_read_whatever_it_is_called(kind: bytes) -> None:
    body = (
        b'{"output":{"choices":[{"finish_reason":"stop","index":0,"message":{"role":"assistant","content":"Hi."}}]},'
        b'"usage":{"input_tokens":130,"output_tokens":38,"total_tokens":168},"request_id":"abb2"}'
    )
    async with serving(replaying(body, kind=kind, piece=11), "dashscope") as connection:
        events = await events_of(connection, "dashscope", stream=False)
    assert events == [Delta(0, "Hi."), Finished(0, "stop"), Usage(130, 38, 0), Done()]


MODERATED = b'{"error":{"message":"no","type":"x","param":null,"code":"data_inspection_failed"},"id":"chatcmpl-c2b2"}'
INVALID = b'{"code":"InvalidParameter","message":"Range of n should be [1, 4]","request_id":"f19e"}'


@pytest.mark.parametrize(
    ("protocol", "status", "body", "refused"),
    [
        ("openai", 400, MODERATED, Refused("data_inspection_failed", "no", 400, "c2b2")),
        ("openai", 400, b"data: " + MODERATED, Refused("data_inspection_failed", "no", 400, "c2b2")),
        ("openai", 502, b"<html>Bad Gateway</html>", Refused("http_502", "", 502)),
        ("openai", 429, b"", Refused("http_429", "", 429)),
        (
            "dashscope",
            401,
            b'{"code":"InvalidApiKey","message":"x","request_id":"8"}',
            Refused("InvalidApiKey", "x", 401, "8"),
        ),
        (
            "dashscope",
            400,
            b"id:1\nevent:error\n:HTTP_STATUS/400\ndata:" + INVALID,
            Refused("InvalidParameter", "Range of n should be [1, 4]", 400, "f19e"),
        ),
        (
            "dashscope",
            200,
            b"id:1\nevent:error\n:HTTP_STATUS/400\ndata:" + INVALID + b"\n\n",
            Refused("InvalidParameter", "Range of n should be [1, 4]", 400, "f19e"),
        ),
        (
            "dashscope",
            404,
            b'{"error":{"message":"m","type":"invalid_request_error","code":"model_not_found"}}',
            Refused("model_not_found", "m", 404),
        ),
    ],
)
@pytest.mark.parametrize("kind", [STREAM, JSON])
async def test_every_recorded_refusal(
    protocol: Protocol, status: int, body: bytes, refused: Refused, kind: bytes
) -> None:
    async with serving(replaying(body, status, kind, piece=5), protocol) as connection:
        assert await events_of(connection, protocol) == [refused]


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_refusal_in_the_middle_comes_after_the_text(protocol: Protocol) -> None:
    cut = b'data: {"choices":[{"delta":{"content":""},"finish' if protocol == "openai" else b"id:2"
    begin, _, _ = ANSWERS[protocol].partition(cut)
    error = b"event:error\ndata: " + MODERATED + b"\n\ndata: [DONE]\n\n"
    async with serving(replaying(begin + error, piece=3), protocol) as connection:
        events = await events_of(connection, protocol)
    assert isinstance(events[0], Delta)
    assert events[-1] == Refused("data_inspection_failed", "no", None, "c2b2")


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_an_answer_that_is_cut_short_is_broken_or_an_error(protocol: Protocol) -> None:
    cut = ANSWERS[protocol][: len(ANSWERS[protocol]) // 2]
    async with serving(replaying(cut), protocol) as connection:
        assert isinstance((await events_of(connection, protocol))[-1], Broken)

    async def breaking(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await hear(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n%x\r\n%b" % (len(cut) + 9, cut))

    async with serving(breaking, protocol) as connection:
        with pytest.raises(CharacterError, match=r"The connection to the character service at 127\.0\.0\.1 broke\."):
            await events_of(connection, protocol)


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_connection_that_breaks_behind_the_whole_answer_has_done_its_work(protocol: Protocol) -> None:
    whole = ANSWERS[protocol].removesuffix(b"data: [DONE]\n\n")

    async def breaking(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await hear(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n%x\r\n%b\r\n" % (len(whole), whole))

    async with serving(breaking, protocol) as connection:
        assert (await events_of(connection, protocol))[-2:] == [Usage(130, 31, 112), Done()]


@pytest.mark.parametrize("body", [OPENAI, DASHSCOPE, b"nonsense", MODERATED, b""])
async def test_whoever_asks_on_after_the_end_is_told_the_end_again(body: bytes) -> None:
    async with (
        serving(replaying(body)) as connection,
        aclosing(await connection.send(encode_request("openai", asking()))) as answer,
    ):
        while not isinstance(end := await answer.next_event(), Done | Broken | Refused):
            pass
        async with asyncio.timeout(5):
            assert [await answer.next_event() for _ in range(3)] == [end] * 3


@pytest.mark.parametrize(
    "body", [OPENAI.replace(b'"index":0', b'"index":1'), OPENAI.replace(b'"index":0', b'"index":"x"')]
)
async def test_one_answer_has_one_index_whatever_the_server_calls_it(body: bytes) -> None:
    async with serving(replaying(body)) as connection:
        events = await events_of(connection, "openai")
    assert events[:2] == [Delta(0, "Oh? 🧸"), Finished(0, "stop")]


async def test_a_response_that_stays_open_behind_the_whole_answer_is_not_waited_for() -> None:
    async def sticking(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await hear(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + OPENAI.partition(b'data: {"choices":[],')[0])
        await reader.read()

    async with serving(sticking) as connection, asyncio.timeout(5):
        assert (await events_of(connection, "openai"))[-2:] == [Finished(0, "stop"), Done()]


async def test_an_end_without_an_end_mark_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "companion")
    told = "ended its response without saying that the answer is whole"
    body = OPENAI.partition(b'data: {"choices":[{"delta":{"content":""},"finish')[0].replace(b"Oh?", b"Oh!")
    async with serving(replaying(body)) as connection:
        assert (await events_of(connection, "openai"))[-1] == Done()
        assert told in caplog.text
        caplog.clear()
    async with serving(replaying(OPENAI)) as connection:
        await events_of(connection, "openai")
    assert told not in caplog.text


@pytest.mark.parametrize(
    ("protocol", "below", "path"),
    [
        ("openai", "/v1", "/v1/chat/completions"),
        ("openai", "/v1/", "/v1/chat/completions"),
        ("openai", "/v1?api-version=2", "/v1/chat/completions?api-version=2"),
        ("dashscope", "/api/v1", "/api/v1/services/aigc/text-generation/generation"),
    ],
)
async def test_the_request_on_the_wire(protocol: Protocol, below: str, path: str) -> None:
    heard: list[Heard] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            heard.append(await hear(reader))
            body = ANSWERS[protocol] if heard[1:] else b""
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))

    async with serving(handler, protocol, below, Key("sk-right")) as connection:
        await connection.warm_up()
        for session, stream in ((None, True), ("session-2", False)):
            answer = await connection.send(encode_request(protocol, asking(stream=stream)), session)
            while not isinstance(await answer.next_event(), Done):
                pass
            await answer.drain()
            await answer.aclose()
    warm, streamed, whole = heard
    assert warm.line.startswith("HEAD ")
    assert streamed.line == f"POST {path} HTTP/1.1"
    assert streamed.headers["authorization"] == "Bearer sk-right"
    assert streamed.headers["content-type"] == "application/json"
    assert streamed.headers["accept"] == "text/event-stream"
    assert whole.headers["accept"] == "application/json"
    assert (streamed.headers.get("x-dashscope-sse") == "enable") == (protocol == "dashscope")
    assert "x-dashscope-sse" not in whole.headers
    assert streamed.headers["x-dashscope-aca-session"] == "session-1"
    assert whole.headers["x-dashscope-aca-session"] == "session-2"
    assert json.loads(streamed.body) == json.loads(encode_request(protocol, asking()).body)


async def test_what_is_known_of_the_cost_is_there_before_the_end() -> None:
    async with serving(replaying(DASHSCOPE), "dashscope") as connection:
        answer = await connection.send(encode_request("dashscope", asking()))
        assert answer.usage is None
        assert answer.request_id == "1f-2"
        await answer.next_event()
        assert answer.usage is not None
        assert answer.usage.prompt == 130
        await answer.aclose()


async def test_a_service_that_is_not_there() -> None:
    gone = Connection("http://127.0.0.1:1/v1", "s", None)
    with pytest.raises(CharacterError, match=r"at 127\.0\.0\.1 cannot be reached") as caught:
        await gone.send(encode_request("openai", asking()))
    assert caught.value.line == "offline"
    await gone.warm_up()
    await gone.close()


@pytest.mark.parametrize("url", ["http://", "http://a..b/v1", "http://x:99999/v1", f"https://{'a' * 64}.com/v1"])
def test_an_address_that_cannot_work_is_a_config_error(url: str) -> None:
    with pytest.raises(ConfigError, match=r"character\.base_url"):
        Connection(url, "s", None)


@pytest.mark.parametrize("host", ["character.example.com", "10.99.0.1", "192.168.1.7:8080", "127.0.0.1.example.com"])
def test_a_key_never_goes_out_unencrypted_to_another_machine(host: str) -> None:
    for url in (f"http://{host}/v1", f"HTTP://{host}/v1"):
        with pytest.raises(ConfigError, match=r"character\.base_url: sends the key unencrypted.*write https://"):
            Connection(url, "s", Key("sk-1"))


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "127.8.9.1", "[::1]:8080", "localhost"])
async def test_this_machine_may_have_the_key_and_others_the_words_without_one(host: str) -> None:
    await Connection(f"http://{host}/v1", "s", Key("sk-1")).close()
    await Connection("http://10.99.0.1/v1", "s", None).close()
    await Connection("https://10.99.0.1/v1", "s", Key("sk-1")).close()


@pytest.mark.parametrize("field", ["code", "type", "message", "request_id", "id", "param"])
@pytest.mark.parametrize("status", [200, 401])
async def test_a_service_that_says_the_key_back_is_not_quoted(field: str, status: int) -> None:
    key = "sk-4f1c9a7e/2b8d4c6f"
    body = json.dumps({"error": {"message": "no", "code": "InvalidApiKey", field: f"Bearer {key}"}}).encode()
    frames = body if status != 200 else b"data: " + body + b"\n\n"
    async with serving(replaying(frames, status), key=Key(key)) as connection:
        refused = (await events_of(connection, "openai"))[-1]
    assert isinstance(refused, Refused)
    for told in (repr(refused), explain_refusal(refused).log):
        assert "4f1c9a7e" not in told
        assert "2b8d4c6f" not in told
