"""`companion check`: every problem in device, persona and choreography files, in one go.

What a file is, its folder says (`devices`, `personas`, `choreography`), else the keys that stand in it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import click

from companion.body.choreography import load_choreography
from companion.cli.options import PROJECT
from companion.config.device import load_device
from companion.config.loading import read_toml
from companion.config.persona import load_persona
from companion.errors import ConfigError
from companion.provisioning.device_file import check_installer_file

_LOADERS: dict[str, Callable[[Path], object]] = {
    "devices": load_device,
    "personas": load_persona,
    "choreography": load_choreography,
    "boot": check_installer_file,
}


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
def check(paths: tuple[Path, ...]) -> None:
    """Check device, persona and choreography files (or folders of them); the project's own when none is named.

    Prints every problem as `file: key: problem` and exits with 78 when there is one.
    """
    count, problems = check_paths(paths or (PROJECT / "configs",))
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        sys.exit(78)
    click.echo(f"{count} file{'s' if count != 1 else ''} checked, all well.")


def check_paths(paths: Iterable[Path]) -> tuple[int, list[str]]:
    """How many files were read, and every problem as `file: key: problem`."""
    problems: list[str] = []
    files = list(_files(paths, problems))
    for file in files:
        try:
            _check(file)
        except ConfigError as error:
            problems.extend(problem for problem in error.problems if problem not in problems)
    return len(files), problems


def _check(file: Path) -> None:
    kind = file.resolve().parent.name
    if kind not in _LOADERS:
        kind = _kind_by_keys(file)
    if kind == "devices":
        # A unit is well only when what it names is well, too.
        device = load_device(file)
        problems: list[str] = []
        for named, kind in ((device.persona, "personas"), (device.body.choreography, "choreography")):
            try:
                if named is not None:
                    _LOADERS[kind](named)
            except ConfigError as error:
                problems.extend(error.problems)
        if problems:
            raise ConfigError(problems)
    else:
        _LOADERS[kind](file)


def _kind_by_keys(file: Path) -> str:
    keys = read_toml(file).keys()
    if "profile" in keys or "lines" in keys:
        return "personas"
    if keys & {"emotion", "gesture", "state"}:
        return "choreography"
    return "devices"


def _files(paths: Iterable[Path], problems: list[str]) -> Iterable[Path]:
    for path in paths:
        if path.is_dir():
            found = sorted(path.rglob("*.toml"))
            if not found:
                problems.append(f"{path}: -: there is no .toml file in this folder")
            yield from found
        else:
            yield path
