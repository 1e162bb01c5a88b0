"""One run of provisioning: where it reads and writes, and what it found out so far.

Every write goes through here: a disk that fails is a finding, never an exception.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from companion.provisioning.settings import Finding
from companion.provisioning.values import LOOKS_LIKE_KEY
from companion.storage import PUBLIC, private_folder, write_whole

CONFIGS = Path(__file__).resolve().parents[2] / "configs"

_TELLING = 4
"""Characters; less of a secret says nothing of it."""


@dataclass(frozen=True, slots=True)
class Folders:
    """Where provisioning reads and writes."""

    boot: Path
    state: Path
    credentials: Path
    network: Path
    credstore: Path | None = None
    """Where systemd looks for credentials (`/run/credstore`); the key is copied there at each start."""
    configs: Path = CONFIGS


@dataclass
class Run:
    """One run: what it found out so far."""

    folders: Folders
    dry_run: bool
    findings: list[Finding] = field(default_factory=list)
    well: list[tuple[str, str]] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    """Not to be shown, in whatever place they stand."""
    stored: set[str] = field(default_factory=set)
    """Names of the secrets that are safe on the unit."""

    def attempt(self, failing: str, action: Callable[[], object]) -> bool:
        """Do one thing to a disk; where that fails, say so and go on."""
        try:
            action()
        except OSError as error:
            self.findings.append(Finding(f"{failing} ({error.strerror or 'unknown reason'})."))
            return False
        return True

    def write(self, path: Path, data: bytes, mode: int = PUBLIC, *, private: bool = False) -> bool:
        """Write one of the unit's own files; False where that failed, which is told."""
        if self.dry_run:
            return True

        def action() -> None:
            if private:
                private_folder(path.parent)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, data, mode)

        return self.attempt(f"The unit's own disk cannot be written, so {path.name} was not stored", action)

    def remove(self, *paths: Path) -> None:
        """Forget files of the unit's own."""
        if not self.dry_run:
            for path in paths:
                self.attempt(f"{path.name} cannot be removed", partial(path.unlink, missing_ok=True))

    def show(self, name: str, value: str) -> None:
        """Tell a value that counts, unless a secret stands in it or it is a part of one."""
        hidden = any(one in value or (len(value) >= _TELLING and value in one) for one in self.secrets)
        self.well.append((name, "is set (not shown here)" if hidden else value))

    def told(self) -> tuple[Finding, ...]:
        """Every finding, without the secrets that an error message may have quoted from another file."""
        return tuple(replace(one, text=self._clean(one.text)) for one in self.findings)

    def _clean(self, text: str) -> str:
        for secret in self.secrets:
            text = text.replace(secret, "(hidden)") if len(secret) >= _TELLING else text
        return LOOKS_LIKE_KEY.sub("(hidden)", text)
