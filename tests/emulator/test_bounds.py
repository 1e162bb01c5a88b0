"""Other programs of the machine cannot fill the server of the emulator or the page, nor the daemon's memory."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from urllib.parse import urlsplit

import pytest

from companion import local_server
from companion.emulator import routes
from companion.emulator.routes import BASE_PATH, DASHSCOPE_PATH, LONGEST_BODY
from companion.emulator.server import EmulatorServer

PATIENCE_S = 10.0


@pytest.fixture
def port() -> Iterator[int]:
    server = EmulatorServer(first_token_s=0.0, piece_s=0.0)
    try:
        yield urlsplit(server.start()).port or 0
    finally:
        server.stop()


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), PATIENCE_S)


def is_closed(link: socket.socket) -> bool:
    try:
        return link.recv(1) == b""
    except ConnectionError:
        return True


def status_of(port: int, path: str, body: bytes, declared: int) -> int:
    """The status of an answer to a POST of which only `body` is sent."""
    with connect(port) as link:
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {declared}\r\n\r\n"
        link.sendall(head.encode())
        with suppress(ConnectionError):  # it has answered already
            link.sendall(body)
        answer = http.client.HTTPResponse(link)
        answer.begin()
        return answer.status


def test_connections_beyond_the_bound_are_closed_and_the_others_still_work(port: int) -> None:
    with ExitStack() as stack:
        first = stack.enter_context(connect(port))
        links = [stack.enter_context(connect(port)) for _ in range(local_server.MOST_CONNECTIONS + 20)]
        for link in links[local_server.MOST_CONNECTIONS :]:
            assert is_closed(link)
        first.sendall(f"GET {BASE_PATH}/models HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert first.recv(12) == b"HTTP/1.1 200"


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost:"], ids=["nothing", "half a head"])
def test_a_connection_without_a_request_is_closed(port: int, sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_server, "FIRST_REQUEST_S", 0.05)
    with connect(port) as link:
        link.sendall(sent)
        assert is_closed(link)


@pytest.mark.parametrize(
    "path",
    [
        f"{BASE_PATH}/chat/completions",
        f"{DASHSCOPE_PATH}/services/aigc/text-generation/generation",
        "/emulator/faults",
        "/emulator/clock",
    ],
)
def test_a_body_that_is_far_too_large_is_refused_before_it_is_read(port: int, path: str) -> None:
    assert status_of(port, path, bytes(LONGEST_BODY + 1), 300_000_000) == 413


def test_a_body_that_never_comes_is_refused(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "LONGEST_BODY_S", 0.05)
    assert status_of(port, f"{BASE_PATH}/chat/completions", b"{", 100) == 408
