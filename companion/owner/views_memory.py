"""The part of the owner's page that shows what is remembered of each person, corrects it and forgets it."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from companion.mind.memory.inspection import PersonOverview
from companion.owner.controls import Person
from companion.owner.frame import Sight, card, pin_field, span_of, whole_page
from companion.owner.markup import Html, tag

TURNS_SHOWN = 50
LET_IN_HOURS = (1, 24, 24 * 30)


def persons(sight: Sight, found: Sequence[PersonOverview]) -> bytes:
    """Everyone of whom something is remembered."""
    texts = sight.texts
    return whole_page(
        sight,
        texts.memory,
        tag("p", texts.memory_how, class_="lead"),
        tag(
            "ul",
            (
                tag(
                    "li",
                    tag("a", one.person or texts.no_name, href=_address("/person", one.persona, one.person)),
                    tag(
                        "span",
                        texts.with_character.format(name=one.persona),
                        " · ",
                        texts.counts.format(turns=one.turns, facts=one.facts),
                        f" · {one.last:%Y-%m-%d}" if one.last else None,
                        class_="about",
                    ),
                )
                for one in found
            ),
            class_="card entries",
        )
        if found
        else tag("p", texts.nobody, class_="card"),
    )


def person(sight: Sight, one: Person) -> bytes:
    """Everything about one person."""
    texts, memory = sight.texts, one.memory
    of = {"persona": one.persona, "person": memory.person}
    called = memory.person or texts.no_name
    return whole_page(
        sight,
        called,
        tag("p", tag("a", texts.back, href="/memory"), class_="crumb"),
        tag("p", texts.with_character.format(name=one.persona), class_="lead"),
        _let_in(sight, one) if one.asks and memory.person else None,
        card(
            texts.facts,
            tag("ul", (_entry(sight, of, fact.id, fact.text) for fact in memory.facts), class_="entries")
            if memory.facts
            else tag("p", texts.no_facts),
        ),
        card(texts.summary, tag("p", memory.summary)) if memory.summary else None,
        card(
            texts.turns,
            tag(
                "ul",
                (
                    _entry(sight, of, turn.id, turn.said, f"{turn.at:%Y-%m-%d %H:%M}", turn.heard)
                    for turn in reversed(memory.exchanges[-TURNS_SHOWN:])
                ),
                class_="entries",
            ),
        )
        if memory.exchanges
        else None,
        tag(
            "div",
            tag(
                "a", texts.export, href=_address("/export", one.persona, memory.person), class_="button", download=True
            ),
            tag("a", texts.forget_person, href=_address("/forget", one.persona, memory.person), class_="button danger"),
            class_="row",
        ),
    )


def forget(sight: Sight, persona: str, name: str) -> bytes:
    """Asks before a person is forgotten."""
    texts = sight.texts
    return whole_page(
        sight,
        texts.forget_person,
        tag(
            "section",
            tag("p", tag("strong", name or texts.no_name)),
            tag("p", texts.forget_how.format(name=persona)),
            sight.form(
                "/forget",
                pin_field(texts.pin_now, "pin"),
                tag("button", texts.forget_sure, class_="danger"),
                persona=persona,
                person=name,
            ),
            tag("p", tag("a", texts.back, href=_address("/person", persona, name))),
            class_="card alert",
        ),
    )


def _entry(sight: Sight, of: dict[str, str], number: int, text: str, at: str = "", answered: str = "") -> Html:
    texts = sight.texts
    return tag(
        "li",
        tag("span", at, class_="about") if at else None,
        tag("p", text) if text else None,
        tag("p", f"{texts.it_said}: {answered}", class_="about") if answered else None,
        tag(
            "details",
            tag("summary", f"{texts.correct} / {texts.forget}", aria_label=f"{texts.correct} / {texts.forget}: {text}"),
            sight.form(
                "/correct",
                tag("p", tag("label", texts.correct_label, for_=f"text-{number}"),
                    tag("textarea", text, id=f"text-{number}", name="text", rows=2, maxlength=2000, required=True),
                    class_="field"),
                tag("button", texts.correct),
                number=number,
                **of,
            ) if text else None,
            sight.button("/forget-entry", texts.delete_entry, kind="danger", about=f"{texts.delete_entry}: {text}",
                         number=number, **of),
        ),
    )  # fmt: skip


def _let_in(sight: Sight, one: Person) -> Html:
    texts = sight.texts
    of = {"persona": one.persona, "person": one.memory.person}
    until = one.let_in_until
    return card(
        texts.let_in_title,
        tag("p", texts.let_in_how),
        tag("p", texts.has_word) if one.has_word else None,
        tag("p", texts.let_in_now.format(time=f"{until:%Y-%m-%d %H:%M}")) if until else None,
        tag(
            "div",
            (
                sight.button("/let-in", texts.let_in.format(time=span_of(texts, hours * 3600)), hours=hours, **of)
                for hours in LET_IN_HOURS
            ),
            sight.button("/let-in", texts.shut_out, hours="", **of) if until else None,
            class_="row",
        ),
    )


def _address(path: str, persona: str, person: str) -> str:
    return f"{path}?{urlencode({'persona': persona, 'person': person})}"
