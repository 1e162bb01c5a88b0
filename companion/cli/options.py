"""What several commands share: `--device`, `--set`, `--json`, where the memory lies, and how work is run to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from companion.errors import CompanionError

if TYPE_CHECKING:
    # The list of commands must not wait for the settings' library.
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
    """The same, and `--json` as `as_json`."""
    return device_options(click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command))


def memory_folder(device: Device) -> Path:
    """Where this unit's `companion.db` lies. Raises `CompanionError` for a user who has no home."""
    from companion.storage import state_folder

    try:
        return device.memory.folder or state_folder()
    except RuntimeError as error:
        raise CompanionError("This user has no home folder: say with memory.folder where the memory lies.") from error


def finish(work: Coroutine[Any, Any, None]) -> None:
    """Run a command's work to its end. Of the failures inside task groups the first is raised, as one failure."""
    try:
        asyncio.run(work)
    except* CompanionError as errors:
        first: BaseException = errors
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        failure = first
    else:
        return
    raise failure
