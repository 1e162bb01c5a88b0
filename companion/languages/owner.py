"""`owner.toml`: the words of the owner's page. A language without it shows the page in English."""

from __future__ import annotations

from functools import cache
from typing import Annotated

from pydantic import AfterValidator

from companion.languages.loader import Part, filled_with, read_part


def _table(words: str) -> AfterValidator:
    """A table has exactly these keys."""
    names = frozenset(words.split())

    def check(table: dict[str, str]) -> dict[str, str]:
        if missing := sorted(names - table.keys()):
            raise ValueError(f"needs {missing[0]}")
        if unknown := sorted(table.keys() - names):
            raise ValueError(f"has {unknown[0]}, which nothing shows")
        return table

    return AfterValidator(check)


class OwnerTexts(Part):
    """The words, in the order of the page."""

    title: Annotated[str, filled_with("name")]
    skip: str
    menu: str
    overview: str
    time: str
    memory: str
    protection: str
    character: str
    health: str
    access: str
    sign_out: str
    save: str
    back: str
    failed: str
    minutes: Annotated[str, filled_with("count")]
    hours: Annotated[str, filled_with("count")]
    days: Annotated[str, filled_with("count")]
    seconds: Annotated[str, filled_with("count")]
    pair_title: str
    pair_how: str
    pair_code: str
    pair_button: str
    spoken: Annotated[str, filled_with("address", "digits")]
    """What the unit says when its button was held, or when it is opened for the first time."""
    certificate: str
    choose_title: str
    choose_how: str
    pin: str
    pin_again: str
    pin_new: str
    pin_now: str
    pin_save: str
    pin_forgotten: str
    sign_in_title: str
    sign_in: str
    again_how: str
    muted: str
    switched_off: str
    mute: str
    unmute: str
    stop: str
    volume: str
    louder: str
    softer: str
    set_volume: str
    talked_today: str
    of_minutes: Annotated[str, filled_with("count", "most")]
    blocked_today: str
    all_well: str
    see_problems: str
    see_notices: str
    limits_how: str
    minutes_a_day: str
    break_after: str
    bedtime: str
    bedtime_from: str
    bedtime_until: str
    no_bedtime: str
    holds_now: Annotated[str, filled_with("value")]
    no_limit: str
    no_limit_how: str
    memory_how: str
    nobody: str
    no_name: str
    with_character: Annotated[str, filled_with("name")]
    counts: Annotated[str, filled_with("turns", "facts")]
    facts: str
    no_facts: str
    summary: str
    turns: str
    it_said: str
    correct: str
    correct_label: str
    forget: str
    forget_person: str
    forget_sure: str
    forget_how: Annotated[str, filled_with("name")]
    export: str
    let_in_title: str
    let_in_how: str
    let_in: Annotated[str, filled_with("time")]
    let_in_now: Annotated[str, filled_with("time")]
    shut_out: str
    has_word: str
    delete_entry: str
    protection_how: Annotated[str, filled_with("policy")]
    notices: str
    notice_how: str
    nothing_blocked: str
    count_by_kind: str
    kind: str
    count: str
    latest: str
    keep_words: str
    keep_words_how: str
    keep_words_off: str
    clear: str
    consent: str
    consent_how: str
    consent_since: Annotated[str, filled_with("time")]
    consent_none: str
    consent_by: str
    consent_give: str
    consent_take: str
    character_how: str
    present: str
    become: Annotated[str, filled_with("name")]
    for_audience: str
    wake_words: str
    only_button: str
    enrol_how: Annotated[str, filled_with("words")]
    problems: str
    parts: str
    well: str
    up_for: str
    warmth: str
    version: str
    last_answer: str
    changes: str
    no_changes: str
    by_command: str
    sessions: str
    this_one: str
    end_session: str
    end_all: str
    telephones: str
    disconnect: str
    change_pin: str
    close: str
    close_how: str
    reset: str
    reset_how: str
    reset_button: str
    refused: Annotated[
        dict[str, str],
        _table("code_wrong code_over pin_short pin_long pin_easy pin_differ pin_wrong wait no_pin old_form no_value"),
    ]
    done: Annotated[
        dict[str, str],
        _table(
            "volume limits corrected forgotten let_in shut_out cleared keep_words consent consent_taken persona "
            "muted unmuted stopped pin signed_out disconnected"
        ),
    ]
    states: Annotated[dict[str, str], _table("starting idle listening thinking speaking follow_up muted")]
    kinds: Annotated[
        dict[str, str],
        _table(
            "violence sex drugs weapons self_harm frightening insults dangerous_acts contact clinging buying "
            "claims_human"
        ),
    ]
    who: Annotated[dict[str, str], _table("answer person announcement")]
    audiences: Annotated[dict[str, str], _table("adult teen child")]
    links: dict[str, str]
    """What a part of the unit is called: keys of `links` in the status."""
    changed: Annotated[
        dict[str, str],
        _table(
            "opened closed paired disconnected pin pin_reset signed_in signed_out wrong_pin muted unmuted stopped "
            "volume limits corrected forgotten exported let_in shut_out cleared keep_words persona consent "
            "consent_taken reset"
        ),
    ]


@cache
def owner_texts(code: str) -> OwnerTexts | None:
    """The language's `owner.toml`; None where there is none. Raises `LanguageError`."""
    return read_part(code, "owner.toml", OwnerTexts)
