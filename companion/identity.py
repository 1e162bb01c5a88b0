"""The identity of this unit, its number for people, and QR codes of that number.

The identity (32 hexadecimal digits) is derived from the board's serial number, which itself is never shown or sent. The
session ids of the character service are derived from it. The unit's number is derived from the identity in turn:
`7K4M-2QXD-9RTF-47`, twelve characters of Crockford's base 32 (no I, L, O, U) and two check digits (ISO/IEC 7064,
MOD 97-10), so that a single wrong character or two swapped ones are always noticed on the telephone.

A serial number has few bits and could be found by trying all of them. Therefore it is hashed with a salt, which is
created once for a fresh unit and kept in the state folder (`identity-salt`, readable by its owner only). A manufacturer
can set one salt for a whole fleet, and then work out from a serial number which unit it is. A unit that began without a
salt never gets one once it has memories: without the file the older derivation applies, and its sessions stay the same.

QR codes are made with segno (BSD-3-Clause); this is the only file that imports it.
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
from companion.storage import PRIVATE, read_plain_file, write_atomically

log = logging.getLogger("companion")

MACHINE_FILES = (Path("/proc/device-tree/serial-number"), Path("/etc/machine-id"))
"""The board's serial number is preferred: units flashed from one image can share a machine id, but not a board."""

SALT_FILE = "identity-salt"
RANDOM_IDENTITY_FILE = "device-identity"
"""Holds the random identity of a machine without a serial number."""

SaltOutcome = Literal["made", "set", "kept", "refused", "none"]
"""What happened to the salt: `made` (a random one), `set` (the fleet's), `kept` (unchanged), `refused` (the fleet's,
because the unit has memories already) or `none` (not needed, for the same reason)."""

_LONGEST = 4096
"""Bytes of a file in the state folder. Provisioning reads them as root, and the folder is not root's."""
_UNSALTED = b"companion device identity"
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CHARACTERS = 12
_CONFUSABLE = str.maketrans({"O": "0", "I": "1", "L": "1"})


def machine_identity(state: Path, machine_files: Sequence[Path] = MACHINE_FILES) -> str:
    """This unit's identity: derived from the machine's number, else a random one that is kept in the state folder.

    Where it cannot be kept it is valid for this run only, and the log says so.
    """
    for path in machine_files:
        if number := _machine_number(path):
            return _derive_identity(number, _salt(state))
    return _random_identity(state)


def ensure_salt(state: Path, fleet: str | None = None) -> SaltOutcome:
    """Make sure that the unit has its salt. To be called before anything is remembered. Raises `OSError`.

    `fleet` is the manufacturer's text for a whole fleet. It replaces a random salt as long as there are no memories,
    because memories belong to the identity.
    """
    path = state / SALT_FILE
    present = _read(path)
    wanted = hashlib.blake2b(fleet.encode(), person=b"fleet salt", digest_size=32).hexdigest() if fleet else None
    if present is not None and wanted in (None, present):
        return "kept"
    if any(state.glob("companion.db*")) or (state / RANDOM_IDENTITY_FILE).exists():
        return "refused" if wanted else "none"
    write_atomically(path, f"{wanted or secrets.token_hex(32)}\n".encode(), PRIVATE)
    return "set" if wanted else "made"


def unit_number(identity: str) -> str:
    """The unit's number for people. The identity cannot be derived from it."""
    digest = hashlib.blake2b(identity.encode(), person=b"unit number", digest_size=8).digest()
    value = int.from_bytes(digest, "big") >> (64 - 5 * _CHARACTERS)
    characters = "".join(_LETTERS[value >> (5 * place) & 31] for place in reversed(range(_CHARACTERS)))
    groups = [characters[at : at + 4] for at in range(0, _CHARACTERS, 4)]
    return "-".join([*groups, f"{_check_digits(characters):02d}"])


def parse_unit_number(text: str) -> str:
    """Parse a unit's number as somebody typed it, and return it in its usual form.

    Lower case, other separators, and O, I and L in place of 0 and 1 are accepted. Raises `ConfigError` where a
    character is missing or wrong.
    """
    characters = re.sub(r"[\s.:/_-]", "", text).upper().translate(_CONFUSABLE)
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


def _derive_identity(number: bytes, salt: bytes | None) -> str:
    return hashlib.blake2b(number, key=salt or _UNSALTED, digest_size=16).hexdigest()


def _salt(state: Path) -> bytes | None:
    """The salt; None where the unit has none or a damaged one."""
    kept = _read(state / SALT_FILE)
    return bytes.fromhex(kept) if kept else None


def _read(path: Path) -> str | None:
    try:
        data = read_plain_file(path, _LONGEST)
    except OSError as error:
        log.warning("%s cannot be read (%s): the unit is known by its older identity.", path, error.strerror)
        return None
    if data is None:
        return None
    text = data.decode("ascii", "replace").strip()
    if re.fullmatch(r"[0-9a-f]{64}", text):
        return text
    log.warning("%s is damaged: the unit is known by its older identity. Put the file back from a copy.", path)
    return None


def _machine_number(path: Path) -> bytes:
    """The number in the file; empty where the file is missing or has none (`uninitialized`, all zeros)."""
    try:
        number = path.read_bytes().strip(b"\0 \r\n")
    except OSError:
        return b""
    return number if len(number) >= 8 and number != b"uninitialized" and number.strip(b"0") else b""


def _random_identity(state: Path) -> str:
    path = state / RANDOM_IDENTITY_FILE
    try:
        kept = (read_plain_file(path, _LONGEST) or b"").decode("ascii", "replace").strip()
        if re.fullmatch(r"[0-9a-f]{32}", kept):
            return kept
        state.mkdir(parents=True, exist_ok=True)
        fresh = uuid.uuid4().hex
        write_atomically(path, fresh.encode(), PRIVATE)
        return fresh
    except OSError as error:
        log.warning(
            "This unit's identity holds for this run only, because it could not be kept: %s. "
            "Set `identity` in the device file.",
            error.strerror or error,
        )
        return uuid.uuid4().hex


def qr_for_terminal(text: str) -> str:
    """The QR code in half-block characters, with the quiet zone that a camera needs."""
    import segno

    out = io.StringIO()
    segno.make(text, error="q", micro=False).terminal(out, border=2, compact=True)
    return out.getvalue()


def qr_svg(text: str) -> bytes:
    """The QR code as an SVG file, with `text` as its title."""
    import segno

    out = io.BytesIO()
    segno.make(text, error="q", micro=False).save(out, kind="svg", scale=8, border=4, title=text, light="#fff")
    return out.getvalue()
