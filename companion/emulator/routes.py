"""The emulator's HTTP routes, as one ASGI application. The only file that imports starlette.

It runs on whatever event loop serves it. Between requests it keeps, in memory only, what the service would keep
(sessions, their cache, the requests of the last minute), the fault schedule, and the latest requests.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from companion.emulator.answer import DASHSCOPE_STREAM, OPENAI_STREAM, CacheShape, DashScopeFrames, OpenAiFrames
from companion.emulator.control import Clock, RecordedRequest, RequestLog, advance_clock, plan_faults
from companion.emulator.errors import WRONG_KEY, Refusal, invalid, new_id
from companion.emulator.faults import (
    ALSO_WITHOUT_STREAM,
    JSON,
    LONGEST_BIAS,
    FaultSchedule,
    checked_fault,
    error_response,
    immediate_refusal,
    midstream_refusal,
    reset,
    stream_with_fault,
    until_disconnected,
)
from companion.emulator.limits import MODELS, Region
from companion.emulator.request import ChatRequest, read_dashscope, read_openai
from companion.emulator.request import Route as RouteName
from companion.emulator.scripted_service import SESSION_HEADER, Caller, Reply, ScriptedService
from companion.emulator.tokens import Tokenizer, load_tokenizer, vocabulary_file
from companion.local_server import is_same_origin

BASE_PATH = "/compatible-mode/v1"
DASHSCOPE_PATH = "/api/v1"

LONGEST_BODY = 2_097_152
"""Bytes of a request's body. The longest context that the service takes has about a tenth of them."""
LONGEST_BODY_S = 20.0

_GENERATION = f"{DASHSCOPE_PATH}/services/aigc/text-generation/generation"
_PAGE = """<!doctype html><title>Emulator</title>
<h1>This is a scripted stand-in, not a language model</h1>
<p>It answers in the wire format of the Qwen role-play service, with lines that people wrote beforehand.
It understands nothing. It exists so that a device can be tried without a key or a network.</p>
<p>Characters: {names}.</p>
<p>Token counts are {counts}.</p>
"""
_SHAPES: dict[str, CacheShape] = {"flat_cache": "flat", "no_cache_count": "none"}


@dataclass(frozen=True, slots=True)
class Pace:
    """The delays of an answer, in seconds."""

    first_token_s: float
    piece_s: float


