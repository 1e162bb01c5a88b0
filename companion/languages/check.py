"""What a language lacks and what is wrong with its files, for `companion check`.

`OPTIONAL_PARTS` lists every file that a language may leave out. Whoever adds a part adds a line there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files

from companion.languages.language import Language, language
from companion.languages.loader import LanguageError
from companion.languages.owner import owner_texts
from companion.languages.understood import understood


@dataclass(frozen=True, slots=True)
class OptionalPart:
    """A file that a language may leave out."""

    read: Callable[[Language], object]
    """Reads and validates it. Raises `LanguageError`."""
    effect: str
    """What does not work without it, as the end of a sentence."""


OPTIONAL_PARTS: Mapping[str, OptionalPart] = {
    "commands.toml": OptionalPart(
        lambda one: one.commands,
        "spoken commands to the device (stop, goodbye, again, guest, learn_voice) are not understood",
    ),
    "enrolment.toml": OptionalPart(
        lambda one: one.enrolment, "it asks for its wake word on the terminal only while it learns a voice"
    ),
    "guard.toml": OptionalPart(lambda one: one.guard, "no sentence is kept from a child, whatever the policy"),
    "guardian.toml": OptionalPart(lambda one: one.guardian, "what a policy asks to be said is said in English"),
    "private.toml": OptionalPart(
        lambda one: one.private, "addresses, schools and full names are not taken out of what a child says"
    ),
    "owner.toml": OptionalPart(lambda one: owner_texts(one.code), "the owner's page is in English"),
    "recognition.toml": OptionalPart(
        lambda one: one.recognition, "new persons are asked for a secret word in English, where a policy asks for one"
    ),
    "turn_taking.toml": OptionalPart(
        lambda one: one.turn_taking, "every pause counts alike, whatever was said, and any word stops an answer"
    ),
    "facts.toml": OptionalPart(
        lambda one: one.facts, "facts that a person tells are not found by patterns (the summary still proposes them)"
    ),
    "names.toml": OptionalPart(lambda one: one.names, "no name is told from other words"),
    "introductions.toml": OptionalPart(
        lambda one: one.introductions, '"my name is ..." does not change who is speaking'
    ),
    "utterances.toml": OptionalPart(lambda one: one.utterances, "questions and private words are not recognised"),
    "index.toml": OptionalPart(lambda one: one.index, "earlier words are found only in exactly the same form"),
    "directions.toml": OptionalPart(lambda one: one.directions, "stage directions are removed but not acted"),
    "emphasis.toml": OptionalPart(lambda one: one.emphasis, "directions between emphasis marks are not recognised"),
    "feelings.toml": OptionalPart(lambda one: one.feelings, "no feelings are inferred from the words"),
    "speech.toml": OptionalPart(lambda one: one.speech, "sentences may be cut at abbreviations"),
}

_REQUIRED = ("language.toml", "prompts.toml")


def missing(code: str) -> list[str]:
    """A sentence for each thing that the language lacks, most of them files. Raises `LanguageError`."""
    present, name = _file_names(code), language(code).general.name
    return [f"{name} has no {file}: {part.effect}" for file, part in OPTIONAL_PARTS.items() if file not in present]


def problems(code: str) -> list[str]:
    """Every problem in the files of a language and of those it `understands`, as `file: key: problem`."""
    found = []
    try:
        languages = understood(code).languages
    except LanguageError as error:
        return str(error).splitlines()
    for one in languages:
        names = sorted(_file_names(one.code) - OPTIONAL_PARTS.keys() - set(_REQUIRED))
        found += [f"languages/{one.code}/{name}: -: a language has no part of this name" for name in names]
        for read in (lambda of: of.general, lambda of: of.prompts, *(part.read for part in OPTIONAL_PARTS.values())):
            try:
                read(one)
            except LanguageError as error:
                found += str(error).splitlines()
    return found


def _file_names(code: str) -> set[str]:
    folder = files("companion.languages").joinpath(code)
    return {entry.name for entry in folder.iterdir() if entry.name.endswith(".toml")} if folder.is_dir() else set()
