"""A web server for programs on this machine only: on the loopback interface, in a thread with its own event loop.

The device's loop and this one cannot slow each other down. `start` and `stop` are called from any other thread; both
block for well below half a second. The only file that imports uvicorn.

Security: it listens on 127.0.0.1 only. `SameOriginOnly` keeps other web sites out (DNS rebinding, foreign origins),
because a browser on this machine may have any page open. Connections are bounded in number, and those without a request
in time.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from companion.errors import DeviceError

MOST_CONNECTIONS = 64
"""Of one server; further ones are closed at once."""
FIRST_REQUEST_S = 10.0
"""A connection on which no request has begun by then is closed."""

_STOP_S = 2.0

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
"""An ASGI application."""


class LocalServer:
    """Serves `app` on a port of its own. `start` it once, `stop` it once."""

    def __init__(self, name: str, app: App, *, port: int = 0) -> None:
        """`name` is used in error messages ("The emulator"). `port` 0 takes a free one.

        The app finds its connection's transport in the scope's state as `transport`.
        """
        self._name = name
        self._port = port
        self._server = _Server(_config(app, timeout_keep_alive=120))
        self._thread: threading.Thread | None = None

    def start(self) -> int:
        """Start serving and return the port. Raises `DeviceError` where it is taken."""
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", self._port))
        except OSError as error:
            listening.close()
            raise DeviceError(f"{self._name} cannot use port {self._port}: {error.strerror}. Name another.") from error
        # Clients can connect from here on; they wait in the queue until the thread's loop runs.
        listening.listen()
        port: int = listening.getsockname()[1]
        self._thread = threading.Thread(
            target=asyncio.run, args=(self._server.serve([listening]),), name=self._name, daemon=True
        )
        self._thread.start()
        return port

    def stop(self) -> None:
        """Stop serving; open responses are cut off."""
        self._server.force_exit = self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(_STOP_S)


class _Server(uvicorn.Server):
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """See `uvicorn.Server`: from Python 3.12.1 on it would wait for open answers, and a stream never ends."""
        for connection in [*self.server_state.connections]:
            connection.transport.close()
        await super().shutdown(sockets)


class GuardedProtocol(H11Protocol):
    """Bounds the connections, and gives an app access to its own one, so that it can reset it.

    Every program of this machine may connect, and the daemon's control socket needs descriptors too.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn does
        super().connection_made(transport)
        self.app_state: dict[str, Any] = {**self.app_state, "transport": transport}
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()
        else:
            self.loop.call_later(FIRST_REQUEST_S, self._close_without_request)

    def _close_without_request(self) -> None:
        if self.cycle is None:
            self.transport.abort()


def _config(app: App, **more: Any) -> uvicorn.Config:
    """HTTP alone, without logs, and nothing in the answers that tells of the server."""
    return uvicorn.Config(
        app,
        http=GuardedProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        date_header=False,
        server_header=False,
        **more,
    )


def guarded_protocol(app: App) -> Callable[[], asyncio.Protocol]:
    """Makes the protocol of one connection for whoever accepts connections by themselves. Call it on a running loop.

    Each has its bounds as in `GuardedProtocol`.
    """
    config = _config(app, proxy_headers=False)
    config.load()
    state = uvicorn.server.ServerState()
    return lambda: GuardedProtocol(config=config, server_state=state, app_state={})


class SameOriginOnly:
    """ASGI middleware that admits only requests that name this machine and come from this server's own pages.

    403 for a `Host` other than 127.0.0.1 or localhost, for an `Origin` other than this server, and for what a browser
    marks as `cross-site`. There are no CORS headers, so that no other site can read a response. Every response has the
    headers `HEADERS`.
    """

    HEADERS = (
        (b"content-security-policy", b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
         b"img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
        (b"cache-control", b"no-store"),
        (b"cross-origin-resource-policy", b"same-origin"),
    )  # fmt: skip

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *self.HEADERS]}
            await send(message)

        if scope["type"] == "http" and not is_same_origin(dict(scope["headers"]), scope["server"][1]):
            await send_response(send_with_headers, 403, b"This page is for this machine alone.\n")
        else:
            await self._app(scope, receive, send_with_headers)


def is_same_origin(headers: dict[bytes, bytes], port: int) -> bool:
    """Whether a request with these headers (names in lower case) names this server and comes from its own pages."""
    hosts = {f"{name}:{port}".encode() for name in ("127.0.0.1", "localhost")}
    origin, site = headers.get(b"origin"), headers.get(b"sec-fetch-site", b"none")
    return (
        headers.get(b"host") in hosts
        and (origin is None or origin.removeprefix(b"http://") in hosts)
        and site in (b"none", b"same-origin")
    )


async def send_response(
    send: Send, status: int, body: bytes, content_type: bytes = b"text/plain; charset=utf-8"
) -> None:
    """Send one complete response."""
    headers = [(b"content-type", content_type), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