class EmulatorApp:
    """The emulated service over HTTP. `app` is the ASGI application."""

    def __init__(
        self,
        service: ScriptedService,
        names: Iterable[str],
        clock: Clock,
        pace: Pace,
        *,
        faults: Iterable[str] = (),
        required_key: str | None = None,
        region: Region = "international",
        min_memory_entries: int = 20,
        control: bool = True,
    ) -> None:
        """See `EmulatorServer`. Raises `ValueError` for an unknown fault."""
        self._service = service
        self._names = ", ".join(names)
        self._clock = clock
        self._pace = pace
        self._schedule = FaultSchedule(faults)
        self._required_key = required_key
        self._models = MODELS[region]
        self._memory_least = min_memory_entries
        self._request_log = RequestLog()
        self._keeps_log = control
        self._loading: Future[Tokenizer] | None = None
        routes = [
            Route("/", self._page),
            Route(f"{BASE_PATH}/models", self._list_models),
            Route(f"{BASE_PATH}/chat/completions", self._openai, methods=["POST"]),
            Route(_GENERATION, self._dashscope, methods=["POST"]),
        ]
        if control:
            routes += [
                Route("/emulator/faults", self._plan_faults, methods=["POST"]),
                Route("/emulator/clock", self._advance_clock, methods=["POST"]),
                Route("/emulator/reset", self._reset, methods=["POST"]),
                Route("/emulator/requests", self._requests),
            ]
        self.app = Starlette(routes=routes)

    async def _page(self, _: Request) -> Response:
        counts = (
            "those of the model's own vocabulary" if vocabulary_file() else "estimates: its vocabulary is not installed"
        )
        return HTMLResponse(_PAGE.format(names=self._names, counts=counts))

    async def _list_models(self, request: Request) -> Response:
        # A client that lists the models will soon send a chat request.
        self._load()
        if not self._is_authorized(request):
            return JSONResponse(Refusal(WRONG_KEY).openai(new_id()), WRONG_KEY.status)
        names = [model.name for model in self._models]
        items = [{"id": name, "object": "model", "created": 1_750_000_000, "owned_by": "system"} for name in names]
        return JSONResponse({"object": "list", "data": items})

    async def _openai(self, request: Request) -> Response:
        body = await _body(request)
        return await self._chat(
            request, "openai", body, lambda: read_openai(body, self._models, self._memory_least), stream=False
        )

    async def _dashscope(self, request: Request) -> Response:
        body = await _body(request)
        stream = request.headers.get("x-dashscope-sse", "").lower() == "enable"
        return await self._chat(
            request,
            "dashscope",
            body,
            lambda: read_dashscope(body, stream=stream, models=self._models, min_memory_entries=self._memory_least),
            stream=stream,
        )

    async def _chat(
        self, request: Request, route: RouteName, body: bytes, read: Callable[[], ChatRequest], *, stream: bool
    ) -> Response:
        """A chat request of either route, from its bytes to the response. `stream` is what is known before parsing."""
        id_ = new_id()
        arrived = self._clock()
        asked = RecordedRequest(0, request.url.path, arrived, {}, None)
        if self._keeps_log:
            asked = self._request_log.begin(request.url.path, arrived, dict(request.headers), body)
        try:
            fault = asked.fault = checked_fault(request.headers.get("x-emulator-fault") or self._schedule.next())
        except ValueError as problem:
            return PlainTextResponse(str(problem), 400)
        headers = _headers(id_, arrived)
        try:
            if not self._is_authorized(request):
                raise Refusal(WRONG_KEY)
            wanted = read()
            stream = wanted.stream
            if (refusal := immediate_refusal(fault)) is not None:
                raise refusal
            if fault == "refuse_long_bias" and len(wanted.parameters.banned) > LONGEST_BIAS:
                raise invalid("logit_bias is too long")
            if fault == "html":
                return HTMLResponse("<html><body>Welcome! Please sign in to use this network.</body></html>")
            if fault == "reset_at_once":
                await reset(request.state.transport, request.receive)
                return Response()
            self._service.admit(wanted)
            tokens = await asyncio.shield(asyncio.wrap_future(self._load()))
            reply = self._service.reply(wanted, _caller(request), tokens, fault)
        except Refusal as refusal:
            asked.status = refusal.status
            return _response(refusal, route, id_, headers, stream=stream, fault=fault)
        reply = replace(reply, usage=replace(reply.usage, shape=_SHAPES.get(fault, "details")))
        asked.usage = reply.usage.openai(sum(answer.tokens for answer in reply.answers))
        await asyncio.sleep(self._pace.first_token_s)
        if fault == "stall":
            await until_disconnected(request.receive)
            return Response()
        headers |= {
            "x-emulator-tokens": "exact" if tokens.exact else "estimated",
            "resp-start-time": str(round(self._clock() * 1000)),
            "req-cost-time": str(round((self._clock() - arrived) * 1000)),
        }
        return self._answer(request, wanted, reply, fault, id_, headers)

    def _answer(
        self, request: Request, wanted: ChatRequest, reply: Reply, fault: str, id_: str, headers: dict[str, str]
    ) -> Response:
        frames: OpenAiFrames | DashScopeFrames
        if wanted.route == "openai":
            frames = OpenAiFrames(wanted, reply.usage, id_, int(self._clock()))
            media_type = OPENAI_STREAM
        else:
            incremental = wanted.incremental and fault != "cumulative"
            frames = DashScopeFrames(wanted, reply.usage, id_, incremental=incremental, numbered=fault != "no_index")
            media_type = DASHSCOPE_STREAM
        is_stream = wanted.stream and fault != "whole"
        if is_stream:
            events = frames.events(reply.answers)
        else:
            if (refusal := midstream_refusal(fault)) is not None:
                return _response(refusal, wanted.route, id_, headers, stream=False, fault=fault)
            body = json.dumps(frames.whole(reply.answers), ensure_ascii=False, separators=(",", ":")).encode()
            if fault not in ALSO_WITHOUT_STREAM:
                return Response(body, headers={**headers, "content-type": JSON, "x-dashscope-finished": "true"})
            events = (body[at : at + 48] for at in range(0, len(body), 48))
            media_type = JSON
        headers |= {"content-type": media_type, "x-dashscope-finished": str(not is_stream).lower()}
        pieces = stream_with_fault(
            events,
            fault,
            piece_s=self._pace.piece_s if is_stream else 0.0,
            refused=frames.refusal,
            reset=lambda: reset(request.state.transport, request.receive),
        )
        return StreamingResponse(pieces, headers=headers)

    def _is_authorized(self, request: Request) -> bool:
        if self._required_key is None:
            return True
        given = request.headers.get("authorization", "").encode("latin-1")
        return hmac.compare_digest(given, f"Bearer {self._required_key}".encode())

    def _load(self) -> Future[Tokenizer]:
        """Load the tokenizer, once, in a thread that ends afterwards."""
        if self._loading is None:
            thread = ThreadPoolExecutor(1, thread_name_prefix="emulator-tokens")
            self._loading = thread.submit(load_tokenizer)
            thread.shutdown(wait=False)
        return self._loading

    async def _plan_faults(self, request: Request) -> Response:
        body = await _body(request)
        return _control_response(request, lambda: plan_faults(self._schedule, body))

    async def _advance_clock(self, request: Request) -> Response:
        body = await _body(request)
        return _control_response(request, lambda: advance_clock(self._clock, body))

    async def _reset(self, request: Request) -> Response:
        return _control_response(request, self._forget)

    def _forget(self) -> None:
        self._schedule.plan(())
        self._request_log.clear()
        self._service.clear()
        self._clock.reset()

    async def _requests(self, request: Request) -> Response:
        return JSONResponse(self._request_log.as_json()) if _is_own(request) else _forbidden()


