"""`companion check`: find every problem in device, persona, choreography and installer's files at once.

The kind of a file is known by its folder (`devices`, `personas`, `choreography`, `boot`), else by its keys. A device
file is examined with all that it refers to, on this machine (`companion.examination`). With a persona the files of its
language are checked as well. What that language lacks is a note.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import click

from companion.body.choreography import load_choreography
from companion.cli.options import PROJECT, own_file, use_unit_here
from companion.config.device import load_device
from companion.config.loading import read_toml
from companion.config.persona import Persona, load_persona
from companion.config.policy import load_policy
from companion.config.unit import calibration, check_references
from companion.errors import ConfigError
from companion.examination.findings import Finding
from companion.examination.unit import examine, examine_persona, plain_path
from companion.languages.check import missing
from companion.languages.check import problems as language_problems
from companion.provisioning.device_file import check_installer_file

_LOADERS: dict[str, Callable[[Path], object]] = {
    "choreography": load_choreography,
    "boot": check_installer_file,
    "policies": load_policy,
}


@dataclass
class CheckedFiles:
    """The result of checking some files."""

    count: int = 0
    problems: list[str] = field(default_factory=list)
    """Each as `file:line: key: problem`."""
    warnings: list[str] = field(default_factory=list)
    """What does not keep a unit from starting, each as `file:line: key: warning`."""
    notes: list[str] = field(default_factory=list)
    """What works less than it could, each as `file: key: note`."""


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
def check(paths: tuple[Path, ...]) -> None:
    """Check device, persona and choreography files, or folders of them.

    When none is named: the device file of the unit of this machine with all that it refers to, else the project's own.

    Prints every problem as `file:line: key: problem` and exits with 78 when there is one: a unit would not start with
    it, or would be silent. What a unit lacks on this machine, and what makes it poorer, is a warning.
    """
    if not paths:
        unit = use_unit_here()
        paths = (unit.device_file if unit is not None else own_file(PROJECT / "configs"),)
        click.echo(f"Checking {paths[0]}", err=True)
    found = check_paths(paths)
    for note in found.notes:
        click.echo(f"note: {note}")
    for warning in found.warnings:
        click.echo(f"warning: {warning}", err=True)
    for problem in found.problems:
        click.echo(problem, err=True)
    if found.problems:
        sys.exit(78)
    verdict = (
        f"{len(found.warnings)} warning{'s' if len(found.warnings) != 1 else ''}" if found.warnings else "all well"
    )
    click.echo(f"{found.count} file{'s' if found.count != 1 else ''} checked, {verdict}.")


def check_paths(paths: Iterable[Path]) -> CheckedFiles:
    """Check files, and all TOML files in folders."""
    found = CheckedFiles()
    for file in _files(paths, found.problems):
        found.count += 1
        problems: list[str] = []
        try:
            _check(file, problems, found)
        except ConfigError as error:
            problems += error.problems
        found.problems += [one for one in dict.fromkeys(problems) if one not in found.problems]
    # Several devices may name one persona.
    found.notes = list(dict.fromkeys(found.notes))
    found.warnings = list(dict.fromkeys(found.warnings))
    return found


def _check(file: Path, problems: list[str], found: CheckedFiles) -> None:
    """Check one file. Raises `ConfigError`, or adds to `problems` and to what was `found` besides."""
    kind = file.resolve().parent.name
    if kind not in ("devices", "personas", *_LOADERS):
        kind = _kind_by_keys(file)
    match kind:
        case "devices":
            # A unit works only when the files that it refers to are right, too.
            device = load_device(file, calibration())
            check_references(file, device)
            persona = None
            try:
                persona = _check_persona(plain_path(device.persona), problems, found.notes)
            except ConfigError as error:
                problems += error.problems
            if device.body.choreography is not None:
                load_choreography(plain_path(device.body.choreography))
            if persona is not None and not problems:
                _sort(examine(file, device, persona), problems, found)
        case "personas":
            persona = _check_persona(file, problems, found.notes)
            _sort(examine_persona(file, persona), problems, found)
        case _:
            _LOADERS[kind](file)


def _check_persona(file: Path, problems: list[str], notes: list[str]) -> Persona:
    """Check a persona file and the files of its language. Raises `ConfigError`."""
    persona = load_persona(file)
    wrong = language_problems(persona.language)
    problems += wrong
    if not wrong:
        notes += [f"{file}: language: {sentence}" for sentence in missing(persona.language)]
    return persona


def _sort(findings: Iterable[Finding], problems: list[str], found: CheckedFiles) -> None:
    places = {"error": problems, "note": found.notes}
    for one in findings:
        places.get(one.severity, found.warnings).append(str(one))


def _kind_by_keys(file: Path) -> str:
    keys = read_toml(file).keys()
    if "profile" in keys or "lines" in keys:
        return "personas"
    if "audience" in keys:
        return "policies"
    if keys & {"emotion", "gesture", "state"}:
        return "choreography"
    return "devices"


def _files(paths: Iterable[Path], problems: list[str]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            found = sorted(path.rglob("*.toml"))
            if not found:
                problems.append(f"{path}: -: there is no .toml file in this folder")
            yield from found
        else:
            yield path
