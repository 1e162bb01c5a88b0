"""`--device`, `--set` and `--json`, the same for every command that looks into a unit, and where its memory lies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from companion.config import Device
from companion.errors import CompanionError
from companion.state_folder import state_folder

DEFAULT_DEVICE = Path(__file__).resolve().parents[2] / "configs" / "devices" / "desk.toml"

Command = TypeVar("Command", bound=Callable[..., Any])


def unit_options(command: Command) -> Command:
    """`--device` as `device_file`, `--set` as `settings` and `--json` as `as_json`."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print JSON."),
        click.option(
            "--set",
            "settings",
            metavar="KEY=VALUE",
            multiple=True,
            help="Give any key of the device or persona file another value. Repeatable.",
        ),
        click.option(
            "--device",
            "device_file",
            type=click.Path(path_type=Path, dir_okay=False),
            default=DEFAULT_DEVICE,
            show_default="configs/devices/desk.toml",
            help="The device file of the unit.",
        ),
    ):
        command = option(command)
    return command


def memory_folder(device: Device) -> Path:
    """Where this unit's `companion.db` lies. Raises `CompanionError` for a user who has no home."""
    try:
        return device.memory.folder or state_folder()
    except RuntimeError as error:
        raise CompanionError("This user has no home folder: say with memory.folder where the memory lies.") from error
