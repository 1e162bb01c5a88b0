"""Faults on purpose: what can go wrong between a device and the service, and how a fault changes a response.

Each chat request gets the fault that its header `x-emulator-fault` names, else the next one of the server's schedule.
Besides the names in `FAULTS` there are three for every code of the service's error catalogue (of either route):
`http:CODE` answers with that error, `framed:CODE` with the error framed as a stream under `text/event-stream`, and
`midway:CODE` breaks off the stream with it. Pauses are in seconds of the loop's clock.
"""

from __future__ import annotations

import asyncio
import itertools
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, MutableMapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any

from companion.emulator import answer
from companion.emulator.answer import DONE
from companion.emulator.errors import MODERATED_INPUT, MODERATED_OUTPUT, WRONG_KEY, Refusal, find_error
from companion.emulator.request import Route

FAULTS = {
    "none": "Nothing goes wrong.",
    "stall": "Not a byte comes.",
    "stall_midway": "A few words come, then nothing more.",
    "reset_at_once": "The connection is reset before the response begins.",
    "reset": "The connection is reset in the middle of the answer.",
    "cut_short": "The response ends in the middle of the answer, as if whole.",
    "garbage": "In the middle of the answer come bytes that are no event.",
    "html": "A web page comes instead, as behind a hotel's sign-in page.",
    "empty": "An answer without text.",
    "giant": "An answer that goes on for as long as the model may.",
    "byte_detours": "Where a ban leaves no other way, signs are spelled by their single bytes.",
    "drip": "The answer comes byte by byte.",
    "slow_drip": "The answer comes byte by byte, twenty a second.",
    "halves": "Every part ends inside a character.",
    "no_done": "The answer ends without `[DONE]`.",
    "keep_alive": "Comments come before and between the words.",
    "whole": "A stream was asked for, and the answer comes in one piece.",
    "cumulative": "Every frame repeats the whole text, though only what is new was asked for (DashScope).",
    "spaced": "Fields are written with a space: `event: result` (DashScope).",
    "no_index": "Choices have no `index`, as before 2025 (DashScope).",
    "flat_cache": "The cached tokens stand beside the usage's other figures, as in September 2025.",
    "no_cache_count": "The usage does not tell the cached tokens, as before that.",
    "moderated_midway": "HTTP 200, and in the middle of the answer an error that stops it.",
    "moderated_midway_done": "As before, and `[DONE]` follows the error.",
    "moderated_output": "HTTP 400: moderation refuses the answer.",
    "error_http200": "HTTP 200, and the stream's only event is an error.",
    "spaced_error": "As before, with `event: error` written with a space (DashScope).",
    "sse_http400": "HTTP 400, its body framed as a stream under `application/json`.",
    "event_stream_http400": "HTTP 400, its body framed as a stream under `text/event-stream`.",
    "bare_http404": "HTTP 404 as bare JSON in the OpenAI-compatible shape on either route, without a request's id.",
    "id_only": "HTTP 400 that calls the request's id `id`.",
    "id_inside": "HTTP 400 with the id inside of `error`.",
    "no_ids": "HTTP 429 without any id.",
    "refuse_long_bias": "HTTP 400 for more than 63 entries of `logit_bias`.",
    "http400": "HTTP 400: moderation refuses what was said.",
    "http401": "HTTP 401: the key is wrong.",
    "arrears": "HTTP 400: the account is in arrears.",
    "http404": "HTTP 404: the model is unknown.",
    "http429": "HTTP 429: too many requests.",
    "http500": "HTTP 500: a fault of the service.",
    "http503": "HTTP 503: no capacity.",
}
"""The name of each fault, and what it does."""

KINDS = ("http:", "framed:", "midway:")
"""Prefixes of a code of the catalogue."""

LONGEST_BIAS = 63
"""Entries of `logit_bias` that the fault `refuse_long_bias` accepts."""

ALSO_WITHOUT_STREAM = ("stall_midway", "reset", "cut_short", "garbage", "drip", "slow_drip", "halves")
"""Faults that also apply to an answer in one piece."""

_ENTRIES = {
    "sse_http400": MODERATED_INPUT,
    "event_stream_http400": MODERATED_INPUT,
    "error_http200": MODERATED_INPUT,
    "spaced_error": MODERATED_INPUT,
    "id_only": MODERATED_INPUT,
    "id_inside": MODERATED_INPUT,
    "moderated_output": MODERATED_OUTPUT,
    "bare_http404": find_error("ModelNotFound"),
    "no_ids": find_error("Throttling.RateQuota"),
    "http400": MODERATED_INPUT,
    "http401": WRONG_KEY,
    "arrears": find_error("Arrearage"),
    "http404": find_error("ModelNotFound"),
    "http429": find_error("Throttling.RateQuota"),
    "http500": find_error("InternalError"),
    "http503": find_error("ModelServingError"),
}


def checked_fault(fault: str) -> str:
    """Return the fault's name. Raises `ValueError` for an unknown one."""
    kind, colon, code = fault.partition(":")
    if colon and f"{kind}:" in KINDS:
        try:
            find_error(code)
        except KeyError as error:
            raise ValueError(f"there is no fault {fault!r}: the service's catalogue has no code {code!r}") from error
    elif fault not in FAULTS:
        raise ValueError(f"there is no fault {fault!r}; there is {', '.join(FAULTS)}, and {', '.join(KINDS)} a code")
    return fault


def immediate_refusal(fault: str) -> Refusal | None:
    """The error that a fault answers with at once, in place of the response; else None."""
    kind, _, code = fault.partition(":")
    found = find_error(code) if kind in ("http", "framed") else _ENTRIES.get(fault)
    return Refusal(found) if found else None


