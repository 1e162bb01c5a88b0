"""The key of the character service: found, checked, and never shown.

Looked for in this order: the systemd credential `dashscope-key`, the environment variable `DASHSCOPE_API_KEY`, the
file named by `character.key_file`. It never stands in a settings file, and it hides itself from logs and tracebacks.
"""

from __future__ import annotations

import os
import re
import stat
import string
from itertools import groupby
from pathlib import Path

from companion.child_environment import KEY_VARIABLE
from companion.config.character import CharacterSettings
from companion.errors import ConfigError

CREDENTIAL = "dashscope-key"

_LONGEST = 4096
"""Bytes; a real key has about 35."""
_SHORTEST_PIECE = 8
"""Characters. Shorter pieces of a key reveal nothing and stand in ordinary words."""
_SHORTEST_SECRET = 16
"""Characters of a key that gives access to anything."""

_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


class Key:
    """A key that does not print itself."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The key itself, for the one header that carries it."""
        return self._value

    def redact(self, text: str) -> str:
        """`text` without the key, or any piece of it that is long enough to be worth something.

        Case does not matter, nor do signs that a code or an id in the text has lost.
        """
        low = text.translate(_LOWER)
        whole = self._value.translate(_LOWER)
        hidden = bytearray(len(text))
        for form in {whole, re.sub(r"[^a-z0-9_.-]", "", whole), re.sub(r"[^a-z0-9]", "", whole)} - {""}:
            size = min(len(form), _SHORTEST_PIECE)
            pieces = {form[at : at + size] for at in range(len(form) - size + 1)}
            for at in range(len(low) - size + 1):
                if low[at : at + size] in pieces:
                    hidden[at : at + size] = b"\1" * size
        if not any(hidden):
            return text
        return "".join(
            "(hidden)" if is_hidden else "".join(letter for letter, _ in run)
            for is_hidden, run in groupby(zip(text, hidden, strict=True), key=lambda one: one[1])
        )

    def redact_speech(self, text: str) -> str:
        """The same for an answer, unless the key is so short (`ollama`, `none`) that it may be a word of it."""
        return self.redact(text) if len(self._value) >= _SHORTEST_SECRET else text

    def __repr__(self) -> str:
        return "Key(hidden)"

    def __reduce__(self) -> str:
        raise TypeError("a key is not to be copied or stored")


def find_key(settings: CharacterSettings) -> Key | None:
    """The key, or None where none was given. Raises `ConfigError` for one that cannot be right or is not kept safe."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if folder and os.path.exists(credential := Path(folder) / CREDENTIAL):
        return _checked(_read(credential, private=False), str(credential))
    if value := os.environ.get(KEY_VARIABLE):
        return _checked(value, KEY_VARIABLE)
    if settings.key_file is not None:
        return _checked(_read(settings.key_file, private=True), str(settings.key_file))
    return None


def _read(path: Path, *, private: bool) -> str:
    """The file's text. The mode that counts is that of the opened file, not of whatever has its name later."""
    try:
        # A named pipe would otherwise block until somebody writes into it.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise ConfigError(f"{path}: key_file: cannot be read: {error.strerror or error}") from error
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise ConfigError(f"{path}: key_file: is not a regular file; put the key into a file of its own")
        if private and stat.S_IMODE(mode) not in (0o600, 0o400):
            raise ConfigError(f"{path}: key_file: must be open to its owner only; run: chmod 600 {path}")
        return os.read(descriptor, _LONGEST + 1).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: key_file: is not plain text; save the key as UTF-8") from error
    except OSError as error:
        raise ConfigError(f"{path}: key_file: cannot be read: {error.strerror or error}") from error
    finally:
        os.close(descriptor)


def _checked(value: str, source: str) -> Key:
    """Take off what pasting adds at the ends; refuse what no key holds. The messages never show the value."""
    value = value.strip().strip("\ufeff\u200b").strip()
    if not value:
        raise ConfigError(f"{source}: key: is empty; put the key there or remove it")
    if len(value) > _LONGEST:
        raise ConfigError(f"{source}: key: is far too long for a key; it must hold the key and nothing else")
    if value[0] in "\"'" or value[-1] in "\"'":
        raise ConfigError(f"{source}: key: stands in quotation marks; remove them")
    if not re.fullmatch(r"[!-~]+", value):
        raise ConfigError(f"{source}: key: has a space, a line break or an invisible character in it; paste it again")
    return Key(value)
