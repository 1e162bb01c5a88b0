"""What came of a station test: one page for a person, one object for a program. Pure.

The JSON is described in docs/station-test.md. No key and nothing that was said ever stands in it.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Outcome = Literal["pass", "fail", "skip"]
Measured = float | int | str | bool | None

_NAME_WIDTH = 12
_INDENT = 7 + _NAME_WIDTH


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    outcome: Outcome
    text: str
    """What was seen, in a line or two."""
    advice: str = ""
    """What to do about it; always there for a FAIL."""
    measured: Mapping[str, Measured] = field(default_factory=dict)
    """Numbers for a program; their names end in the unit."""


def passed(text: str, /, **measured: Measured) -> Finding:
    """All is well."""
    return Finding("pass", text, "", measured)


def failed(text: str, advice: str, /, **measured: Measured) -> Finding:
    """Something is wrong, and this is what to do."""
    return Finding("fail", text, advice, measured)


def skipped(text: str, /, **measured: Measured) -> Finding:
    """The unit has nothing of the kind, or it could not be tried; `text` says why."""
    return Finding("skip", text, "", measured)


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the page."""

    name: str
    finding: Finding
    seconds: float
    """How long the check took."""
    cut_off: bool = False
    """Whether it was still at work when its time was over."""


@dataclass(frozen=True, slots=True)
class Unit:
    """Which unit was tested, with what, and when."""

    number: str
    """`companion identity`."""
    device: str
    """The device file's name for it; empty where the file cannot be read."""
    persona: str
    version: str
    when: str
    """Local time, ISO 8601 to the minute."""


@dataclass(frozen=True, slots=True)
class Report:
    """A whole station test."""

    unit: Unit
    results: tuple[Result, ...]
    partial: bool = False
    """Whether only some of the checks were asked for: such a test says nothing of the whole unit."""

    @property
    def passed(self) -> bool:
        """Whether nothing failed."""
        return self.count("fail") == 0

    @property
    def cut_off(self) -> bool:
        """Whether a check hung, so that something of it may still run."""
        return any(result.cut_off for result in self.results)

    def count(self, outcome: Outcome) -> int:
        """How many checks came out so."""
        return sum(result.finding.outcome == outcome for result in self.results)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        unit = self.unit
        return {
            "passed": self.passed,
            "partial": self.partial,
            "unit": unit.number,
            "device": unit.device,
            "persona": unit.persona,
            "version": unit.version,
            "when": unit.when,
            "counts": {outcome: self.count(outcome) for outcome in ("pass", "fail", "skip")},
            "checks": [
                {
                    "name": result.name,
                    "outcome": result.finding.outcome,
                    "text": result.finding.text,
                    "advice": result.finding.advice,
                    "measured": dict(result.finding.measured),
                    "seconds": round(result.seconds, 2),
                }
                for result in self.results
            ],
        }


def heading(unit: Unit) -> str:
    """The top of the page."""
    named = ", ".join(one for one in (unit.device, unit.persona) if one) or "unknown unit"
    return f"Station test of {unit.number} ({named})\ncompanion {unit.version}, {unit.when}\n"


def lines(result: Result, width: int = 100) -> str:
    """One check on the page; `width` in columns."""
    finding = result.finding
    told = _filled(finding.text, width)
    shown = [
        f"{finding.outcome.upper()}  {result.name:<{_NAME_WIDTH}} {told[0]}",
        *(_INDENT * " " + one for one in told[1:]),
    ]
    if finding.advice:
        advice = _filled(finding.advice, width - 3)
        shown += [f"{_INDENT * ' '}{'   ' if at else '-> '}{one}" for at, one in enumerate(advice)]
    return "\n".join(shown)


def verdict(report: Report) -> str:
    """The last line of the page."""
    counts = f"{report.count('pass')} passed, {report.count('fail')} failed, {report.count('skip')} skipped"
    if not report.passed:
        return f"\n{counts}: this unit is NOT ready."
    return f"\n{counts}: {'not all checks were asked for.' if report.partial else 'this unit is ready.'}"


def _filled(text: str, width: int) -> list[str]:
    room = max(width - _INDENT, 20)
    paragraphs = [textwrap.wrap(one, room, break_on_hyphens=False) for one in text.splitlines()]
    return [line for wrapped in paragraphs for line in wrapped] or [""]
