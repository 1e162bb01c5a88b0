"""The daemon's UNIX socket: one line in, one line out. Nothing listens on a network.

The socket stands in `$RUNTIME_DIRECTORY` (systemd) or `$XDG_RUNTIME_DIR`, else in a folder of the user's own under the
temporary directory, with mode 0660: the owner and the group may press the device's buttons, nobody else.
"""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from companion.errors import DeviceError

ACTIONS = ("wake", "mute", "unmute", "stop")
_LONGEST_LINE = 1024
_PATIENCE_S = 3.0


class AlreadyRunning(DeviceError):
    """Another daemon of this user answers on the socket."""


def socket_path() -> Path:
    """Where the daemon of this user listens."""
    for variable in ("RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"):
        if folder := os.environ.get(variable):
            return Path(folder) / "companion.sock"
    return Path(tempfile.gettempdir()) / f"companion-{os.getuid()}" / "companion.sock"


async def serve(press: Callable[[str], None], path: Path | None = None) -> asyncio.Server:
    """Listen for actions and hand each to `press`.

    Raises `AlreadyRunning`, and `DeviceError` where the socket cannot be made.
    """
    path = path or socket_path()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, TimeoutError, ValueError):
            async with asyncio.timeout(_PATIENCE_S):
                action = (await reader.readline()).decode("ascii", "replace").strip()
                if action in ACTIONS:
                    press(action)
                    writer.write(b"ok\n")
                else:
                    writer.write(f"there is no such action; there is {', '.join(ACTIONS)}\n".encode())
                await writer.drain()
        writer.close()

    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _not_somebody_elses(path.parent)
        if _answers(path):
            raise AlreadyRunning(f"{path}: another companion is running already; stop that one first.")
        path.unlink(missing_ok=True)
        old = os.umask(0o117)
        try:
            return await asyncio.start_unix_server(answer, path, limit=_LONGEST_LINE)
        finally:
            os.umask(old)
    except OSError as error:
        raise DeviceError(f"{path}: the control socket cannot be made: {error.strerror or error}") from error


def send(action: str, path: Path | None = None) -> str:
    """Press a button of the running daemon. Raises `DeviceError` when none is running."""
    path = path or socket_path()
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(_PATIENCE_S)
        try:
            peer.connect(str(path))
            peer.sendall(f"{action}\n".encode())
            return peer.recv(_LONGEST_LINE).decode("utf-8", "replace").strip()
        except OSError as error:
            raise DeviceError(f"{path}: no companion is running there; start it with `companion run`.") from error


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(_PATIENCE_S)
        try:
            peer.connect(str(path))
        except OSError:
            return False
        return True


def _not_somebody_elses(folder: Path) -> None:
    """A folder in a shared temporary directory may have been put there by a stranger."""
    facts = folder.stat()
    if facts.st_uid not in (os.getuid(), 0) or (facts.st_mode & stat.S_IWOTH and not facts.st_mode & stat.S_ISVTX):
        raise DeviceError(f"{folder}: belongs to somebody else; set XDG_RUNTIME_DIR to a folder of your own.")
