"""A character with a service in front of it: a network in the loop's time, a server on loopback, and their bytes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from companion.config.device import Device
from companion.config.persona import Persona
from companion.config.policy import load_policy
from companion.guardian import Guardian
from companion.mind.api import models
from companion.mind.api.capabilities import Capabilities
from companion.mind.api.client import ServiceClient
from companion.mind.api.connection import Connection
from companion.mind.api.key import Key
from companion.mind.api.rate_limit import RateLimiter
from companion.mind.assembly import build, make_working_memory
from companion.mind.budget import Budget
from companion.mind.character import ServiceCharacter
from companion.mind.context import ContextCollector, ContextProvider
from companion.mind.discretion import Discretion
from companion.mind.memory.store import local_now

PROFILE = "You are Momo, a teddy bear."
Made = Callable[..., AbstractAsyncContextManager[ServiceCharacter]]
"""The fixture `made`: a character with a store."""

CAST = ({"name": "Kiki", "profile": {"details": "You are Kiki, a parrot."}},)


def persona(channel: str = "emoji", opening: str = "Hello!", **more: Any) -> Persona:
    """Momo; `more` are further tables of the persona."""
    return Persona.model_validate(
        {
            "name": "Momo",
            "opening": opening,
            "profile": {"details": PROFILE},
            "cues": {"channel": channel},
            "lines": {"offline": ["."], "failed": ["."]},
            "words": {"en": {"again": ["say that another way"]}},
            **more,
        }
    )


def device(folder: Path | None = None, **settings: Any) -> Device:
    """`memory`, `spending`, `context` and `character` are tables; nothing is told and nothing is paced by default."""
    tables = {
        "persona": "p.toml",
        "identity": "unit-1",
        **settings,
        "context": {"providers": [], **settings.get("context", {})},
        "character": {"requests_per_second": 1000, **settings.get("character", {})},
        "memory": {"folder": folder, **settings.get("memory", {})},
    }
    return Device.model_validate(tables)


async def answer(character: ServiceCharacter, said: str = "hello", speaker: str = "") -> str:
    """The whole answer to one utterance, without remembering it."""
    return await whole(character.reply(said, speaker))


async def whole(deltas: AsyncGenerator[str] | None) -> str:
    """All deltas of an answer, joined."""
    assert deltas is not None
    async with aclosing(deltas):
        return "".join([delta async for delta in deltas])


async def talk(character: ServiceCharacter, said: str) -> str:
    """Ask and remember, as the conversation does. Returns what was answered, in a group by all together."""
    told, rest = [], said
    for speaker in character.speakers(said):
        told.append(await answer(character, said, speaker))
        character.remember(rest, told[-1], speaker)
        rest = ""
    return " ".join(told)


def event(text: str, reason: str | None = None, index: int = 0) -> bytes:
    """One server-sent event of a stream, with a piece of text."""
    choice = {"delta": {"content": text}, "index": index, "finish_reason": reason}
    return b"data: " + json.dumps({"choices": [choice]}, ensure_ascii=False).encode() + b"\n\n"


def usage(prompt: int, completion: int, cached: int = 0) -> bytes:
    """The last event of a stream, with its token counts."""
    counts = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "prompt_tokens_details": {"cached_tokens": cached},
    }
    return b"data: " + json.dumps({"choices": [], "usage": counts}).encode() + b"\n\n"


def plain(*texts: str) -> bytes:
    """An answer in one piece, with several choices."""
    choices = [
        {"index": index, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        for index, text in enumerate(texts)
    ]
    return json.dumps({"choices": choices, "usage": {"prompt_tokens": 100, "completion_tokens": 30}}).encode()


def error(code: str, message: str = "no") -> bytes:
    """The body of a refusal."""
    return json.dumps({"error": {"code": code, "message": message}}).encode()


ANSWER = (event("Hi."), event("", "stop"), usage(100, 10), b"data: [DONE]\n\n")
Step = bytes | float | httpx.TransportError


class Line(httpx.AsyncBaseTransport):
    """The network, in the loop's time: each request takes the next of these scripts, the last one for ever.

    A script may begin with the status.
    """

    def __init__(self, *scripts: Sequence[Step | int], status: int = 200) -> None:
        self._scripts = [list(script) for script in scripts]
        self._status = status
        self.requests: list[Any] = []
        self.sessions: list[str] = []
        self.times: list[float] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(json.loads(request.content or b"null"))
        self.sessions.append(request.headers["x-dashscope-aca-session"])
        self.times.append(asyncio.get_running_loop().time())
        script = self._scripts.pop(0) if len(self._scripts) > 1 else list(self._scripts[0])
        status = self._status
        if script and isinstance(script[0], int):
            status = script.pop(0)  # type: ignore[assignment]  # as was seen
        if script and isinstance(script[0], float):
            await asyncio.sleep(script.pop(0))  # type: ignore[arg-type]  # as was seen
        if script and isinstance(script[0], httpx.TransportError):
            raise script[0]
        return httpx.Response(status, stream=Stream(script))

    def said(self, number: int = -1) -> list[str]:
        """What the persons said, in one of the requests."""
        return [message["content"] for message in self.requests[number]["messages"] if message["role"] == "user"]


def request_contents(request: Any) -> list[str]:
    """The text of each message of a request."""
    return [message["content"] for message in request["messages"]]


class Stream(httpx.AsyncByteStream):
    """A response body that arrives as its script says: bytes, pauses in seconds, errors."""

    def __init__(self, script: Sequence[Step | int]) -> None:
        self._script = script

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for step in self._script:
            if isinstance(step, float):
                await asyncio.sleep(step)
            elif isinstance(step, bytes):
                yield step
            elif isinstance(step, httpx.TransportError):
                raise step


def on(
    line: httpx.AsyncBaseTransport,
    *,
    who: Persona | None = None,
    contexts: Sequence[ContextProvider] = (),
    tables: dict[str, Any] | None = None,
    key: Key | None = None,
    **character: Any,
) -> ServiceCharacter:
    """A character in virtual time, without a store: nothing that it needs runs in a thread."""
    who = who or persona()
    unit = device(**{"memory": {"mode": "off"}, "character": character, **(tables or {})})
    settings = unit.character
    model = models.find(settings.model, settings.region)
    foreign = settings.base_url is not None
    client = ServiceClient(
        Connection(settings.base_url or "https://service/v1", "session", key, line, settings.protocol),
        settings.protocol,
        Capabilities(
            settings.ban_brackets if settings.ban_brackets != "off" else None,
            asterisks=True,
            foreign=foreign,
            model=settings.model,
        ),
        RateLimiter(settings.requests_per_second, model.tokens_per_minute),
        Budget(unit.spending, model, who.name, None),
    )
    return ServiceCharacter(
        unit,
        who,
        model,
        client,
        make_working_memory(unit, "unit-1", None),
        ContextCollector(contexts, unit.context.longest),
    )


async def stored(
    line: Line,
    folder: Path,
    who: Persona | None = None,
    *,
    discretion: Discretion | None = None,
    now: Callable[[], datetime] = local_now,
    **tables: Any,
) -> ServiceCharacter:
    """A character with a store, in real time."""
    unit = device(folder, **tables)
    base_url = unit.character.base_url or "http://service/v1"
    connection = Connection(base_url, "session", None, line, unit.character.protocol)
    who = who or persona()
    return await build(unit, who, base_url, None, now=now, connection=connection, discretion=discretion)


def discretion_of(who: Persona, name: str = "child", **memory: Any) -> Discretion:
    """How a policy has the memory handled; `memory` are settings of its table."""
    guardian = Guardian(load_policy(name, {f"memory.{key}": value for key, value in memory.items()}), who)
    return Discretion(guardian.policy.memory, guardian.clean, guardian.line, guardian.may_keep)


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]


@asynccontextmanager
async def replayed(handler: Handler, folder: Path, **character: Any) -> AsyncIterator[ServiceCharacter]:
    """A character before a server that handles each connection so."""
    connections: set[asyncio.Task[Any]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        connections.add(task)
        with suppress(asyncio.IncompleteReadError):
            await handler(reader, writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    mine = await build(device(folder, character=character), persona(), url, Key("sk-right"))
    try:
        yield mine
    finally:
        await mine.close()
        server.close()
        await asyncio.wait(connections, timeout=5)


async def read_request(reader: asyncio.StreamReader) -> tuple[str, dict[str, str], Any]:
    """Method and path, headers, and the JSON of the body, as a server on a socket reads them."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return first, headers, json.loads(body) if body else None


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
