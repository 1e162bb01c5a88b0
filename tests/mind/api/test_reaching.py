"""How a server is reached: its address, its certificate authority, proxies, and what is said where it is not."""

from __future__ import annotations

import asyncio
import gc
import ssl
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from shutil import which
from typing import Any

import httpx
import pytest

from companion.errors import CharacterError, ConfigError
from companion.mind.api.connection import Connection
from companion.mind.api.parser import Request, encode_request
from tests.mind.api.servers.loopback import Reply, choice, frames, spoken, talking_to
from tests.support.service_scene import answer, device

HI = frames(*spoken(["Hi."]), choice({}, "stop"))


@pytest.fixture(autouse=True)
def _sockets_of_broken_handshakes() -> Iterator[None]:
    """A request that is cancelled within the TLS handshake leaves its socket to the collector, below us: collect it."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def hi(_: dict[str, Any]) -> Reply:
    return HI


@pytest.mark.parametrize("below", ["/v1", "/v1/", "/v1/chat/completions", "/v1/chat/completions/"])
async def test_the_address_is_understood_with_and_without_its_end(below: str, tmp_path: Path) -> None:
    async with talking_to(hi, tmp_path, below=below) as (character, _):
        assert await answer(character) == "Hi."


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://my.lan/v1/chat/completions", "https://my.lan/v1"),
        ("https://my.lan/v1/chat/completions?api-version=1", "https://my.lan/v1?api-version=1"),
        ("HTTP://my.lan/v1", "HTTP://my.lan/v1"),
        ("https://my.lan/api/v1/services/aigc/text-generation/generation", "https://my.lan/api/v1"),
        ("https://my.lan/chat/completions/v1", "https://my.lan/chat/completions/v1"),
    ],
)
def test_what_is_kept_of_an_address(given: str, kept: str) -> None:
    assert device(character={"base_url": given}).character.base_url == kept


@pytest.fixture(scope="module")
def own_authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    folder = tmp_path_factory.mktemp("authority")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
    subprocess.run([*make, *names, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return certificate, context


needs_openssl = pytest.mark.skipif(which("openssl") is None, reason="needs openssl to make a certificate")


@needs_openssl
async def test_an_authority_of_ones_own_is_trusted_where_it_is_named(
    own_authority: tuple[Path, ssl.SSLContext], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, tls = own_authority
    async with talking_to(hi, tmp_path / "a", tls=tls) as (character, _):
        with pytest.raises(CharacterError, match=r"name that in character\.ca_file"):
            await answer(character)
    async with talking_to(hi, tmp_path / "b", tls=tls, ca_file=str(certificate)) as (character, _):
        assert await answer(character) == "Hi."
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    async with talking_to(hi, tmp_path / "c", tls=tls) as (character, _):
        assert await answer(character) == "Hi.", "this machine's own address is no exception"


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_file_of_authorities_that_is_none_is_named(content: str | None, tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"character\.ca_file: .*ca\.pem: "):
        Connection("https://my.lan/v1", "s", None, ca_file=file)


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
async def test_a_proxy_of_the_environment_is_used_for_plain_addresses_too(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bytes] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(proxy, "127.0.0.1", 0)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    connection = Connection("http://model.lan/v1", "s", None)
    async with asyncio.timeout(5):
        response = await connection.send(encode_request("openai", Request("m", ())))
        await response.aclose()
    await connection.close()
    server.close()
    assert asked[0].startswith(b"POST http://model.lan/v1/chat/completions ")


async def test_a_network_that_is_too_slow_is_called_so() -> None:
    ends: list[asyncio.StreamWriter] = []
    # It takes connections and never encrypts them.
    server = await asyncio.start_server(lambda _, writer: ends.append(writer), "127.0.0.1", 0)
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    connection = Connection(url, "s", None, connect_s=1.2)
    began = asyncio.get_running_loop().time()
    with pytest.raises(CharacterError, match=r"did not answer within 1\.2 s: the network is too slow"):
        await connection.send(encode_request("openai", Request("m", ())))
    assert asyncio.get_running_loop().time() - began > 1.1, "after one second it was still waited for"
    await connection.close()
    for end in ends:
        end.close()
    server.close()


class BlackHole(httpx.AsyncBaseTransport):
    """A network in which nobody answers."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.extensions["trace"]("connection.connect_tcp.started", {})
        raise httpx.ConnectTimeout("no answer", request=request)


async def test_a_network_without_an_answer_cannot_be_reached() -> None:
    connection = Connection("http://model.lan/v1", "s", None, BlackHole(), connect_s=2.4)
    with pytest.raises(CharacterError, match=r"cannot be reached: no connection within 2\.4 s"):
        await connection.send(encode_request("openai", Request("m", ())))
    await connection.close()


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:9", "socks5h://127.0.0.1:9"])
def test_a_socks_proxy_is_refused_in_a_persons_words(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(ConfigError, match="a SOCKS proxy, which is not supported: name an HTTP proxy there"):
        Connection("https://service/v1", "session", None)
