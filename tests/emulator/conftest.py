"""A running emulator, and clients of it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from companion.emulator import EmulatorServer


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    server = EmulatorServer(first_token_s=0, piece_s=0)
    yield server.start()
    server.stop()


@pytest.fixture(scope="module")
def http(base_url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=httpx.URL(base_url).join("/")) as client:
        yield client


@pytest.fixture
def own() -> Iterator[tuple[EmulatorServer, httpx.Client]]:
    """An emulator of its own for one test, and a client with its key."""
    server = EmulatorServer(first_token_s=0, piece_s=0, required_key="sk-secret")
    with httpx.Client(base_url=server.start(), headers={"Authorization": "Bearer sk-secret"}) as client:
        yield server, client
    server.stop()
