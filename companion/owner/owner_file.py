"""What the owner's page keeps: the PIN (hashed), the telephones that were paired (their secrets hashed), wrong PINs.

One file, `owner.json` in the state folder, which only the unit's own user can read. A damaged one opens nothing: it is
told, and `companion owner reset-pin` begins anew. Blocks.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from companion.errors import CompanionError
from companion.owner.pin import KeptPin
from companion.storage import PRIVATE, create_private_folder, read_own_file, write_atomically

OWNER_FILE = "owner.json"
MOST_TELEPHONES = 16
_LONGEST = 64 * 1024


@dataclass(slots=True)
class Telephone:
    """One that was paired."""

    id: str
    digest: str
    """SHA-256 of its secret."""
    name: str
    """What it says it is: `Safari, iPhone`."""
    paired: str
    """When, local time, as it is shown."""
    failures: int = 0
    """Wrong PINs in a row."""


@dataclass(slots=True)
class Kept:
    """The content of the file."""

    pin: KeptPin | None = None
    failures: int = 0
    """Wrong PINs in a row, of all telephones."""
    telephones: list[Telephone] = field(default_factory=list)


class OwnerFile:
    """The file in this folder."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / OWNER_FILE

    def read(self) -> Kept:
        """What is kept; nothing yet where there is no file. Raises `CompanionError` where it cannot be trusted."""
        try:
            data = read_own_file(self.path, _LONGEST)
            if data is None:
                return Kept()
            fields = json.loads(data)
            pin = fields["pin"]
            return Kept(
                None if pin is None else KeptPin(bytes.fromhex(pin["salt"]).hex(), bytes.fromhex(pin["digest"]).hex()),
                int(fields["failures"]),
                [_telephone(one) for one in fields["telephones"]][:MOST_TELEPHONES],
            )
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise CompanionError(
                f"{self.path} is damaged, so the owner's page stays closed; `companion owner reset-pin` begins anew."
            ) from error

    def write(self, kept: Kept) -> None:
        """Keep it. Raises `CompanionError` where the disk does not take it."""
        try:
            create_private_folder(self.path.parent)
            write_atomically(self.path, json.dumps(asdict(kept)).encode(), PRIVATE)
        except OSError as error:
            raise CompanionError(f"{self.path} cannot be written: {error.strerror or error}.") from error

    def remove(self) -> None:
        """Forget PIN and telephones. Raises `CompanionError`."""
        self.write(Kept())


def _telephone(fields: dict[str, object]) -> Telephone:
    texts = [fields[name] for name in ("id", "digest", "name", "paired")]
    failures = fields["failures"]
    if not all(isinstance(one, str) for one in texts) or not isinstance(failures, int):
        raise ValueError("is no telephone")
    number, digest, name, paired = map(str, texts)
    return Telephone(number, digest, name, paired, failures)
