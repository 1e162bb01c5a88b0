"""Settings files: TOML to frozen models, with values from the command line on top, and back to TOML.

All problems are reported at once, as `file:line: key: problem`, in the words of the person who edits the file. Relative
paths are relative to the file that contains them. `to_toml` writes tables of plain values (https://toml.io/en/v1.0.0),
which tomllib cannot.
"""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo

from companion.config.toml_lines import line_of
from companion.config.wording import Form, explain, explain_toml
from companion.errors import ConfigError
from companion.toml_file import LONGEST, parse_toml, read_toml_text

DOCSTRINGS = "COMPANION_SETTINGS_DOCSTRINGS"
"""An environment variable. If it is set, the models know the docstrings of their keys: `scripts/make_schemas.py`."""


class Settings(BaseModel):
    """A table of a settings file: frozen, unknown keys refused."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        # A table inside another one is validated as a part of it and needs no validator of its own.
        defer_build=True,
        # Only the schemas for editors need them, and to find them pydantic parses the source at each start.
        use_attribute_docstrings=DOCSTRINGS in os.environ,
    )


def path_from_file(value: object, info: ValidationInfo) -> object:
    """Make a path relative to the folder of the file that contains it."""
    if not isinstance(value, str | Path):
        raise ValueError('is the path of a file; write it in quotation marks: "..."')
    value = str(value)
    if not value.strip() or "\0" in value:
        raise ValueError("is no path; name a file, or leave the key out")
    try:
        path = Path(value).expanduser()
    except RuntimeError as error:
        raise ValueError(f"there is no such home folder: write the whole path instead of {value}") from error
    folder = (info.context or {}).get("folder")
    return path if path.is_absolute() or folder is None else folder / path


FilePath = Annotated[Path, BeforeValidator(path_from_file)]

Factory = Annotated[
    str, Form(r"^[\w-]+$|^[\w.]+:[\w.]+$", "is no name; write that of an engine, or package.module:factory")
]
"""The name of a built-in or installed engine, or `package.module:factory`."""

ChannelName = Annotated[
    str, Form(r"^[a-z][a-z0-9_]*$", "is no name of a channel; write small letters a to z, digits and _, a letter first")
]


def _two_times(span: str) -> str:
    begin, _, end = span.partition("-")
    if span and begin == end:
        raise ValueError('ends when it begins; write another end, or "" for never')
    return span


TimeSpan = Annotated[
    str,
    AfterValidator(_two_times),
    Form(
        r"^$|^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$",
        'is no span of time; write two times of day, such as "20:00-07:00", or "" for never',
    ),
]

Seconds = Annotated[float, Field(gt=0, le=600)]

MOST_PROBLEMS = 100
"""Nobody reads more at once, and finding the line of each takes time."""

Model = TypeVar("Model", bound=BaseModel)


def read_settings(path: Path, model: type[Model], overrides: Mapping[str, Any] | None = None) -> Model:
    """Read a TOML file into `model`. Raises `ConfigError` with all problems as `file:line: key: problem`."""
    text = _read_text(path)
    tables = _parse(path, text)
    for key, value in (overrides or {}).items():
        _set_key(tables, key.split("."), value)
    try:
        return model.model_validate(tables, context={"folder": path.parent})
    except ValidationError as error:
        problems: list[tuple[int, str]] = []
        found = error.errors()
        for one in found[:MOST_PROBLEMS]:
            place = _written_key(one["loc"], tables, absent=one["type"] == "missing")
            for problem in explain(one, model).splitlines():
                # A table's own checks name the key within it.
                inner, colon, words = problem.partition(": ")
                names = inner.split(".") if colon and " " not in inner else []
                at = (*place, *names)
                problems.append((line_of(text, at) or 0, located(path, text, at, words if names else problem)))
        # In the order of the file, which is that of mending.
        problems.sort(key=lambda problem: problem[0])
        sentences = [problem for _, problem in problems]
        if len(found) > MOST_PROBLEMS:
            sentences.append(f"{path}: -: {len(found) - MOST_PROBLEMS} more problems; mend these first")
        raise ConfigError(sentences) from error


def read_toml(path: Path) -> dict[str, Any]:
    """The file's tables. Raises `ConfigError` for a file that is missing or is not TOML."""
    return _parse(path, _read_text(path))


