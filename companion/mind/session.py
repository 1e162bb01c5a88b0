"""Whose conversation this is, and what was said in it lately.

The session id keys the service's cache. It is derived, never stored: the same unit, character, person and generation
always give the same id, and from the id none of them can be read back.

`History` is pure: it keeps the recent messages and cuts them in blocks, because every cut changes what follows the
system message and costs the service's cached prefix.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import uuid
from collections.abc import Sequence
from pathlib import Path

from companion.config import Device

log = logging.getLogger("companion")

Message = dict[str, str]
"""One message of the request: `role` and `content`."""

MACHINE_FILES = (Path("/proc/device-tree/serial-number"), Path("/etc/machine-id"))
"""The board's serial number comes first: units flashed from one image can share a machine id, never a board."""

_NAMESPACE = uuid.UUID("6f1f3c3e-5d0b-4d7c-9b61-0a5f0d5b8e52")


def session_id(identity: str, persona: str, person: str = "", generation: int = 0) -> str:
    """The session's UUIDv5. A new `generation` is a session that knows nothing of the one before."""
    return str(uuid.uuid5(_NAMESPACE, json.dumps([identity, persona, person, generation])))


def device_identity(device: Device, machine_files: Sequence[Path] = MACHINE_FILES) -> str:
    """This unit's identity: `device.identity`, else one derived from the machine, else a random one that is kept.

    Where none can be kept it holds for this run only, and the log says so. Never the machine's raw number.
    """
    if device.identity is not None:
        return device.identity
    for path in machine_files:
        if number := _machine_number(path):
            return hashlib.blake2b(number, key=b"companion device identity", digest_size=16).hexdigest()
    return _kept_identity()


def _machine_number(path: Path) -> bytes:
    """What the file says, or nothing where it is not there or says nothing (`uninitialized`, all zeros)."""
    try:
        number = path.read_bytes().strip(b"\0 \r\n")
    except OSError:
        return b""
    return number if len(number) >= 8 and number != b"uninitialized" and number.strip(b"0") else b""


def _state_folder() -> Path:
    """Raises `RuntimeError` for a user who has no home."""
    if folder := os.environ.get("STATE_DIRECTORY"):
        # systemd gives several as one list.
        return Path(folder.split(":")[0])
    home = os.environ.get("XDG_STATE_HOME")
    return (Path(home) if home else Path("~/.local/state").expanduser()) / "companion"


def _kept_identity() -> str:
    try:
        path = _state_folder() / "device-identity"
        kept = path.read_text(encoding="ascii", errors="replace").strip() if path.exists() else ""
        if re.fullmatch(r"[0-9a-f]{32}", kept):
            return kept
        path.parent.mkdir(parents=True, exist_ok=True)
        # Whole or not at all: the power may fail here.
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        fresh.write_text(uuid.uuid4().hex, encoding="ascii")
        os.replace(fresh, path)
        return path.read_text(encoding="ascii")
    except (OSError, RuntimeError) as error:
        log.warning(
            "This unit's identity holds for this run only, because it could not be kept: %s. "
            "Set `identity` in the device file.",
            error,
        )
        return uuid.uuid4().hex


class History:
    """The messages that go with every request.

    A fixed beginning (system message, opening line), then recent exchanges, whole ones only. When there are more than
    `longest` recent messages, the oldest go until no more than half of that is left (but never the newest exchange).
    """

    def __init__(self, system: str, opening: str, longest: int) -> None:
        self._beginning: list[Message] = [{"role": "system", "content": system}]
        if opening.strip():
            self._beginning.append({"role": "assistant", "content": opening.strip()})
        self._longest = longest
        self._exchanges: list[list[Message]] = []

    def messages(self, said: str) -> list[Message]:
        """What to send so that `said` is answered."""
        recent = [message for exchange in self._exchanges for message in exchange]
        return [*self._beginning, *recent, {"role": "user", "content": said}]

    def add(self, said: str, heard: str) -> None:
        """Keep one exchange. Where nothing of the answer was heard, the person's words stay without one.

        The next message is then a user's again, which the service allows (section 3.1 of its specification).
        """
        exchange = [{"role": "user", "content": said}]
        if heard.strip():
            exchange.append({"role": "assistant", "content": heard.strip()})
        self._exchanges.append(exchange)
        if self._count() > self._longest:
            while self._count() > self._longest // 2 and len(self._exchanges) > 1:
                del self._exchanges[0]

    def shorten(self) -> bool:
        """Drop the older half, because the service finds it too long. False where nothing is left to drop."""
        if not self._exchanges:
            return False
        del self._exchanges[: (len(self._exchanges) + 1) // 2]
        return True

    def clear(self) -> None:
        """Forget every exchange."""
        self._exchanges.clear()

    def _count(self) -> int:
        return sum(map(len, self._exchanges))
