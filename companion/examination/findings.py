"""What an examination finds: a sentence, the key that it is about, and where that stands. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from companion.config.loading import located

Severity = Literal["error", "missing", "warning", "note"]
"""`error`: the unit would not start, or would be silent. `missing`: it starts and says what it lacks. `warning`: it
works less well than it could. `note`: it matters only to whoever changes something."""


@dataclass(frozen=True, slots=True)
class Remark:
    """A finding before its place in the file is looked up."""

    severity: Severity
    key: tuple[str | int, ...]
    text: str
    """What is wrong, and what to write instead."""
    of_persona: bool = False
    """Whether the key stands in the persona's file, not in the device's."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a unit."""

    severity: Severity
    key: str
    """Dotted."""
    text: str
    """What is wrong, and what to write instead."""
    place: str
    """`file:line: key: text`."""

    def __str__(self) -> str:
        return self.place


def error(key: str, text: str) -> Remark:
    """An error at a key of the device file, or of the file that is examined."""
    return Remark("error", tuple(key.split(".")), text)


def missing(key: str, text: str) -> Remark:
    """A part that is not on this machine."""
    return Remark("missing", tuple(key.split(".")), text)


def warning(key: str, text: str) -> Remark:
    """A warning."""
    return Remark("warning", tuple(key.split(".")), text)


def note(key: str, text: str) -> Remark:
    """A note."""
    return Remark("note", tuple(key.split(".")), text)


def placed(file: Path, text: str, remarks: Iterable[Remark]) -> list[Finding]:
    """The remarks about one file with their lines in its `text`, each once."""
    return [
        Finding(one.severity, ".".join(map(str, one.key)), one.text, located(file, text, one.key, one.text))
        for one in dict.fromkeys(remarks)
    ]
