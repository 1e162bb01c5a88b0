"""Prometheus metrics: their format, and that only loopback can read them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.errors import DeviceError
from companion.events import TurnEnded
from companion.service import metrics
from companion.service.latency_histograms import LatencyHistograms

STATUS: dict[str, Any] = {
    "name": "desk", "persona": 'Robin "the" \\ bird\n', "version": "0.1.0", "state": "idle", "muted": False,
    "uptime_s": 12.5, "memory_mib": 100.0, "temperature_c": None, "turns": 3, "dropped_frames": 800,
    "lost_sound_s": 0.05, "problems": [],
    "links": {"microphone": "well", "body": "away"}, "queues": {"speech": 2},
    "last_turn": {"ago_s": 2, "reason": "finished", "latency_ms": {"total": 812.0}},
}  # fmt: skip
SAMPLE = re.compile(r'[a-z_]+(\{([a-z]+="([^"\\\n]|\\.)*"(,(?=[a-z]))?)+\})? -?[0-9.e+-]+')


@asynccontextmanager
async def served() -> AsyncIterator[int]:
    async with await metrics.serve(lambda: STATUS, 0) as server:
        yield server.sockets[0].getsockname()[1]


async def fetched(port: int, request: bytes) -> tuple[str, str]:
    """Status line and body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    writer.write_eof()
    answer = (await reader.read()).decode()
    writer.close()
    head, _, body = answer.partition("\r\n\r\n")
    return head.split("\r\n")[0], body


def asking(host: str, path: str = "/metrics", method: str = "GET") -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nAccept: */*\r\n\r\n".encode()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:9101", "[::1]:9101", "LOCALHOST:1"])
async def test_loopback_is_answered(host: str) -> None:
    async with served() as port:
        first, body = await fetched(port, asking(host))
    assert first == "HTTP/1.1 200 OK"
    assert 'companion_state{state="idle"} 1\n' in body
    assert 'companion_state{state="muted"} 0\n' in body
    assert "companion_memory_bytes 104857600\n" in body
    assert 'companion_link_well{link="body"} 0\n' in body
    assert 'companion_last_turn_seconds{stage="total"} 0.812\n' in body
    assert "companion_lost_sound_seconds_total 0.05\n" in body
    assert "temperature" not in body


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (asking("evil.example"), "403 Forbidden"),
        (asking("localhost.evil.example"), "403 Forbidden"),
        (asking("127.0.0.1.evil.example"), "403 Forbidden"),
        (asking("192.168.1.7:9101"), "403 Forbidden"),
        (asking("localhost@evil.example"), "403 Forbidden"),
        (b"GET /metrics HTTP/1.1\r\n\r\n", "403 Forbidden"),
        (b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n\r\n", "403 Forbidden"),
        (asking("localhost", method="POST"), "405 Method Not Allowed"),
        (asking("localhost", path="/"), "404 Not Found"),
        (asking("localhost", path="/metrics/../../etc/passwd"), "404 Not Found"),
        (b"\x16\x03\x01\r\n\r\n", "400 Bad Request"),
        (b"wake\n", "400 Bad Request"),
        (b"", "400 Bad Request"),
    ],
)
async def test_others_are_refused(request_: bytes, answer: str) -> None:
    async with served() as port:
        assert (await fetched(port, request_))[0] == f"HTTP/1.1 {answer}"
        assert (await fetched(port, asking("localhost")))[0] == "HTTP/1.1 200 OK"


async def test_a_client_that_never_finishes_its_request_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "PATIENCE_S", 0.02)
    async with served() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /metrics HT")
        assert await reader.read() == b""
        writer.close()


async def test_it_listens_on_loopback_only_and_says_when_it_cannot() -> None:
    async with await metrics.serve(lambda: STATUS, 0) as server:
        addresses = {one.getsockname()[0] for one in server.sockets}
        assert addresses == {"127.0.0.1"}
        with pytest.raises(DeviceError, match="choose another"):
            await metrics.serve(lambda: STATUS, server.sockets[0].getsockname()[1])


def latency(*totals_ms: float) -> LatencyHistograms:
    counted = LatencyHistograms()
    for ms in totals_ms:
        counted.add(TurnEnded("", "finished", latency_ms={"endpoint": 150.0, "total": ms}, dropped=1))
    return counted


def test_answers_are_counted_in_buckets_and_dropped_ones_too() -> None:
    text = metrics.render(STATUS, latency(480.0, 500.0, 760.0, 11_000.0))
    assert text.count("# TYPE companion_latency_seconds histogram\n") == 1
    for bound, count in (("0.35", 0), ("0.5", 2), ("0.75", 2), ("1", 3), ("10", 3), ("+Inf", 4)):
        assert f'companion_latency_seconds_bucket{{stage="total",le="{bound}"}} {count}\n' in text
    assert 'companion_latency_seconds_sum{stage="total"} 12.74\n' in text
    assert 'companion_latency_seconds_count{stage="endpoint"} 4\n' in text
    assert "companion_dropped_requests_total 4\n" in text


def test_turns_that_nobody_waited_for_are_in_no_bucket() -> None:
    counted = LatencyHistograms()
    counted.add(TurnEnded("", "finished", latency_ms={"request": 1.0, "total": 3.0}))
    assert not counted.stages


names = st.text(max_size=12)
statuses = st.fixed_dictionaries(
    {"state": names, "persona": names, "links": st.dictionaries(names, names, max_size=3)},
    optional={
        "queues": st.dictionaries(names, st.integers(0, 99), max_size=3),
        "memory_mib": st.none() | st.floats(0, 1e6),
        "last_turn": st.none() | st.fixed_dictionaries({"latency_ms": st.dictionaries(names, st.floats(0, 1e6))}),
    },
)


@given(statuses)
def test_every_line_is_valid_for_prometheus(status: dict[str, Any]) -> None:
    text = metrics.render(status, latency(1.0, 2.0))
    assert text.endswith("\n")
    for line in text[:-1].split("\n"):
        assert line.startswith(("# HELP ", "# TYPE ")) or SAMPLE.fullmatch(line), line
