"""Provisioning: turns the `companion.toml` that an installer edited on a laptop into a configured unit, and reports.

Runs before the daemon, at every start (`systemd/companion-provision.service`, as root), and writes only what changed.
The order makes a power cut harmless at any moment: a secret is stored and forced to the disk before it is blanked in
the file. It is therefore always in one of the two places, or in both until the next start. Wrong settings are left
out, the others are applied, and the report names both.

    CREDENTIALS/dashscope-key       the service's API key          root only; the daemon gets it from systemd
    CREDENTIALS/neighbours-key      what units in one room share   the same
    CREDENTIALS/wifi.json           the Wi-Fi with its password    root only; wifi2.json is the second one
    CREDENTIALS/wifi-country        for the radio; hostname        root only
    NETWORK/companion.nmconnection  the same for NetworkManager    root only; companion-2.nmconnection likewise
    STATE/identity-salt             see companion.identity         the daemon only
    STATE/device.toml, persona.toml, companion-report.txt

STATE belongs to the daemon, so whatever it holds may have been put there by somebody who broke into the daemon: root
reads no secret there, follows no link and waits for no pipe. CREDENTIALS is root's own.

The report, `companion-report.txt`, is written beside the installer's file. It has Windows line ends and a byte order
mark, so that every laptop shows it correctly. It contains no secret, no address, and nothing that changes from one
start to the next. It is written again once the network is up, or is not (`systemd/companion-report.timer`).
"""

from __future__ import annotations

import logging
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from companion import __version__
from companion.config.character import CharacterSettings
from companion.factory_reset import SECRETS_ASKED_FILE, finish_secrets, is_asked
from companion.identity import MACHINE_FILES
from companion.provisioning.device_file import available_choices, write_device_file
from companion.provisioning.installer_file import (
    InstallerFile,
    blank_secrets,
    read_installer_file,
    recover_interrupted_write,
)
from companion.provisioning.run import Examine, Folders, ProvisioningRun
from companion.provisioning.secrets import KEY_FILE, ensure_identity, move_credentials, store_key, store_neighbours_key
from companion.provisioning.settings import Diagnostic
from companion.provisioning.values import OWNERS, Choices
from companion.provisioning.wifi import store_networks
from companion.storage import PRIVATE, create_private_folder, write_atomically

log = logging.getLogger("companion")

REPORT_FILE = "companion-report.txt"
HOSTNAME_FILE = "hostname"

_NOT_BLANKED = (
    "The secrets are stored on the unit, but they still stand in the file as well: remove them there. "
    "The card cannot be written"
)
_HEAD = "This file is written by the unit at each start. Changes here are lost: change {file} instead."
_NOT_LOOKED_AT = "the network was not looked at yet; it is written again about a minute after the start"
_WIDTH = 88
_MOST_TO_DO = 20
"""The report lists no more than this; with a file that has more problems, starting over is easier."""


@dataclass(frozen=True, slots=True)
class OnlineFindings:
    """What Wi-Fi and key really did."""

    applied: tuple[tuple[str, str], ...] = ()
    """Lines for what works."""
    diagnostics: tuple[Diagnostic, ...] = ()
    """What the installer should correct."""
    reached: bool = True
    """Whether there is nothing to wait for; else it is worth looking again later."""


LookOnline = Callable[[CharacterSettings, Path | None, Sequence[str]], OnlineFindings]
"""Takes the settings of the service, the file with the key (None: there is none) and the names of the networks."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one provisioning run."""

    file: str
    """Name of the installer's file; `companion.toml` where there is none."""
    number: str
    """The unit's number; empty where it has none yet."""
    applied: tuple[tuple[str, str], ...] = ()
    """The settings in effect: name, and value or a remark such as "is stored on the unit"."""
    diagnostics: tuple[Diagnostic, ...] = ()
    online: bool | None = None
    """Whether the network was reached; None where it was not looked at."""

    @property
    def to_do(self) -> tuple[Diagnostic, ...]:
        """What the installer should correct, in the order of the file's lines."""
        return self._sorted(note=False)

    @property
    def notes(self) -> tuple[Diagnostic, ...]:
        """Remarks that need no action, in the order of the file's lines."""
        return self._sorted(note=True)

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "ok": not self.to_do,
            "version": __version__,
            "file": self.file,
            "number": self.number,
            "well": dict(self.applied),
            "to_do": [_as_json(one) for one in self.to_do],
            "notes": [_as_json(one) for one in self.notes],
        }

    def _sorted(self, *, note: bool) -> tuple[Diagnostic, ...]:
        # Those about the file as a whole (line 0) come last.
        chosen = (one for one in self.diagnostics if one.note is note)
        return tuple(sorted(chosen, key=lambda one: (not one.line, one.line)))


