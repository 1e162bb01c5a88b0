"""The routes: what a client of the real service would call, answered from scripts.

One ASGI application, on whatever loop serves it. It keeps nothing between requests but the list of faults to come.
"""

from __future__ import annotations

import asyncio
import itertools
import socket
import struct
import time
import uuid
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from companion.emulator.faults import LONG_BIAS, MODERATED_MIDWAY, MOST_BIAS, REFUSALS, known
from companion.emulator.script import Script, choose, load_scripts, without_banned
from companion.emulator.wire import DONE, MODELS, ChatRequest, Envelope, Refusal, frame, pieces, read_request

BASE_PATH = "/compatible-mode/v1"

_PAGE = """<!doctype html><title>Emulator</title>
<h1>This is a scripted stand-in, not a language model</h1>
<p>It answers in the wire format of the Qwen role-play service, with lines that people wrote beforehand.
It understands nothing. It exists so that a device can be tried without a key or a network.</p>
<p>Characters: {names}.</p>
"""

_PIECES_A_CHUNK = (1, 2, 3, 2)
_EVENTS_BEFORE_FAULT = 4
"""The opening chunk and three with text."""


class Service:
    """The stand-in. `app` is the ASGI application."""

    def __init__(
        self,
        *,
        first_token_s: float,
        piece_s: float,
        faults: Iterable[str] = (),
        required_key: str | None = None,
        scripts: tuple[Script, ...] | None = None,
    ) -> None:
        """`faults` are used up one by one, a chat request each. Any key will do where `required_key` is None.

        Raises `ValueError` for a fault that there is not.
        """
        self._first_token_s = first_token_s
        self._piece_s = piece_s
        if isinstance(faults, Sequence):
            faults = [known(fault) for fault in faults]
        self._faults = iter(faults)
        self._required_key = required_key
        self._scripts = scripts or load_scripts()
        self.app = Starlette(
            routes=[
                Route("/", self._page),
                Route(f"{BASE_PATH}/models", self._models),
                Route(f"{BASE_PATH}/chat/completions", self._chat, methods=["POST"]),
            ]
        )

    async def _page(self, _: Request) -> Response:
        return HTMLResponse(_PAGE.format(names=", ".join(script.name for script in self._scripts)))

    async def _models(self, request: Request) -> Response:
        if not self._may_enter(request):
            return _error(REFUSALS["http401"])
        items = [{"id": model, "object": "model", "created": 1_750_000_000, "owned_by": "system"} for model in MODELS]
        return JSONResponse({"object": "list", "data": items})

    async def _chat(self, request: Request) -> Response:
        if not self._may_enter(request):
            return _error(REFUSALS["http401"])
        try:
            fault = known(request.headers.get("x-emulator-fault") or next(self._faults, "none"))
        except ValueError as error:
            return PlainTextResponse(str(error), 400)
        try:
            asked = read_request(await request.body())
        except Refusal as refusal:
            return _error(refusal)
        if fault in REFUSALS:
            return _error(REFUSALS[fault], framed=fault == "sse_http400")
        if fault == "refuse_long_bias" and len(asked.banned) > MOST_BIAS:
            return _error(LONG_BIAS)
        if fault == "html":
            return HTMLResponse("<html><body>Welcome! Please sign in to use this network.</body></html>")
        if fault == "reset_at_once":
            return await _reset(request)
        await asyncio.sleep(self._first_token_s)
        if fault == "stall":
            await _until_disconnected(request)
            return Response()
        id_ = str(uuid.uuid4())
        answer = _Answer(asked, choose(self._scripts, asked.messages), fault)
        envelope = Envelope(asked, id_, int(time.time()))
        headers = {"x-request-id": id_, "x-dashscope-call-gateway": "true"}
        if not asked.stream:
            return JSONResponse(envelope.whole(answer.whole(), answer.tokens), headers=headers)
        events = self._stream(answer.events(envelope), fault, request)
        return StreamingResponse(events, media_type="text/event-stream", headers=headers)

    def _may_enter(self, request: Request) -> bool:
        return self._required_key is None or request.headers.get("authorization") == f"Bearer {self._required_key}"

    async def _stream(self, events: Iterator[bytes], fault: str, request: Request) -> AsyncIterator[bytes]:
        """The events in time, with what the fault makes of them."""
        for number, event in enumerate(events):
            if number == _EVENTS_BEFORE_FAULT:
                match fault:
                    case "stall_midway":
                        await asyncio.Event().wait()
                    case "reset":
                        await _reset(request)
                        return
                    case "cut_short":
                        return
                    case "garbage":
                        yield b"data: {\xff\xfe\x00 not an event\n\n"
                    case "moderated_midway":
                        yield frame(MODERATED_MIDWAY.body)
                        return
            if fault == "no_done" and event == DONE:
                return
            if fault == "keep_alive":
                yield b": keep-alive\n\n"
            for part in _cut(event, fault):
                yield part
                await asyncio.sleep(self._piece_s)


class _Answer:
    """What is said in answer to one request."""

    def __init__(self, asked: ChatRequest, script: Script, fault: str) -> None:
        self._asked = asked
        self._choices = []
        for index in range(asked.n):
            text = without_banned(script.answer(asked.messages, asked.seed + index), asked.banned)
            tokens = [] if fault == "empty" else pieces(text)
            reason = "length" if len(tokens) > asked.max_tokens else "stop"
            self._choices.append((tokens[: asked.max_tokens], reason))
        self.tokens = sum(len(tokens) for tokens, _ in self._choices)

    def whole(self) -> list[tuple[str, str]]:
        """Each text and why it ended."""
        return [("".join(tokens), reason) for tokens, reason in self._choices]

    def events(self, envelope: Envelope) -> Iterator[bytes]:
        """The stream; several answers take turns in it."""
        for index in range(len(self._choices)):
            yield envelope.first(index)
        for texts in itertools.zip_longest(*(_chunks(tokens) for tokens, _ in self._choices)):
            for index, text in enumerate(texts):
                if text is not None:
                    yield envelope.delta(index, text)
        for index, (_, reason) in enumerate(self._choices):
            yield envelope.last(index, reason)
        if self._asked.include_usage:
            yield envelope.usage(self.tokens)
        yield DONE


def _chunks(tokens: list[str]) -> Iterator[str]:
    rest = iter(tokens)
    for size in itertools.cycle(_PIECES_A_CHUNK):
        if not (text := "".join(itertools.islice(rest, size))):
            return
        yield text


def _cut(event: bytes, fault: str) -> Iterator[bytes]:
    """One event in the parts in which it is sent."""
    if fault == "drip":
        yield from (event[at : at + 1] for at in range(len(event)))
    elif fault == "halves":
        # Before each byte that continues a character.
        inside = [at for at, byte in enumerate(event) if byte & 0xC0 == 0x80]
        yield from (event[a:b] for a, b in itertools.pairwise([0, *inside, len(event)]))
    else:
        yield event


def _error(refusal: Refusal, *, framed: bool = False) -> Response:
    """The error envelope, bare or framed as a stream (both are sent as JSON by the real service)."""
    id_ = str(uuid.uuid4())
    body: dict[str, Any] = {**refusal.body, "id": f"chatcmpl-{id_}", "request_id": id_}
    headers = {"x-request-id": id_}
    if framed:
        return Response(frame(body), refusal.status, headers, "application/json")
    return JSONResponse(body, refusal.status, headers)


async def _reset(request: Request) -> Response:
    """Reset the connection as a crashed server does, where the server lets us (see `server.ResettableProtocol`)."""
    transport = request.state.transport
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    await _until_disconnected(request)
    return Response()


async def _until_disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
