"""What every part of the owner's page has in common: its frame, its forms, and how numbers are written. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from companion.languages.owner import OwnerTexts
from companion.owner.markup import Child, Html, document, tag, together

PARTS = ("overview", "time", "memory", "protection", "character", "health", "access")
"""The parts, by the keys of their names; the first is at `/`, each other at `/<key>`."""


@dataclass(frozen=True, slots=True)
class Sight:
    """For whom a page is written."""

    texts: OwnerTexts
    language: str
    name: str
    """The unit's."""
    token: str
    """Stands in every form."""
    part: str = ""
    """Of `PARTS`; empty for whoever is not signed in."""
    done: str = ""
    """What has just been done: a key of `texts.done`."""
    refused: str = ""
    """Why it has not, as a sentence."""
    has_notices: bool = False

    def form(self, action: str, *children: Child, class_: str | None = None, **hidden: str | int) -> Html:
        """A form that is sent to `action`."""
        return tag(
            "form",
            tag("input", type="hidden", name="token", value=self.token),
            (tag("input", type="hidden", name=name, value=str(value)) for name, value in hidden.items()),
            *children,
            method="post",
            action=action,
            class_=class_,
        )

    def button(self, action: str, label: str, *, kind: str = "", about: str | None = None, **hidden: str | int) -> Html:
        """A form of one button. `about` tells a screen reader what it is about, where the label alone does not."""
        return self.form(action, tag("button", label, class_=kind or None, aria_label=about), class_="inline", **hidden)


def whole_page(sight: Sight, heading: str, *content: Child | Iterable[Child]) -> bytes:
    """One whole page."""
    texts = sight.texts
    title = texts.title.format(name=sight.name)
    head = together(
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="robots", content="noindex"),
        tag("title", f"{heading} - {title}"),
        tag("link", rel="stylesheet", href="/owner.css"),
        tag("link", rel="icon", href="/icon.svg", type="image/svg+xml"),
        tag("script", src="/owner.js", defer=True),
    )
    body = together(
        tag("a", texts.skip, href="#content", class_="skip"),
        tag(
            "header",
            tag("p", tag("span", aria_hidden="true", class_="mark"), sight.name, class_="unit"),
            sight.button("/sign-out", texts.sign_out, kind="quiet") if sight.part else None,
        ),
        _menu(sight) if sight.part else None,
        tag(
            "main",
            tag("h1", heading),
            tag("p", sight.refused, role="alert", class_="notice bad") if sight.refused else None,
            tag("p", texts.done[sight.done], role="status", class_="notice good") if sight.done in texts.done else None,
            *content,
            id="content",
            tabindex="-1",
            class_=None if sight.part else "narrow",
        ),
    )
    return document(sight.language, head, body)


def _menu(sight: Sight) -> Html:
    links = (
        tag(
            "li",
            tag(
                "a",
                getattr(sight.texts, part),
                tag("span", "•", class_="dot", aria_hidden="true")
                if part == "protection" and sight.has_notices
                else None,
                href=address_of(part),
                aria_current="page" if part == sight.part else None,
            ),
        )
        for part in PARTS
    )
    return tag("nav", tag("ul", links), aria_label=sight.texts.menu)


def address_of(part: str) -> str:
    """Where a part is."""
    return "/" if part == PARTS[0] else f"/{part}"


def card(heading: str, *content: Child | Iterable[Child], class_: str = "") -> Html:
    """A section with a heading."""
    return tag("section", tag("h2", heading), *content, class_=f"card {class_}".strip())


def field(label: str, name: str, *, hint: str = "", **attributes: str | int | bool | None) -> Html:
    """A labelled input; `hint` stands below it."""
    number = f"f-{name}"
    return tag(
        "p",
        tag("label", label, for_=number),
        tag("input", id=number, name=name, aria_describedby=f"{number}-hint" if hint else None, **attributes),
        tag("small", hint, id=f"{number}-hint") if hint else None,
        class_="field",
    )


def pin_field(label: str, name: str, *, fresh: bool = False) -> Html:
    """An input for a PIN."""
    return field(
        label,
        name,
        type="password",
        autocomplete="new-password" if fresh else "current-password",
        required=True,
        maxlength=64,
    )


def facts_list(*pairs: tuple[str, Child]) -> Html:
    """Names and what belongs to them."""
    return tag("dl", (together(tag("dt", name), tag("dd", value)) for name, value in pairs))


def bar(value: float, most: float, label: str) -> Html:
    """How much of something is used up."""
    return tag("meter", min=0, max=round(most), value=str(min(round(value), round(most))), aria_label=label)


def span_of(texts: OwnerTexts, seconds: float) -> str:
    """A time as people say it, rounded up."""
    if seconds < 90:
        return texts.seconds.format(count=math.ceil(seconds))
    if seconds < 90 * 60:
        return texts.minutes.format(count=math.ceil(seconds / 60))
    if seconds < 48 * 3600:
        return texts.hours.format(count=round(seconds / 3600))
    return texts.days.format(count=round(seconds / 86400))
