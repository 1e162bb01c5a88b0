"""The owner's PIN: which ones are refused as too easy, and how it is kept (scrypt with a salt of its own).

A verification takes 16 MiB and some tenths of a second on a small board, so it runs on a thread, one at a time.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import unicodedata
from dataclasses import dataclass
from itertools import pairwise

LEAST, MOST = 6, 64
"""Characters of a PIN."""
_COST, _BLOCK, _LANES = 2**14, 8, 1
_EASY = frozenset({"password", "passwort", "companion", "qwertz", "qwerty", "iloveyou", "abc123", "letmein", "112233"})


@dataclass(frozen=True, slots=True)
class KeptPin:
    """What is kept of a PIN, in hexadecimal digits."""

    salt: str
    digest: str


def normal(pin: str) -> str:
    """The same PIN, however a keyboard writes it (full-width digits, composed accents)."""
    return unicodedata.normalize("NFKC", pin.strip())


def fault_of(pin: str) -> str | None:
    """Why it cannot be the PIN: `short`, `long` or `easy`; None where it can."""
    pin = normal(pin)
    if len(pin) < LEAST:
        return "short"
    if len(pin) > MOST:
        return "long"
    half = pin[: len(pin) // 2]
    easy = len(set(pin)) <= 2 or pin.casefold() in _EASY or _is_row(pin) or (half * 2 == pin and _is_row(half))
    return "easy" if easy else None


def _is_row(pin: str) -> bool:
    """Whether each character follows the one before: 123456, fedcba."""
    steps = {ord(later) - ord(earlier) for earlier, later in pairwise(pin)}
    return len(steps) == 1 and steps <= {-1, 0, 1}


def keep(pin: str) -> KeptPin:
    """What is kept of it. Blocks for some tenths of a second."""
    salt = secrets.token_bytes(16)
    return KeptPin(salt.hex(), _digest(pin, salt).hex())


def is_right(pin: str, kept: KeptPin) -> bool:
    """Whether it is the one that is kept. Blocks for some tenths of a second."""
    return hmac.compare_digest(_digest(pin[: 4 * MOST], bytes.fromhex(kept.salt)), bytes.fromhex(kept.digest))


def _digest(pin: str, salt: bytes) -> bytes:
    return hashlib.scrypt(
        normal(pin).encode("utf-8", "replace"), salt=salt, n=_COST, r=_BLOCK, p=_LANES, maxmem=64 * 2**20, dklen=32
    )
