"""The unit's state folder, which only its owner can open, and writing files that survive a power cut.

`write_atomically` writes a new file beside the old one, forces it to the disk, renames it into place, and forces the
folder to the disk. When it returns, the content survives a power cut; before that, the old content does. Nothing is
written where the content is unchanged, so that not every start wears the SD card. Blocks; used before the daemon starts
and by commands, never on the event loop.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


def state_folder() -> Path:
    """The unit's state folder: `STATE_DIRECTORY` (systemd), else `companion` in `XDG_STATE_HOME` or `~/.local/state`.

    It may not exist yet. Raises `RuntimeError` for a user without a home folder.
    """
    if folder := os.environ.get("STATE_DIRECTORY"):
        # systemd separates several folders by colons.
        return Path(folder.split(":")[0])
    home = os.environ.get("XDG_STATE_HOME")
    return (Path(home) if home else Path("~/.local/state").expanduser()) / "companion"


def create_private_folder(folder: Path) -> None:
    """Create the folder with mode 0700 where it is missing; an existing one keeps its mode. Raises `OSError`."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


PRIVATE = 0o600
PUBLIC = 0o644


def write_atomically(path: Path, data: bytes, mode: int | None = PUBLIC) -> bool:
    """Write `data` to `path`; returns whether anything had to be written. Raises `OSError`; the old file then remains.

    `mode` None is for file systems without permissions (FAT). When root writes, the file is given to the folder's
    owner, so that the daemon can read what is put into its folder.
    """
    if _is_unchanged(path, data, mode):
        return False
    beside = path.with_name(f"{path.name}.new")
    # Never follow or reuse it: somebody else may have put a link or an open file there.
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
    sync_folder(path.parent)
    return True


def sync_folder(folder: Path) -> None:
    """Force a folder's directory entries to the disk. Raises `OSError`."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def ensure_private_folder(folder: Path) -> None:
    """Create a folder that only we can enter, or restrict an existing one. Raises `OSError`, also if it is not ours."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    found = folder.lstat()
    if not _is_own_folder(found):
        raise PermissionError(errno.EPERM, "is not a folder of our own", str(folder))
    if stat.S_IMODE(found.st_mode) & 0o077:
        folder.chmod(0o700)


def read_plain_file(path: Path, longest: int) -> bytes | None:
    """The content of a file in a folder that others may write to; None where there is none.

    Never follows a link and never waits for a pipe or a device. Raises `OSError` for anything but a plain file of at
    most `longest` bytes.
    """
    return _read_plain_file(path, longest, own=False)


def read_own_file(path: Path, longest: int) -> bytes | None:
    """The same for a secret: the file and its folder must also be ours, and nobody else may write to them."""
    try:
        if not _is_own_folder(path.parent.lstat()):
            raise PermissionError(errno.EPERM, "is not a folder of our own", str(path.parent))
    except FileNotFoundError:
        return None
    return _read_plain_file(path, longest, own=True)


def read_bounded_file(path: Path, longest: int) -> bytes:
    """The content of a file that may be reached through links: never of a pipe or a device, at most `longest` bytes.

    Raises `OSError`, whose `strerror` says what is wrong.
    """
    return _read_bounded(path, longest, 0, own=False)


def _read_plain_file(path: Path, longest: int, *, own: bool) -> bytes | None:
    try:
        return _read_bounded(path, longest, os.O_NOFOLLOW, own=own)
    except FileNotFoundError:
        return None


def _read_bounded(path: Path, longest: int, flags: int, *, own: bool) -> bytes:
    # Opening a pipe would wait for its writer.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | flags)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise PermissionError(errno.EPERM, "is not a plain file", str(path))
        # A second name for it may lie in somebody else's folder.
        if own and (found.st_uid != os.geteuid() or found.st_nlink != 1 or found.st_mode & 0o022):
            raise PermissionError(errno.EPERM, "is not a file of our own", str(path))
        data = b""
        while len(data) <= longest and (piece := os.read(descriptor, longest + 1 - len(data))):
            data += piece
    finally:
        os.close(descriptor)
    if len(data) > longest:
        raise OSError(errno.EFBIG, "is far too long", str(path))
    return data


def _is_own_folder(found: os.stat_result) -> bool:
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()


def _is_unchanged(path: Path, data: bytes, mode: int | None) -> bool:
    try:
        found = path.lstat()
        return (
            stat.S_ISREG(found.st_mode)
            and found.st_size == len(data)
            and (mode is None or stat.S_IMODE(found.st_mode) == mode)
            and read_plain_file(path, len(data)) == data
        )
    except OSError:
        return False


def _give_to_folder_owner(descriptor: int, folder: Path) -> None:
    if os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
