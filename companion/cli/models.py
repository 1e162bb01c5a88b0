"""`companion models`: list, download, verify and remove speech models and voices."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from companion.cli.group import HelpfulGroup
from companion.cli.options import use_unit_here
from companion.config import word_file
from companion.config.device import load_device
from companion.errors import ConfigError, EngineUnavailable
from companion.models.catalogue import CATALOGUE, Model, find_model, models_folder, models_of, read_catalogue
from companion.models.downloads import Progress
from companion.models.store import pull as pull_model
from companion.models.store import remove as remove_model
from companion.models.store import verify as verify_model

_UNTRIED = "None of these addresses was ever tried from the machine on which this list was made."

_folder_option = click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where models are kept.",
)
_catalogue_option = click.option(
    "--catalogue", type=click.Path(path_type=Path, dir_okay=False), default=CATALOGUE, help="Another list of models."
)
_device_option = click.option(
    "--device",
    "device_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Whose wake words count; those of the unit here by default.",
)
_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group(cls=HelpfulGroup)
@click.pass_context
def models(context: click.Context) -> None:
    """Speech models (Vosk) and voices (Piper): list, fetch, check and remove them."""
    unit = use_unit_here()
    context.obj = None if unit is None else unit.device_file


@models.command("list")
@_folder_option
@_catalogue_option
@_device_option
@_json_option
@click.pass_obj
def list_models(
    unit: Path | None, folder: Path | None, catalogue: Path, device_file: Path | None, as_json: bool
) -> None:
    """Show every model that can be fetched, which are here, and the unit's own wake words."""
    place = folder or models_folder()
    known = read_catalogue(catalogue)
    words = _own_words(device_file, unit)
    if as_json:
        told = [*(_as_json(model, place) for model in known), *(_word_as_json(word) for word in words)]
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    for model in known:
        here = "here" if model.is_installed(place) else "-"
        size = f"{model.size / 1e6:.0f} MB" if model.size is not None else "not published"
        needs = f"{size:>13}, memory about {model.memory_mb} MB"
        click.echo(f"{model.name:<32} {model.language}  {here:<4}  {needs}  {model.licence}")
        if model.note:
            click.echo(f"{'':<32}     {model.note}")
    for file in words:
        click.echo(f"{file.name:<32} {_about(file)}")
    click.echo(
        f"\n{_UNTRIED}\nThe first one of a language that is here is used by engines set to `auto`. Folder: {place}"
    )


@models.command("pull")
@click.argument("names", nargs=-1, required=True)
@click.option("--from", "source", metavar="ADDRESS|FOLDER", help="A mirror or a folder with the same files.")
@_folder_option
@_catalogue_option
@_json_option
def pull(names: tuple[str, ...], source: str | None, folder: Path | None, catalogue: Path, as_json: bool) -> None:
    """Fetch models, check them and put them in place. Goes on where an earlier attempt broke off.

    NAMES are those of `companion models list`, or languages: `companion models pull de` fetches a speech model and a
    voice, those that engines set to `auto` take.
    """
    place = (folder or models_folder()).absolute()
    known = read_catalogue(catalogue)
    wanted = list(dict.fromkeys(model for name in names for model in models_of(known, name)))
    told = []
    for model in wanted:
        with _show_progress(model, as_json) as progress:
            fresh = pull_model(model, place, progress, source=source)
        told.append(_as_json(model, place))
        if not as_json:
            click.echo(f"{model.name} {'is here now' if fresh else 'was here already'}. In the device file:")
            click.echo(model.device_lines(place))
            if any(file.sha256 is None and file.md5 is None for file in model.files):
                click.echo("No checksum is published for it, so a damaged or exchanged file would not be noticed.")
            elif any(file.sha256 is None for file in model.files):
                click.echo("Only an MD5 is published for it: it came undamaged, but MD5 does not keep out a forgery.")
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False))