def provision(
    folders: Folders,
    *,
    dry_run: bool = False,
    machine_files: Sequence[Path] = MACHINE_FILES,
    look_online: LookOnline | None = None,
    examine: Examine | None = None,
) -> Outcome:
    """Read the installer's file once and apply it. Problems are reported in the outcome and never raised.

    With `look_online` the report also says what Wi-Fi and key really do, which takes as long as that does. `examine`
    tells what of the unit that results would not work on this machine.
    """
    run = ProvisioningRun(folders, dry_run, examine)
    choices = available_choices(folders.configs, folders.boot)
    if not dry_run:
        run.try_or_report("The unit's own disk cannot be written", partial(create_private_folder, folders.state))
        run.try_or_report("The card cannot be written", partial(recover_interrupted_write, folders.boot))
        _finish_reset(run, choices)
    file = read_installer_file(folders.boot, choices)
    run.diagnostics += [*file.diagnostics, *file.settings.diagnostics]
    move_credentials(run)
    store_key(run, file)
    store_neighbours_key(run, file)
    networks = store_networks(run, file)
    number = ensure_identity(run, file, machine_files)
    device = write_device_file(run, file, choices)
    _write_hostname(run, file)
    if run.stored_secrets and not dry_run:
        run.try_or_report(_NOT_BLANKED, partial(blank_secrets, file, frozenset(run.stored_secrets)))
    online = None
    if look_online is not None and device is not None:
        key_file = folders.credentials / KEY_FILE if run.has_key else None
        found = look_online(device.character, key_file, networks)
        online = found.reached
        for name, value in found.applied:
            run.report_value(name, value)
        run.diagnostics += found.diagnostics
    outcome = Outcome(file.path.name, number, tuple(run.applied), run.redacted_diagnostics(), online)
    return outcome if dry_run else _write_report(run, outcome)


def _finish_reset(run: ProvisioningRun, choices: Choices) -> None:
    """Erase keys and Wi-Fi, here and on the card, where the owner asked for it on the page or by the button."""
    folders = run.folders
    if is_asked(folders.state, SECRETS_ASKED_FILE):
        file = read_installer_file(folders.boot, choices)
        run.try_or_report("The card cannot be written", partial(blank_secrets, file, frozenset(OWNERS)))
    report = finish_secrets(folders.state, folders.credentials, folders.network, folders.credstore)
    if report is not None:
        run.applied.append(("factory reset", "keys and Wi-Fi were erased"))
        run.diagnostics += [Diagnostic(sentence) for sentence in report.failed]


def _write_hostname(run: ProvisioningRun, file: InstallerFile) -> None:
    """Store the host name, which the systemd unit gives to the kernel."""
    path = run.folders.credentials / HOSTNAME_FILE
    if not file.settings.recognised:
        return
    if name := file.settings.text("hostname"):
        run.write(path, f"{name}\n".encode(), PRIVATE, private=True)
        run.report_value("hostname", name)
    else:
        run.remove(path)


def _write_report(run: ProvisioningRun, outcome: Outcome) -> Outcome:
    """Write the report beside the file, and a copy on the unit in case the card cannot be written."""
    beside = run.folders.boot / REPORT_FILE
    try:
        write_atomically(beside, report_text(outcome), mode=None)
    except OSError as error:
        text = f"The report cannot be written beside the file ({error.strerror}): the card is locked, full or damaged."
        outcome = replace(outcome, diagnostics=(*outcome.diagnostics, Diagnostic(text)))
    if not run.write(run.folders.state / REPORT_FILE, report_text(outcome)):
        outcome = replace(outcome, diagnostics=run.redacted_diagnostics())
    if outcome.to_do:
        number = len(outcome.to_do)
        things = "one thing" if number == 1 else f"{number} things"
        log.warning("%s: %s to do; %s says which.", outcome.file, things, REPORT_FILE)
    return outcome


def report_text(outcome: Outcome) -> bytes:
    """The content of `companion-report.txt`."""
    lines = [f"The unit and its {outcome.file}", "", *textwrap.wrap(_HEAD.format(file=outcome.file), _WIDTH), ""]
    to_do = outcome.to_do
    if to_do:
        lines += [f"TO DO ({len(to_do)})", *_bullets([_sentence(one) for one in to_do[:_MOST_TO_DO]])]
        lines += [f"- and {len(to_do) - _MOST_TO_DO} more of the kind"] if len(to_do) > _MOST_TO_DO else []
        lines += [""]
        lines += ["The unit talks with all that counts below. Mend the file and start the unit again.", ""]
    else:
        lines += ["ALL IS WELL. There is nothing to do.", ""]
    lines += ["WHAT COUNTS NOW", *_bullets([f"{name}: {value}" for name, value in outcome.applied]), ""]
    if outcome.notes:
        lines += ["NOTED", *_bullets([_sentence(one) for one in outcome.notes]), ""]
    seen = "the network was looked at" if outcome.online is not None else _NOT_LOOKED_AT
    unit = [f"number: {outcome.number or 'none yet'}", f"software: companion {__version__}", f"this report: {seen}"]
    lines += ["THIS UNIT", *_bullets(unit)]
    return ("\ufeff" + "\r\n".join(lines) + "\r\n").encode("utf-8", "replace")


def _sentence(diagnostic: Diagnostic) -> str:
    """One line of the report: where, and what."""
    places = [f"Line {diagnostic.line}"] if diagnostic.line else []
    places += [diagnostic.name] if diagnostic.name else []
    return f"{', '.join(places)}: {diagnostic.text}" if places else diagnostic.text


def _as_json(diagnostic: Diagnostic) -> dict[str, Any]:
    return {"line": diagnostic.line or None, "setting": diagnostic.name or None, "text": diagnostic.text}


def _bullets(entries: Sequence[str]) -> list[str]:
    return [
        line for entry in entries for line in textwrap.wrap(entry, _WIDTH, initial_indent="- ", subsequent_indent="  ")
    ]