def midstream_refusal(fault: str) -> Refusal | None:
    """The error that a fault ends a stream with in its middle; else None."""
    if fault.startswith("midway:"):
        return Refusal(find_error(fault.removeprefix("midway:")))
    return Refusal(MODERATED_OUTPUT) if fault in ("moderated_midway", "moderated_midway_done") else None


class FaultSchedule:
    """The faults of the coming requests, one for each."""

    def __init__(self, faults: Iterable[str] = ()) -> None:
        """A sequence is checked at once, an iterator as it goes. Raises `ValueError` for an unknown fault."""
        self._coming = iter([checked_fault(fault) for fault in faults] if isinstance(faults, Sequence) else faults)

    def plan(self, faults: Sequence[str], *, repeat: bool = False) -> None:
        """Use these from now on, then none, or repeat them for ever. Raises `ValueError`."""
        named = [checked_fault(fault) for fault in faults]
        self._coming = cycle(named) if repeat else iter(named)

    def next(self) -> str:
        """The fault of the next request."""
        return checked_fault(next(self._coming, "none"))


JSON = "application/json"

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
"""ASGI's receive function."""

_EVENTS_BEFORE_FAULT = 4
_SLOW_S = 0.05
_GATEWAY = (401, 403, 404)
"""Statuses that the DashScope gateway refuses before a stream begins, and therefore never frames as one."""


@dataclass(frozen=True, slots=True)
class ErrorResponse:
    """A refusal as it is sent."""

    status: int
    media_type: str
    body: dict[str, Any] | bytes


def error_response(refusal: Refusal, route: Route, id_: str, *, stream: bool, fault: str) -> ErrorResponse:
    """The route's envelope, framed as the fault says, else in the usual way (sections 4.3 and 5.3)."""
    if fault == "bare_http404":
        bare = refusal.openai(id_)["error"]
        return ErrorResponse(refusal.status, JSON, {"error": {key: bare[key] for key in ("message", "type", "code")}})
    framed = fault.startswith("framed:") or fault in (
        *("sse_http400", "event_stream_http400", "error_http200", "spaced_error"),
    )
    if route == "dashscope" and stream and refusal.status not in _GATEWAY and refusal.status == 400:
        framed = True
    if not framed:
        return ErrorResponse(refusal.status, JSON, _with_ids(refusal, route, id_, fault))
    status = 200 if fault in ("error_http200", "spaced_error") else refusal.status
    if route == "dashscope":
        body = answer.dashscope_refusal(refusal, id_)
        media_type = answer.DASHSCOPE_STREAM
    else:
        body = answer.openai_refusal(refusal, id_)
        media_type = answer.OPENAI_STREAM
    if fault == "spaced_error":
        body = with_spaces(body)
    return ErrorResponse(status, JSON if fault == "sse_http400" else media_type, body)


def _with_ids(refusal: Refusal, route: Route, id_: str, fault: str) -> dict[str, Any]:
    body = refusal.openai(id_) if route == "openai" else refusal.dashscope(id_)
    match fault:
        case "id_only":
            body.pop("request_id")
            body["id"] = f"chatcmpl-{id_}"
        case "id_inside" if route == "openai":
            body = {"error": {**body["error"], "id": f"chatcmpl-{id_}"}}
        case "no_ids":
            body = {key: value for key, value in body.items() if key not in ("id", "request_id")}
    return body


async def stream_with_fault(
    events: Iterable[bytes],
    fault: str,
    *,
    piece_s: float,
    refused: Callable[[Refusal], bytes],
    reset: Callable[[], Awaitable[object]],
) -> AsyncIterator[bytes]:
    """The stream's bytes, changed by the fault. `refused` frames an error for it, `reset` resets the connection."""
    for number, event in enumerate(events):
        if number == _EVENTS_BEFORE_FAULT:
            if (refusal := midstream_refusal(fault)) is not None:
                yield refused(refusal)
                if fault == "moderated_midway_done":
                    yield DONE
                return
            match fault:
                case "stall_midway":
                    await asyncio.Event().wait()
                case "reset":
                    await reset()
                    return
                case "cut_short":
                    return
                case "garbage":
                    yield b"data: {\xff\xfe\x00 not an event\n\n"
        if fault == "no_done" and event == DONE:
            return
        if fault == "keep_alive":
            yield b": keep-alive\n\n"
        for part in _pieces(with_spaces(event) if fault == "spaced" else event, fault):
            yield part
            await asyncio.sleep(max(piece_s, _SLOW_S) if fault == "slow_drip" else piece_s)


def _pieces(event: bytes, fault: str) -> Iterator[bytes]:
    """One event, cut into the pieces that are sent."""
    if fault in ("drip", "slow_drip"):
        yield from (event[at : at + 1] for at in range(len(event)))
    elif fault == "halves":
        # Before each byte that continues a character.
        inside = [at for at, byte in enumerate(event) if byte & 0xC0 == 0x80]
        yield from (event[a:b] for a, b in itertools.pairwise([0, *inside, len(event)]))
    else:
        yield event


def with_spaces(event: bytes) -> bytes:
    """A DashScope event with a space after each field name."""
    lines = event.split(b"\n")
    return b"\n".join(b": ".join(line.split(b":", 1)) if line.startswith((b"id", b"event", b"data")) else line
                      for line in lines)  # fmt: skip


async def reset(transport: asyncio.Transport, receive: Receive) -> None:
    """Reset the connection as a crashed server does."""
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    await until_disconnected(receive)


async def until_disconnected(receive: Receive) -> None:
    """Wait until the client has closed the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass
