"""The state of one provisioning run: its folders, the settings applied so far, and the diagnostics.

Every write goes through `ProvisioningRun`, which turns an error of the disk into a diagnostic.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from companion.config.device import Device
from companion.provisioning.settings import Diagnostic
from companion.provisioning.values import LOOKS_LIKE_KEY
from companion.storage import PUBLIC, ensure_private_folder, read_own_file, write_atomically

CONFIGS = Path(__file__).resolve().parents[2] / "configs"

Examine = Callable[[Path, Device, bool], Sequence[Diagnostic]]
"""Tells what of a unit would not work on this machine: takes the built-in device file, its settings, and whether the
unit has a key."""

_SHORTEST_SECRET = 4
"""Characters. Shorter pieces of a secret reveal nothing, and hiding them would blank ordinary words."""
_LONGEST_SECRET = 4096
"""Bytes of a stored file."""


@dataclass(frozen=True, slots=True)
class Folders:
    """Where provisioning reads and writes."""

    boot: Path
    state: Path
    """The daemon's own folder: what is read there may be anything."""
    credentials: Path
    """For secrets; belongs to root alone, as do the folders above it."""
    network: Path
    credstore: Path | None = None
    """Where systemd looks for credentials (`/run/credstore`); the key is copied there at each start."""
    configs: Path = CONFIGS


@dataclass
class ProvisioningRun:
    """One run and what it has found so far."""

    folders: Folders
    dry_run: bool
    examine: Examine | None = None
    diagnostics: list[Diagnostic] = field(default_factory=list)
    applied: list[tuple[str, str]] = field(default_factory=list)
    """The settings in effect: name, and value or remark."""
    secrets: list[str] = field(default_factory=list)
    """Values that must never be shown, wherever they appear."""
    has_key: bool = False
    """Whether the unit has a key."""
    has_neighbours_key: bool = False
    """Whether it has the secret that the units in one room share."""
    persona_file: Path | None = None
    """The persona file on the card, where one of its own was chosen: the copy belongs to the daemon."""
    stored_secrets: set[str] = field(default_factory=set)
    """Names of the secrets that are stored on the unit; only these are blanked in the installer's file."""

    def try_or_report(self, failing: str, action: Callable[[], object]) -> bool:
        """Run `action`; an `OSError` becomes a diagnostic that begins with `failing`. Returns whether it succeeded."""
        try:
            action()
        except OSError as error:
            self.diagnostics.append(Diagnostic(f"{failing} ({error.strerror or 'unknown reason'})."))
            return False
        return True

    def write(self, path: Path, data: bytes, mode: int = PUBLIC, *, private: bool = False) -> bool:
        """Write one of the unit's own files. A failure is reported, and False returned."""
        if self.dry_run:
            return True

        def action() -> None:
            if private:
                ensure_private_folder(path.parent)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, data, mode)

        return self.try_or_report(f"The unit's own disk cannot be written, so {path.name} was not stored", action)

    def read(self, path: Path) -> bytes | None:
        """A secret that was stored. One that is not a plain file of our own is reported, and None returned."""
        try:
            return read_own_file(path, _LONGEST_SECRET)
        except OSError as error:
            text = f"{path} cannot be used ({error.strerror or 'unknown reason'}). Remove it."
            self.diagnostics.append(Diagnostic(text))
            return None

    def has_problem(self, name: str) -> bool:
        """Whether a diagnostic is about this setting."""
        return any(one.name == name and not one.note for one in self.diagnostics)

    def remove(self, *paths: Path) -> None:
        """Delete files of the unit. A failure is reported."""
        if not self.dry_run:
            for path in paths:
                self.try_or_report(f"{path.name} cannot be removed", partial(path.unlink, missing_ok=True))

    def report_value(self, name: str, value: str) -> None:
        """Report a setting in effect. Its value is hidden where it contains a secret or is part of one."""
        hidden = any(one in value or (len(value) >= _SHORTEST_SECRET and value in one) for one in self.secrets)
        self.applied.append((name, "is set (not shown here)" if hidden else value))

    def redacted_diagnostics(self) -> tuple[Diagnostic, ...]:
        """Every diagnostic, without secrets that an error message may have quoted from another file."""
        return tuple(replace(one, text=self._redacted(one.text)) for one in self.diagnostics)

    def _redacted(self, text: str) -> str:
        for secret in self.secrets:
            text = text.replace(secret, "(hidden)") if len(secret) >= _SHORTEST_SECRET else text
        return LOOKS_LIKE_KEY.sub("(hidden)", text)
