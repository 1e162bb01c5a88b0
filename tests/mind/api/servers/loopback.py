"""A model server on loopback, and a character that talks with it through the real client."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from companion.config.persona import Persona
from companion.mind.assembly import build
from companion.mind.character import ServiceCharacter
from tests.support.service_scene import device, persona, read_request


@dataclass(frozen=True)
class Reply:
    """What a server sends back."""

    body: bytes
    status: int = 200
    kind: str = "text/event-stream"
    headers: Mapping[str, str] = field(default_factory=dict)


Request = dict[str, Any]
Server = Callable[[Request], Reply]
"""A request's JSON in, what is sent back out."""


def frames(*values: object, done: bool = True, begin: str = "data: ") -> Reply:
    """A stream of these JSON objects."""
    lines = [begin + (value if isinstance(value, str) else json.dumps(value)) for value in values]
    return Reply("".join(f"{line}\n\n" for line in [*lines, *(["data: [DONE]"] if done else [])]).encode())


def refused(status: int, body: object) -> Reply:
    """A plain refusal."""
    return Reply(json.dumps(body).encode(), status, "application/json")


def choice(delta: Mapping[str, Any], reason: str | None = None, **more: Any) -> dict[str, Any]:
    """One chunk of a stream with one choice."""
    return {
        "object": "chat.completion.chunk",
        "choices": [{"index": 0, "delta": delta, "finish_reason": reason}],
        **more,
    }


def spoken(texts: Iterable[str]) -> list[dict[str, Any]]:
    """The chunks of an ordinary answer."""
    return [choice({"role": "assistant", "content": ""}), *(choice({"content": text}) for text in texts)]


@asynccontextmanager
async def talking_to(
    server: Server,
    folder: Path,
    who: Persona | None = None,
    tables: Mapping[str, Any] | None = None,
    tls: ssl.SSLContext | None = None,
    below: str = "/v1",
    **character: Any,
) -> AsyncIterator[tuple[ServiceCharacter, list[Request]]]:
    """A character in front of this server, and the requests that come to the server.

    `below` is the path of the character's base address.
    """
    requests: list[Request] = []
    connections: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.add(asyncio.current_task())
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                first, _, body = await read_request(reader)
                requests.extend([body] if body else [])
                # The head that opens the connection ahead of time has no body.
                reply = server(body) if first.startswith("POST /v1/chat/completions ") else Reply(b"", 404)
                head = {"content-type": reply.kind, "content-length": str(len(reply.body)), **reply.headers}
                lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
                writer.write(f"HTTP/1.1 {reply.status} X\r\n{lines}\r\n".encode() + reply.body)
                await writer.drain()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    url = f"http{'s' if tls else ''}://127.0.0.1:{listening.sockets[0].getsockname()[1]}{below}"
    service = {"base_url": url, "model": "qwen2.5-7b", "answer_within_s": 20, **character}
    unit = device(folder, **{"character": service, **(tables or {})})
    mine = await build(unit, who or persona(), unit.character.base_url or url, None)
    try:
        yield mine, requests
    finally:
        await mine.close()
        listening.close()
        if connections:
            await asyncio.wait([one for one in connections if one], timeout=5)
