"""One kept-alive connection to the character service, by either of its routes: a request out, answer events in.

All of its HTTP is here; errors become `CharacterError`. Runs on the event loop's thread. The only time limit is that
for connecting; how long an answer may take is up to the caller. Messages name the service's host; never the key, never
what was said.
"""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from math import inf
from pathlib import Path
from typing import Literal

import httpx

from companion import __version__
from companion.config.character import KEY_EXPOSED, exposes_key, is_loopback
from companion.errors import CharacterError, CharacterRefused, ConfigError
from companion.mind.api.compression import Decoder, UnreadableBody, decoder
from companion.mind.api.key import Key
from companion.mind.api.parser import (
    AnswerParser,
    Broken,
    Done,
    EncodedRequest,
    Event,
    Protocol,
    Refused,
    Usage,
    parse_refusal,
)

log = logging.getLogger("companion")

SESSION_HEADER = "x-dashscope-aca-session"
"""Turns the service's cache on, and names its memory (sections 6 and 7). Other servers ignore it."""

WARM_S = 60.0
"""A connection used less than this ago is still open, as far as we know."""

Step = Literal["connecting", "connected", "asked"]

_LONGER = "A larger character.answer_within_s waits longer."
_PREPARE_S = 3.0
_DRAIN_S = 0.1
"""How long to wait, after the answer, for the response to end: only then can its connection be used again."""
_LAST_S = 1.0
"""How long to wait, after the finish reason, for what follows it."""
_LONGEST_REFUSAL = 65_536


class Connection:
    """The connection to one service."""

    def __init__(
        self,
        base_url: str,
        session: str,
        key: Key | None,
        transport: httpx.AsyncBaseTransport | None = None,
        protocol: Protocol = "openai",
        *,
        connect_s: float = 2.4,
        ca_file: Path | None = None,
    ) -> None:
        """`session` is used for requests that name none of their own; `transport` replaces the network in tests.
        `ca_file` holds certificate authorities that are trusted beside the public ones.

        Raises `ConfigError` where the address, or a proxy named in the environment, cannot be used, or where the key
        would go out unencrypted.
        """
        url = _checked_url(base_url)
        if key is not None and exposes_key(base_url):
            raise ConfigError(f"character.base_url: {KEY_EXPOSED}")
        self.service = f"The character service at {url.host}"
        """How a sentence about it begins."""
        self._url = url
        self._protocol: Protocol = protocol
        self._connect_s = connect_s
        self._step: Step = "asked"
        """How far the latest request came."""
        self._key = key
        self._client = _client(url, session, key, transport, connect_s, ca_file)

    async def warm_up(self) -> None:
        """Open the connection ahead of time. Never raises: what goes wrong here goes wrong again in `send`."""
        try:
            async with asyncio.timeout(max(_PREPARE_S, self._connect_s)):
                # HEAD: no body has to be read, and any answer at all will do.
                await self._client.head(self._url_for("models"))
        except (httpx.HTTPError, TimeoutError) as error:
            log.debug("%s could not be reached ahead of time: %s", self.service, type(error).__name__)

    async def send(self, request: EncodedRequest, session: str | None = None) -> Response:
        """Send a chat request; returns when the head of the response is there. Raises `CharacterError`.

        `session` replaces the connection's own: persons and characters have one each.
        """
        headers = request.headers if session is None else {**request.headers, SESSION_HEADER: session}
        sent = self._client.build_request(
            "POST",
            self._url_for(request.path),
            content=request.body,
            headers=headers,
            extensions={"trace": self._notice_step},
        )
        self._step = "asked"
        with _translating_errors(self.service):
            try:
                response = await self._client.send(sent, stream=True)
            except httpx.ConnectTimeout as error:
                raise CharacterError(self.late(self._connect_s)) from error
        parser = AnswerParser(self._protocol, request.answers, request.longest)
        return Response(self.service, response, parser, self._key)

    def late(self, within_s: float) -> str:
        """The sentence about a request that took longer than this: how far did it come?"""
        match self._step:
            case "connecting":
                return f"{self.service} cannot be reached: no connection within {within_s:g} s. Check the network."
            case "connected":
                return f"{self.service} did not answer within {within_s:g} s: the network is too slow. {_LONGER}"
            case _:
                return f"{self.service} did not answer within {within_s:g} s: it or the network is too slow. {_LONGER}"

    async def _notice_step(self, event: str, _info: Mapping[str, object]) -> None:
        """What httpx's transport does for a request."""
        if event.endswith("connect_tcp.started"):
            self._step = "connecting"
        elif event.endswith("connect_tcp.complete"):
            self._step = "connected"
        elif event.endswith("send_request_headers.complete"):
            self._step = "asked"

    async def close(self) -> None:
        """Close the connection for good."""
        await self._client.aclose()

    def _url_for(self, path: str) -> httpx.URL:
        """The address of a path below the base, which may have a query of its own."""
        return self._url.copy_with(path=f"{self._url.path.rstrip('/')}/{path}")


