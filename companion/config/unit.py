"""What `--device` and `--set` mean: a device file, its persona, and this unit's calibration, with values on top."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from companion.config.calibration import read_calibration
from companion.config.device import Device, load_device
from companion.config.loading import parse_overrides
from companion.config.persona import Persona, load_persona
from companion.errors import ConfigError
from companion.storage import state_folder


def load_unit(device_file: Path, settings: Sequence[str] = ()) -> tuple[Device, Persona]:
    """Read a device file and its persona, with `KEY=VALUE` settings on top. Raises `ConfigError`."""
    of_device, of_persona = split_overrides(parse_overrides(settings))
    device = load_device(device_file, {**_calibration(), **of_device})
    return device, load_persona(device.persona, of_persona)


def persona_settings(settings: Sequence[str]) -> dict[str, Any]:
    """Those of the `KEY=VALUE` settings that are the persona's. Raises `ConfigError`."""
    return split_overrides(parse_overrides(settings))[1]


def split_overrides(overrides: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Part overrides into those of the device file and those of the persona file.

    `persona.KEY` is always the persona's. A bare key belongs to the device where its first part is a device key, else
    to the persona. Raises `ConfigError` for a key that neither file has.
    """
    of_device: dict[str, Any] = {}
    of_persona: dict[str, Any] = {}
    unknown = []
    for key, value in overrides.items():
        first, _, rest = key.partition(".")
        if first == "persona" and rest:
            of_persona[rest] = value
        elif first in Device.model_fields:
            of_device[key] = value
        elif first in Persona.model_fields:
            of_persona[key] = value
        else:
            unknown.append(f"--set: {key}: there is no such key in the device or the persona file")
    if unknown:
        raise ConfigError(unknown)
    # A path given on the command line counts from where the person stands, as every other path there.
    if "persona" in of_device:
        of_device["persona"] = str(Path(str(of_device["persona"])).absolute())
    return of_device, of_persona


def _calibration() -> dict[str, float]:
    """What `companion doctor --calibrate` found on this unit."""
    try:
        return read_calibration(state_folder())
    except RuntimeError:
        # A user without a home folder never calibrated.
        return {}
