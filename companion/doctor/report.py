"""The results of a station test: as a page on the terminal, as JSON, and as a card to print.

The JSON is described in docs/station-test.md. It never contains a key or anything that was said. The card is one page
of A6 to put into the unit's box: the unit's number as text and QR code, the date, the version, and every result. Its
lengths are quarters of a millimetre, so that the page is 420 by 592.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from companion.demo.svg import FAINT, INK, LINE, box, horizontal_line, text, truncate, width_of
from companion.identity import qr_svg

Outcome = Literal["pass", "fail", "skip"]
Measurement = float | int | str | bool | None

_NAME_WIDTH = 12
_INDENT = 7 + _NAME_WIDTH


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of one check."""

    outcome: Outcome
    text: str
    """What was found, in a line or two."""
    advice: str = ""
    """What to do about it; never empty for a FAIL."""
    measured: Mapping[str, Measurement] = field(default_factory=dict)
    """Measurements for the JSON; names end in their unit (`delay_ms`)."""


def passed(text: str, /, **measured: Measurement) -> CheckResult:
    """A PASS."""
    return CheckResult("pass", text, "", measured)


def failed(text: str, advice: str, /, **measured: Measurement) -> CheckResult:
    """A FAIL, with what to do about it."""
    return CheckResult("fail", text, advice, measured)


def skipped(text: str, /, **measured: Measurement) -> CheckResult:
    """A SKIP: the unit has no such part, or it could not be tried. `text` says why."""
    return CheckResult("skip", text, "", measured)


@dataclass(frozen=True, slots=True)
class CompletedCheck:
    """A check that was run: one line of the page."""

    name: str
    result: CheckResult
    seconds: float
    """How long the check took."""
    cut_off: bool = False
    """Whether it was still running when its time was over."""


@dataclass(frozen=True, slots=True)
class UnitInfo:
    """Which unit was tested, with which settings and version, and when."""

    number: str
    """As `companion identity` prints it."""
    device: str
    """Its name in the device file; empty where the file cannot be read."""
    persona: str
    version: str
    when: str
    """Local time, ISO 8601 to the minute."""


@dataclass(frozen=True, slots=True)
class Report:
    """A complete station test."""

    info: UnitInfo
    results: tuple[CompletedCheck, ...]
    partial: bool = False
    """Whether only some of the checks were selected; such a test says nothing about the whole unit."""

    @property
    def passed(self) -> bool:
        """Whether nothing failed."""
        return self.count("fail") == 0

    @property
    def cut_off(self) -> bool:
        """Whether a check hung, so that its thread may still be running."""
        return any(done.cut_off for done in self.results)

    def count(self, outcome: Outcome) -> int:
        """How many checks had this outcome."""
        return sum(done.result.outcome == outcome for done in self.results)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        info = self.info
        return {
            "passed": self.passed,
            "partial": self.partial,
            "unit": info.number,
            "device": info.device,
            "persona": info.persona,
            "version": info.version,
            "when": info.when,
            "counts": {outcome: self.count(outcome) for outcome in ("pass", "fail", "skip")},
            "checks": [
                {
                    "name": done.name,
                    "outcome": done.result.outcome,
                    "text": done.result.text,
                    "advice": done.result.advice,
                    "measured": dict(done.result.measured),
                    "seconds": round(done.seconds, 2),
                }
                for done in self.results
            ],
        }


def format_heading(info: UnitInfo) -> str:
    """The top of the page."""
    named = ", ".join(one for one in (info.device, info.persona) if one) or "unknown unit"
    return f"Station test of {info.number} ({named})\ncompanion {info.version}, {info.when}\n"


def format_check(done: CompletedCheck, width: int = 100) -> str:
    """One check on the page; `width` in columns."""
    result = done.result
    told = _wrap(result.text, width)
    shown = [
        f"{result.outcome.upper()}  {done.name:<{_NAME_WIDTH}} {told[0]}",
        *(_INDENT * " " + one for one in told[1:]),
    ]
    if result.advice:
        advice = _wrap(result.advice, width - 3)
        shown += [f"{_INDENT * ' '}{'   ' if at else '-> '}{one}" for at, one in enumerate(advice)]
    return "\n".join(shown)


