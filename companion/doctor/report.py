"""What came of a station test: one page for a person, one object for a program.

The JSON is described in docs/station-test.md. No key and nothing that was said ever stands in it.

The card of a unit: one page of A6 to print and put into its box.

Who it is (as text and as a QR code), what was tested, when, with which version, and what came of it. Lengths are
quarters of a millimetre, so that the page is 420 by 592.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from companion.demo.svg import FAINT, INK, LINE, box, cut, level, text, width_of
from companion.identity import qr_svg

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


WIDTH, HEIGHT = 420.0, 592.0
"""105 by 148 mm."""

_MARGIN = 28.0
_QR = 132.0
_COLOURS = {"pass": "#1b7f3b", "fail": "#b3261e", "skip": FAINT}
_MARKS = {"pass": "PASS", "fail": "FAIL", "skip": "skip"}


def card(report: Report) -> bytes:
    """The card as an SVG file."""
    unit = report.unit
    right = WIDTH - _MARGIN
    verdict, colour = ("PASSED", _COLOURS["pass"]) if report.passed else ("FAILED", _COLOURS["fail"])
    if report.passed and report.partial:
        verdict, colour = "IN PART", _COLOURS["skip"]
    side = right - _MARGIN - _QR - 18
    elements = [
        box(0, 0, WIDTH, HEIGHT, "#fff"),
        text(_MARGIN, 52, cut(unit.persona or unit.device or "companion", side, 26), 26, INK, weight=700),
        text(_MARGIN, 76, cut(unit.device, side, 14), 14, FAINT),
        text(_MARGIN, 112, verdict, 22, colour, weight=700),
        text(_MARGIN, 136, unit.when.replace("T", " "), 13, INK),
        text(_MARGIN, 154, cut(f"companion {unit.version}", side, 13), 13, FAINT),
        _qr(unit.number, right - _QR, 24),
        text(
            WIDTH / 2,
            196,
            unit.number,
            min(24.0, 24.0 * (right - _MARGIN) / width_of(unit.number, 24)),
            INK,
            "middle",
            700,
        ),
        level(_MARGIN, right, 212, LINE, 1.5),
    ]
    row = min(22.0, (HEIGHT - 212 - 34) / max(len(report.results), 1))
    for number, result in enumerate(report.results):
        elements += _row(result, 212 + row * (number + 1), min(13.0, row * 0.62), right)
    elements.append(text(WIDTH / 2, HEIGHT - 14, "The full report: companion doctor --json", 10, FAINT, "middle"))
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" width="105mm" height="148mm" '
            "font-family=\"'Noto Sans', 'DejaVu Sans', 'Noto Sans CJK SC', Arial, sans-serif\">",
            *elements,
            "</svg>\n",
        ]
    ).encode("utf-8")


def _row(result: Result, y: float, size: float, right: float) -> list[str]:
    finding = result.finding
    at = _MARGIN + 46
    named = result.name.replace("_", " ")
    told = cut(finding.text.partition("\n")[0], right - at - 92, size * 0.85)
    return [
        text(_MARGIN, y, _MARKS[finding.outcome], size, _COLOURS[finding.outcome], weight=700),
        text(at, y, named, size),
        text(at + 92, y, told, size * 0.85, FAINT),
    ]


def _qr(number: str, x: float, y: float) -> str:
    """The code as a picture in the picture, `_QR` wide."""
    code = qr_svg(number).decode("utf-8")
    code = code[code.index("<svg") :]
    side = float(code.partition('width="')[2].partition('"')[0])
    return f'<g transform="translate({x:.1f} {y:.1f}) scale({_QR / side:.4f})">{code.strip()}</g>'
