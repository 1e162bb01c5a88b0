"""The key of the character service: found, checked, and never shown.

Looked for in this order: the systemd credential `dashscope-key`, the environment variable `DASHSCOPE_API_KEY`, the
file named by `character.key_file`. It never stands in a settings file, and it hides itself from logs and tracebacks.
"""

from __future__ import annotations

import re
import string
from itertools import groupby

from companion.child_environment import KEY_VARIABLE
from companion.config.character import CharacterSettings
from companion.secret import find_secret

CREDENTIAL = "dashscope-key"

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
    value = find_secret(CREDENTIAL, KEY_VARIABLE, settings.key_file, "key")
    return None if value is None else Key(value)
