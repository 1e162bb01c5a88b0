"""Loading one unit: its device file, its persona and its calibration, with `--set KEY=VALUE` settings on top.

The calibration is `calibration.toml` in the unit's state folder. It contains the microphone's gain
(`[ears.microphone] gain = 2.4`) and how loud the loudspeaker is (`[voice.speaker] loudness_db = 96.0`), which belong to
one unit and not to its device file. Only `companion doctor` writes it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from companion.config.device import Device, load_device
from companion.config.loading import located, parse_overrides, read_toml, to_toml
from companion.config.persona import Persona, load_persona
from companion.config.wording import nearest
from companion.errors import ConfigError, DeviceError
from companion.storage import PRIVATE, create_private_folder, state_folder, write_atomically

CALIBRATION_FILE = "calibration.toml"
GAIN_KEY = "ears.microphone.gain"
LOUDNESS_KEY = "voice.speaker.loudness_db"

LEAST_GAIN, MOST_GAIN = 0.05, 32.0
"""The useful range of the gain."""
LEAST_DB, MOST_DB = 40.0, 150.0
"""Loudspeakers outside of this are none, or were measured wrongly."""


def load_unit(device_file: Path, settings: Sequence[str] = ()) -> tuple[Device, Persona]:
    """Read a device file and its persona, and apply `KEY=VALUE` settings. Raises `ConfigError`.

    From then on local time in this process is that of the unit's time zone.
    """
    of_device, of_persona = split_overrides(parse_overrides(settings))
    device = load_device(device_file, {**calibration(), **of_device})
    check_references(device_file, device)
    if device.timezone is not None:
        os.environ["TZ"] = device.timezone
        time.tzset()
    return device, load_persona(device.persona, of_persona)


def check_references(device_file: Path, device: Device) -> None:
    """Raise `ConfigError` where a file that the device file refers to is not there, at the key that names it."""
    problems = []
    for key, path in (("persona",), device.persona), (("body", "choreography"), device.body.choreography):
        if path is None or path.is_file():
            continue
        if path.is_dir():
            problem = f"{path} is a folder; name a file in it"
        else:
            beside = [one.stem for one in path.parent.glob("*.toml") if one.name != device_file.name]
            near = nearest(path.stem, beside) if beside else ""
            advice = "write its path from the folder of this file, with / and .toml"
            if near.startswith("did"):
                advice = f"{near.removesuffix('?')}.toml?"
            problem = f"there is no file {path}; {advice}"
        text = device_file.read_text(encoding="utf-8-sig")
        problems.append(located(device_file, text, key, problem))
    if problems:
        raise ConfigError(problems)


def persona_settings(settings: Sequence[str]) -> dict[str, Any]:
    """The `KEY=VALUE` settings that belong to the persona. Raises `ConfigError`."""
    return split_overrides(parse_overrides(settings))[1]


def split_overrides(overrides: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split overrides into those of the device file and those of the persona file.

    `persona.KEY` always belongs to the persona. Any other key belongs to the device where its first part is a device
    key, else to the persona. Raises `ConfigError` for a key that neither file has.
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
    # A path on the command line is relative to the working directory, like every other path there.
    if "persona" in of_device:
        of_device["persona"] = str(Path(str(of_device["persona"])).absolute())
    return of_device, of_persona


def calibration() -> dict[str, float]:
    """The calibration of this unit, as overrides. Raises `ConfigError` for a file that this program has not written."""
    try:
        return read_calibration(state_folder())
    except RuntimeError:
        # A user without a home folder cannot have calibrated.
        return {}


def write_calibration(state: Path, gain: float | None = None, *, loudness_db: float | None = None) -> Path:
    """Store what was learned and keep the rest; returns the file. Raises `DeviceError` where it cannot be written."""
    path = state / CALIBRATION_FILE
    text = "# Written by `companion doctor`: what this one unit needs beside its device file.\n"
    try:
        known = read_calibration(state)
    except ConfigError:
        known = {}
    known |= {key: value for key, value in {GAIN_KEY: gain, LOUDNESS_KEY: loudness_db}.items() if value is not None}
    tables: dict[str, Any] = {}
    if GAIN_KEY in known:
        tables["ears"] = {"microphone": {"gain": known[GAIN_KEY]}}
    if LOUDNESS_KEY in known:
        tables["voice"] = {"speaker": {"loudness_db": known[LOUDNESS_KEY]}}
    try:
        create_private_folder(state)
        write_atomically(path, (text + to_toml(tables)).encode(), PRIVATE)
    except OSError as error:
        raise DeviceError(
            f"{path}: cannot be written ({error.strerror or error}): run this as the companion's user, "
            "or name the unit's folder with --state."
        ) from error
    return path


def read_calibration(state: Path) -> dict[str, float]:
    """The stored calibration, as overrides of the device file (`load_device`); empty where there is none.

    Raises `ConfigError` for a file that this program has not written.
    """
    path = state / CALIBRATION_FILE
    if not os.path.exists(path):
        return {}
    tables = read_toml(path)
    ears, voice = (_only(tables, *key.split(".")) for key in (GAIN_KEY, LOUDNESS_KEY))
    found = {key: value for key, value in ((GAIN_KEY, ears), (LOUDNESS_KEY, voice)) if value is not None}
    ranges = {GAIN_KEY: (LEAST_GAIN, MOST_GAIN), LOUDNESS_KEY: (LEAST_DB, MOST_DB)}
    right = all(
        type(value) in (int, float) and ranges[key][0] <= value <= ranges[key][1] for key, value in found.items()
    )
    if len(tables) != len(found) or not found or not right:
        raise ConfigError(
            f"{path}: {GAIN_KEY}: is not what `companion doctor --calibrate` writes; calibrate again, or remove it"
        )
    return {key: float(value) for key, value in found.items()}


def _only(tables: Mapping[str, Any], *names: str) -> Any:
    """The value at these nested keys, where each table below the first holds nothing else; None otherwise."""
    found = tables.get(names[0])
    for name in names[1:]:
        found = found[name] if isinstance(found, dict) and found.keys() == {name} else None
    return found