def located(path: Path, text: str, key: Sequence[str | int], problem: str) -> str:
    """`file:line: key: problem`, or `file: key: problem` where the file does not set the key."""
    line = line_of(text, key)
    place = f"{path}:{line}" if line else f"{path}"
    return f"{place}: {'.'.join(map(str, key)) or '-'}: {problem}"


def _read_text(path: Path) -> str:
    try:
        return read_toml_text(path)
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise ConfigError(f"{path}: -: is too long: a settings file has at most {LONGEST // 1024} KB") from error
        raise ConfigError(f"{path}: -: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: -: is not UTF-8 text; save it as UTF-8") from error


def _parse(path: Path, text: str) -> dict[str, Any]:
    try:
        return parse_toml(text)
    except ValueError as error:
        line, words = explain_toml(str(error))
        raise ConfigError(f"{path}{f':{line}' if line else ''}: -: {words}") from error


def _written_key(location: tuple[int | str, ...], tables: object, *, absent: bool) -> tuple[int | str, ...]:
    """The key as the file has it: pydantic adds the kind of a part, and a mark for a key that is wrong itself.

    `absent`: the last part is a key that the file lacks.
    """
    key: list[int | str] = []
    for at, part in enumerate(location):
        inside = isinstance(tables, Mapping) and part in tables
        numbered = isinstance(tables, list) and isinstance(part, int) and part < len(tables)
        if inside or numbered:
            tables = tables[part]  # type: ignore[index]  # one of the two, as just seen
        elif not absent or at < len(location) - 1:
            continue
        key.append(part)
    return tuple(key)


def parse_overrides(pairs: Sequence[str]) -> dict[str, Any]:
    """Parse `KEY=VALUE` from the command line. VALUE is read as TOML where possible, else as plain text."""
    overrides: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key or "" in key.split("."):
            raise ConfigError(f"--set: {pair}: write it as KEY=VALUE, for example ears.wake.word=alexa")
        try:
            overrides[key.strip()] = parse_toml(f"value = {value}")["value"]
        except ValueError:
            overrides[key.strip()] = value
    return overrides


def _set_key(tables: dict[str, Any], keys: list[str], value: object) -> None:
    for key in keys[:-1]:
        inner = tables.get(key)
        if not isinstance(inner, dict):
            # A short form such as `wake = "open"` is replaced by the table that is written to.
            inner = tables[key] = {}
        tables = inner
    tables[keys[-1]] = value


def to_toml(tables: Mapping[str, Any]) -> str:
    """The text of a TOML file. Keys whose value is None are left out; paths are written as text."""
    return "\n".join(_table(tables, ())) + "\n"


def _table(table: Mapping[str, Any], names: tuple[str, ...]) -> Iterator[str]:
    plain = {name: value for name, value in table.items() if value is not None and not isinstance(value, Mapping)}
    inner = {name: value for name, value in table.items() if isinstance(value, Mapping)}
    if names and (plain or not inner):
        yield f"\n[{'.'.join(map(_toml_key, names))}]"
    yield from (f"{_toml_key(name)} = {_value(value)}" for name, value in plain.items())
    for name, value in inner.items():
        yield from _table(value, (*names, name))


def _toml_key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _text(name)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, Mapping):
        inner = (f"{_toml_key(name)} = {_value(one)}" for name, one in value.items() if one is not None)
        return f"{{ {', '.join(inner)} }}"
    return _text(str(value))


def _text(text: str) -> str:
    # JSON escapes everything that TOML requires, except for one control character.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
