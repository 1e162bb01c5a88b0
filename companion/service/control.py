"""The daemon's control socket: its server, and the client that `companion status` and `companion control` use.

One request line in, one answer line out (`control_protocol`). It is a UNIX socket; nothing listens on a network. It is
in `$RUNTIME_DIRECTORY` (systemd) or `$XDG_RUNTIME_DIR`, else in the user's own folder under the temporary directory,
with mode 0660. In addition the server asks the kernel for the peer's credentials (SO_PEERCRED) and answers only root,
the daemon's own user and members of the socket's group.

Requests are limited in length, time and number at once. The server runs on the event loop. The client, `send_request`,
blocks and needs no loop.
"""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import struct
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from companion.errors import CompanionError, ConfigError, DeviceError
from companion.service.control_protocol import (
    LONGEST_ANSWER,
    LONGEST_REQUEST,
    Answer,
    AskOwnerPage,
    BadRequest,
    Button,
    GetStatus,
    PressButton,
    ReloadPersona,
    Request,
    Say,
    SetVolume,
    answer_line,
    parse_answer,
    parse_request,
    request_line,
)

SERVICE_SOCKET = Path("/run/companion/companion.sock")
"""The socket of the daemon that systemd started (`systemd/companion.service`)."""

PATIENCE_S = 3.0
"""Time limit of one request, from connecting to its answer being read."""
OWNER_PATIENCE_S = 60.0
"""The same for the owner's page: its certificate is made when it is opened for the first time."""
MOST_AT_ONCE = 8

_SO_PEERGROUPS = 59
"""Linux 4.13, `asm-generic/socket.h`; Python has no name for it."""
_MOST_GROUPS = 256


class OwnerDoor(Protocol):
    """Opens and closes the owner's page."""

    async def answer(self, request: AskOwnerPage) -> tuple[str, Mapping[str, Any]]:
        """Do it; a sentence, and what a program needs to know. Raises `CompanionError`."""


class DaemonControls(Protocol):
    """What the control socket can do with the running device. All but `press` return at once; effects may follow."""

    @property
    def owner(self) -> OwnerDoor:
        """The owner's page."""

    async def press(self, button: Button) -> None:
        """Press one of its buttons. Returns when a mute would outlive a power cut.

        Raises `DeviceError` where it cannot be pressed, or where a mute cannot be kept.
        """

    def set_volume(self, volume: float) -> None:
        """Set the volume, 0 to 1."""

    def say(self, text: str) -> None:
        """Say this in the persona's voice, as a turn of its own, as soon as nobody is speaking.

        Raises `CompanionError` where it cannot, for instance while muted, or where much waits already.
        """

    def reload(self, persona: str | None) -> str:
        """Reload the persona's file, or switch to another persona; return a sentence that says what will happen.

        It takes effect between two turns. Raises `ConfigError` with every problem; then the old persona stays.
        """

    def status(self) -> dict[str, Any]:
        """The status: `companion.service.status.Status.as_dict`."""


class AlreadyRunning(DeviceError):
    """Another daemon of this user is already answering on the socket."""


def socket_path() -> Path:
    """The socket that a daemon started by this process would use."""
    for variable in ("RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"):
        if folder := os.environ.get(variable, "").partition(":")[0]:
            return Path(folder) / "companion.sock"
    return Path(tempfile.gettempdir()) / f"companion-{os.getuid()}" / "companion.sock"


async def serve(daemon: DaemonControls, path: Path | None = None) -> asyncio.Server:
    """Listen for requests and pass them to `daemon`.

    Raises `AlreadyRunning`, and `DeviceError` where the socket cannot be created.
    """
    path = path or socket_path()
    under_way = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal under_way
        under_way += 1
        try:
            async with asyncio.timeout(PATIENCE_S if under_way <= 4 * MOST_AT_ONCE else 0) as limit:
                # Read in any case: closing a socket with unread data may discard the answer.
                line = await _read_line(reader)
                if not _is_allowed(writer.get_extra_info("socket"), group):
                    said = _refusal(BadRequest(f"Only root, the owner and the group of {path} may ask."))
                elif under_way > MOST_AT_ONCE:
                    said = _refusal(BadRequest("Too many requests at once; ask again in a moment."))
                else:
                    if line.startswith(b"owner "):
                        limit.reschedule(asyncio.get_running_loop().time() + OWNER_PATIENCE_S)
                    said = await _handle_line(daemon, line)
                writer.write(answer_line(said))
                await writer.drain()
        except (ConnectionError, TimeoutError):
            # The client is gone or too slow.
            writer.transport.abort()
        finally:
            under_way -= 1
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_owner(path.parent)
        if _is_answering(path):
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
    """The persona in `folder` whose file or character has this name. Raises `ConfigError` with the available names."""
    if (found := folder / f"{name}.toml").is_file():
        return found
    # Whoever only asks a daemon does without the settings' library, which is slow to import.
    from companion.config.persona import load_persona

    shown: dict[Path, str] = {}
    for file in sorted(folder.glob("*.toml")):
        with suppress(ConfigError):  # a device or choreography in the same folder, or a persona with mistakes
            shown[file] = load_persona(file).name
    called = [file for file, its in shown.items() if its.casefold() == name.casefold()]
    if len(called) == 1:
        return called[0]
    there = ", ".join(f"{file.stem} ({its})" for file, its in shown.items()) or "none"
    wrong = f"several personas are called {name}" if called else f"there is no persona called {name}"
    raise ConfigError(f"{os.path.normpath(folder)}: -: {wrong}; there are: {there}")


