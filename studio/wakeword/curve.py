"""The curve of a wake word as a picture (SVG): what is missed over the false alarms in an hour. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from xml.sax.saxutils import escape

from studio.wakeword.rates import Point

_WIDTH, _HEIGHT = 640, 400
_LEFT, _TOP, _RIGHT, _BOTTOM = 70, 50, 20, 60
_RATES = (0, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_INK, _PALE, _CURVE, _OWN = "#222", "#ddd", "#1f6fb2", "#c2410c"


def svg(word: str, points: Sequence[Point], own: Point, about: str) -> str:
    """The picture. `about` is the line below its title."""
    highest = max(one.false_alarms_per_hour for one in points)
    last = next((rate for rate in _RATES if rate >= max(highest, 2)), math.ceil(highest))
    most = max(math.ceil(max(one.missed for one in points) * 10) * 10, 10)

    def x(rate: float) -> float:
        # Both none and many false alarms have a place on it.
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * math.log1p(rate) / math.log1p(last)

    def y(percent: float) -> float:
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * percent / most

    title = f"“{word}”: missed, and false alarms"
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" '
        f'font-size="12" role="img">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
        _text(_LEFT, 22, title, 'font-size="16"'),
        _text(_LEFT, 40, about, 'fill="#555"'),
    ]
    for rate in (one for one in _RATES if one <= last):
        drawn.append(_line(x(rate), y(0), x(rate), y(most), _INK if rate == 0 else _PALE))
        drawn.append(_text(x(rate), y(0) + 18, f"{rate:g}", 'text-anchor="middle"'))
    for percent in range(0, most + 1, 10 if most <= 50 else 20):
        drawn.append(_line(x(0), y(percent), x(last), y(percent), _INK if percent == 0 else _PALE))
        drawn.append(_text(x(0) - 8, y(percent) + 4, f"{percent} %", 'text-anchor="end"'))
    drawn.append(_text((x(0) + x(last)) / 2, _HEIGHT - 16, "false alarms in an hour", 'text-anchor="middle"'))
    middle = (y(0) + y(most)) / 2
    turned = f'text-anchor="middle" transform="rotate(-90 18 {middle:.1f})"'
    drawn.append(_text(18, middle, "missed", turned))
    places = [(x(one.false_alarms_per_hour), y(one.missed * 100)) for one in points]
    line = " ".join(f"{across:.1f},{down:.1f}" for across, down in places)
    drawn.append(f'<polyline points="{line}" fill="none" stroke="{_CURVE}" stroke-width="2"/>')
    for one, (across, down) in zip(points, places, strict=True):
        told = (
            f"sensitivity {one.sensitivity:g}: {one.missed:.1%} missed, {one.false_alarms_per_hour:.3g} false alarms/h"
        )
        radius, colour = (6, _OWN) if one == own else (4, _CURVE)
        drawn.append(
            f'<circle cx="{across:.1f}" cy="{down:.1f}" r="{radius}" fill="{colour}"><title>{told}</title></circle>'
        )
    across, down = x(own.false_alarms_per_hour), y(own.missed * 100)
    side, anchor = (10, "start") if across < _WIDTH / 2 else (-10, "end")
    drawn.append(_text(across + side, down - 8, "own threshold", f'fill="{_OWN}" text-anchor="{anchor}"'))
    return "\n".join([*drawn, "</svg>", ""])


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'


def _text(x: float, y: float, text: str, how: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {how}>{escape(text)}</text>'
