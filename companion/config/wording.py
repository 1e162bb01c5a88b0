"""The words for a wrong value in a settings file: what is wrong, and what to write instead. Pure.

pydantic's own messages speak of tuples and patterns; the people who edit these files know neither.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import AfterValidator, BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler

Location = tuple[int | str, ...]

_FEW = 14
"""So many names are listed in a sentence; of more only the nearest one is named."""


@dataclass(frozen=True, slots=True)
class Form:
    """Annotates a text that has to match `pattern`; anything else is refused with `sentence`."""

    pattern: str
    sentence: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> Any:
        return AfterValidator(self._checked).__get_pydantic_core_schema__(source, handler)

    def __get_pydantic_json_schema__(self, schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), "pattern": self.pattern}

    def _checked(self, value: str) -> str:
        # `$` would let a line break at the end through.
        if not re.search(self.pattern, value) or value.endswith("\n"):
            raise ValueError(self.sentence)
        return value


def explain(error: Mapping[str, Any], model: type[BaseModel]) -> str:
    """One of pydantic's errors, in the words of the person who edits the file."""
    kind, given, limits = error["type"], error.get("input"), error.get("ctx") or {}
    if kind == "extra_forbidden":
        return KEY_HERE if is_secret(error["loc"][-1], given) else _no_such_key(error["loc"], model)
    if kind == "missing":
        return "is missing"
    if kind == "value_error":
        message = str(error["msg"]).removeprefix("Value error, ")
    elif kind in ("literal_error", "enum"):
        message = _one_of(given, str(limits.get("expected", "")))
    elif kind in ("union_tag_invalid", "union_tag_not_found"):
        wanted = str(limits.get("expected_tags") or "led, rgb_led, servo, motor")
        message = f"its kind is missing or not known; write kind = {_listed(re.findall(r'[a-z_]+', wanted), 'or')}"
    else:
        message = _wrong_value(kind, limits)
    shown = _shown(given)
    if shown and kind in ("tuple_type", "list_type"):
        return f"is a list; write it in square brackets: [{shown}]"
    return f"{message} (it is {shown})" if shown else message


def explain_toml(message: str) -> tuple[int | None, str]:
    """The line that tomllib's message names, if any, and the message in plain words."""
    place = re.search(r"\s*\(at (?:line (\d+), column \d+|end of document)\)", message)
    line = int(place[1]) if place and place[1] else None
    plain = message[: place.start()] if place else message
    for begin, words in _TOML.items():
        if plain.startswith(begin):
            return line, f"is not valid TOML: {words}"
    if plain.startswith(("Cannot overwrite", "Cannot declare", "Cannot mutate", "Cannot redefine", "Duplicate")):
        return line, "is not valid TOML: this key or table stands in the file twice; put the two together"
    return line, f"is not valid TOML: {plain[:1].lower()}{plain[1:]}"


_TOML: Mapping[str, str] = {
    "Illegal character": "a text in quotation marks ends in the line in which it begins; "
    'write three quotation marks (""") around one of several lines',
    "Unterminated string": "a quotation mark is missing at the end of a text",
    "Expected '=' after a key": "write NAME = VALUE, with a name of letters, digits and _",
    "Invalid value": "this value cannot be read; put text between straight quotation marks, "
    "and write numbers, true and false without",
    "Invalid statement": "this line cannot be read; write NAME = VALUE, [TABLE], or # before a remark",
    "Invalid initial character for a key part": "a name is missing, or has signs other than letters, digits, - and _",
    "Expected newline or end of document": "something stands behind the value; "
    "write one setting a line, text between straight quotation marks, numbers with a point",
    "Unclosed array": "a ] or a comma is missing in a list",
    "Unclosed inline table": "a } or a comma is missing, or the { } is not in one line",
    "Invalid hex value": "write \\\\ for a backslash in a text",
    "Unescaped '\\' in a string": "write \\\\ for a backslash in a text",
    "Expected ']' at the end of a table declaration": "the name of a table stands between [ and ]",
    "Expected ']]' at the end of an array declaration": "the name of this table stands between [[ and ]]",
}


def nearest(name: str, known: Iterable[str], *, cutoff: float = 0.6) -> str:
    """The advice for an unknown name: `did you mean X?`, or the names that there are."""
    known = sorted(known)
    near = difflib.get_close_matches(name.lower(), known, 1, cutoff)
    if near:
        return f"did you mean {near[0]}?"
    return f"write {_listed(known, 'or')}" if known else "leave it out"


