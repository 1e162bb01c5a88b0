"""Where a wake word keeps what it has learnt of voices.

The word of a unit is learnt into the unit's state folder, as `wake_words/NAME-DIGEST.ww`, and heard from there. The
digest is that of the file that it was made from, the one that is installed: where another one is installed what was
learnt no longer counts, and counts again when the first one is back. A file of no unit is replaced where it lies; the
one as it was made stays beside it. All of this blocks.
"""

from __future__ import annotations

import hashlib
import logging
import os
from pathlib import Path

from companion.config.word_file import LARGEST, WordFile, encoded, read
from companion.errors import ConfigError, DeviceError
from companion.storage import PRIVATE, create_private_folder, read_bounded_file, state_folder, write_atomically

log = logging.getLogger("companion")

BEFORE = ".before"
"""What is added to the name of the file in which a word stays as it was made."""

_FOLDER = "wake_words"
_DIGITS = 16


def learnt_file(made: Path) -> Path | None:
    """The file with what the word in `made` has learnt on this unit; None where it has learnt nothing."""
    path = _place(made)
    return path if path is not None and path.is_file() else None


def outdated(made: Path) -> list[Path]:
    """Files with what was learnt on this unit for another file of that name than the one that is installed now."""
    place = _place(made)
    if place is None or not place.parent.is_dir():
        return []
    of_name = (one for one in place.parent.glob("*.ww") if one.stem.rpartition("-")[0] == made.stem)
    return sorted(one for one in of_name if one != place)


def read_learnt(made: Path) -> WordFile:
    """The word with what it has learnt on this unit, else as it was made. Raises `ConfigError`."""
    path = learnt_file(made)
    if path is not None:
        try:
            return read(path)
        except ConfigError as error:
            log.warning("What %s has learnt of voices is not used: %s", made.name, error)
    return read(made)


def keep_learnt(made: Path, learnt: WordFile) -> Path:
    """Write what the unit's word in `made` has learnt, whole or not at all. Raises `DeviceError`."""
    place = _place(made)
    if place is None:
        raise DeviceError(f"{made.name}: this user has no home folder to keep it in; nothing was changed")
    try:
        create_private_folder(place.parent)
        _give_to_owner_of_parent(place.parent)
        write_atomically(place, encoded(learnt), PRIVATE)
        for old in outdated(made):
            old.unlink(missing_ok=True)
    except OSError as error:
        raise DeviceError(f"{place}: cannot be written ({error.strerror or error}); nothing was changed") from error
    return place


def forget_learnt(made: Path) -> None:
    """Remove what the unit's word has learnt. Raises `ConfigError` where it has learnt nothing, and `DeviceError`."""
    learnt = [one for one in (learnt_file(made), *outdated(made)) if one is not None]
    if not learnt:
        raise ConfigError(f"{made}: has learnt nothing on this unit")
    for one in learnt:
        try:
            one.unlink()
        except OSError as error:
            raise DeviceError(f"{one}: cannot be removed ({error.strerror or error}); run this with sudo") from error


def must_be_writable(file: Path, *, of_unit: bool) -> None:
    """Raise `ConfigError` where what would be learnt could not be written: nobody should say it ten times in vain."""
    if not file.is_file():
        raise ConfigError(f"{file}: there is no such file; name the .ww file of the wake word")
    place = _place(file) if of_unit else file
    folder = file.parent if place is None else place.parent
    while not os.path.exists(folder) and folder != folder.parent:
        folder = folder.parent
    if not os.access(folder, os.W_OK) or not (of_unit or os.access(file, os.W_OK)):
        raise ConfigError(f"{place}: may not be written by this user; run this with sudo")


def replace(file: Path, learnt: WordFile) -> Path:
    """Write the word, whole or not at all; the first time the old file stays beside it. Raises `DeviceError`."""
    before = file.with_name(file.name + BEFORE)
    mode = file.stat().st_mode & 0o777
    try:
        if not before.exists():
            write_atomically(before, file.read_bytes(), mode)
        write_atomically(file, encoded(learnt), mode)
    except OSError as error:
        raise DeviceError(f"{file}: cannot be written ({error.strerror or error}); it is as it was before") from error
    return file


def put_back(file: Path) -> None:
    """Put back the word as it was made. Raises `ConfigError` where it has learnt nothing, and `DeviceError`."""
    before = file.with_name(file.name + BEFORE)
    if not before.is_file():
        raise ConfigError(f"{file}: has learnt nothing here ({before.name} is not beside it)")
    read(before)
    try:
        os.replace(before, file)
    except OSError as error:
        raise DeviceError(f"{file}: cannot be written ({error.strerror or error}); it is as it was before") from error


def _place(made: Path) -> Path | None:
    """Where what it learns is kept; None where nothing can be."""
    try:
        digest = hashlib.sha256(read_bounded_file(made, LARGEST)).hexdigest()[:_DIGITS]
        return state_folder() / _FOLDER / f"{made.stem}-{digest}.ww"
    except (OSError, RuntimeError):
        return None


def _give_to_owner_of_parent(folder: Path) -> None:
    """The daemon must enter a folder that root has made."""
    if os.geteuid() == 0:
        owner = folder.parent.stat()
        os.chown(folder, owner.st_uid, owner.st_gid)