async def _body(request: Request) -> bytes:
    """The whole body. Raises `HTTPException`, which answers with 413 or 408."""
    body = bytearray()
    try:
        async with asyncio.timeout(LONGEST_BODY_S):
            async for piece in request.stream():
                body += piece
                if len(body) > LONGEST_BODY:
                    raise HTTPException(413, f"A body has at most {LONGEST_BODY} bytes.")
    except TimeoutError as error:
        raise HTTPException(408, f"A body arrives within {LONGEST_BODY_S:g} s.") from error
    return bytes(body)


def _is_own(request: Request) -> bool:
    """Whether the request is from a program on this machine, and not from a web page in its browser."""
    return is_same_origin(dict(request.scope["headers"]), request.scope["server"][1])


def _forbidden() -> Response:
    return JSONResponse({"done": False, "problem": "this is for programs of this machine alone"}, 403)


def _control_response(request: Request, work: Callable[[], None]) -> Response:
    if not _is_own(request):
        return _forbidden()
    try:
        work()
    except ValueError as problem:
        return JSONResponse({"done": False, "problem": str(problem)}, 400)
    return JSONResponse({"done": True})


def _caller(request: Request) -> Caller:
    """The account, identified by a digest of its key, and the session."""
    key = request.headers.get("authorization", "").encode("latin-1")
    return Caller(hashlib.blake2b(key, digest_size=8).hexdigest(), request.headers.get(SESSION_HEADER) or None)


def _headers(id_: str, arrived: float) -> dict[str, str]:
    """The headers of real responses (section 2.3), and one that says that this one is not real."""
    return {
        "server": "istio-envoy",
        "x-request-id": id_,
        "x-dashscope-call-gateway": "true",
        "x-dashscope-timeout": "298",
        "x-envoy-upstream-service-time": "0",
        "req-arrive-time": str(round(arrived * 1000)),
        "set-cookie": "acw_tc=emulator;path=/;HttpOnly;Max-Age=1800",
        "x-emulator": "scripted, no language model",
    }


def _response(
    refusal: Refusal, route: RouteName, id_: str, headers: dict[str, str], *, stream: bool, fault: str
) -> Response:
    out = error_response(refusal, route, id_, stream=stream, fault=fault)
    body: Any = out.body if isinstance(out.body, bytes) else json.dumps(out.body, ensure_ascii=False).encode()
    return Response(body, out.status, {**headers, "content-type": out.media_type})
