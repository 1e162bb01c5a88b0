"""By what persons are told apart. Pure."""

from __future__ import annotations

import hashlib
import unicodedata

PAUSE_UNIT = 1000
"""Of the column `pause`: by how many of it a person's pauses are longer than usual."""


def key_of(person: str) -> str:
    """By what a name is compared, as a digest: `ANA ` and `ana` are one person."""
    name = unicodedata.normalize("NFC", unicodedata.normalize("NFC", person.strip()).casefold())
    return hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=12).hexdigest()
