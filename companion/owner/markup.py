"""HTML that is safe by construction: text is always escaped, only `Html` is not, and only `tag` makes `Html`. Pure.

There is no way to write markup into a page as text: whatever a person, a persona or a model said stays text. Names of
tags and attributes are written by us; values of attributes are escaped and always stand between quotes.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass

_NAME = re.compile(r"[a-z][a-z0-9-]*")
_VOID = frozenset({"br", "hr", "img", "input", "link", "meta"})
_REFUSED = frozenset({"style", "srcdoc"})
"""Attributes that hold another language, in which escaping does not help; `on...` is refused, too."""


@dataclass(frozen=True, slots=True)
class Html:
    """A piece of a page. Made by `tag` and `together`."""

    source: str


Child = Html | str | int | None
Value = str | int | bool | None


def together(*children: Child | Iterable[Child]) -> Html:
    """The children one after the other; None is left out."""
    pieces: list[str] = []
    for one in children:
        if isinstance(one, Html):
            pieces.append(one.source)
        elif isinstance(one, str | int):
            pieces.append(html.escape(str(one)))
        elif one is not None:
            pieces.append(together(*one).source)
    return Html("".join(pieces))


def tag(element: str, /, *children: Child | Iterable[Child], **attributes: Value) -> Html:
    """One element. `class_` and `aria_label` become `class` and `aria-label`; True is an attribute without a value.

    An attribute that is None or False is left out. Raises `ValueError` for what could hold script.
    """
    written = []
    for key, value in attributes.items():
        called = key.rstrip("_").replace("_", "-")
        if not _NAME.fullmatch(called) or called in _REFUSED or called.startswith("on"):
            raise ValueError(f"the attribute {called} is not written into pages")
        if called in ("href", "src", "action") and not _is_own_address(str(value)):
            raise ValueError(f"{called} leads away from this page")
        if value is True:
            written.append(f" {called}")
        elif value is not None and value is not False:
            written.append(f' {called}="{html.escape(str(value))}"')
    if not _NAME.fullmatch(element) or (element in ("script", "style") and children):
        raise ValueError(f"the element {element} is not written into pages")
    begin = f"<{element}{''.join(written)}>"
    return Html(begin if element in _VOID else f"{begin}{together(*children).source}</{element}>")


def _is_own_address(address: str) -> bool:
    return address.startswith("#") or (address.startswith("/") and not address.startswith(("//", "/\\")))


def document(language: str, head: Html, body: Html) -> bytes:
    """A whole page."""
    page = tag("html", tag("head", head), tag("body", body), lang=language)
    return f"<!doctype html>\n{page.source}\n".encode("utf-8", "replace")
