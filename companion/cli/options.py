"""What several commands share: the options `--device`, `--set` and `--json`, the memory's folder, and `run_to_end`.

Without `--device` a command looks at the unit of this machine, where there is one: `companion.service.installed_unit`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from companion.errors import CompanionError, ConfigError

if TYPE_CHECKING:
    # `companion --help` must not import the settings' library, which is slow on a small board.
    from companion.config.device import Device
    from companion.service.installed_unit import InstalledUnit

PROJECT = Path(__file__).resolve().parents[2]
DEFAULT_DEVICE = PROJECT / "configs" / "devices" / "desk.toml"

_UNIT_SETTINGS = "companion.unit-settings"

Command = TypeVar("Command", bound=Callable[..., Any])
Callback = Callable[[click.Context, click.Parameter, Any], Any]


def device_options(command: Command) -> Command:
    """`--device` as `device_file` and `--set` as `settings`; without `--device` those of the unit of this machine."""
    return _device_options(command, _or_of_unit, _with_those_of_unit)


def bench_options(command: Command) -> Command:
    """`device_options` of a command that never takes the place of the unit of this machine."""
    return _device_options(command, lambda _context, _option, given: given or own_file(DEFAULT_DEVICE), None)


def _device_options(command: Command, of_device: Callback, of_settings: Callback | None) -> Command:
    for option in (
        click.option(
            "--set",
            "settings",
            metavar="KEY=VALUE",
            multiple=True,
            callback=of_settings,
            help="Give any key of the device or persona file another value, e.g. ears.wake.word=alexa. Repeatable.",
        ),
        click.option(
            "--device",
            "device_file",
            type=click.Path(path_type=Path, dir_okay=False),
            is_eager=True,
            callback=of_device,
            help="The device file: what this unit hears, thinks, speaks and moves with. "
            + ("[default: that of the unit here, else " if of_settings else "[default: ")
            + "configs/devices/desk.toml]",
        ),
    ):
        command = option(command)
    return command


def own_file(path: Path) -> Path:
    """The path, where the project's own files are here. Raises `ConfigError` in the package alone."""
    if not path.exists():
        raise ConfigError(
            "This is the package alone, without the project's device and persona files: name a file of your own "
            "(--device FILE; for check just FILE), or install from the project's folder or a kit."
        )
    return path


def use_unit_here(socket: Path | None = None) -> InstalledUnit | None:
    """The unit of this machine, if any; from here on this process uses its state folder, as the service does.

    A `STATE_DIRECTORY` of the caller stays.
    """
    from companion.service.installed_unit import find_unit

    unit = find_unit(socket)
    if unit is not None:
        os.environ.setdefault("STATE_DIRECTORY", str(unit.state))
    return unit


def _or_of_unit(context: click.Context, _: click.Parameter, given: Path | None) -> Path:
    if given is not None:
        return given
    unit = use_unit_here(context.params.get("socket"))
    if unit is None:
        return own_file(DEFAULT_DEVICE)
    try:
        os.stat(unit.device_file)
    except PermissionError as error:
        raise CompanionError(f"{unit.device_file} can be read by its owner only: run this with sudo.") from error
    except OSError:
        pass  # whoever reads it says so
    context.meta[_UNIT_SETTINGS] = unit.settings
    return unit.device_file


def _with_those_of_unit(context: click.Context, _: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    # What the caller sets comes last, and counts.
    return (*context.meta.get(_UNIT_SETTINGS, ()), *given)


def unit_options(command: Command) -> Command:
    """`device_options`, and `--json` as `as_json`."""
    return device_options(click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command))


def memory_folder(device: Device) -> Path:
    """The folder of this unit's `companion.db`. Raises `CompanionError` for a user without a home folder."""
    from companion.storage import state_folder

    try:
        return device.memory.folder or state_folder()
    except RuntimeError as error:
        raise CompanionError("This user has no home folder: say with memory.folder where the memory lies.") from error


def run_to_end(work: Coroutine[Any, Any, None]) -> None:
    """Run a command's coroutine. Raises the first failure that a task group reports, instead of the whole group."""
    try:
        asyncio.run(work)
    except* (CompanionError, BrokenPipeError) as errors:
        first: BaseException = errors
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        failure = first
    else:
        return
    raise failure