class Response:
    """One open response, read event by event."""

    def __init__(self, service: str, response: httpx.Response, parser: AnswerParser, key: Key | None = None) -> None:
        """The `key` is taken out of the service's own words: a refusal is logged and shown, an answer is spoken."""
        redact: Callable[[str], str] = key.redact if key is not None else str
        self.redact_answer: Callable[[str], str] = key.redact_speech if key is not None else str
        self.status = response.status_code
        self.request_id = re.sub(r"[^A-Za-z0-9-]", "", redact(response.headers.get("x-request-id", "")))[:64]
        """The id that the service's support asks for; empty where the response has none."""
        self._service = service
        self._redact = redact
        self._response = response
        # As they come: what is compressed is unpacked here, in bounded pieces.
        self._chunks = response.aiter_raw()
        self._decoder: Decoder | None = None
        self._parser = parser
        self._events: deque[Event] = deque()
        self._last_at = inf
        """Until when, in the loop's time, more is read once every answer is whole."""

    @property
    def usage(self) -> Usage | None:
        """The latest token counts; mostly None before the end of the answer."""
        return self._parser.usage

    @property
    def has_unknown_form(self) -> bool:
        """Whether there was content in a form that is not known."""
        return self._parser.has_unknown_form

    async def next_event(self) -> Event:
        """The next event of the answer; the one that ends it comes again and again. Raises `CharacterError`."""
        while not self._events:
            data = await self._next_piece()
            self._events.extend(self._parser.close() if data is None else self._parser.feed(data))
            if data is None and isinstance(self._events[-1], Done) and not self._parser.is_whole:
                log.info("%s ended its response without saying that the answer is whole.", self._service)
        event = self._events.popleft()
        if isinstance(event, Done | Broken | Refused):
            self._events.append(event)
        return event.redacted(self._redact) if isinstance(event, Refused) else event

    async def _next_piece(self) -> bytes | None:
        """The next bytes as they were meant; None at the end."""
        try:
            self._decoder = self._decoder or decoder(self._response.headers.get("content-encoding", ""))
            while not (piece := self._decoder.read()):
                data = await self._next_chunk()
                if data is None:
                    return None
                self._decoder.feed(data)
        except UnreadableBody as error:
            if self._parser.is_whole:
                return None
            raise CharacterRefused(
                f"{self._service} sent something that is no answer: {error}.", "unreadable", "offline"
            ) from error
        # One piece of the network may unpack to many.
        await asyncio.sleep(0)
        return piece

    async def _next_chunk(self) -> bytes | None:
        """None at the end, and where the connection breaks or sticks after everything has arrived."""
        if self._parser.is_whole:
            self._last_at = min(self._last_at, asyncio.get_running_loop().time() + _LAST_S)
        try:
            async with asyncio.timeout_at(self._last_at if self._parser.is_whole else None):
                return await anext(self._chunks, None)
        except TimeoutError:
            log.debug("%s did not end its response after its answer.", self._service)
            return None
        except httpx.HTTPError as error:
            if self._parser.is_whole:
                log.debug("%s broke off after its answer: %s", self._service, type(error).__name__)
                return None
            raise _character_error(self._service, error) from error

    async def refusal(self) -> Refused:
        """Read the error that a response with another status than 200 holds. Raises `CharacterError`."""
        body = b""
        while (data := await self._next_piece()) is not None:
            body += data
            if len(body) > _LONGEST_REFUSAL:
                break
        return parse_refusal(self.status, body).redacted(self._redact)

    async def drain(self) -> None:
        """Read to the end of the response, which follows the end of the answer at once or not at all."""
        try:
            async with asyncio.timeout(_DRAIN_S):
                async for _ in self._chunks:
                    pass
        except (httpx.HTTPError, TimeoutError) as error:
            log.debug("%s left the connection unusable: %s", self._service, type(error).__name__)

    async def aclose(self) -> None:
        """Close the response; where it has not ended, its connection too."""
        await self._response.aclose()


