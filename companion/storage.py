"""Where a unit keeps what it must not forget: one folder, open to its owner only.

Files that are there whole or not at all, whenever the power fails.

`write_whole` writes beside the file, forces that to the disk, puts it in the file's place, and forces the folder to the
disk: when it returns, the content survives a cut. Nothing is written where the same content stands already, so that
an SD card is not worn by every start. Blocks; used before the daemon starts and by commands, never on the loop.
"""

from __future__ import annotations

import errno
import os
import stat
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


PRIVATE = 0o600
PUBLIC = 0o644


def write_whole(path: Path, data: bytes, mode: int | None = PUBLIC) -> bool:
    """Have `data` at `path`; True where anything was written. Raises `OSError`, and then the old file is still there.

    `mode` None is for file systems without permissions (FAT). Where root writes, the file belongs to the folder's
    owner: the daemon must be able to read what was put into its folder.
    """
    if _stands_already(path, data, mode):
        return False
    beside = path.with_name(f"{path.name}.new")
    # Not followed, not reused: somebody else may have put a link or an open file there.
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, PRIVATE)
    try:
        if mode is not None:
            _give_to_folder_owner(descriptor, path.parent)
            os.fchmod(descriptor, mode)
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)
    os.replace(beside, path)
    keep_folder(path.parent)
    return True


def keep_folder(folder: Path) -> None:
    """Force the names in a folder to the disk. Raises `OSError`."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def private_folder(folder: Path) -> None:
    """Have a folder of our own that nobody else may enter. Raises `OSError`, also for one that is somebody else's."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise PermissionError(errno.EPERM, "is not a folder of our own", str(folder))
    if stat.S_IMODE(found.st_mode) & 0o077:
        folder.chmod(0o700)


def _stands_already(path: Path, data: bytes, mode: int | None) -> bool:
    try:
        found = path.lstat()
        return (
            stat.S_ISREG(found.st_mode)
            and found.st_size == len(data)
            and (mode is None or stat.S_IMODE(found.st_mode) == mode)
            and path.read_bytes() == data
        )
    except OSError:
        return False


def _give_to_folder_owner(descriptor: int, folder: Path) -> None:
    if os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
