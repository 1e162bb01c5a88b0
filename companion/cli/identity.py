"""`companion identity`: the unit's number, to read out over the telephone or to print."""

from __future__ import annotations

import json
from pathlib import Path

import click

from companion.cli.options import use_unit_here
from companion.config.device import load_device
from companion.errors import DeviceError
from companion.identity import machine_identity, parse_unit_number, qr_for_terminal, qr_svg, unit_number
from companion.storage import state_folder, write_atomically


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--svg", type=click.Path(path_type=Path, dir_okay=False), help="Write the QR code there, as SVG.")
@click.option("--check", "said", metavar="NUMBER", help="Check a number that was read out, instead of printing one.")
@click.option(
    "--state", type=click.Path(path_type=Path, file_okay=False), help="The unit's state folder, if not the usual one."
)
@click.option(
    "--device",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A device file, which may name an identity itself.",
)
def identity(as_json: bool, svg: Path | None, said: str | None, state: Path | None, device: Path | None) -> None:
    """Print this unit's number as text and as a QR code. The board's own serial number is never shown."""
    if said is not None:
        number = parse_unit_number(said)
        click.echo(json.dumps({"number": number}) if as_json else f"{number} is a unit's number.")
        return
    if state is None:
        use_unit_here()
    configured = load_device(device).identity if device is not None else None
    number = unit_number(configured or machine_identity(state or state_folder()))
    if svg is not None:
        try:
            write_atomically(svg, qr_svg(number))
        except OSError as error:
            raise DeviceError(f"{svg}: cannot be written: {error.strerror or error}") from error
    if as_json:
        click.echo(json.dumps({"number": number}))
        return
    click.echo(number)
    if svg is None:
        click.echo(qr_for_terminal(number), nl=False)
