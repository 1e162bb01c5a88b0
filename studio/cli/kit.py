"""`companion kit build`: build the file from which units are installed without a network."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from companion.errors import CompanionError

PROJECT = Path(__file__).resolve().parents[2]
_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


@click.group()
def kit() -> None:
    """Pack everything for an installation without a network."""


@kit.command()
@click.option(
    "--device",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    required=True,
    help="The device file of the units.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The kit: kit.tar.zst, or kit.tar for units that have no zstd.",
)
@click.option("--wheels", type=_FOLDER, help="Take the Python packages from there.")
@click.option("--download", is_flag=True, help="Download the Python packages (the default without --wheels).")
@click.option("--models", type=_FOLDER, help="Models to bring along: a folder of `companion models pull --folder`.")
@click.option("--debs", type=_FOLDER, help="Take the Debian packages from there instead of fetching them.")
@click.option(
    "--platform",
    "machine",
    type=click.Choice(["aarch64", "x86_64"]),
    default="aarch64",
    show_default=True,
    help="The units' processor.",
)
@click.option(
    "--python",
    type=click.Choice(["3.11", "3.12", "3.13"]),
    default="3.11",
    show_default=True,
    help="Their Python: 3.11 in Debian 12, 3.13 in Debian 13.",
)
def build(
    device: Path,
    out: Path,
    wheels: Path | None,
    download: bool,
    models: Path | None,
    debs: Path | None,
    machine: str,
    python: str,
) -> None:
    """Make a kit: wheels, Debian packages, models, personas and install.sh in one file.

    Works in a checkout of the project. The network is needed only for what is not given by --wheels and --debs.
    """
    from studio.kit import debs as kit_debs
    from studio.kit import wheels as kit_wheels
    from studio.kit.bundle import Kit
    from studio.kit.sbom import FILE, sbom_of_kit
    from studio.kit.sold import leave_out_keyword_models

    if wheels is not None and download:
        raise click.UsageError("--wheels and --download exclude each other.")
    if not (PROJECT / "pyproject.toml").is_file() or not (PROJECT / "image").is_dir():
        raise CompanionError("A kit is made from a checkout of the project; this is an installed copy.")
    if not out.absolute().parent.is_dir():
        raise CompanionError(f"{out} cannot be written: there is no folder {out.absolute().parent}.")
    target = kit_wheels.Target(machine, python)
    with tempfile.TemporaryDirectory(prefix="companion-kit-") as scratch:
        folder = Path(scratch) / "kit"
        made = Kit(PROJECT, folder, target)
        for part in ("wheels", "debs"):
            (folder / part).mkdir(parents=True)
        made.add_project_files(device, models)

        lock = kit_wheels.read_lock((PROJECT / "requirements.lock").read_text("utf-8"))
        requirements = kit_wheels.requirements_for(lock, target)
        click.echo(f"{len(requirements)} Python packages for {machine}, Python {python}", err=True)
        if wheels is not None:
            kit_wheels.copy_wheels(requirements, wheels, folder / "wheels")
        else:
            kit_wheels.download(requirements, target, folder / "wheels")
        leave_out_keyword_models(folder / "wheels")
        kit_wheels.build_unit_wheel(PROJECT, Path(scratch), folder / "wheels")
        kit_wheels.reject_foreign_wheels(folder / "wheels", target)
        (folder / "requirements.txt").write_text(kit_wheels.requirements_of(folder / "wheels"), "utf-8")

        click.echo("Debian packages", err=True)
        if debs is not None:
            kit_debs.copy_debs(debs, folder / "debs", target)
        else:
            names = kit_debs.read_names((folder / "packages.txt").read_text("utf-8"))
            kit_debs.PackageArchive(target, Path(scratch) / "apt").fetch(names, folder / "debs")
        kit_debs.write_index(folder / "debs")

        (folder / FILE).write_text(sbom_of_kit(folder), "utf-8")

        number = made.write_manifest()
        click.echo("packing", err=True)
        made.pack(out)
    click.echo(f"{out}: {out.stat().st_size / 1e6:.0f} MB, kit {number[:8]}, SHA-256 {kit_wheels.sha256_of(out)}")
