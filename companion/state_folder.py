"""Where a unit keeps what it must not forget: one folder, open to its owner only."""

from __future__ import annotations

import os
from pathlib import Path


def state_folder() -> Path:
    """`STATE_DIRECTORY` (systemd), else `companion` in `XDG_STATE_HOME` or `~/.local/state`. It may not exist yet.

    Raises `RuntimeError` for a user who has no home.
    """
    if folder := os.environ.get("STATE_DIRECTORY"):
        # systemd gives several as one list.
        return Path(folder.split(":")[0])
    home = os.environ.get("XDG_STATE_HOME")
    return (Path(home) if home else Path("~/.local/state").expanduser()) / "companion"


def make_private(folder: Path) -> None:
    """Make the folder with mode 0700 where it is missing; one that is there stays as its owner made it.

    Raises `OSError`.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
