"""SVG elements for pictures: text, boxes, lines and the outline of a sound.

Pure. Lengths are in pixels. No fonts are available here, so the width of a text is a generous estimate.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any
from xml.sax.saxutils import escape

import numpy as np

INK, FAINT, LINE = "#1f2933", "#6b7783", "#d9dee3"

Samples = np.ndarray[Any, np.dtype[np.int16]]

_FIRST_WIDE = "\u2e80"
"""From this character on, nearly all are as wide as they are high (Unicode's CJK blocks, emoji)."""
_UNITS = re.compile(rf"[{_FIRST_WIDE}-\U0010ffff][，。！？、：；”）]?|[^{_FIRST_WIDE}-\U0010ffff\s]+\s*|\s+")
"""The units between which a line may be broken: words, or characters of scripts without spaces."""


def document(width: float, height: float, elements: Sequence[str]) -> str:
    """A complete picture on a light background."""
    fonts = "'Noto Sans', 'DejaVu Sans', 'Noto Sans CJK SC', 'WenQuanYi Micro Hei', Arial, sans-serif"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
            f'height="{height}" font-family="{fonts}">',
            box(0, 0, width, height, "#fdfdfb"),
            *elements,
            "</svg>\n",
        ]
    )


def text(
    x: float, y: float, words: str, size: float = 13, colour: str = INK, anchor: str = "start", weight: int = 400
) -> str:
    """One line of text; `anchor` says which end of it is at `x`."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}" text-anchor="{anchor}" '
        f'font-weight="{weight}">{escape_text(words)}</text>'
    )


def box(x: float, y: float, width: float, height: float, colour: str, hint: str = "", radius: float = 0) -> str:
    """A filled rectangle; `hint` is its tooltip."""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(0.0, width):.1f}" height="{height:g}" rx="{radius:g}" '
        f'fill="{colour}"' + (f"><title>{escape_text(hint)}</title></rect>" if hint else "/>")
    )


def vertical_line(x: float, top: float, bottom: float, colour: str, width: float = 1) -> str:
    """A vertical line."""
    return f'<path d="M{x:.1f} {top:.1f}V{bottom:.1f}" stroke="{colour}" stroke-width="{width:g}"/>'


def horizontal_line(left: float, right: float, y: float, colour: str, width: float = 1) -> str:
    """A horizontal line."""
    return f'<path d="M{left:.1f} {y:.1f}H{right:.1f}" stroke="{colour}" stroke-width="{width:g}"/>'


def sound_outline(samples: Samples, edges: Sequence[int], left: float, middle: float, room: float, colour: str) -> str:
    """The outline of a sound: one pixel per pair of `edges` (sample numbers), from the lowest to the highest sample."""
    spans = [samples[max(0, a) : max(a + 1, b, 0)] for a, b in pairwise(edges)]
    peaks = [(float(one.max()), float(one.min())) for one in spans if len(one)]
    if not peaks:
        return ""
    # Quiet speech is scaled up; noise alone stays a line.
    scale = room / max(3000.0, *(abs(value) for pair in peaks for value in pair))
    upper = [f"{left + i:g} {middle - high * scale:.1f}" for i, (high, _) in enumerate(peaks)]
    lower = [f"{left + i:g} {middle - low * scale + 0.5:.1f}" for i, (_, low) in enumerate(peaks)]
    return f'<path d="M{"L".join([*upper, *reversed(lower)])}Z" fill="{colour}"/>'


def escape_text(words: str) -> str:
    """The text with XML's special characters escaped, and without those that XML forbids."""
    allowed = (c for c in words if c >= " " and not "\ud800" <= c <= "\udfff" and c not in "\ufffe\uffff")
    return escape("".join(allowed))


def width_of(words: str, size: float) -> float:
    """The estimated width of a line."""
    return sum(1.0 if c >= _FIRST_WIDE else 0.6 for c in words) * size


def truncate(words: str, room: float, size: float) -> str:
    """As much of a line as fits, with an ellipsis for the rest."""
    if width_of(words, size) <= room:
        return words
    while words and width_of(words, size) + size > room:
        words = words[:-1]
    return words.rstrip() + "…"


def wrap(words: str, room: float, size: float, lines: int) -> list[str]:
    """The text in at most `lines` lines, with an ellipsis for what does not fit."""
    broken = [""]
    for unit in _UNITS.findall(words):
        if broken[-1] and width_of((broken[-1] + unit).rstrip(), size) > room:
            broken.append("")
        broken[-1] += unit
    if len(broken) > lines:
        broken[lines - 1 :] = ["".join(broken[lines - 1 :])]
    return [truncate(one.rstrip(), room, size) for one in broken]
