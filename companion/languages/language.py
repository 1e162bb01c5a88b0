"""One language: its files, each read when it is first asked for.

`language.toml` and `prompts.toml` must be there; without another file it works with less (`check.missing` says what).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from functools import cache, cached_property
from typing import Annotated, Any, Literal

from companion.languages.enrolment import EnrolmentLines
from companion.languages.guard import GuardianLines, GuardRules
from companion.languages.loader import (
    AnyPart,
    LanguageError,
    Part,
    Regex,
    WordSet,
    filled_with,
    language_codes,
    read_arrays,
    read_part,
)
from companion.languages.memory import Facts, FactSentences, Index, Introductions, Names, Utterances
from companion.languages.private import PrivateWords
from companion.languages.recognition import RecognitionLines
from companion.languages.stage import Directions, Emphasis, Feelings, Speech

Code = str
"""The code of a language: the name of its folder."""


class Voices(Part):
    """The language's names in the engines."""

    espeak: str
    """The espeak-ng voice of a persona that names none."""
    others: tuple[str, ...] = ()
    """Other codes that models and voices of this language go by (`cn`, `cmn`)."""
    scripts: tuple[str, ...] = ()
    """Scripts that its voices read beside Latin, by the word with which Unicode's names of their letters begin (`CJK`).
    Words in others are left out: a voice would spell them out."""
    espeak_scripts: tuple[str, ...] | None = None
    """The same for espeak-ng, where it reads fewer."""
    espeak_unread: str = ""
    """What of its writing espeak-ng cannot read, in English; empty where it reads all."""
    embedded_transcriber: bool = False
    """Whether the transcriber that needs no download understands it."""


class Dates(Part):
    """Dates and times, as they are said to the model."""

    date: Annotated[str, filled_with("day", "year", optional=("month", "month_number"))]
    """With `{day}`, `{year}` and `{month}` (its name) or `{month_number}`."""
    months: tuple[str, ...] = ()
    """From January on; empty where `date` needs no names."""
    weekdays: tuple[str, ...]
    """From Monday on."""


class General(Part):
    """`language.toml`."""

    name: str
    """In English."""
    own_name: str
    writing: Literal["spaced", "unspaced"]
    """Whether blanks stand between words: it decides which algorithms read the language."""
    also_called: tuple[str, ...] = ()
    """Names by which an installer may choose it, in small letters."""
    script: Regex | None = None
    """A character that no other language is written with: who writes it, writes this language."""
    shared_script: Regex | None = None
    """The same for a script that other languages use beside one of their own (Han in Chinese)."""
    common_words: Regex | None = None
    """Words by which a text of the language is told from another one in the same script; in small letters."""
    sample: str
    """Something short to say when a voice is tried."""
    cannot_hear: str
    """What a unit says that has no speech recognition for the language."""
    no_microphone: str
    """What a unit says at its start that has no microphone."""
    colon: str = ":"
    understands: tuple[str, ...] = ()
    """Codes of other languages that a device of this language understands as well."""
    service_memory: bool = False
    """Whether the service's own memory understands it."""
    voices: Voices
    dates: Dates


class Commands(Part):
    """`commands.toml`: what people say to the device itself."""

    stop: tuple[str, ...] = ()
    goodbye: tuple[str, ...] = ()
    again: tuple[str, ...] = ()
    guest: tuple[str, ...] = ()
    learn_voice: tuple[str, ...] = ()
    small_words: WordSet = frozenset()
    """Words that may stand around a command; in unspaced writing single characters."""
    name_ends: tuple[str, ...] = ()
    """Glued to the name of somebody who is called: the 야 of `토리야`."""


class TurnTakingWords(Part):
    """`turn_taking.toml`: by which words people show that they have finished, or have not."""

    unfinished: Regex | None = None
    """What ends in this goes on: `and`, an article, "um"."""
    may_end: Regex | None = None
    """Looks `unfinished`, and may be all nevertheless."""
    whole: Regex | None = None
    """This is all, as far as words can tell."""
    short_answer: Regex | None = None
    """This is all, where the character had asked something."""
    listening: WordSet = frozenset()
    """Words of which consists what people say while they listen: it does not stop the one who speaks."""


class SummaryPrompt(Part):
    """What the model is asked when it has to sum a talk up."""

    marker: str
    """How the request begins; by this the emulator knows it."""
    instruction: str
    so_far: str
    """Stands before the summary that there is already."""
    since: str
    """Stands before what was said since."""
    person: str
    """What the person is called in it."""
    character: str
    facts: Annotated[str, filled_with("most", "form", "kinds")]
    """Asks for facts as lines behind the summary: at most `{most}` of the form `{form}`, of one of the `{kinds}`."""


class Moment(Part):
    """Sentences that tell the model about this moment."""

    now: Annotated[str, filled_with("weekday", "day", "year", "time", optional=("month", "month_number"))]
    """With `{weekday}`, `{day}`, `{month}` (its name), `{month_number}`, `{year}` and `{time}`."""
    running: Annotated[str, filled_with("hours", "minutes")]
    """For how long the device has been on; with `{hours}` and `{minutes}`."""
    warmth: Annotated[str, filled_with("degrees")]
    """With `{degrees}` Celsius."""
    battery: Annotated[str, filled_with("percent")]
    """With `{percent}`."""
    charging: Annotated[str, filled_with("percent")]
    """The same while it is charged."""
    place: Annotated[str, filled_with("place")]
    """With `{place}`."""
    standing: Annotated[str, filled_with()]
    """The car stands still."""
    driving: Annotated[str, filled_with("speed")]
    """With `{speed}` in km/h."""


