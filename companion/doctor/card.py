"""The card of a unit: one page of A6 to print and put into its box. Pure but for the QR code's library.

Who it is (as text and as a QR code), what was tested, when, with which version, and what came of it. Lengths are
quarters of a millimetre, so that the page is 420 by 592.
"""

from __future__ import annotations

from companion.doctor.report import Report, Result
from companion.qr_code import qr_svg
from companion.svg import FAINT, INK, LINE, box, cut, level, text, width_of

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
