"""`companion factory-reset`: erase memory, keys, pairing, Wi-Fi and all else that a unit has learnt of its owner."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from companion.cli.memory_file import is_interactive, print_json
from companion.errors import CompanionError
from companion.factory_reset import SECRETS_ASKED_FILE, ResetReport, ask_reset, erase_secrets, erase_unit

_FOLDER = click.Path(path_type=Path, file_okay=False)
_NETWORK = Path("/run/NetworkManager/system-connections")
_CREDSTORE = Path("/run/credstore")


@click.command("factory-reset")
@click.option("--state", type=_FOLDER, help="The unit's state folder; that of the unit of this machine when not given.")
@click.option("--credentials", type=_FOLDER, help="Root's folder for secrets; STATE-provision when not given.")
@click.option("--yes", is_flag=True, help="Do not ask. Needed where nobody can be asked.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def factory_reset(state: Path | None, credentials: Path | None, yes: bool, as_json: bool) -> None:
    """Erase memory, keys, pairing, Wi-Fi and what was learnt of voices, for good; calibration and models stay.

    The companion must not be running. Afterwards the unit starts as on its first day: start the board anew.
    """
    memory = None
    if state is None:
        state, memory = _folders_of_unit()
    secrets = credentials or state.absolute().with_name(f"{state.absolute().name}-provision")
    what = f"everything that this unit has learnt and been told, in {state} and {secrets}"
    if not yes:
        if not is_interactive():
            raise click.UsageError(f"Nobody can be asked here. To erase {what}, add --yes; nothing was erased.")
        click.confirm(f"Erase {what}?", abort=True, err=True)
    report = erase_unit(state, memory)
    report += erase_secrets(secrets, *((_NETWORK, _CREDSTORE) if credentials is None and memory is not None else ()))
    if secrets.is_dir():
        # What the owner wrote on the card is blanked by `companion provision`, which knows where that lies.
        ask_reset(state, SECRETS_ASKED_FILE)
    if as_json:
        print_json(asdict(report))
    else:
        _print(report)
    if report.failed:
        raise CompanionError("Not everything could be erased: run this with sudo, and again.")


def _folders_of_unit() -> tuple[Path, Path]:
    """Of the unit of this machine: its state folder and that of its memory. Raises `CompanionError` where it runs."""
    from companion.cli.options import memory_folder, use_unit_here
    from companion.config.device import load_device
    from companion.service.control import send_request
    from companion.service.control_protocol import GetStatus
    from companion.storage import state_folder

    unit = use_unit_here()
    try:
        send_request(GetStatus(), None)
    except CompanionError:
        pass
    else:
        raise CompanionError(
            "The companion is running, and would write anew what is erased. Stop it first (sudo systemctl stop "
            "companion), or ask for the reset on the owner's page; nothing was erased."
        )
    try:
        state = state_folder()
    except RuntimeError as error:
        raise CompanionError("This user has no home folder: name the unit's state folder with --state.") from error
    if unit is None or not unit.device_file.is_file():
        return state, state
    return state, memory_folder(load_device(unit.device_file))


def _print(report: ResetReport) -> None:
    for one in report.erased:
        click.echo(f"erased  {one}")
    for one in report.kept:
        click.echo(f"kept    {one}")
    for one in report.failed:
        click.echo(f"FAILED  {one}")
    if not report.failed:
        click.echo("The unit is as on its first day. Switch the board off and on.")
