"""Whose conversation this is: the session id, and the unit's identity that it is made from.

The session id keys the service's cache and its memory. It is derived, never stored: the same unit, character, person
and generation always give the same id, and from the id none of them can be read back. What was said stands in `prompt`.
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

from companion.config.device import Device
from companion.storage import create_private_folder, state_folder

log = logging.getLogger("companion")

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


def _kept_identity() -> str:
    try:
        path = state_folder() / "device-identity"
        kept = path.read_text(encoding="ascii", errors="replace").strip() if path.exists() else ""
        if re.fullmatch(r"[0-9a-f]{32}", kept):
            return kept
        create_private_folder(path.parent)
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
