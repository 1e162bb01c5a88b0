"""Which unit this is: derived from the board's number, which itself is shown and sent nowhere.

A unit is known by its identity (32 hexadecimal digits; sessions are made from it) and to people by its number, which
is derived from the identity in turn: `7K4M-2QXD-9RTF-47`, twelve characters of Crockford's base 32 (no I, L, O, U) and
two check digits (ISO/IEC 7064, MOD 97-10), so that no single wrong character and no two swapped ones go unnoticed on
the telephone.

A serial number has few bits and can be found out by trying them all. So it is hashed with a salt, kept in the state
folder (`identity-salt`, for the owner only) and made once for a fresh unit; a manufacturer can give a whole fleet one,
and then tell from a serial number which unit it is. A unit that began without a salt never gets one once it has
memories: without the file the older derivation holds, and its sessions stay what they were.

QR codes, for a terminal and as SVG (segno; BSD-3-Clause). The only file that knows the library.
"""

from __future__ import annotations

import hashlib
import io
import logging
import re
import secrets
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from companion.errors import ConfigError
from companion.storage import PRIVATE, write_whole

log = logging.getLogger("companion")

MACHINE_FILES = (Path("/proc/device-tree/serial-number"), Path("/etc/machine-id"))
"""The board's serial number comes first: units flashed from one image can share a machine id, never a board."""

SALT_FILE = "identity-salt"
KEPT_FILE = "device-identity"
"""The identity of a machine that has no number of its own."""

Salt = Literal["made", "set", "kept", "refused", "none"]
"""What became of the salt: a random one made, the fleet's set, left as it was, refused or not needed because the unit
has memories already."""

_UNSALTED = b"companion device identity"
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CHARACTERS = 12
_HEARD_AS = str.maketrans({"O": "0", "I": "1", "L": "1"})


def machine_identity(state: Path, machine_files: Sequence[Path] = MACHINE_FILES) -> str:
    """This unit's identity: derived from the machine, else a random one that is kept in the state folder.

    Where none can be kept it holds for this run only, and the log says so.
    """
    for path in machine_files:
        if number := _machine_number(path):
            return _derived(number, _salt(state))
    return _kept_identity(state)


def ensure_salt(state: Path, fleet: str | None = None) -> Salt:
    """Have the salt that this unit should have. Called before anything is remembered. Raises `OSError`.

    `fleet` is the manufacturer's text for a whole fleet. It takes the place of a random salt as long as there are no
    memories, which hang on the identity.
    """
    path = state / SALT_FILE
    present = _read(path)
    wanted = hashlib.blake2b(fleet.encode(), person=b"fleet salt", digest_size=32).hexdigest() if fleet else None
    if present is not None and wanted in (None, present):
        return "kept"
    if any(state.glob("companion.db*")) or (state / KEPT_FILE).exists():
        return "refused" if wanted else "none"
    write_whole(path, f"{wanted or secrets.token_hex(32)}\n".encode(), PRIVATE)
    return "set" if wanted else "made"


def unit_number(identity: str) -> str:
    """What people call the unit. The identity cannot be found from it."""
    digest = hashlib.blake2b(identity.encode(), person=b"unit number", digest_size=8).digest()
    value = int.from_bytes(digest, "big") >> (64 - 5 * _CHARACTERS)
    characters = "".join(_LETTERS[value >> (5 * place) & 31] for place in reversed(range(_CHARACTERS)))
    groups = [characters[at : at + 4] for at in range(0, _CHARACTERS, 4)]
    return "-".join([*groups, f"{_check_digits(characters):02d}"])


def read_unit_number(said: str) -> str:
    """A unit's number as somebody typed it, put into its usual form.

    Small letters, other separators, and O, I and L for 0 and 1 are understood. Raises `ConfigError` where a character
    is missing or wrong.
    """
    characters = re.sub(r"[\s.:/_-]", "", said).upper().translate(_HEARD_AS)
    body, check = characters[:_CHARACTERS], characters[_CHARACTERS:]
    if len(characters) != _CHARACTERS + 2 or set(body) - set(_LETTERS) or not re.fullmatch("[0-9]{2}", check):
        raise ConfigError("That is no unit's number: it has three groups of four characters and two digits at the end.")
    if int(check) != _check_digits(body):
        raise ConfigError("A character of this unit's number is wrong: have it read out again.")
    return "-".join([body[:4], body[4:8], body[8:], check])


def _check_digits(characters: str) -> int:
    value = 0
    for character in characters:
        value = value * 32 + _LETTERS.index(character)
    return 98 - value * 100 % 97


def _derived(number: bytes, salt: bytes | None) -> str:
    return hashlib.blake2b(number, key=salt or _UNSALTED, digest_size=16).hexdigest()


def _salt(state: Path) -> bytes | None:
    """The salt; None where the unit has none, or one that is damaged."""
    kept = _read(state / SALT_FILE)
    return bytes.fromhex(kept) if kept else None


def _read(path: Path) -> str | None:
    try:
        text = path.read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        return None
    except OSError as error:
        log.warning("%s cannot be read (%s): the unit is known by its older identity.", path, error.strerror)
        return None
    if re.fullmatch(r"[0-9a-f]{64}", text):
        return text
    log.warning("%s is damaged: the unit is known by its older identity. Put the file back from a copy.", path)
    return None


def _machine_number(path: Path) -> bytes:
    """What the file says, or nothing where it is not there or says nothing (`uninitialized`, all zeros)."""
    try:
        number = path.read_bytes().strip(b"\0 \r\n")
    except OSError:
        return b""
    return number if len(number) >= 8 and number != b"uninitialized" and number.strip(b"0") else b""


def _kept_identity(state: Path) -> str:
    path = state / KEPT_FILE
    try:
        kept = path.read_text(encoding="ascii", errors="replace").strip() if path.exists() else ""
        if re.fullmatch(r"[0-9a-f]{32}", kept):
            return kept
        state.mkdir(parents=True, exist_ok=True)
        fresh = uuid.uuid4().hex
        write_whole(path, fresh.encode(), PRIVATE)
        return fresh
    except OSError as error:
        log.warning(
            "This unit's identity holds for this run only, because it could not be kept: %s. "
            "Set `identity` in the device file.",
            error.strerror or error,
        )
        return uuid.uuid4().hex


def qr_for_terminal(text: str) -> str:
    """The code in half-block characters, with the quiet zone that a camera needs around it."""
    import segno

    out = io.StringIO()
    segno.make(text, error="q", micro=False).terminal(out, border=2, compact=True)
    return out.getvalue()


def qr_svg(text: str) -> bytes:
    """The code as an SVG file of its own, with `text` as its title."""
    import segno

    out = io.BytesIO()
    segno.make(text, error="q", micro=False).save(out, kind="svg", scale=8, border=4, title=text, light="#fff")
    return out.getvalue()
