"""The device file that a unit runs with: the chosen built-in one, with the installer's choices in it.

It is whole: whoever reads it needs no other device file, and its paths are absolute. It is made anew at every start, so
that an update of the built-in file reaches the unit.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from companion.config import load_device
from companion.toml_writer import to_toml


def effective_device(source: Path, overrides: Mapping[str, Any]) -> str:
    """The text of the unit's device file. `overrides` maps dotted keys to values. Raises `ConfigError`."""
    device = load_device(source, overrides)
    tables = _plain(device.model_dump(exclude_unset=True))
    return f"# Made at each start from {source.name} and companion.toml. Changes here are lost.\n" + to_toml(tables)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return str(value.resolve()) if isinstance(value, Path) else value
