"""The emulator as a server on the loopback interface.

It stands for a remote machine, so it has its own daemon thread with its own loop, and nothing that the device's loop
does can slow it. `start` and `stop` are called from any other thread; both block, for well below half a second.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Iterable
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from companion.emulator.service import BASE_PATH, Service
from companion.errors import DeviceError

log = logging.getLogger("companion")

_STOP_S = 2.0


class EmulatorServer:
    """The stand-in on a port of its own. `start` it once, `stop` it once."""

    def __init__(
        self,
        *,
        port: int = 0,
        first_token_s: float = 0.06,
        piece_s: float = 0.005,
        faults: Iterable[str] = (),
        required_key: str | None = None,
    ) -> None:
        """`port` 0 takes a free one. `faults` (names in `faults.FAULTS`) befall the chat requests one after the other;
        `itertools.repeat("stall")` makes it happen every time. `required_key` is the only key let in, where given.
        """
        service = Service(first_token_s=first_token_s, piece_s=piece_s, faults=faults, required_key=required_key)
        self._port = port
        self._server = uvicorn.Server(
            uvicorn.Config(
                service.app,
                http=ResettableProtocol,
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="critical",
                access_log=False,
                date_header=False,
                timeout_keep_alive=120,
            )
        )
        self._thread: threading.Thread | None = None

    def start(self) -> str:
        """Serve from now on; returns the base URL. Raises `DeviceError` where the port is taken."""
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", self._port))
        except OSError as error:
            listening.close()
            raise DeviceError(f"The emulator cannot use port {self._port}: {error.strerror}.") from error
        # From here on clients can connect; they wait in the queue until the thread's loop runs.
        listening.listen()
        port = listening.getsockname()[1]
        self._thread = threading.Thread(
            target=asyncio.run, args=(self._server.serve([listening]),), name="emulator", daemon=True
        )
        self._thread.start()
        log.warning("The answers come from an emulator at 127.0.0.1:%d: scripted lines, no language model.", port)
        return f"http://127.0.0.1:{port}{BASE_PATH}"

    def stop(self) -> None:
        """Serve no more; open answers are cut."""
        self._server.force_exit = self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(_STOP_S)


class ResettableProtocol(H11Protocol):
    """Lets a route reach its own connection, to break it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn does
        super().connection_made(transport)
        self.app_state: dict[str, Any] = {**self.app_state, "transport": transport}
