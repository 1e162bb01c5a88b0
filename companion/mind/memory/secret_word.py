"""By what a person is recognised: a word that only they know, or the owner's leave.

A word is kept salted and hashed (scrypt), and compared without letter case, marks and blanks. After `TRIES` wrong ones
nobody may try for a while, longer with each further one. Persons are those of all characters of a unit: their word
holds with every one. SQL, on the store's thread; a comparison takes about 0.1 s on a small board. Times are local.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from companion.errors import CompanionError
from companion.mind.memory.database import Connection
from companion.mind.memory.fact_store import to_text, to_time
from companion.mind.memory.persons import key_of

TRIES = 3
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(days=1)

_COST = {"n": 2**14, "r": 8, "p": 1, "maxmem": 2**26}
_SHORTEST = 2
"""Letters: a word of one is no secret; two Chinese ones are a word."""
_NO_LETTER = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of somebody who gives a name."""

    has_word: bool
    is_remembered: bool
    """Whether anything is kept of them, by any character."""
    must_wait: bool
    """Whether so many wrong words were said that nobody may try just now."""
    is_let_in: bool
    """Whether the owner has let them in."""


def normalised(word: str) -> str:
    """The word as it is compared: its letters and digits."""
    return _NO_LETTER.sub("", unicodedata.normalize("NFKC", word).casefold())


def set_word(on: Connection, person: str, word: str) -> None:
    """Give a person a word, in place of the one before; wrong tries are forgotten. Raises `CompanionError`."""
    key = _key(person)
    if len(normalised(word)) < _SHORTEST:
        raise CompanionError("The word is too short: say or write one with at least two letters.")
    on.execute(
        "INSERT INTO recognition (key, word) VALUES (?, ?) "
        "ON CONFLICT (key) DO UPDATE SET word = excluded.word, tries = 0, tried = ''",
        (key, _hashed(word, secrets.token_bytes(16))),
    )


def remove_word(on: Connection, person: str) -> bool:
    """Take a person's word away; whether they had one."""
    return on.execute("UPDATE recognition SET word = '' WHERE key = ? AND word <> ''", (_key(person),)).rowcount > 0


def has_word(on: Connection, person: str) -> bool:
    """Whether the person has a word."""
    found = on.execute("SELECT 1 FROM recognition WHERE key = ? AND word <> ''", (key_of(person),))
    return found.fetchone() is not None


def let_in(on: Connection, person: str, until: datetime | None) -> None:
    """Whoever gives this name gets their memories until then; None: from now on nobody does."""
    on.execute(
        "INSERT INTO recognition (key, let_in) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET let_in = excluded.let_in",
        (_key(person), to_text(until) if until is not None else ""),
    )


def let_in_until(on: Connection, person: str) -> datetime | None:
    """Until when the person is let in, or was; None where they never were, or no more are."""
    row = on.execute("SELECT let_in FROM recognition WHERE key = ?", (key_of(person),)).fetchone()
    return to_time(row[0]) if row is not None and row[0] else None


def standing(on: Connection, person: str, now: datetime) -> Standing:
    """What is known of somebody who gives this name."""
    key = key_of(person)
    remembered = on.execute(
        "SELECT 1 FROM persons WHERE key = ? AND (summary <> '' OR EXISTS (SELECT 1 FROM exchanges WHERE person = "
        "persons.id) OR EXISTS (SELECT 1 FROM facts WHERE person = persons.id))",
        (key,),
    ).fetchone()
    until = let_in_until(on, person)
    return Standing(
        has_word(on, person),
        remembered is not None,
        _must_wait(on, key, now),
        until is not None and _local(now) < _local(until),
    )


def try_word(on: Connection, person: str, words: Sequence[str], now: datetime) -> bool:
    """Whether one of these is the person's word; where none is, that counts as one wrong try.

    Always False, and not counted, while nobody may try.
    """
    key = key_of(person)
    if _must_wait(on, key, now):
        return False
    row = on.execute("SELECT word FROM recognition WHERE key = ?", (key,)).fetchone()
    # Where there is none it takes as long: nobody hears the difference.
    stored = row[0] if row is not None and row[0] else _hashed(secrets.token_hex(8), secrets.token_bytes(16))
    if any(_is_word(word, stored) for word in dict.fromkeys(map(normalised, words))):
        on.execute("UPDATE recognition SET tries = 0, tried = '' WHERE key = ?", (key,))
        return True
    on.execute(
        "INSERT INTO recognition (key, tries, tried) VALUES (?, 1, ?) "
        "ON CONFLICT (key) DO UPDATE SET tries = tries + 1, tried = excluded.tried",
        (key, to_text(now)),
    )
    return False


def restart_wait(on: Connection, person: str, now: datetime) -> None:
    """Where the clock was set back the wait begins anew, so that it neither ends nor lasts for years."""
    row = on.execute("SELECT tried FROM recognition WHERE key = ?", (key_of(person),)).fetchone()
    if row is not None and row[0] and _local(to_time(row[0])) > _local(now):
        on.execute("UPDATE recognition SET tried = ? WHERE key = ?", (to_text(now), key_of(person)))


def _key(person: str) -> str:
    if not person.strip():
        raise CompanionError("Whoever says no name cannot be recognised: name the person.")
    return key_of(person)


def _must_wait(on: Connection, key: str, now: datetime) -> bool:
    row = on.execute("SELECT tries, tried FROM recognition WHERE key = ?", (key,)).fetchone()
    if row is None or row[0] < TRIES or not row[1]:
        return False
    wait = min(FIRST_WAIT * 2 ** min(row[0] - TRIES, 20), LONGEST_WAIT)
    return bool(_local(now) - _local(to_time(row[1])) < wait)


def _local(at: datetime) -> datetime:
    return at.replace(tzinfo=None)


def _hashed(word: str, salt: bytes) -> str:
    digest = hashlib.scrypt(normalised(word).encode(), salt=salt, dklen=32, **_COST)
    return f"{salt.hex()}:{digest.hex()}"


def _is_word(word: str, stored: str) -> bool:
    salt, _, _ = stored.partition(":")
    try:
        return len(word) >= _SHORTEST and hmac.compare_digest(_hashed(word, bytes.fromhex(salt)), stored)
    except ValueError:
        return False