@models.command("verify")
@click.argument("names", nargs=-1)
@_folder_option
@_catalogue_option
@_device_option
@_json_option
@click.pass_obj
def verify(
    unit: Path | None,
    names: tuple[str, ...],
    folder: Path | None,
    catalogue: Path,
    device_file: Path | None,
    as_json: bool,
) -> None:
    """Compare models with what they were when they were fetched: those named, or all that are here.

    Without NAMES the unit's own wake words are read as well.
    """
    place = folder or models_folder()
    known = read_catalogue(catalogue)
    wanted = [find_model(known, name) for name in names] or [one for one in known if one.is_installed(place)]
    problems = {}
    for model in wanted:
        if not model.is_installed(place):
            problems[model.name] = [f"{model.name}: is not here; companion models pull {model.name} fetches it."]
        else:
            problems[model.name] = list(verify_model(model, place))
    for file in () if names else _own_words(device_file, unit):
        try:
            word_file.read(file)
        except ConfigError as error:
            problems[file.name] = list(error.problems)
        else:
            problems[file.name] = []
    if as_json:
        click.echo(json.dumps(problems, ensure_ascii=False))
    else:
        for name, found in problems.items():
            click.echo("\n".join(found) if found else f"{name}: well")
        if not problems:
            click.echo(f"There is no model at {place}.")
    if any(problems.values()):
        sys.exit(EngineUnavailable.exit_status)


@models.command("remove")
@click.argument("name")
@_folder_option
@_catalogue_option
def remove(name: str, folder: Path | None, catalogue: Path) -> None:
    """Remove a model, and what was begun of it."""
    place = folder or models_folder()
    if not remove_model(find_model(read_catalogue(catalogue), name), place):
        raise EngineUnavailable(f"{name} is not at {place}.")
    click.echo(f"{name} was removed.")


def _as_json(model: Model, place: Path) -> dict[str, Any]:
    return {
        "name": model.name,
        "kind": model.kind,
        "language": model.language,
        "licence": model.licence,
        "size": model.size,
        "memory_mb_estimate": model.memory_mb,
        "note": model.note,
        "files": [
            {"address": one.address, "size": one.size, "sha256": one.sha256, "md5": one.md5} for one in model.files
        ],
        "address_tried": False,
        "installed": model.is_installed(place),
        "path": str(model.installed_path(place)),
    }


def _own_words(device_file: Path | None, unit: Path | None) -> list[Path]:
    """The files of the device's own wake words. Raises `ConfigError` for a device file that was named."""
    try:
        chosen = device_file or unit
        return [] if chosen is None else [one.file for one in load_device(chosen).ears.wake.listed if one.file]
    except ConfigError:
        if device_file is not None:
            raise
        # `companion check` tells it.
        return []


def _about(file: Path) -> str:
    try:
        word = word_file.read(file)
    except ConfigError as error:
        return str(error)
    learnt = f", learnt from {word.card.enrolled} recordings" if word.card.enrolled else ""
    return f'{word.language}  here  {file.stat().st_size / 1e6:>10.1f} MB, wake word "{word.phrase}"{learnt}'


def _word_as_json(file: Path) -> dict[str, Any]:
    told = {"name": file.name, "kind": "wake_word", "installed": False, "path": str(file)}
    try:
        word = word_file.read(file)
    except ConfigError as error:
        return told | {"problem": str(error)}
    about = {"language": word.language, "phrase": word.phrase, "enrolled": word.card.enrolled}
    return told | about | {"installed": True, "size": file.stat().st_size}


@contextmanager
def _show_progress(model: Model, quiet: bool) -> Iterator[Progress]:
    """A progress bar on a terminal, else one line for each tenth."""
    last = [0, -1]
    if quiet:
        yield lambda _done, _total: None
    elif sys.stderr.isatty():
        with click.progressbar(length=model.size or 0, label=model.name, file=sys.stderr) as bar:

            def on_bar(done: int, _: int | None) -> None:
                bar.update(done - last[0] if done >= last[0] else done)
                last[0] = done

            yield on_bar
    else:

        def on_line(done: int, total: int | None) -> None:
            tenth = done * 10 // total if total else done // 10_000_000
            if tenth != last[1]:
                last[1] = tenth
                whole = f" of {total / 1e6:.1f}" if total else ""
                click.echo(f"{model.name}: {done / 1e6:.1f}{whole} MB", err=True)

        yield on_line
