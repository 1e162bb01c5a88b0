"""The daemon's UNIX socket: one line in, one line out (`control_protocol`). Nothing listens on a network.

The socket stands in `$RUNTIME_DIRECTORY` (systemd) or `$XDG_RUNTIME_DIR`, else in a folder of the user's own under the
temporary directory, with mode 0660. Whoever gets there is asked for once more: the kernel says whose process it is
(SO_PEERCRED), and only root, the daemon's own user and members of the socket's group are answered.

A request is bounded: its length, the time until it is whole, and how many are under way at once. All on the loop; a
`Daemon` answers at once.

The other end of the daemon's socket: `companion status` and `companion control` ask here. Blocks; no loop.
"""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import struct
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from companion.errors import CompanionError, ConfigError, DeviceError
from companion.service.control_protocol import (
    LONGEST_ANSWER,
    LONGEST_REQUEST,
    Answer,
    AskStatus,
    BadRequest,
    Button,
    Press,
    Reload,
    Request,
    Say,
    SetVolume,
    answer_line,
    parse_answer,
    parse_request,
    request_line,
)

SERVICE_SOCKET = Path("/run/companion/companion.sock")
"""Where the daemon listens that systemd started (`systemd/companion.service`)."""

PATIENCE_S = 3.0
"""For a request to be whole and its answer to be taken."""
MOST_AT_ONCE = 8

_SO_PEERGROUPS = 59
"""Linux 4.13, `asm-generic/socket.h`; Python has no name for it."""
_MOST_GROUPS = 256


class Daemon(Protocol):
    """What can be asked of the running device. Every method returns at once; what it began goes on behind it."""

    def press(self, button: Button) -> None:
        """Press one of its buttons."""

    def set_volume(self, volume: float) -> None:
        """Speak this loud from now on, 0 to 1."""

    def say(self, text: str) -> None:
        """Say this in the persona's voice, as a turn of its own, as soon as nobody is speaking. A muted device says it
        too: muting shuts the ears, not the mouth. Raises `CompanionError` where it cannot."""

    def reload(self, persona: str | None) -> str:
        """Read the persona's file anew, or that of another persona; return a sentence on what will happen.

        It takes effect between two turns. Raises `ConfigError` with every problem; then the old one stays.
        """

    def status(self) -> dict[str, Any]:
        """How it is: `companion.service.status.Status.as_dict`."""


class AlreadyRunning(DeviceError):
    """Another daemon of this user answers on the socket."""


def socket_path() -> Path:
    """Where a daemon that this process would be listens."""
    for variable in ("RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"):
        if folder := os.environ.get(variable, "").partition(":")[0]:
            return Path(folder) / "companion.sock"
    return Path(tempfile.gettempdir()) / f"companion-{os.getuid()}" / "companion.sock"


async def serve(daemon: Daemon, path: Path | None = None) -> asyncio.Server:
    """Listen for requests and put each to `daemon`.

    Raises `AlreadyRunning`, and `DeviceError` where the socket cannot be made.
    """
    path = path or socket_path()
    under_way = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal under_way
        under_way += 1
        try:
            async with asyncio.timeout(PATIENCE_S if under_way <= 4 * MOST_AT_ONCE else 0):
                # Read in any case: closing on unread bytes may take the answer from whoever sent them.
                line = await _line(reader)
                if not _may_ask(writer.get_extra_info("socket"), group):
                    said = _refusal(BadRequest(f"Only root, the owner and the group of {path} may ask."))
                elif under_way > MOST_AT_ONCE:
                    said = _refusal(BadRequest("Too many requests at once; ask again in a moment."))
                else:
                    said = _put_to(daemon, line)
                writer.write(answer_line(said))
                await writer.drain()
        except (ConnectionError, TimeoutError):
            # Whoever it was has gone, or is in no hurry; nobody waits for them.
            writer.transport.abort()
        finally:
            under_way -= 1
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _not_somebody_elses(path.parent)
        if _answers(path):
            raise AlreadyRunning(f"{path}: another companion is running already; stop that one first.")
        path.unlink(missing_ok=True)
        old = os.umask(0o117)
        try:
            server = await asyncio.start_unix_server(answer, path, limit=LONGEST_REQUEST)
        finally:
            os.umask(old)
        group = path.stat().st_gid
    except OSError as error:
        raise DeviceError(f"{path}: the control socket cannot be made: {error.strerror or error}") from error
    return server


