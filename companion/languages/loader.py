"""Language files: TOML into checked, frozen parts, with patterns that are compiled as they are read.

A pattern is a regular expression, or a list of them of which one has to match. `{name}` in a pattern stands for the
fragment of that name in the file's table `[fragments]`; fragments may use other fragments. A pattern that is empty, or
that matches a text of no characters, would match everything and is refused, as is a key that no part has.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, ValidationInfo

_FRAGMENT = re.compile(r"\{([a-z][a-z_]*)\}")


class LanguageError(ValueError):
    """A language file is wrong. The sentence says `folder/file: key: problem`."""


class Part(BaseModel):
    """One file of a language, or a table of it: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, arbitrary_types_allowed=True)


def _expand(text: str, fragments: dict[str, str], inside: tuple[str, ...] = ()) -> str:
    def fragment(found: re.Match[str]) -> str:
        name = found[1]
        if name not in fragments:
            raise ValueError(f"there is no fragment {name}")
        if name in inside:
            raise ValueError(f"the fragment {name} is made of itself")
        return _expand(fragments[name], fragments, (*inside, name))

    return _FRAGMENT.sub(fragment, text)


def _joined(value: object) -> str:
    if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
        return "|".join(value)
    if isinstance(value, str):
        return value
    raise ValueError("must be a regular expression, or a list of them")


def _regex(value: object, info: ValidationInfo) -> str:
    """The text of a pattern that is fit to be compiled, also as a part of a larger one."""
    text = _expand(_joined(value), (info.context or {}).get("fragments", {}))
    try:
        everything = re.compile(text).search("") is not None
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from error
    if not text or everything:
        raise ValueError("matches everything")
    return text


def _template(value: object, info: ValidationInfo) -> str:
    return _expand(_joined(value), (info.context or {}).get("fragments", {}))


def _words(value: object) -> object:
    if isinstance(value, str):
        return frozenset(value.split())
    return frozenset(value) if isinstance(value, list) else value


def _list(value: object) -> object:
    return tuple(value.split()) if isinstance(value, str) else value


Regex = Annotated[str, BeforeValidator(_regex)]
"""The text of a regular expression, its fragments filled in. It never matches the empty text."""

RegexTemplate = Annotated[str, BeforeValidator(_template)]
"""A piece of a regular expression, which may match nothing by itself."""

WordSet = Annotated[frozenset[str], BeforeValidator(_words)]
"""Words, written in one text with blanks between them, or as a list."""

WordList = Annotated[tuple[str, ...], BeforeValidator(_list)]
"""The same in their order."""

AnyPart = TypeVar("AnyPart", bound=Part)


def _folders() -> Traversable:
    return files(__package__)


@cache
def language_codes() -> tuple[str, ...]:
    """The codes of all languages that there are, in alphabetical order."""
    return tuple(sorted(one.name for one in _folders().iterdir() if one.joinpath("language.toml").is_file()))


def read_part(code: str, file: str, model: type[AnyPart]) -> AnyPart | None:
    """One file of a language; None where the language has no such file. Raises `LanguageError`."""
    place = _folders().joinpath(code, file)
    if not place.is_file():
        return None
    try:
        tables: dict[str, Any] = tomllib.loads(place.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise LanguageError(f"languages/{code}/{file}: -: {error}") from error
    fragments = {name: _joined(value) for name, value in tables.pop("fragments", {}).items()}
    try:
        return model.model_validate(tables, context={"fragments": fragments})
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
        raise LanguageError("\n".join(f"languages/{code}/{file}: {problem}" for problem in problems)) from error