@contextmanager
def _translating_errors(service: str) -> Iterator[None]:
    """Turn httpx's errors into `CharacterError`."""
    try:
        yield
    except httpx.HTTPError as error:
        raise _character_error(service, error) from error


def _character_error(service: str, error: httpx.HTTPError) -> CharacterError:
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return CharacterError(
            f"{service} has no certificate that can be trusted: check this device's clock and the network; "
            "where the server has an authority of its own, name that in character.ca_file."
        )
    if isinstance(error, httpx.ConnectError):
        return CharacterError(f"{service} cannot be reached: check the network.")
    return CharacterError(f"The connection to {service[0].lower()}{service[1:]} broke.")


def check_connection(base_url: str, ca_file: Path | None) -> None:
    """Raise `ConfigError` where a connection with these settings could not even be tried."""
    _trusted(_checked_url(base_url), ca_file)


def _checked_url(base_url: str) -> httpx.URL:
    """The address, parsed. Raises `ConfigError` for one that can never work."""
    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL as error:
        raise ConfigError(f"character.base_url: {error}") from error
    labels = url.host.rstrip(".").split(".")
    if any(not 0 < len(label) < 64 for label in labels) or (url.port or 0) > 65_535:
        raise ConfigError("character.base_url: names no host; write it as https://host/compatible-mode/v1")
    return url


def _client(
    url: httpx.URL,
    session: str,
    key: Key | None,
    transport: httpx.AsyncBaseTransport | None,
    connect_s: float,
    ca_file: Path | None,
) -> httpx.AsyncClient:
    headers = {
        # A compressed stream would come in lumps.
        "Accept-Encoding": "identity",
        "Content-Type": "application/json",
        "User-Agent": f"companion/{__version__}",
        SESSION_HEADER: session,
    }
    if key is not None:
        headers["Authorization"] = f"Bearer {key.reveal()}"
    try:
        return httpx.AsyncClient(
            headers=headers,
            verify=_trusted(url, ca_file),
            transport=transport,
            trust_env=not is_loopback(url.host),
            timeout=httpx.Timeout(None, connect=connect_s),
            limits=httpx.Limits(keepalive_expiry=WARM_S + 15),
        )
    except ImportError as error:
        raise ConfigError(
            "environment: HTTPS_PROXY, HTTP_PROXY or ALL_PROXY names a SOCKS proxy, which is not supported: "
            "name an HTTP proxy there"
        ) from error
    except (ValueError, OSError, httpx.InvalidURL) as error:
        raise ConfigError(
            f"environment: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY or SSL_CERT_FILE cannot be used: {error}"
        ) from error


def _trusted(url: httpx.URL, ca_file: Path | None) -> ssl.SSLContext:
    """Whose certificates are trusted: the public authorities (or `SSL_CERT_FILE`), and those of `ca_file`."""
    if url.scheme != "https":
        # Without TLS no certificates need to be loaded: this context trusts none.
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context = httpx.create_ssl_context()
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except OSError as error:
            why = "holds no certificate in PEM form" if isinstance(error, ssl.SSLError) else error.strerror
            raise ConfigError(f"character.ca_file: {ca_file}: {why}") from error
    return context
