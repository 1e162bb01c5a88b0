"""The parts of the owner's page that show the unit and change how it behaves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from companion.mind.memory.guard_records import GuardRecord
from companion.owner.change_log import Change
from companion.owner.controls import Guarded, Overview, PersonaChoice, WakeWord
from companion.owner.frame import Sight, bar, card, facts_list, field, span_of, whole_page
from companion.owner.markup import Child, Html, tag

MOST_SHOWN = 100
NO_LIMIT = 1440
"""So many minutes a day are no limit."""


def overview(sight: Sight, seen: Overview) -> bytes:
    """What it does, mute, volume, and how much was talked today."""
    texts, status = sight.texts, seen.status
    muted = bool(status.get("muted"))
    state = texts.states.get(str(status.get("state")), str(status.get("state")))
    hushed = texts.switched_off if seen.switched_off else texts.muted if muted else ""
    return whole_page(
        sight,
        texts.overview,
        tag(
            "section",
            tag("p", seen.persona, class_="who"),
            tag("p", hushed or state, role="status", class_="state off" if hushed else "state"),
            tag(
                "div",
                None
                if seen.switched_off
                else sight.button("/unmute", texts.unmute, kind="main")
                if muted
                else sight.button("/mute", texts.mute, kind="main"),
                sight.button("/stop", texts.stop),
                class_="row",
            ),
            class_="card hero",
        ),
        card(
            texts.volume,
            sight.form(
                "/volume",
                tag(
                    "p",
                    tag("label", texts.volume, for_="volume", class_="unseen"),
                    tag("span", texts.softer, aria_hidden="true"),
                    tag("input", type="range", id="volume", name="percent", min=0, max=100, step=5, value=seen.volume),
                    tag("span", texts.louder, aria_hidden="true"),
                    class_="slider",
                ),
                tag("button", texts.set_volume),
            ),
        ),
        card(texts.talked_today, _talked(sight, seen)),
        card(
            texts.blocked_today,
            tag("p", tag("a", str(status.get("blocked_today", 0)), href="/protection", class_="number")),
            tag("p", tag("a", texts.see_notices, href="/protection")) if sight.has_notices else None,
        ),
        card(
            texts.health,
            tag("p", tag("a", texts.see_problems, href="/health"))
            if status.get("problems")
            else tag("p", texts.all_well, class_="well"),
        ),
    )


def _talked(sight: Sight, seen: Overview) -> Html:
    minutes, most, texts = int(seen.minutes_today), seen.limits.minutes_a_day, sight.texts
    if most is None or most >= NO_LIMIT:
        return tag("p", texts.minutes.format(count=minutes), class_="number")
    said = texts.of_minutes.format(count=minutes, most=most)
    return tag("div", tag("p", said, class_="number"), bar(seen.minutes_today, most, said) if most else None)


def time(sight: Sight, seen: Overview) -> bytes:
    """The limits."""
    texts, own, rules = sight.texts, seen.decided, seen.limits
    pause = own.break_after_minutes, rules.break_after_minutes
    begin, _, end = (own.bedtime or "").partition("-")
    return whole_page(
        sight,
        texts.time,
        tag("p", texts.limits_how, class_="lead"),
        tag(
            "section",
            sight.form(
                "/limits",
                _minutes(sight, texts.minutes_a_day, "minutes_a_day", 0, own.minutes_a_day, rules.minutes_a_day),
                _minutes(sight, texts.break_after, "break_after", 1, *pause),
                tag(
                    "fieldset",
                    tag("legend", texts.bedtime),
                    tag(
                        "div",
                        field(texts.bedtime_from, "bedtime_from", type="time", value=begin or None),
                        field(texts.bedtime_until, "bedtime_until", type="time", value=end or None),
                        class_="row",
                    ),
                    tag(
                        "p",
                        tag("input", type="checkbox", id="no-bedtime", name="no_bedtime", value="yes",
                            checked=own.bedtime == ""),
                        tag("label", texts.no_bedtime, for_="no-bedtime"),
                        class_="tick",
                    ),
                    tag("p", tag("small", texts.holds_now.format(value=rules.bedtime or texts.no_limit))),
                ),
                tag("button", texts.save, class_="main"),
            ),
            class_="card",
        ),
        card(texts.talked_today, _talked(sight, seen)),
    )  # fmt: skip


def _minutes(sight: Sight, label: str, name: str, least: int, own: int | None, holds: int | None) -> Html:
    texts = sight.texts
    now = texts.no_limit if holds is None or holds >= NO_LIMIT else texts.minutes.format(count=holds)
    hint = f"{texts.holds_now.format(value=now)} {texts.no_limit_how}"
    return field(label, name, hint=hint, type="number", inputmode="numeric", min=least, max=NO_LIMIT, value=own)


def protection(sight: Sight, seen: Overview, guarded: Guarded) -> bytes:
    """What was kept back, messages, and consent."""
    texts = sight.texts
    counts = Counter(one.category for one in guarded.blocked)
    return whole_page(
        sight,
        texts.protection,
        tag("p", texts.protection_how.format(policy=seen.policy), class_="lead"),
        card(texts.notices, tag("p", texts.notice_how), _records(sight, guarded.notices), class_="alert")
        if guarded.notices
        else None,
        _consent(sight, seen) if seen.needs_consent or seen.consent else None,
        card(
            texts.count_by_kind,
            _table(
                (texts.kind, texts.count),
                [(texts.kinds.get(name, name), number) for name, number in counts.most_common()],
            )
            if counts
            else tag("p", texts.nothing_blocked),
        ),
        card(texts.latest, _records(sight, guarded.blocked)) if guarded.blocked else None,
        card(
            texts.keep_words,
            tag("p", texts.keep_words_how),
            sight.button(
                "/keep-words",
                texts.keep_words_off if guarded.keep_words else texts.keep_words,
                keep="no" if guarded.keep_words else "yes",
            ),
        ),
        sight.button("/clear", texts.clear, kind="danger") if guarded.blocked or guarded.notices else None,
    )


def _records(sight: Sight, records: Sequence[GuardRecord]) -> Html:
    texts = sight.texts
    return tag(
        "ul",
        (
            tag(
                "li",
                tag("strong", texts.kinds.get(one.category, one.category)),
                tag(
                    "span",
                    tag("time", f"{one.at:%Y-%m-%d %H:%M}", datetime=one.at.isoformat()),
                    " · ",
                    texts.who.get(one.who, one.who),
                    f" · {one.person}" if one.person else None,
                    class_="about",
                ),
                tag("q", one.words) if one.words else None,
            )
            for one in records[:MOST_SHOWN]
        ),
        class_="entries",
    )


def _consent(sight: Sight, seen: Overview) -> Html:
    texts = sight.texts
    if seen.consent:
        return card(
            texts.consent,
            tag("p", texts.consent_since.format(time=seen.consent)),
            sight.button("/consent", texts.consent_take, given="no"),
        )
    return card(
        texts.consent,
        tag("p", texts.consent_none, class_="bad"),
        tag("p", texts.consent_how),
        sight.form(
            "/consent",
            field(texts.consent_by, "by", type="text", maxlength=100, required=True, autocomplete="name"),
            tag("button", texts.consent_give, class_="main"),
            given="yes",
        ),
        class_="alert",
    )


def character(sight: Sight, choices: Sequence[PersonaChoice], word: WakeWord) -> bytes:
    """Whom the unit is, and what wakes it."""
    texts = sight.texts
    return whole_page(
        sight,
        texts.character,
        tag("p", texts.character_how, class_="lead"),
        tag(
            "ul",
            (
                tag(
                    "li",
                    tag(
                        "div",
                        tag("strong", one.name),
                        tag("span", f"{texts.for_audience} {texts.audiences.get(one.audience, one.audience)}",
                            class_="about"),
                    ),
                    tag("span", texts.present, class_="badge")
                    if one.is_present
                    else sight.button("/persona", texts.become.format(name=one.name), persona=one.file),
                    class_="choice",
                )
                for one in choices
            ),
            class_="card entries",
        ),
        card(
            texts.wake_words,
            tag("p", ", ".join(f'"{one}"' for one in word.words) or texts.only_button),
            tag("p", texts.enrol_how.format(words=word.learns)) if word.learns else None,
        ),
    )  # fmt: skip


def health(sight: Sight, seen: Overview, changes: Sequence[Change]) -> bytes:
    """What works and what does not, and who changed what."""
    texts, status = sight.texts, seen.status
    problems = [str(one) for one in status.get("problems") or ()]
    return whole_page(
        sight,
        texts.health,
        card(texts.problems, tag("ul", (tag("li", one) for one in problems)), class_="alert")
        if problems
        else tag("p", texts.all_well, class_="notice good"),
        card(texts.parts, facts_list(*_parts(sight, status))),
        card(
            texts.changes,
            tag(
                "ul",
                (
                    tag(
                        "li",
                        tag("strong", texts.changed.get(one.what, one.what)),
                        tag("span", one.at, " · ", one.who or texts.by_command, class_="about"),
                        tag("span", one.detail) if one.detail else None,
                    )
                    for one in changes[:MOST_SHOWN]
                ),
                class_="entries",
            )
            if changes
            else tag("p", texts.no_changes),
        ),
    )


def _parts(sight: Sight, status: Mapping[str, Any]) -> list[tuple[str, Child]]:
    texts = sight.texts
    found: list[tuple[str, Child]] = [
        (texts.links.get(str(name), str(name)), texts.well if told == "well" else str(told))
        for name, told in dict(status.get("links") or {}).items()
    ]
    found.append((texts.up_for, span_of(texts, float(status.get("uptime_s") or 0))))
    if (degrees := status.get("temperature_c")) is not None:
        found.append((texts.warmth, f"{degrees} °C"))
    total = dict((status.get("last_turn") or {}).get("latency_ms") or {}).get("total")
    if total is not None:
        found.append((texts.last_answer, texts.seconds.format(count=round(total / 1000, 1))))
    return [*found, (texts.version, str(status.get("version", "")))]


def _table(heads: Sequence[str], rows: Sequence[tuple[str, int]]) -> Html:
    return tag(
        "table",
        tag("thead", tag("tr", (tag("th", one, scope="col") for one in heads))),
        tag("tbody", (tag("tr", tag("th", name, scope="row"), tag("td", number)) for name, number in rows)),
    )
