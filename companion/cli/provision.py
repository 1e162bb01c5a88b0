"""`companion provision`: set the unit up from companion.toml on the card. Run by `companion-provision.service`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from companion.config.device import Device
from companion.config.persona import load_persona
from companion.config.wording import as_sentence
from companion.errors import ConfigError
from companion.examination.unit import examine
from companion.provisioning.provision import LookOnline, report_text
from companion.provisioning.provision import provision as provision_unit
from companion.provisioning.run import CONFIGS, Folders
from companion.provisioning.settings import Diagnostic

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.option("--boot", type=_FOLDER, required=True, help="The card's FAT partition, with companion.toml on it.")
@click.option("--state", type=_FOLDER, required=True, help="The unit's state folder: the daemon's StateDirectory.")
@click.option("--credentials", type=_FOLDER, help="For secrets: root's own folder; STATE-provision when not given.")
@click.option("--network", type=_FOLDER, help="Where NetworkManager looks for profiles; CREDENTIALS when not given.")
@click.option("--credstore", type=_FOLDER, help="Where systemd looks for credentials: the key is copied there.")
@click.option("--configs", type=_FOLDER, default=CONFIGS, show_default=False, help="The built-in devices and personas.")
@click.option("--dry-run", is_flag=True, help="Write nothing; print what would be reported.")
@click.option("--online", is_flag=True, help="Try the Wi-Fi and the key as well, and write what they do.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def provision(
    boot: Path,
    state: Path,
    credentials: Path | None,
    network: Path | None,
    credstore: Path | None,
    configs: Path,
    dry_run: bool,
    online: bool,
    as_json: bool,
) -> None:
    """Set a unit up from companion.toml on its card, and write companion-report.txt beside it.

    Exits with 78 when there is something to mend in the file; the unit is set up with all else. With --online it exits
    with 75 when the network could not be reached, so that it is worth trying again later.
    """
    secrets = credentials or state.absolute().with_name(f"{state.absolute().name}-provision")
    folders = Folders(boot, state, secrets, network or secrets, credstore, configs.absolute())
    look: LookOnline | None = None
    if online:
        from companion.doctor.online import look_online

        look = look_online
    with _models_of(state):
        outcome = provision_unit(folders, dry_run=dry_run, look_online=look, examine=_examine)
    if as_json:
        click.echo(json.dumps(outcome.as_json(), ensure_ascii=False))
    else:
        click.echo(report_text(outcome).decode("utf-8-sig").replace("\r\n", "\n"), nl=False)
    if outcome.online is False:
        sys.exit(75)
    if outcome.to_do:
        sys.exit(78)


@contextmanager
def _models_of(state: Path) -> Iterator[None]:
    """The models that count are those in the daemon's own folder, not of whoever runs this."""
    before = os.environ.get("STATE_DIRECTORY")
    os.environ["STATE_DIRECTORY"] = str(state.absolute())
    try:
        yield
    finally:
        del os.environ["STATE_DIRECTORY"]
        if before is not None:
            os.environ["STATE_DIRECTORY"] = before


def _examine(source: Path, device: Device, has_key: bool) -> list[Diagnostic]:
    """What the examination that `check`, `doctor` and `run` make as well says of this unit."""
    try:
        # The key is kept where only the daemon's service finds it.
        findings = examine(source, device, load_persona(device.persona), has_key=has_key)
    except ConfigError as error:
        return [Diagnostic(as_sentence(problem), name="device") for problem in error.problems]
    return [
        Diagnostic(as_sentence(one.text), name=one.key, note=one.severity in ("warning", "note")) for one in findings
    ]
