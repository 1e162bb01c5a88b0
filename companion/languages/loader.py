"""Language files: TOML into checked, frozen parts, with patterns that are known to compile.

A pattern is a regular expression, or a list of them of which one has to match. `{name}` in a pattern stands for a
fragment: an entry of the file's table `[fragments]` (a regular expression; a list of them becomes one group), or a word
list of the table `[words]` (whole words, which need no escaping; the longest is tried first). Fragments may use other
fragments. A key that no part has is refused, and so is a pattern that matches an empty text: it would match everything.
"""

from __future__ import annotations

import io
import re
import string
import zipfile
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError, ValidationInfo

from companion.toml_file import parse_toml

_FRAGMENT = re.compile(r"\{([a-z][a-z_]*)\}")
_NUMBERED_REFERENCE = re.compile(r"(?<!\\)(?:\\\\)*\\[1-9]")


class LanguageError(ValueError):
    """A language file is wrong. The sentence says `folder/file: key: problem`."""


class Part(BaseModel):
    """One file of a language, or a table of it: frozen, unknown keys refused."""

    # A table inside a file is validated as a part of it and needs no validator of its own.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True, arbitrary_types_allowed=True)

    word_tables: ClassVar[dict[str, str]] = {}
    """Fragments that are made of a table's words, keys and values alike: the fragment's name to the table's."""


def split_words(value: object) -> tuple[str, ...]:
    """The words of a text that is written with blanks between them, or of a list. Raises `ValueError`."""
    if isinstance(value, str):
        return tuple(value.split())
    if isinstance(value, (list, tuple)) and all(isinstance(one, str) and one for one in value):
        return tuple(value)
    raise ValueError("must be words with blanks between them, or a list of them")


def alternation(words: Iterable[str]) -> str:
    """One group that matches any of these words, the longest first, so that "guinea pig" comes before "guinea"."""
    return "(?:" + "|".join(map(re.escape, sorted(words, key=lambda word: (-len(word), word)))) + ")"


def _expand(text: str, fragments: dict[str, str], kept: str = "", inside: tuple[str, ...] = ()) -> str:
    def fragment(found: re.Match[str]) -> str:
        name = found[1]
        if name == kept:
            return found[0]
        if name not in fragments:
            raise ValueError(f"there is no fragment {name}")
        if name in inside:
            raise ValueError(f"the fragment {name} is made of itself")
        return _expand(fragments[name], fragments, kept, (*inside, name))

    return _FRAGMENT.sub(fragment, text)


def _joined(value: object) -> str:
    if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
        return "|".join(value)
    if isinstance(value, str):
        return value
    raise ValueError("must be a regular expression, or a list of them")


def _expanded(value: object, info: ValidationInfo, kept: str = "") -> str:
    text = _expand(_joined(value), (info.context or {}).get("fragments", {}), kept)
    if _NUMBERED_REFERENCE.search(text):
        raise ValueError("refers to a group by its number; name the group: (?P<twice>.) and (?P=twice)")
    return text


def _compiled(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from error


def _regex(value: object, info: ValidationInfo) -> str:
    """The text of a pattern that is fit to be compiled, also as a part of a larger one."""
    text = _expanded(value, info)
    if not text or _compiled(text).search("") is not None:
        raise ValueError("matches everything")
    return text


def _template(value: object, info: ValidationInfo) -> str:
    return _expanded(value, info)


def _form(value: object, info: ValidationInfo) -> str:
    text = _expanded(value, info, kept="name")
    if text.count("{name}") != 1:
        raise ValueError("needs {name} once, where the name stands")
    _compiled(text.replace("{name}", "x"))
    return text


def _named_regex(value: object, info: ValidationInfo) -> str:
    text = _expanded(value, info, kept="name")
    if not text or _compiled(text.replace("{name}", "x")).search("") is not None:
        raise ValueError("matches everything")
    return text


def _words(value: object) -> frozenset[str]:
    return frozenset(split_words(value))


def filled_with(*names: str, optional: tuple[str, ...] = ()) -> AfterValidator:
    """A sentence has exactly these places for `str.format`; those of `optional` may be missing."""

    def check(text: str) -> str:
        found = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
        if missing := sorted(set(names) - found):
            raise ValueError(f"needs {{{missing[0]}}}")
        if unknown := sorted(found - {*names, *optional}):
            raise ValueError(f"has {{{unknown[0]}}}, which nothing fills")
        return text

    return AfterValidator(check)


Regex = Annotated[str, BeforeValidator(_regex)]
"""The text of a regular expression, its fragments filled in. It never matches the empty text."""

NamedRegex = Annotated[str, BeforeValidator(_named_regex)]
"""The same, with `{name}` where the character's name may stand."""

RegexTemplate = Annotated[str, BeforeValidator(_template)]
"""A piece of a regular expression, which may match nothing by itself."""

NameForm = Annotated[str, BeforeValidator(_form)]
"""A regular expression with `{name}` where a name stands; that place is still open."""

WordSet = Annotated[frozenset[str], BeforeValidator(_words)]
"""Words, written in one text with blanks between them, or as a list."""

WordList = Annotated[tuple[str, ...], BeforeValidator(split_words)]
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
    return parse_part(f"languages/{code}/{file}", place.read_text(encoding="utf-8"), model)


def read_arrays(code: str, file: str) -> dict[str, Any] | None:
    """The arrays in a file of a language (numpy's `.npz`); None where it has no such file. Raises `LanguageError`."""
    place = _folders().joinpath(code, file)
    if not place.is_file():
        return None
    import numpy as np

    try:
        with np.load(io.BytesIO(place.read_bytes()), allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (ValueError, OSError, zipfile.BadZipFile) as error:
        raise LanguageError(f"languages/{code}/{file}: -: is damaged ({error})") from error


def parse_part(name: str, text: str, model: type[AnyPart]) -> AnyPart:
    """A part from the text of its file. `name` says in errors which file it is. Raises `LanguageError`."""
    try:
        tables: dict[str, Any] = parse_toml(text)
        fragments = _fragments(tables, model)
        return model.model_validate(tables, context={"fragments": fragments})
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
        raise LanguageError("\n".join(f"{name}: {problem}" for problem in problems)) from error
    except ValueError as error:
        raise LanguageError(f"{name}: -: {error}") from error


def _fragments(tables: dict[str, Any], model: type[Part]) -> dict[str, str]:
    """Takes `[fragments]` and `[words]` out of the file's tables. Raises `ValueError`."""
    found = {
        name: f"(?:{_joined(value)})" if isinstance(value, list) else _joined(value)
        for name, value in tables.pop("fragments", {}).items()
    }
    for name, value in tables.pop("words", {}).items():
        found[name] = alternation(split_words(value))
    for name, table in model.word_tables.items():
        if entries := tables.get(table):
            words = {word for key, others in entries.items() for word in (key, *split_words(others))}
            found[name] = alternation(words)
    return found
