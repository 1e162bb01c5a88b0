"""Erases what a unit has learnt of its owner, so that it starts as on its first day.

What stays in the state folder is listed in `KEPT`; everything else goes, also what a later version puts there. A file
is overwritten, forced to the disk, and removed. On a card or any other flash memory that does not reach the copies
which the card's own controller keeps of old blocks (docs/guardian-memory.md). Secrets belong to root: where the unit's
own user asks for a reset (page, button), root's part is done at the next start of the board, by `companion provision`.
Blocks; everything else of the unit is closed meanwhile.
"""

from __future__ import annotations

import logging
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from companion.errors import CompanionError
from companion.storage import PRIVATE, create_private_folder, sync_folder, write_atomically

log = logging.getLogger("companion")

ASKED_FILE = "factory-reset"
"""In the state folder: the unit erases its own part at its next start."""
SECRETS_ASKED_FILE = "factory-reset-secrets"
"""The same for root's part."""
SESSION_SALT_FILE = "session-salt"
"""Made by a reset: with it the service's sessions are others than before."""

KEPT = frozenset(
    {
        *("models", "calibration.toml", "echo.json"),
        # What the installer's card says, and the unit's number.
        *("device.toml", "persona.toml", "companion-report.txt", "identity-salt", "device-identity"),
        *(SESSION_SALT_FILE, SECRETS_ASKED_FILE),
    }
)
"""What stays: speech models, calibration, what the installer has set."""
SECRETS_KEPT = frozenset({"hostname", "identity-salt"})
"""Of root's folder."""
MEMORY = "companion.db"

_PIECE = 64 * 1024


@dataclass(frozen=True, slots=True)
class ResetReport:
    """What came of it."""

    erased: tuple[str, ...]
    """Paths of files, and of folders with all that was in them."""
    kept: tuple[str, ...]
    failed: tuple[str, ...]
    """Sentences about what could not be erased."""

    def __add__(self, other: ResetReport) -> ResetReport:
        return ResetReport(self.erased + other.erased, self.kept + other.kept, self.failed + other.failed)


def ask_reset(state: Path, *names: str) -> None:
    """Have everything, or the parts of these names, erased at the next start. Raises `CompanionError`."""
    try:
        create_private_folder(state)
        for name in names or (SECRETS_ASKED_FILE, ASKED_FILE):
            write_atomically(state / name, b"asked\n", PRIVATE)
    except OSError as error:
        raise CompanionError(f"{state} cannot be written, so nothing is erased: {error.strerror or error}") from error


def is_asked(state: Path, name: str = ASKED_FILE) -> bool:
    """Whether a reset was asked for and not done yet."""
    try:
        return stat.S_ISREG((state / name).lstat().st_mode)
    except OSError:
        return False


def erase_unit(state: Path, memory: Path | None = None) -> ResetReport:
    """Erase the unit's own part: the state folder, and the memory where it lies in another folder."""
    report = _erase_folder(state, KEPT | {ASKED_FILE})
    if memory is not None and memory.absolute() != state.absolute():
        names = [one.name for one in _entries(memory) if one.name.startswith(MEMORY)]
        report += _erase_folder(memory, frozenset(one.name for one in _entries(memory)) - frozenset(names))
    if state.is_dir():
        try:
            write_atomically(state / SESSION_SALT_FILE, f"{secrets.token_hex(16)}\n".encode(), PRIVATE)
            if not report.failed:
                (state / ASKED_FILE).unlink(missing_ok=True)
                sync_folder(state)
        except OSError as error:
            report += ResetReport((), (), (f"{state} cannot be written: {error.strerror or error}.",))
    return report


def erase_secrets(credentials: Path, network: Path | None = None, credstore: Path | None = None) -> ResetReport:
    """Erase root's part: keys and Wi-Fi, with the profiles made of them."""
    report = _erase_folder(credentials, SECRETS_KEPT)
    for folder, pattern in ((network, "companion*.nmconnection"), (credstore, "*")):
        if folder is not None and folder.absolute() != credentials.absolute():
            ours = {"dashscope-key", "neighbours-key"} if pattern == "*" else None
            for one in sorted(folder.glob(pattern)):
                if ours is None or one.name in ours:
                    report += _erased(one)
    return report


def finish_secrets(state: Path, credentials: Path, network: Path | None, credstore: Path | None) -> ResetReport | None:
    """Do root's part where it was asked for; None where it was not."""
    if not is_asked(state, SECRETS_ASKED_FILE):
        return None
    report = erase_secrets(credentials, network, credstore)
    if not report.failed:
        with suppress(OSError):
            (state / SECRETS_ASKED_FILE).unlink()
    return report


def session_salt(state: Path) -> str:
    """What tells the sessions after a reset from those before it; empty on a unit that never had one."""
    try:
        return (state / SESSION_SALT_FILE).read_text("ascii", "replace").strip()
    except OSError:
        return ""


def _erase_folder(folder: Path, kept: frozenset[str]) -> ResetReport:
    report = ResetReport((), (), ())
    for one in _entries(folder):
        report += ResetReport((), (str(one),), ()) if one.name in kept else _erased(one)
    return report


def _erased(path: Path) -> ResetReport:
    try:
        _erase(path)
        sync_folder(path.parent)
    except OSError as error:
        return ResetReport((), (), (f"{path} cannot be erased: {error.strerror or error}.",))
    return ResetReport((str(path),), (), ())


def _erase(path: Path) -> None:
    """Raises `OSError`. Never follows a link, and never writes into a file that has a second name."""
    found = path.lstat()
    if stat.S_ISDIR(found.st_mode):
        for one in _entries(path):
            _erase(one)
        path.rmdir()
        return
    if stat.S_ISREG(found.st_mode) and found.st_nlink == 1:
        descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            for start in range(0, found.st_size, _PIECE):
                os.write(descriptor, b"\0" * min(_PIECE, found.st_size - start))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    path.unlink()


def _entries(folder: Path) -> Iterator[Path]:
    try:
        yield from sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return
