"""Secrets that the owner gives: found, checked, and never shown.

Looked for in this order: a systemd credential, an environment variable, a file of mode 0600. They never stand in a
settings file.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from companion.errors import ConfigError

_LONGEST = 4096
"""Bytes; a real key has about 35."""


def find_secret(credential: str, variable: str, file: Path | None, name: str) -> str | None:
    """The secret, or None where none was given. `name` is that of the setting, in messages.

    Raises `ConfigError` for one that cannot be right or is not kept safe.
    """
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if folder and os.path.exists(given := Path(folder) / credential):
        return _checked(_read(given, name, private=False), str(given), name)
    if value := os.environ.get(variable):
        return _checked(value, variable, name)
    if file is not None:
        return _checked(_read(file, name, private=True), str(file), name)
    return None


def _read(path: Path, name: str, *, private: bool) -> str:
    """The file's text. The mode that counts is that of the opened file, not of whatever has its name later."""
    try:
        # A named pipe would otherwise block until somebody writes into it.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise ConfigError(f"{path}: {name}_file: cannot be read: {error.strerror or error}") from error
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise ConfigError(f"{path}: {name}_file: is not a regular file; put the key into a file of its own")
        if private and stat.S_IMODE(mode) not in (0o600, 0o400):
            raise ConfigError(f"{path}: {name}_file: must be open to its owner only; run: chmod 600 {path}")
        return os.read(descriptor, _LONGEST + 1).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: {name}_file: is not plain text; save the key as UTF-8") from error
    except OSError as error:
        raise ConfigError(f"{path}: {name}_file: cannot be read: {error.strerror or error}") from error
    finally:
        os.close(descriptor)


def _checked(value: str, source: str, name: str) -> str:
    """Take off what pasting adds at the ends; refuse what no key holds. The messages never show the value."""
    value = value.strip().strip("\ufeff\u200b").strip()
    if not value:
        raise ConfigError(f"{source}: {name}: is empty; put the key there or remove it")
    if len(value) > _LONGEST:
        raise ConfigError(f"{source}: {name}: is far too long for a key; it must hold the key and nothing else")
    if value[0] in "\"'" or value[-1] in "\"'":
        raise ConfigError(f"{source}: {name}: stands in quotation marks; remove them")
    if not re.fullmatch(r"[!-~]+", value):
        raise ConfigError(
            f"{source}: {name}: has a space, a line break or an invisible character in it; paste it again"
        )
    return value
