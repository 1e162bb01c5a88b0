"""What the installer is told: `companion-report.txt` beside the file, in plain words.

Pure. Line ends are those of Windows and the text begins with a mark, so that every laptop shows it as it is meant. It
holds no secret, no address, and nothing that changes from one start to the next.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from companion import __version__
from companion.provisioning.settings import Finding

REPORT_FILE = "companion-report.txt"

_HEAD = "This file is written by the unit at each start. Changes here are lost: change {file} instead."
_WIDTH = 88
_MOST = 20
"""Things to do that are told; a file with more is better begun again."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one look at the installer's file."""

    file: str
    """Its name; `companion.toml` where there is none."""
    number: str
    """The unit's number; empty where it has none yet."""
    well: tuple[tuple[str, str], ...] = ()
    """What counts now: the name of a setting, and its value or what became of it."""
    findings: tuple[Finding, ...] = ()

    @property
    def to_do(self) -> tuple[Finding, ...]:
        """What the installer should mend, in the order of the lines."""
        return tuple(sorted((one for one in self.findings if not one.note), key=lambda one: (not one.line, one.line)))

    @property
    def notes(self) -> tuple[Finding, ...]:
        """What needs nothing done."""
        return tuple(sorted((one for one in self.findings if one.note), key=lambda one: (not one.line, one.line)))

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "ok": not self.to_do,
            "version": __version__,
            "file": self.file,
            "number": self.number,
            "well": dict(self.well),
            "to_do": [_told(one) for one in self.to_do],
            "notes": [_told(one) for one in self.notes],
        }


def report(outcome: Outcome) -> bytes:
    """The report as the bytes of its file."""
    lines = [f"The unit and its {outcome.file}", "", *textwrap.wrap(_HEAD.format(file=outcome.file), _WIDTH), ""]
    if outcome.to_do:
        lines += [f"TO DO ({len(outcome.to_do)})", *_list([sentence(one) for one in outcome.to_do[:_MOST]])]
        lines += [f"- and {len(outcome.to_do) - _MOST} more of the kind"] if len(outcome.to_do) > _MOST else []
        lines += [""]
        lines += ["The unit talks with all that counts below. Mend the file and start the unit again.", ""]
    else:
        lines += ["ALL IS WELL. There is nothing to do.", ""]
    lines += ["WHAT COUNTS NOW", *_list([f"{name}: {value}" for name, value in outcome.well]), ""]
    if outcome.notes:
        lines += ["NOTED", *_list([sentence(one) for one in outcome.notes]), ""]
    lines += ["THIS UNIT", *_list([f"number: {outcome.number or 'none yet'}", f"software: companion {__version__}"])]
    return ("\ufeff" + "\r\n".join(lines) + "\r\n").encode("utf-8", "replace")


def sentence(finding: Finding) -> str:
    """One finding: where, and what."""
    places = [f"line {finding.line}"] if finding.line else []
    places += [finding.name] if finding.name else []
    where = ", ".join(places)
    return f"{where.replace('line', 'Line', 1) if finding.line else where}: {finding.text}" if where else finding.text


def _told(finding: Finding) -> dict[str, Any]:
    return {"line": finding.line or None, "setting": finding.name or None, "text": finding.text}


def _list(entries: Sequence[str]) -> list[str]:
    return [
        line for entry in entries for line in textwrap.wrap(entry, _WIDTH, initial_indent="- ", subsequent_indent="  ")
    ]
