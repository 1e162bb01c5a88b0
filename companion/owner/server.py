"""The port of the owner's page: TLS, in a thread with a loop of its own, for this machine's private networks only.

A stranger on the network may do what they like before they are known, so everything is bounded: connections (of all and
of one address) from the moment they are accepted, the handshake in time, and the whole life of a connection, which
serves one request. Whoever is not in a private network is not even answered.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from companion.errors import DeviceError
from companion.local_server import App, guarded_protocol
from companion.owner.addresses import is_near
from companion.owner.certificate import Certificate

MOST_CONNECTIONS = 32
MOST_OF_ONE = 12
"""Connections of one address; browsers open six at once."""
HANDSHAKE_S = 5.0
LONGEST_S = 20.0
"""A connection lives no longer, whatever happens on it."""
_STOP_S = 2.0


class TlsServer:
    """Serves an application. `start` it once, `stop` it once, from any other thread."""

    def __init__(
        self, app: App, certificate: Certificate, port: int, aside: Callable[[], Coroutine[Any, Any, None]]
    ) -> None:
        """`aside` runs on the server's loop beside it, until `stop`. Raises `DeviceError` for a bad certificate."""
        self._app, self._port, self._aside = app, port, aside
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            self._context.load_cert_chain(certificate.certificate, certificate.key)
        except (ssl.SSLError, OSError) as error:
            raise DeviceError(f"{certificate.certificate}: cannot be used: {error}.") from error
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._work: asyncio.Task[None] | None = None
        self._ready = threading.Event()
        self._open: Counter[str] = Counter()

    def start(self) -> int:
        """Start serving and return the port. Raises `DeviceError` where it is taken."""
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("", self._port))
        except OSError as error:
            listening.close()
            raise DeviceError(
                f"The owner's page cannot use port {self._port}: {error.strerror}. Name another: owner.port."
            ) from error
        listening.setblocking(False)
        listening.listen(MOST_CONNECTIONS)
        port: int = listening.getsockname()[1]
        self._thread = threading.Thread(
            target=asyncio.run, args=(self._serve(listening),), name="owner's page", daemon=True
        )
        self._thread.start()
        self._ready.wait(_STOP_S)
        return port

    def stop(self) -> None:
        """Stop serving; what is open is cut off. Also from the server's own thread."""
        loop, work = self._loop, self._work
        if loop is None or work is None or self._thread is None:
            return
        with suppress(RuntimeError):  # it has ended by itself
            loop.call_soon_threadsafe(work.cancel)
        if threading.current_thread() is not self._thread:
            self._thread.join(_STOP_S)

    async def _serve(self, listening: socket.socket) -> None:
        self._loop, self._work = asyncio.get_running_loop(), asyncio.current_task()
        self._ready.set()
        protocol = guarded_protocol(self._app)
        with listening, suppress(asyncio.CancelledError):
            async with asyncio.TaskGroup() as group:
                group.create_task(self._aside())
                while True:
                    try:
                        connection, address = await self._loop.sock_accept(listening)
                    except OSError:
                        # Too many files are open, or the peer is gone already.
                        await asyncio.sleep(0.1)
                        continue
                    peer = address[0]
                    if not is_near(peer) or self._open[peer] >= MOST_OF_ONE or self._open.total() >= MOST_CONNECTIONS:
                        connection.close()
                        continue
                    self._open[peer] += 1
                    group.create_task(self._hold(connection, peer, protocol))

    async def _hold(self, connection: socket.socket, peer: str, protocol: Callable[[], asyncio.Protocol]) -> None:
        """One connection, until it is closed by either side or its time is over."""
        loop, transport = asyncio.get_running_loop(), None
        ended = asyncio.Event()
        try:
            async with asyncio.timeout(LONGEST_S):
                transport, _ = await loop.connect_accepted_socket(
                    lambda: _Noticed(protocol(), ended),
                    connection,
                    ssl=self._context,
                    ssl_handshake_timeout=HANDSHAKE_S,
                    ssl_shutdown_timeout=1.0,
                )
                await ended.wait()
        except (OSError, TimeoutError):
            pass  # a stranger who talks no TLS, or goes
        finally:
            if transport is not None:
                transport.abort()
            self._open[peer] -= 1
            if not self._open[peer]:
                del self._open[peer]


class _Noticed(asyncio.Protocol):
    """Passes everything to another protocol, and tells when the connection is lost."""

    def __init__(self, within: asyncio.Protocol, ended: asyncio.Event) -> None:
        self._within, self._ended = within, ended
        self.data_received = within.data_received  # type: ignore[method-assign]
        self.eof_received = within.eof_received  # type: ignore[method-assign]
        self.pause_writing = within.pause_writing  # type: ignore[method-assign]
        self.resume_writing = within.resume_writing  # type: ignore[method-assign]
        self.connection_made = within.connection_made  # type: ignore[method-assign]

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._within.connection_lost(exc)
        self._ended.set()
