"""A port whose other end goes away: what is open is closed, whatever the moment."""

from __future__ import annotations

import logging
import select
import socket
import struct
from collections.abc import Iterator

import pytest

from firmware_bridge.port import Port, PortError


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as one:
        yield one


def hang_up(listener: socket.socket) -> None:
    """Take the next connection and end it as a peer does that is killed."""
    peer, _ = listener.accept()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


def test_a_port_whose_other_end_has_gone_is_closed_whole(listener: socket.socket) -> None:
    """A socket that is left open is a warning here, and so an error."""
    port = Port(f"socket://127.0.0.1:{listener.getsockname()[1]}", 115_200)
    hang_up(listener)
    with pytest.raises(PortError, match="went away"):
        port.read()
    port.close()
    port.close()


def test_an_other_end_that_goes_while_the_port_is_opened_leaves_nothing_open(
    listener: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    class HangUp(logging.Handler):
        """The library logs a line between its connecting and its first reading."""

        def emit(self, _record: logging.LogRecord) -> None:
            if select.select([listener], [], [], 0)[0]:
                hang_up(listener)

    caplog.set_level(logging.INFO)
    handler = HangUp()
    logging.getLogger().addHandler(handler)
    try:
        with pytest.raises(PortError, match="cannot be opened"):
            Port(f"socket://127.0.0.1:{listener.getsockname()[1]}?logging=info", 115_200)
    finally:
        logging.getLogger().removeHandler(handler)