async def _read_line(reader: asyncio.StreamReader) -> bytes:
    """One line; what came before the end of the stream where that comes first."""
    try:
        return await reader.readuntil(b"\n")
    except asyncio.IncompleteReadError as end:
        return end.partial
    except asyncio.LimitOverrunError:
        return b"x" * (LONGEST_REQUEST + 1)


async def _handle_line(daemon: DaemonControls, line: bytes) -> Answer:
    try:
        return await _execute(daemon, parse_request(line))
    except CompanionError as error:
        return _refusal(error)


async def _execute(daemon: DaemonControls, request: Request) -> Answer:
    match request:
        case PressButton(button):
            await daemon.press(button)
        case SetVolume(percent):
            daemon.set_volume(percent / 100)
        case Say(text):
            daemon.say(text)
        case ReloadPersona(persona):
            return Answer(True, daemon.reload(persona))
        case GetStatus():
            return Answer(True, "ok", status=daemon.status())
        case AskOwnerPage():
            sentence, told = await daemon.owner.answer(request)
            return Answer(True, sentence, status=told)
    return Answer(True, "ok")


def _refusal(error: CompanionError) -> Answer:
    problems = error.problems if isinstance(error, ConfigError) else ()
    return Answer(False, str(error), error.code, problems)


def _is_allowed(peer: socket.socket, group: int) -> bool:
    """Whether the peer process belongs to root, to our own user or to a member of `group`."""
    credentials = struct.Struct("iII")
    _, user, first_group = credentials.unpack(peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, credentials.size))
    if user in (0, os.getuid()) or first_group == group:
        return True
    groups = b""
    with suppress(OSError):  # the peer is in more groups than the buffer can hold
        groups = peer.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, 4 * _MOST_GROUPS)
    return any(one == group for (one,) in struct.iter_unpack("I", groups))


def _is_answering(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(PATIENCE_S)
        try:
            peer.connect(str(path))
        except OSError:
            return False
        return True


def _check_owner(folder: Path) -> None:
    """Refuse a folder in a shared temporary directory that another user may have created. Raises `DeviceError`."""
    facts = folder.stat()
    if facts.st_uid not in (os.getuid(), 0) or (facts.st_mode & stat.S_IWOTH and not facts.st_mode & stat.S_ISVTX):
        raise DeviceError(f"{folder}: belongs to somebody else; set XDG_RUNTIME_DIR to a folder of your own.")


def send_request(request: Request, path: Path | None = None) -> Answer:
    """Send a request to the running daemon and return its answer, which is always a success.

    Without `path` the request goes to the user's own daemon where one runs, else to the system service. Raises
    `DeviceError` where no daemon answers, `ConfigError` for a persona that it refuses, `BadRequest` or
    `CompanionError` for other refusals.
    """
    line = request_line(request)
    path = path or _default_path()
    with socket.socket(socket.AF_UNIX) as daemon:
        daemon.settimeout(OWNER_PATIENCE_S if isinstance(request, AskOwnerPage) else PATIENCE_S)
        try:
            daemon.connect(str(path))
            with suppress(BrokenPipeError):  # the daemon has already refused; its answer can still be read
                daemon.sendall(line)
            said = _read_answer(daemon)
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


def _default_path() -> Path:
    own = socket_path()
    # `exists` is also false for a folder that we may not read; only connecting tells the two apart.
    return own if own.exists() or not os.path.lexists(SERVICE_SOCKET.parent) else SERVICE_SOCKET


def _read_answer(daemon: socket.socket) -> bytes:
    said = b""
    while not said.endswith(b"\n") and len(said) <= LONGEST_ANSWER and (piece := daemon.recv(LONGEST_ANSWER)):
        said += piece
    return said
