"""How a response goes out: a stream's events in time, and what a fault makes of them and of the connection.

Pauses are the loop's seconds.
"""

from __future__ import annotations

import asyncio
import itertools
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, MutableMapping
from dataclasses import dataclass
from typing import Any

from companion.emulator import dashscope_frames, openai_frames
from companion.emulator.errors import Refusal
from companion.emulator.faults import breaks_off_with
from companion.emulator.openai_frames import DONE
from companion.emulator.parameters import Route

JSON = "application/json"

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
"""Of ASGI."""

_EVENTS_BEFORE_FAULT = 4
_SLOW_S = 0.05
_GATEWAY = (401, 403, 404)
"""What the DashScope route refuses before a stream begins, and therefore never frames."""


@dataclass(frozen=True, slots=True)
class Error:
    """A refusal as it goes out."""

    status: int
    media_type: str
    body: dict[str, Any] | bytes


def error(refusal: Refusal, route: Route, id_: str, *, stream: bool, fault: str) -> Error:
    """The envelope of the route, in the framing that the fault asks for, else in the usual one (4.3 and 5.3)."""
    if fault == "bare_http404":
        bare = refusal.openai(id_)["error"]
        return Error(refusal.status, JSON, {"error": {key: bare[key] for key in ("message", "type", "code")}})
    framed = fault.startswith("framed:") or fault in (
        *("sse_http400", "event_stream_http400", "error_http200", "spaced_error"),
    )
    if route == "dashscope" and stream and refusal.status not in _GATEWAY and refusal.status == 400:
        framed = True
    if not framed:
        return Error(refusal.status, JSON, _with_ids(refusal, route, id_, fault))
    status = 200 if fault in ("error_http200", "spaced_error") else refusal.status
    if route == "dashscope":
        body = dashscope_frames.refusal_frame(refusal, id_)
        media_type = dashscope_frames.MEDIA_TYPE
    else:
        body = openai_frames.refusal_frame(refusal, id_)
        media_type = openai_frames.MEDIA_TYPE
    if fault == "spaced_error":
        body = spaced(body)
    return Error(status, JSON if fault == "sse_http400" else media_type, body)


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


async def deliver(
    events: Iterable[bytes],
    fault: str,
    *,
    piece_s: float,
    refused: Callable[[Refusal], bytes],
    reset: Callable[[], Awaitable[object]],
) -> AsyncIterator[bytes]:
    """The stream's bytes, with what the fault makes of them.

    `refused` frames an error for this stream, `reset` breaks the connection.
    """
    for number, event in enumerate(events):
        if number == _EVENTS_BEFORE_FAULT:
            if (refusal := breaks_off_with(fault)) is not None:
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
        for part in _cut(spaced(event) if fault == "spaced" else event, fault):
            yield part
            await asyncio.sleep(max(piece_s, _SLOW_S) if fault == "slow_drip" else piece_s)


def _cut(event: bytes, fault: str) -> Iterator[bytes]:
    """One event in the parts in which it is sent."""
    if fault in ("drip", "slow_drip"):
        yield from (event[at : at + 1] for at in range(len(event)))
    elif fault == "halves":
        # Before each byte that continues a character.
        inside = [at for at, byte in enumerate(event) if byte & 0xC0 == 0x80]
        yield from (event[a:b] for a, b in itertools.pairwise([0, *inside, len(event)]))
    else:
        yield event


def spaced(event: bytes) -> bytes:
    """A DashScope event with a space after the name of each field."""
    lines = event.split(b"\n")
    return b"\n".join(b": ".join(line.split(b":", 1)) if line.startswith((b"id", b"event", b"data")) else line
                      for line in lines)  # fmt: skip


async def reset(transport: asyncio.Transport, receive: Receive) -> None:
    """Reset the connection as a crashed server does."""
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    await until_disconnected(receive)


async def until_disconnected(receive: Receive) -> None:
    """Wait until the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