def format_verdict(report: Report) -> str:
    """The last line of the page."""
    counts = f"{report.count('pass')} passed, {report.count('fail')} failed, {report.count('skip')} skipped"
    if not report.passed:
        return f"\n{counts}: this unit is NOT ready."
    return f"\n{counts}: {'not all checks were asked for.' if report.partial else 'this unit is ready.'}"


def _wrap(text: str, width: int) -> list[str]:
    room = max(width - _INDENT, 20)
    paragraphs = [textwrap.wrap(one, room, break_on_hyphens=False) for one in text.splitlines()]
    return [line for wrapped in paragraphs for line in wrapped] or [""]


WIDTH, HEIGHT = 420.0, 592.0
"""105 by 148 mm."""

_MARGIN = 28.0
_QR = 132.0
_COLOURS = {"pass": "#1b7f3b", "fail": "#b3261e", "skip": FAINT}
_MARKS = {"pass": "PASS", "fail": "FAIL", "skip": "skip"}


def unit_card(report: Report) -> bytes:
    """The card as an SVG file."""
    info = report.info
    right = WIDTH - _MARGIN
    verdict, colour = ("PASSED", _COLOURS["pass"]) if report.passed else ("FAILED", _COLOURS["fail"])
    if report.passed and report.partial:
        verdict, colour = "IN PART", _COLOURS["skip"]
    side = right - _MARGIN - _QR - 18
    elements = [
        box(0, 0, WIDTH, HEIGHT, "#fff"),
        text(_MARGIN, 52, truncate(info.persona or info.device or "companion", side, 26), 26, INK, weight=700),
        text(_MARGIN, 76, truncate(info.device, side, 14), 14, FAINT),
        text(_MARGIN, 112, verdict, 22, colour, weight=700),
        text(_MARGIN, 136, info.when.replace("T", " "), 13, INK),
        text(_MARGIN, 154, truncate(f"companion {info.version}", side, 13), 13, FAINT),
        _qr(info.number, right - _QR, 24),
        text(
            WIDTH / 2,
            196,
            info.number,
            min(24.0, 24.0 * (right - _MARGIN) / width_of(info.number, 24)),
            INK,
            "middle",
            700,
        ),
        horizontal_line(_MARGIN, right, 212, LINE, 1.5),
    ]
    row = min(22.0, (HEIGHT - 212 - 34) / max(len(report.results), 1))
    for number, done in enumerate(report.results):
        elements += _row(done, 212 + row * (number + 1), min(13.0, row * 0.62), right)
    elements.append(text(WIDTH / 2, HEIGHT - 14, "The full report: companion doctor --json", 10, FAINT, "middle"))
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" width="105mm" height="148mm" '
            "font-family=\"'Noto Sans', 'DejaVu Sans', 'Noto Sans CJK SC', Arial, sans-serif\">",
            *elements,
            "</svg>\n",
        ]
    ).encode("utf-8")


def _row(done: CompletedCheck, y: float, size: float, right: float) -> list[str]:
    result = done.result
    at = _MARGIN + 46
    named = done.name.replace("_", " ")
    told = truncate(result.text.partition("\n")[0], right - at - 92, size * 0.85)
    return [
        text(_MARGIN, y, _MARKS[result.outcome], size, _COLOURS[result.outcome], weight=700),
        text(at, y, named, size),
        text(at + 92, y, told, size * 0.85, FAINT),
    ]


def _qr(number: str, x: float, y: float) -> str:
    """The QR code as a nested SVG group, `_QR` wide."""
    code = qr_svg(number).decode("utf-8")
    code = code[code.index("<svg") :]
    side = float(code.partition('width="')[2].partition('"')[0])
    return f'<g transform="translate({x:.1f} {y:.1f}) scale({_QR / side:.4f})">{code.strip()}</g>'
