"""Provisioning: from the file that an installer edited on a laptop to a unit that talks.

Runs before the daemon, at every start (`systemd/companion-provision.service`, as root), and writes only what changed.
The order makes a power cut harmless at any instant: a secret is stored and forced to the disk before it is blanked in
the file, so that it is in one of the two places or, until the next start, in both. What is wrong in the file is left
out, the rest counts, and the report says which is which.

    CREDENTIALS/dashscope-key       the key of the service         root only; the daemon gets it from systemd
    CREDENTIALS/wifi.json           the Wi-Fi with its password    root only
    NETWORK/companion.nmconnection  the same for NetworkManager    root only
    STATE/identity-salt             see companion.identity         the daemon only
    STATE/device.toml, persona.toml, wifi-country, companion-report.txt
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from companion.identity import MACHINE_FILES
from companion.provisioning.device import choices_of, write_device
from companion.provisioning.installer_file import blank, mend_names, read_boot_file
from companion.provisioning.report import REPORT_FILE, Outcome, report
from companion.provisioning.run import Folders, Run
from companion.provisioning.secrets import identify, store_key, store_wifi
from companion.provisioning.settings import Finding
from companion.storage import make_private, write_whole

log = logging.getLogger("companion")

_NOT_BLANKED = (
    "The secrets are stored on the unit, but they still stand in the file as well: remove them there. "
    "The card cannot be written"
)


def provision(folders: Folders, *, dry_run: bool = False, machine_files: Sequence[Path] = MACHINE_FILES) -> Outcome:
    """Look at the installer's file once and do what it says. Whatever is wrong is told in the outcome."""
    run = Run(folders, dry_run)
    choices = choices_of(folders.configs, folders.boot)
    if not dry_run:
        run.attempt("The unit's own disk cannot be written", partial(make_private, folders.state))
        run.attempt("The card cannot be written", partial(mend_names, folders.boot))
    file = read_boot_file(folders.boot, choices)
    run.findings += [*file.findings, *file.settings.findings]
    store_key(run, file)
    store_wifi(run, file)
    number = identify(run, file, machine_files)
    write_device(run, file, choices)
    if run.stored and not dry_run:
        run.attempt(_NOT_BLANKED, partial(blank, file, frozenset(run.stored)))
    outcome = Outcome(file.path.name, number, tuple(run.well), run.told())
    return outcome if dry_run else _reported(run, outcome)


def _reported(run: Run, outcome: Outcome) -> Outcome:
    """Write the report beside the file, and a copy on the unit for when the card cannot be written."""
    beside = run.folders.boot / REPORT_FILE
    try:
        write_whole(beside, report(outcome), mode=None)
    except OSError as error:
        text = f"The report cannot be written beside the file ({error.strerror}): the card is locked, full or damaged."
        outcome = replace(outcome, findings=(*outcome.findings, Finding(text)))
    if not run.write(run.folders.state / REPORT_FILE, report(outcome)):
        outcome = replace(outcome, findings=run.told())
    if outcome.to_do:
        log.warning("%s: %d things to do; %s says which.", outcome.file, len(outcome.to_do), REPORT_FILE)
    return outcome