class Prompts(Part):
    """`prompts.toml`: what the model is told beside the persona's own profile."""

    emoji_asked_for: str
    """Asks for feelings as emoji, and for no actions in brackets."""
    remembered: str
    """Stands before the summary of earlier talks."""
    somebody: str
    """What a person is called whose name is unknown."""
    speaking_with: Annotated[str, filled_with("person")]
    """With `{person}`."""
    other_words: str = ""
    """Asks once more for an answer that repeated an earlier one."""
    script_names: tuple[str, ...] = ()
    """What a script calls the two who speak (user, assistant), beside the English words: a line that begins with one is
    not the character's."""
    summary: SummaryPrompt
    moment: Moment
    facts: FactSentences


class Language:
    """One language. `language(code)` gives it."""

    def __init__(self, code: str) -> None:
        self.code = code

    @cached_property
    def general(self) -> General:
        """`language.toml`."""
        return self._required("language.toml", General)

    @cached_property
    def prompts(self) -> Prompts:
        """`prompts.toml`."""
        return self._required("prompts.toml", Prompts)

    @cached_property
    def commands(self) -> Commands:
        """`commands.toml`; empty where there is none."""
        return read_part(self.code, "commands.toml", Commands) or Commands()

    @cached_property
    def enrolment(self) -> EnrolmentLines | None:
        """`enrolment.toml`."""
        return read_part(self.code, "enrolment.toml", EnrolmentLines)

    @cached_property
    def turn_taking(self) -> TurnTakingWords:
        """`turn_taking.toml`; empty where there is none, as are all that follow."""
        return read_part(self.code, "turn_taking.toml", TurnTakingWords) or TurnTakingWords()

    @cached_property
    def directions(self) -> Directions:
        """`directions.toml`."""
        return read_part(self.code, "directions.toml", Directions) or Directions()

    @cached_property
    def emphasis(self) -> Emphasis:
        """`emphasis.toml`."""
        return read_part(self.code, "emphasis.toml", Emphasis) or Emphasis()

    @cached_property
    def feelings(self) -> Feelings:
        """`feelings.toml`."""
        return read_part(self.code, "feelings.toml", Feelings) or Feelings()

    @cached_property
    def speech(self) -> Speech:
        """`speech.toml`."""
        return read_part(self.code, "speech.toml", Speech) or Speech()

    @cached_property
    def facts(self) -> Facts:
        """`facts.toml`."""
        return read_part(self.code, "facts.toml", Facts) or Facts()

    @cached_property
    def names(self) -> Names:
        """`names.toml`."""
        return read_part(self.code, "names.toml", Names) or Names()

    @cached_property
    def introductions(self) -> Introductions:
        """`introductions.toml`."""
        return read_part(self.code, "introductions.toml", Introductions) or Introductions()

    @cached_property
    def utterances(self) -> Utterances:
        """`utterances.toml`."""
        return read_part(self.code, "utterances.toml", Utterances) or Utterances()

    @cached_property
    def index(self) -> Index:
        """`index.toml`."""
        return read_part(self.code, "index.toml", Index) or Index()

    @cached_property
    def guard(self) -> GuardRules:
        """`guard.toml`."""
        return read_part(self.code, "guard.toml", GuardRules) or GuardRules()

    @cached_property
    def guard_model(self) -> Mapping[str, Any] | None:
        """`guard.npz`: the arrays of `companion.guard.likeness`, which `make guard` writes; None where it has none."""
        return read_arrays(self.code, "guard.npz")

    @cached_property
    def guardian(self) -> GuardianLines | None:
        """`guardian.toml`; None where there is none."""
        return read_part(self.code, "guardian.toml", GuardianLines)

    @cached_property
    def private(self) -> PrivateWords:
        """`private.toml`."""
        return read_part(self.code, "private.toml", PrivateWords) or PrivateWords()

    @cached_property
    def recognition(self) -> RecognitionLines:
        """`recognition.toml`; empty where there is none."""
        return read_part(self.code, "recognition.toml", RecognitionLines) or RecognitionLines()

    @property
    def is_spaced(self) -> bool:
        """Whether blanks stand between words."""
        return self.general.writing == "spaced"

    @property
    def blank(self) -> str:
        """What stands between two sentences."""
        return " " if self.is_spaced else ""

    def date(self, at: date) -> str:
        """A date as it is said: `3 May 2026`, `2026年5月3日`."""
        dates = self.general.dates
        month = dates.months[at.month - 1] if dates.months else ""
        return dates.date.format(day=at.day, month=month, month_number=at.month, year=at.year)

    def _required(self, file: str, model: type[AnyPart]) -> AnyPart:
        if (part := read_part(self.code, file, model)) is None:
            raise LanguageError(f"languages/{self.code}/{file}: -: this file is missing")
        return part


@cache
def language(code: str) -> Language:
    """The language of that code. Raises `LanguageError` where there is none."""
    if code not in language_codes():
        raise LanguageError(f"{code}: there is no such language; there is {', '.join(language_codes())}")
    return Language(code)


def find_language(code: str) -> Language | None:
    """The language that goes by this code, as models and voices name it (`cn`, `cmn`, `zh-TW`, `en_US`); else None."""
    short = re.split("[-_]", code, maxsplit=1)[0].casefold()
    if short in language_codes():
        return language(short)
    return next((one for one in map(language, language_codes()) if short in one.general.voices.others), None)
