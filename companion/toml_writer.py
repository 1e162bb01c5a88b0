"""Settings as a TOML file: the other direction of tomllib, for tables of plain values.

Pure. Specification: https://toml.io/en/v1.0.0
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any


def to_toml(tables: Mapping[str, Any]) -> str:
    """The text of a TOML file. Keys whose value is None are left out; paths are written as text."""
    return "\n".join(_table(tables, ())) + "\n"


def _table(table: Mapping[str, Any], names: tuple[str, ...]) -> Iterator[str]:
    plain = {name: value for name, value in table.items() if value is not None and not isinstance(value, Mapping)}
    inner = {name: value for name, value in table.items() if isinstance(value, Mapping)}
    if names and (plain or not inner):
        yield f"\n[{'.'.join(map(_key, names))}]"
    yield from (f"{_key(name)} = {_value(value)}" for name, value in plain.items())
    for name, value in inner.items():
        yield from _table(value, (*names, name))


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _text(name)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, Mapping):
        inner = (f"{_key(name)} = {_value(one)}" for name, one in value.items() if one is not None)
        return f"{{ {', '.join(inner)} }}"
    return _text(str(value))


def _text(text: str) -> str:
    # JSON escapes what TOML wants escaped, except for one control character.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
