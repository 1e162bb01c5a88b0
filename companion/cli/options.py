"""What several commands share: the options `--device`, `--set` and `--json`, the memory's folder, and `run_to_end`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from companion.errors import CompanionError

if TYPE_CHECKING:
    # `companion --help` must not import the settings' library, which is slow on a small board.
    from companion.config.device import Device

PROJECT = Path(__file__).resolve().parents[2]
DEFAULT_DEVICE = PROJECT / "configs" / "devices" / "desk.toml"

Command = TypeVar("Command", bound=Callable[..., Any])


def device_options(command: Command) -> Command:
    """`--device` as `device_file` and `--set` as `settings`."""
    for option in (
        click.option(
            "--set",
            "settings",
            metavar="KEY=VALUE",
            multiple=True,
            help="Give any key of the device or persona file another value, e.g. ears.wake.word=alexa. Repeatable.",
        ),
        click.option(
            "--device",
            "device_file",
            type=click.Path(path_type=Path, dir_okay=False),
            default=DEFAULT_DEVICE,
            show_default="configs/devices/desk.toml",
            help="The device file: what this unit hears, thinks, speaks and moves with.",
        ),
    ):
        command = option(command)
    return command


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
