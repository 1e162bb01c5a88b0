"""Prometheus metrics of the device, on loopback and only where the device file sets `health.metrics_port`.

Prometheus text format 0.0.4. The little HTTP that this needs is here: `GET /metrics`, one response, connection closed.
A web page in a browser on the same machine could reach loopback under a name of its own (DNS rebinding), so the Host
header must name loopback. Requests are limited in length, time and number. The metrics are numbers and names, never
what was said.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from companion.errors import DeviceError
from companion.events import State
from companion.service.latency_histograms import BOUNDS_S, LatencyHistograms

ADDRESS = "127.0.0.1"
PATIENCE_S = 3.0
MOST_AT_ONCE = 4
_LONGEST_HEAD = 4096
Sample = tuple[Mapping[str, str], float]
"""Labels and value."""
_HOST = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)

_SIMPLE = (
    # Name, kind, help text, field of the status, factor.
    ("companion_uptime_seconds", "gauge", "Time since the start.", "uptime_s", 1),
    ("companion_memory_bytes", "gauge", "Resident memory.", "memory_mib", 1024 * 1024),
    ("companion_temperature_celsius", "gauge", "The board's hottest sensor.", "temperature_c", 1),
    ("companion_turns_total", "counter", "Answers since the start.", "turns", 1),
    ("companion_dropped_frames_total", "counter", "Samples of sound that were lost.", "dropped_frames", 1),
    ("companion_lost_sound_seconds_total", "counter", "Sound that was lost.", "lost_sound_s", 1),
    ("companion_yielded_wakes_total", "counter", "Wake words left to a neighbour.", "wakes_yielded", 1),
    ("companion_muted", "gauge", "Whether the ears are shut.", "muted", 1),
)


def render(status: Mapping[str, Any], latency: LatencyHistograms | None = None) -> str:
    """The status (`Status.as_dict`) and the `latency` as Prometheus text. Unknown values are left out."""
    lines = list(_family("companion_info", "gauge", "What runs.", [(_labels(status, "version", "name", "persona"), 1)]))
    states = [({"state": one.value}, int(status.get("state") == one.value)) for one in State]
    lines += _family("companion_state", "gauge", "What the conversation is doing: 1 for one of these.", states)
    for name, kind, told, key, factor in _SIMPLE:
        value = status.get(key)
        if isinstance(value, int | float):
            lines += _family(name, kind, told, [({}, value * factor)])
    lines += _family(
        "companion_problems", "gauge", "Problems in the status.", [({}, len(status.get("problems") or ()))]
    )
    links = [({"link": name}, int(state == "well")) for name, state in _table(status.get("links"))]
    lines += _family("companion_link_well", "gauge", "Whether a link is well.", links)
    queues = [({"queue": name}, waiting) for name, waiting in _table(status.get("queues"))]
    lines += _family("companion_queue_length", "gauge", "What waits in a queue.", queues)
    last = status.get("last_turn")
    if isinstance(last, Mapping):
        stages = [({"stage": name}, ms / 1000) for name, ms in _table(last.get("latency_ms"))]
        lines += _family("companion_last_turn_seconds", "gauge", "Stages of the last answer.", stages)
    if latency is not None:
        lines += _histograms(latency)
        lines += _family(
            "companion_dropped_requests_total",
            "counter",
            "Answers made ahead and dropped, because the person went on.",
            [({}, latency.dropped)],
        )
    return "\n".join(lines) + "\n"


async def serve(
    status: Callable[[], Mapping[str, Any]], port: int, latency: LatencyHistograms | None = None
) -> asyncio.Server:
    """Serve the metrics on loopback; port 0 takes a free one. Raises `DeviceError` where the port is taken."""
    under_way = 0

    def page() -> str:
        return render(status(), latency)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal under_way
        under_way += 1
        try:
            async with asyncio.timeout(PATIENCE_S):
                if under_way > MOST_AT_ONCE:
                    code, body = "503 Service Unavailable", "Too many requests at once.\n"
                else:
                    code, body = _respond(await _head(reader), page)
                writer.write(_response(code, body))
                await writer.drain()
        except (ConnectionError, TimeoutError):
            writer.transport.abort()
        finally:
            under_way -= 1
            writer.close()

    try:
        return await asyncio.start_server(answer, ADDRESS, port, limit=_LONGEST_HEAD)
    except OSError as error:
        raise DeviceError(
            f"health.metrics_port: port {port} cannot be used ({error.strerror or error}); choose another."
        ) from error


async def _head(reader: asyncio.StreamReader) -> str:
    """The request's head; empty where it is incomplete or too long."""
    try:
        return (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return ""


def _respond(head: str, page: Callable[[], str]) -> tuple[str, str]:
    first, *fields = head.split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        return "400 Bad Request", "This is no HTTP request.\n"
    hosts = [value.strip() for name, _, value in (field.partition(":") for field in fields) if name.lower() == "host"]
    if len(hosts) != 1 or not _HOST.fullmatch(hosts[0]):
        return "403 Forbidden", "Ask for localhost.\n"
    if words[0] != "GET":
        return "405 Method Not Allowed", "There is only GET.\n"
    if words[1].partition("?")[0] != "/metrics":
        return "404 Not Found", "There is only /metrics.\n"
    return "200 OK", page()


def _response(code: str, body: str) -> bytes:
    content = body.encode()
    head = (
        f"HTTP/1.1 {code}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
        f"Content-Length: {len(content)}\r\nConnection: close\r\nX-Content-Type-Options: nosniff\r\n"
    )
    allow = "Allow: GET\r\n" if code.startswith("405") else ""
    return f"{head}{allow}\r\n".encode("ascii") + content


def _family(name: str, kind: str, told: str, samples: Sequence[Sample]) -> Iterator[str]:
    if samples:
        yield f"# HELP {name} {told}"
        yield f"# TYPE {name} {kind}"
        yield from _lines(name, samples)


def _lines(name: str, samples: Sequence[Sample]) -> Iterator[str]:
    for labels, value in samples:
        inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        yield f"{name}{{{inside}}} {value:.15g}" if inside else f"{name} {value:.15g}"


def _histograms(latency: LatencyHistograms) -> Iterator[str]:
    name = "companion_latency_seconds"
    bounds = [*(f"{bound:g}" for bound in BOUNDS_S), "+Inf"]
    if latency.stages:
        yield f"# HELP {name} Stages of all answers since the start."
        yield f"# TYPE {name} histogram"
    for stage, histogram in latency.stages.items():
        counts = histogram.cumulative()
        buckets = [({"stage": stage, "le": bound}, count) for bound, count in zip(bounds, counts, strict=True)]
        yield from _lines(f"{name}_bucket", buckets)
        yield from _lines(f"{name}_sum", [({"stage": stage}, histogram.sum_s)])
        yield from _lines(f"{name}_count", [({"stage": stage}, counts[-1])])


def _labels(status: Mapping[str, Any], *keys: str) -> dict[str, str]:
    return {key: str(status.get(key, "")) for key in keys}


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _table(value: object) -> list[tuple[str, Any]]:
    return [(str(name), one) for name, one in value.items()] if isinstance(value, Mapping) else []
