"""The other end of the daemon's socket: `companion status` and `companion control` ask here. Blocks; no loop."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from pathlib import Path

from companion.errors import CompanionError, ConfigError, DeviceError
from companion.service.control import PATIENCE_S, SERVICE_SOCKET, socket_path
from companion.service.control_protocol import LONGEST_ANSWER, Answer, BadRequest, Request, parse_answer, request_line


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
            said = _line(daemon)
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


def _line(daemon: socket.socket) -> bytes:
    said = b""
    while not said.endswith(b"\n") and len(said) <= LONGEST_ANSWER and (piece := daemon.recv(LONGEST_ANSWER)):
        said += piece
    return said
