"""Who changed what on this unit: lines that are only added, in a private file of the state folder.

No line holds a secret, a name of a person, or anything that was said. Blocks for a moment.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from companion.storage import PRIVATE, create_private_folder, read_plain_file

CHANGES_FILE = "owner-changes.jsonl"
LARGEST = 256 * 1024
"""A file of this size is put aside, in the place of the one before."""


@dataclass(frozen=True, slots=True)
class Change:
    """One line."""

    at: str
    """Local time, as it is shown."""
    who: str
    """The telephone; empty for a command on the unit."""
    what: str
    """A key of the page's texts (`changed`)."""
    detail: str = ""


class ChangeLog:
    """The file in this folder."""

    def __init__(self, folder: Path, today: Callable[[], datetime]) -> None:
        self._path = folder / CHANGES_FILE
        self._today = today

    def add(self, what: str, who: str = "", detail: str = "") -> None:
        """Add a line; it is on the disk when this returns. Raises `OSError`."""
        line = json.dumps(asdict(Change(f"{self._today():%Y-%m-%d %H:%M}", who, what, detail)), ensure_ascii=False)
        create_private_folder(self._path.parent)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(self._path, flags, PRIVATE)
        try:
            size = os.fstat(descriptor).st_size
            os.write(descriptor, f"{line}\n".encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if size > LARGEST:
            os.replace(self._path, self._before)

    def newest(self) -> list[Change]:
        """The lines of this file and the one before, the newest first; what cannot be read is left out."""
        found: list[Change] = []
        for path in (self._before, self._path):
            try:
                data = read_plain_file(path, 2 * LARGEST) or b""
            except OSError:
                continue
            for line in data.splitlines():
                try:
                    fields = json.loads(line)
                    found.append(Change(*(str(fields[name]) for name in ("at", "who", "what", "detail"))))
                except (ValueError, KeyError, TypeError):
                    continue
        return found[::-1]

    @property
    def _before(self) -> Path:
        return self._path.with_name(f"{CHANGES_FILE}.before")
