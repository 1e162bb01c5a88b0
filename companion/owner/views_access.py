"""The doors of the owner's page: pairing, the first PIN, signing in; and who is in."""

from __future__ import annotations

from collections.abc import Sequence

from companion.owner.access import Session
from companion.owner.frame import Sight, card, field, pin_field, whole_page
from companion.owner.markup import Html, tag
from companion.owner.owner_file import Telephone


def pair(sight: Sight, fingerprint: str) -> bytes:
    """For a telephone that is not paired. The script puts the QR code's token from the address into the field."""
    texts = sight.texts
    return whole_page(
        sight,
        texts.pair_title,
        tag(
            "section",
            tag("p", texts.pair_how),
            sight.form(
                "/pair",
                field(
                    texts.pair_code,
                    "code",
                    type="text",
                    inputmode="numeric",
                    autocomplete="one-time-code",
                    required=True,
                    maxlength=64,
                    spellcheck="false",
                    class_="code",
                ),
                tag("button", texts.pair_button, class_="main"),
            ),
            class_="card",
        ),
        _certificate(sight, fingerprint),
    )


def choose_pin(sight: Sight) -> bytes:
    """The first PIN."""
    texts = sight.texts
    return whole_page(
        sight,
        texts.choose_title,
        tag(
            "section",
            tag("p", texts.choose_how),
            sight.form(
                "/pin",
                pin_field(texts.pin, "pin", fresh=True),
                pin_field(texts.pin_again, "again", fresh=True),
                tag("button", texts.pin_save, class_="main"),
            ),
            class_="card",
        ),
    )


def sign_in(sight: Sight, fingerprint: str) -> bytes:
    """The PIN."""
    texts = sight.texts
    return whole_page(
        sight,
        texts.sign_in_title,
        tag(
            "section",
            sight.form("/sign-in", pin_field(texts.pin, "pin"), tag("button", texts.sign_in, class_="main")),
            tag("p", tag("small", texts.pin_forgotten)),
            class_="card",
        ),
        _certificate(sight, fingerprint),
    )


def access(sight: Sight, own: Session, sessions: Sequence[Session], telephones: Sequence[Telephone]) -> bytes:
    """Sessions, telephones, the PIN, closing, and the factory reset."""
    texts = sight.texts
    return whole_page(
        sight,
        texts.access,
        card(
            texts.sessions,
            tag(
                "ul",
                (
                    tag(
                        "li",
                        tag("div", tag("strong", one.telephone.name), tag("span", f"{one.peer} · {one.since}",
                                                                          class_="about")),
                        tag("span", texts.this_one, class_="badge")
                        if one is own
                        else sight.button("/end", texts.end_session, session=one.id,
                                          about=f"{texts.end_session}: {one.telephone.name}"),
                        class_="choice",
                    )
                    for one in sessions
                ),
                class_="entries",
            ),
            sight.button("/end-all", texts.end_all) if len(sessions) > 1 else None,
        ),
        card(
            texts.telephones,
            tag(
                "ul",
                (
                    tag(
                        "li",
                        tag("div", tag("strong", one.name), tag("span", one.paired, class_="about")),
                        sight.button("/disconnect", texts.disconnect, telephone=one.id,
                                     about=f"{texts.disconnect}: {one.name}"),
                        class_="choice",
                    )
                    for one in telephones
                ),
                class_="entries",
            ),
        ),
        card(
            texts.change_pin,
            sight.form(
                "/change-pin",
                pin_field(texts.pin_now, "pin"),
                pin_field(texts.pin_new, "new", fresh=True),
                pin_field(texts.pin_again, "again", fresh=True),
                tag("button", texts.pin_save),
            ),
        ),
        card(texts.close, tag("p", texts.close_how), sight.button("/close", texts.close)),
        card(
            texts.reset,
            tag("p", texts.reset_how),
            tag("p", tag("a", texts.reset_button, href="/reset", class_="button danger")),
        ),
    )  # fmt: skip


def reset(sight: Sight) -> bytes:
    """Asks before everything is erased."""
    texts = sight.texts
    return whole_page(
        sight,
        texts.reset,
        tag(
            "section",
            tag("p", texts.reset_how),
            tag("p", texts.again_how),
            sight.form("/reset", pin_field(texts.pin_now, "pin"), tag("button", texts.reset_button, class_="danger")),
            tag("p", tag("a", texts.back, href="/access")),
            class_="card alert",
        ),
    )


def told(sight: Sight, heading: str, sentence: str) -> bytes:
    """A page that only says something."""
    return whole_page(sight, heading, tag("p", sentence, class_="card"), tag("p", tag("a", sight.texts.back, href="/")))


def over(sight: Sight, *, reset: bool) -> bytes:
    """The last page: it was closed, or the unit begins anew."""
    texts = sight.texts
    heading, said = (texts.reset, texts.changed["reset"]) if reset else (texts.changed["closed"], texts.close_how)
    return whole_page(sight, heading, tag("p", said, class_="card"))


def _certificate(sight: Sight, fingerprint: str) -> Html:
    return tag(
        "details", tag("summary", "SHA-256"), tag("p", sight.texts.certificate), tag("p", tag("code", fingerprint))
    )
