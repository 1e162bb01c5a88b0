"""`calibration.toml` in the unit's state folder: what this one unit needs beside its device file.

It holds `[ears.microphone] gain = 2.4` and nothing else, and is written by `companion doctor --calibrate` only.
"""

from __future__ import annotations

import os
from pathlib import Path

from companion.config.loading import read_toml, to_toml
from companion.errors import ConfigError, DeviceError
from companion.storage import PRIVATE, make_private, write_whole

CALIBRATION_FILE = "calibration.toml"
GAIN_KEY = "ears.microphone.gain"

LEAST_GAIN, MOST_GAIN = 0.05, 32.0
"""What a device file may hold, and what is worth having."""


def write_calibration(state: Path, gain: float) -> Path:
    """Keep the gain; returns the file. Raises `DeviceError` where it cannot be written."""
    path = state / CALIBRATION_FILE
    text = "# Written by `companion doctor --calibrate`: what this one unit needs beside its device file.\n"
    try:
        make_private(state)
        write_whole(path, (text + to_toml({"ears": {"microphone": {"gain": gain}}})).encode(), PRIVATE)
    except OSError as error:
        raise DeviceError(
            f"{path}: cannot be written ({error.strerror or error}): run this as the companion's user, "
            "or name the unit's folder with --state."
        ) from error
    return path


def read_calibration(state: Path) -> dict[str, float]:
    """What was kept, as overrides of the device file (`load_device`); empty where nothing was.

    Raises `ConfigError` for a file that is not what this program writes.
    """
    path = state / CALIBRATION_FILE
    if not os.path.exists(path):
        return {}
    tables = read_toml(path)
    try:
        gain = tables["ears"]["microphone"]["gain"]
        known = type(gain) in (int, float) and tables == {"ears": {"microphone": {"gain": gain}}}
    except (KeyError, TypeError):
        known = False
    if not known or not LEAST_GAIN <= gain <= MOST_GAIN:
        raise ConfigError(
            f"{path}: {GAIN_KEY}: is not what `companion doctor --calibrate` writes; calibrate again, or remove it"
        )
    return {GAIN_KEY: float(gain)}