def find_persona(folder: Path, name: str) -> Path:
    """The persona file called `name` in `folder`. Raises `ConfigError` with the names that there are."""
    if (found := folder / f"{name}.toml").is_file():
        return found
    there = ", ".join(sorted(file.stem for file in folder.glob("*.toml"))) or "none"
    raise ConfigError(f"{found}: -: there is no such persona; there are: {there}")


async def _line(reader: asyncio.StreamReader) -> bytes:
    """A whole line; empty where there is none."""
    try:
        return await reader.readuntil(b"\n")
    except asyncio.IncompleteReadError as end:
        return end.partial
    except asyncio.LimitOverrunError:
        return b"x" * (LONGEST_REQUEST + 1)


def _put_to(daemon: Daemon, line: bytes) -> Answer:
    try:
        return _done(daemon, parse_request(line))
    except CompanionError as error:
        return _refusal(error)


def _done(daemon: Daemon, request: Request) -> Answer:
    match request:
        case Press(button):
            daemon.press(button)
        case SetVolume(percent):
            daemon.set_volume(percent / 100)
        case Say(text):
            daemon.say(text)
        case Reload(persona):
            return Answer(True, daemon.reload(persona))
        case AskStatus():
            return Answer(True, "ok", status=daemon.status())
    return Answer(True, "ok")


def _refusal(error: CompanionError) -> Answer:
    problems = error.problems if isinstance(error, ConfigError) else ()
    return Answer(False, str(error), error.code, problems)


def _may_ask(peer: socket.socket, group: int) -> bool:
    """Whether the process at the other end is root's, our own user's or a member's of `group`."""
    credentials = struct.Struct("iII")
    _, user, first_group = credentials.unpack(peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, credentials.size))
    if user in (0, os.getuid()) or first_group == group:
        return True
    groups = b""
    with suppress(OSError):  # it is in more groups than can be asked for
        groups = peer.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, 4 * _MOST_GROUPS)
    return any(one == group for (one,) in struct.iter_unpack("I", groups))


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(PATIENCE_S)
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


def ask(request: Request, path: Path | None = None) -> Answer:
    """Put a request to the running daemon and return its answer, which is well.

    Without `path` the user's own daemon is asked, else the service. Raises `DeviceError` where none is running or it
    does not answer, `ConfigError` for a persona that it refuses, `BadRequest` or `CompanionError` for other refusals.
    """
    line = request_line(request)
    path = path or _usual_path()
    with socket.socket(socket.AF_UNIX) as daemon:
        daemon.settimeout(PATIENCE_S)
        try:
            daemon.connect(str(path))
            with suppress(BrokenPipeError):  # it has refused already; its answer waits to be read
                daemon.sendall(line)
            said = _answer_line(daemon)
        except PermissionError as error:
            raise DeviceError(
                f"{path}: you may not ask this companion; run: sudo usermod -aG companion $USER, and log in again."
            ) from error
        except TimeoutError as error:
            raise DeviceError(f"{path}: the companion there does not answer; see: journalctl -u companion") from error
        except (OSError, ValueError) as error:
            raise DeviceError(f"{path}: no companion is running there; start it with `companion run`.") from error
    if not said:
        raise DeviceError(f"{path}: the companion there ended or broke off; see: journalctl -u companion")
    answer = parse_answer(said)
    if answer.ok:
        return answer
    if answer.code == ConfigError.code:
        raise ConfigError(answer.problems or answer.sentence)
    raise BadRequest(answer.sentence) if answer.code == BadRequest.code else CompanionError(answer.sentence)


def _usual_path() -> Path:
    own = socket_path()
    # `exists` is false too for a folder that we may not look into; only connecting tells the two apart.
    return own if own.exists() or not os.path.lexists(SERVICE_SOCKET.parent) else SERVICE_SOCKET


def _answer_line(daemon: socket.socket) -> bytes:
    said = b""
    while not said.endswith(b"\n") and len(said) <= LONGEST_ANSWER and (piece := daemon.recv(LONGEST_ANSWER)):
        said += piece
    return said
