"""Stores what must not stay on the card: the API key, the secret that neighbours share, and the fleet's salt. (`wifi`
stores the networks.)

What was stored safely is named in `ProvisioningRun.stored_secrets`; only that is blanked in the installer's file.
Secrets lie in a folder of root's own, outside the daemon's: whoever owns a folder can put others in place of what root
keeps in it. Older versions kept them in `STATE/credentials`, from where they are moved.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from companion.identity import SALT_FILE, ensure_salt, machine_identity, unit_number
from companion.provisioning.installer_file import InstallerFile
from companion.provisioning.run import ProvisioningRun
from companion.provisioning.settings import Diagnostic
from companion.provisioning.values import REMOVE, is_valid
from companion.provisioning.wifi import STORED, WIFI_FILES
from companion.storage import PRIVATE

KEY_FILE = "dashscope-key"
"""The same name as the systemd credential (`companion.mind.api.key`)."""
NEIGHBOURS_FILE = "neighbours-key"
"""The same (`companion.ears.neighbour_link`)."""

OLD_FOLDER = "credentials"


def move_credentials(run: ProvisioningRun) -> None:
    """Move the secrets out of the daemon's folder. Each is stored in its new place before the old one is removed."""
    old = run.folders.state / OLD_FOLDER
    if run.dry_run or old == run.folders.credentials or not old.is_dir():
        return
    known = len(run.diagnostics)
    for name in (KEY_FILE, *WIFI_FILES):
        kept = run.read(old / name)
        if len(run.diagnostics) > known:
            return
        new = run.folders.credentials / name
        if kept is not None and (new.exists() or run.write(new, kept, PRIVATE, private=True)):
            run.remove(old / name)
    # Anything else in it is not ours.
    with suppress(OSError):
        old.rmdir()


def store_key(run: ProvisioningRun, file: InstallerFile) -> None:
    """Store the given key, and copy the stored key to where systemd looks for it."""
    run.has_key = _store(run, file, "key", KEY_FILE)
    given = file.settings.text("key") is not None or "key" in file.settings.rejected
    if not run.has_key and not given and not run.has_problem("key"):
        text = 'there is none. Write key = "..." with the key of the service; until then the unit only practises.'
        run.diagnostics.append(Diagnostic(text, name="key"))


def store_neighbours_key(run: ProvisioningRun, file: InstallerFile) -> None:
    """The same for the secret that the units in one room share, where there is one."""
    run.has_neighbours_key = _store(run, file, "neighbours", NEIGHBOURS_FILE)


def _store(run: ProvisioningRun, file: InstallerFile, name: str, stored_as: str) -> bool:
    """Store the secret called `name` and copy it for systemd; whether the unit has it."""
    path = run.folders.credentials / stored_as
    copies = [run.folders.credstore / stored_as] if run.folders.credstore else []
    key = file.settings.text(name)
    if key == REMOVE:
        run.remove(path, *copies)
        run.applied.append((name, "was removed from the unit"))
        return False
    if key:
        run.secrets.append(key)
        if run.write(path, f"{key}\n".encode(), PRIVATE, private=True):
            run.stored_secrets.add(name)
    kept = run.read(path)
    if kept:
        stored = kept.decode("utf-8", "replace").strip()
        run.secrets.append(stored)
        if not is_valid(name, stored):
            kept = None
            run.diagnostics.append(Diagnostic("what was stored is damaged. Write the key again.", name=name))
    if kept:
        for copy in copies:
            run.write(copy, kept, PRIVATE, private=True)
    if key or kept:
        run.applied.append((name, STORED))
    return bool(key or kept)


def ensure_identity(run: ProvisioningRun, file: InstallerFile, machine_files: Sequence[Path]) -> str:
    """Make sure that the unit has its salt, and return its number; empty in a dry run on a unit without one."""
    fleet = file.settings.text("fleet.salt")
    run.secrets += [fleet] if fleet else []
    state = run.folders.state
    if run.dry_run:
        return unit_number(machine_identity(state, machine_files)) if (state / SALT_FILE).exists() else ""

    def action() -> None:
        if ensure_salt(state, fleet) == "refused":
            text = "cannot be set any more: the memories of this unit hang on its number. Remove the line."
            run.diagnostics.append(Diagnostic(text, name="fleet.salt"))
        elif fleet:
            run.stored_secrets.add("fleet.salt")

    run.try_or_report("The unit's own disk cannot be written, so its number is not yet the one it will have", action)
    if "fleet.salt" in run.stored_secrets:
        run.applied.append(("fleet.salt", STORED))
    return unit_number(machine_identity(state, machine_files))
