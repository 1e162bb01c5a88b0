"""Finding the unit that is there: its device file, persona and state folder, for commands that were told none.

The running daemon tells them over its control socket. Where none runs, or none that we may ask, the settings of the
system service do (`systemd/companion.service`, read the way that systemd and `systemd/start` read them). Blocks.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from companion.errors import CompanionError, ConfigError
from companion.service.control import send_request
from companion.service.control_protocol import GetStatus
from companion.storage import state_folder

if TYPE_CHECKING:
    # Whoever only asks a daemon does without the settings' library, which is slow to import.
    from companion.config.device import Device

_UNIT_NAME = "companion.service"
_UNIT_FOLDERS = ("etc/systemd/system", "run/systemd/system", "usr/lib/systemd/system", "lib/systemd/system")


@dataclass(frozen=True, slots=True)
class InstalledUnit:
    """The files of the unit of this machine."""

    device_file: Path
    state: Path
    """Its state folder, which only its user and root can open."""
    settings: tuple[str, ...] = ()
    """`KEY=VALUE` settings that the running daemon has on top: its present persona, the folder of its memory."""


def unit_files(device: Device, device_file: Path, persona_file: Path, state: Path) -> dict[str, str]:
    """Where a running unit's files are, for `find_unit`. None of these files holds a secret."""
    files = {"device": device_file, "persona": persona_file, "state": state, "memory": device.memory.folder or state}
    for one in device.ears.wake.listed:
        if one.file is not None:
            from companion.ears.wake_custom.learnt import learnt_file

            files[f"wake word {one.name}"] = learnt_file(one.file) or one.file
    return {name: os.path.abspath(path) for name, path in files.items()}


def own_state_folder() -> Path:
    """The state folder of this process. Raises `ConfigError`."""
    try:
        return state_folder()
    except RuntimeError as error:
        raise ConfigError("STATE_DIRECTORY: this user has no home folder: name a folder for the state") from error


def find_unit(socket: Path | None = None, root: Path = Path("/")) -> InstalledUnit | None:
    """The running unit, else the installed one, else None. `root` is where the system's files are looked for."""
    return _running_unit(socket) or _unit_of_service(root)


def _running_unit(socket: Path | None) -> InstalledUnit | None:
    try:
        files = send_request(GetStatus(), socket).status.get("files")
    except CompanionError:
        return None
    if not isinstance(files, Mapping) or not {"device", "persona", "state", "memory"} <= files.keys():
        # A daemon of an earlier version, or of another product.
        return None
    settings = (f"persona={json.dumps(str(files['persona']))}", f"memory.folder={json.dumps(str(files['memory']))}")
    return InstalledUnit(Path(str(files["device"])), Path(str(files["state"])), settings)


def _unit_of_service(root: Path) -> InstalledUnit | None:
    for folder in _UNIT_FOLDERS:
        file = root / folder / _UNIT_NAME
        if file.is_file():
            break
    else:
        return None
    drop_ins = sorted((root / "etc/systemd/system" / f"{_UNIT_NAME}.d").glob("*.conf"))
    state = Path("/var/lib/companion")
    variables: dict[str, str] = {}
    variable_files: dict[str, str] = {}
    for key, value in (one for part in (file, *drop_ins) for one in _assignments(part)):
        match key:
            case "StateDirectory" if value:
                state = Path("/var/lib") / value.split()[0]
            case "Environment":
                variables.update(_variables(value))
            case "EnvironmentFile" if value:
                path = root / value.removeprefix("-").lstrip("/")
                variable_files.update((name, _unquoted(text)) for name, text in _assignments(path))
    # As in systemd, a variable in a file has priority over one in the unit.
    device = (variables | variable_files).get("COMPANION_DEVICE")
    if device is None:
        made = state / "device.toml"
        # Whoever may not look into the folder gets this path too: the sentence about it then says so.
        device = str(made) if _may_exist(root / str(made).lstrip("/")) else "/opt/companion/configs/devices/desk.toml"
    return InstalledUnit(root / device.lstrip("/"), root / str(state).lstrip("/"))


def _assignments(file: Path) -> Iterator[tuple[str, str]]:
    """The `Key=value` lines of a unit file."""
    for line in _lines(file):
        key, equals, value = line.partition("=")
        if equals:
            yield key.strip(), value.strip()


def _variables(text: str) -> Iterator[tuple[str, str]]:
    """The `NAME=value` words of a line, in shell quotes where they need any."""
    with suppress(ValueError):  # a quote that is not closed: systemd passes over such a line, too
        for word in shlex.split(text, comments=True):
            name, equals, value = word.partition("=")
            if equals:
                yield name, value


def _unquoted(text: str) -> str:
    try:
        return " ".join(shlex.split(text))
    except ValueError:
        return text


def _lines(file: Path) -> list[str]:
    try:
        lines = file.read_text("utf-8", "replace").splitlines()
    except OSError:
        return []
    return [line for line in map(str.strip, lines) if line and line[0] not in "#;"]


def _may_exist(path: Path) -> bool:
    try:
        os.stat(path)
    except PermissionError:
        return True
    except OSError:
        return False
    return True