def as_sentence(text: str) -> str:
    """The text with a full stop, where it has no end of its own."""
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _wrong_value(kind: str, limits: Mapping[str, Any]) -> str:
    """What to write instead of a value of the wrong type, size or length."""
    match kind:
        case "tuple_type" | "list_type" | "set_type":
            return 'is a list; write it in square brackets: ["one", "two"]'
        case "string_type":
            return 'is a text; write it in quotation marks: "..."'
        case "bool_type" | "bool_parsing":
            return "is a switch; write true or false, without quotation marks"
        case "int_type" | "int_parsing" | "int_from_float" | "int_parsing_size":
            return "is a whole number; write it without quotation marks and without a point"
        case "finite_number":
            return "is no number at all; write an ordinary one"
        case "float_type" | "float_parsing":
            return "is a number; write it without quotation marks, with a point and not a comma"
        case "model_type" | "model_attributes_type" | "dict_type" | "dict_attributes_type":
            return "is a table; write it as [NAME] with its keys below, or { KEY = VALUE }"
        case "string_too_short":
            return "is empty; write something"
        case "string_too_long":
            return f"is too long; write {limits['max_length']} characters at most"
        case "too_short":
            return f"has too few entries; write at least {_count(limits['min_length'])}"
        case "too_long":
            return f"has too many entries; write {_count(limits['max_length'])} at most"
        case "greater_than":
            return f"is too small; write a number above {limits['gt']:g}"
        case "greater_than_equal":
            return f"is too small; write {limits['ge']:g} or more"
        case "less_than":
            return f"is too large; write a number below {limits['lt']:g}"
        case "less_than_equal":
            return f"is too large; write {limits['le']:g} or less"
    return "cannot be used here; see the comments in the project's own files, or leave it out"


KEY_HERE = (
    "the service's key does not belong here, where others can read it; put it alone into a file with mode 0600 "
    "that character.key_file names, or on a unit into companion.toml or /etc/companion/dashscope-key"
)
"""Says what to do with a secret, and never shows it."""

_SECRET_NAME = re.compile(r"(.+_)?(api_?)?key|token|secret", re.IGNORECASE)
_SECRET_VALUE = re.compile(r"sk-[\w-]{6,}")


def is_key(value: object) -> bool:
    """Whether a value is the key itself, in the form that most services give it."""
    return isinstance(value, str) and _SECRET_VALUE.fullmatch(value.strip()) is not None


def is_secret(name: object, value: object) -> bool:
    """Whether a setting that nobody knows holds a key, by its name or its form."""
    return is_key(value) or (isinstance(value, str) and _SECRET_NAME.fullmatch(str(name)) is not None)


def _one_of(given: object, expected: str) -> str:
    names = re.findall(r"'([^']*)'", expected)
    advice = nearest(given, names, cutoff=0.7) if isinstance(given, str) else f"write {_listed(names, 'or')}"
    if advice.startswith("did"):
        advice += f" There is {_listed(names, 'and')}."
    return f"is not known; {advice}"


def _no_such_key(location: Location, model: type[BaseModel]) -> str:
    key = str(location[-1])
    here = {name for one in _tables_at(model, location[:-1]) for name in one.model_fields}
    near = difflib.get_close_matches(key, sorted(here), 1, 0.75)
    if near:
        return f"there is no such key here; did you mean {near[0]}?"
    if elsewhere := [table for table, fields in _all_tables(model, ()) if key in fields]:
        place = f"in [{elsewhere[0]}]" if elsewhere[0] else "at the top of the file, above the first [table]"
        return f"there is no such key here; it stands {place}"
    if 0 < len(here) <= _FEW:
        return f"there is no such key here; there is {_listed(sorted(here), 'and')}"
    return "there is no such key here; remove it"


def _tables_at(model: type[BaseModel], location: Location) -> set[type[BaseModel]]:
    """The tables that may stand at a place. Names of entries, numbers and kinds do not lead further down."""
    tables = {model}
    for part in location:
        fields = [one.model_fields[part] for one in tables if isinstance(part, str) and part in one.model_fields]
        tables = {found for field in fields for found in _tables_in(field.annotation)} or tables
    return tables


def _all_tables(model: type[BaseModel], names: tuple[str, ...]) -> Iterator[tuple[str, set[str]]]:
    """Every table that stands at one fixed place, with the names of its keys."""
    yield ".".join(names), set(model.model_fields)
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _all_tables(field.annotation, (*names, name))


def _tables_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _tables_in(inner)


def _listed(names: Iterable[str], word: str) -> str:
    *first, last = list(names) or ["nothing"]
    return f"{', '.join(first)} {word} {last}" if first else last


def _count(number: int) -> str:
    return "one" if number == 1 else str(number)


def _shown(given: object) -> str:
    """A value as it stands in the file, where it is short enough to help and cannot be a key."""
    if isinstance(given, bool):
        return "true" if given else "false"
    if isinstance(given, str | int | float):
        text = json.dumps(given, ensure_ascii=False) if isinstance(given, str) else f"{given}"
        return text if len(text) <= 40 and "sk-" not in text else ""
    return ""
