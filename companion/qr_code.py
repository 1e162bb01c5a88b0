"""QR codes, for a terminal and as SVG (segno; BSD-3-Clause). The only file that knows the library."""

from __future__ import annotations

import io


def qr_for_terminal(text: str) -> str:
    """The code in half-block characters, with the quiet zone that a camera needs around it."""
    import segno

    out = io.StringIO()
    segno.make(text, error="q", micro=False).terminal(out, border=2, compact=True)
    return out.getvalue()


def qr_svg(text: str) -> bytes:
    """The code as an SVG file of its own, with `text` as its title."""
    import segno

    out = io.BytesIO()
    segno.make(text, error="q", micro=False).save(out, kind="svg", scale=8, border=4, title=text, light="#fff")
    return out.getvalue()
