"""Who the character is: one TOML file that a manufacturer tunes.

The profile's sections are put to the model in one fixed order, so that the service's cached prefix survives edits to
anything else. Nothing here knows of a device.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from companion.config.loading import Settings, read_settings
from companion.languages.commands import Command, Phrases, spoken_command
from companion.languages.language import language
from companion.languages.loader import language_codes
from companion.languages.understood import DEFAULT, understood


def _known_language(code: str) -> str:
    if code not in language_codes():
        raise ValueError(f"there is no such language; there is {', '.join(language_codes())}")
    return code


LanguageCode = Annotated[
    str, AfterValidator(_known_language), WithJsonSchema({"type": "string", "enum": list(language_codes())})
]
"""The code of one of `companion/languages`."""
Lines = Annotated[tuple[str, ...], Field(min_length=1)]


class Profile(Settings):
    """What the model is told about the character."""

    details: str = Field(min_length=1)
    """Who they are."""
    description: str = ""
    """What they are like."""
    context: str = ""
    """Where they are and whom they talk to."""
    style: str = ""
    """How they talk."""


class PersonaVoice(Settings):
    espeak: str | None = None
    """Voice name of espeak-ng, with a variant if wanted: `en-gb+f3`; that of the persona's language when absent."""
    speaker: int | None = Field(default=None, ge=0)
    """Which speaker of a Piper voice that holds several."""
    speed: float = Field(default=1.0, ge=0.5, le=2.0)
    """1 is the voice's own pace, 2 twice as fast."""
    pitch: int = Field(default=50, ge=0, le=99)
    """espeak-ng only."""


class CastMember(Settings):
    """Another character on the same device, for talk among several."""

    name: str = Field(min_length=1)
    profile: Profile
    speech: PersonaVoice = PersonaVoice()
    lights: tuple[str, ...] = ()
    """Light channels that show this character speaking and feeling; all of the device's where empty."""


class Cues(Settings):
    channel: Literal["emoji", "directions", "inferred"] = "emoji"
    """How the model shows feelings: by emoji (asked for, brackets banned), by stage directions, or not at all."""


class Words(Settings):
    """What a person says to the device itself, in one language. What is left out is as the language has it."""

    stop: tuple[str, ...] = ()
    """Ends the talk without another word."""
    goodbye: tuple[str, ...] = ()
    """Ends the talk with the goodbye line."""
    again: tuple[str, ...] = ()
    """Asks for the last answer in other words."""
    guest: tuple[str, ...] = ()
    """From here on nothing is remembered, until somebody says who they are."""


class SpokenLines(Settings):
    """What the character says by itself, in its own manner."""

    offline: Lines
    """The service cannot be reached."""
    failed: Lines
    """Something else went wrong with this answer."""
    goodbye: tuple[str, ...] = ()
    """In answer to a goodbye; nothing is said when empty."""
    busy: tuple[str, ...] = ()
    """The service has too much to do. `offline` where empty, as for the next two."""
    denied: tuple[str, ...] = ()
    """The service does not let this unit in: a wrong key, a model it may not use."""
    unpaid: tuple[str, ...] = ()
    """The service wants money first."""
    change_subject: tuple[str, ...] = ()
    """What was asked is nothing to talk about; leads elsewhere. `failed` where empty."""
    spent: tuple[str, ...] = ()
    """The money for today or this month is used up. `goodbye`, else `offline`, where empty."""
    guest: tuple[str, ...] = ()
    """From here on nothing is remembered."""


class Persona(Settings):
    """One character."""

    name: str = Field(min_length=1)
    """The character's name; removed where the model writes it before a line (`Name: ...`)."""
    language: LanguageCode = DEFAULT
    profile: Profile
    opening: str = ""
    """The character's first line; it sets the style of all that follow."""
    speech: PersonaVoice = PersonaVoice()
    cues: Cues = Cues()
    lines: SpokenLines
    words: dict[LanguageCode, Words] = Field(default_factory=dict)
    cast: tuple[CastMember, ...] = ()
    """Other characters on this device. The persona itself is the first of the group."""
    lights: tuple[str, ...] = ()
    """In a group: the persona's own light channels."""

    def system_message(self) -> str:
        """The profile as one system message, its sections in a fixed order."""
        sections = [self.profile.details, self.profile.description, self.profile.context, self.profile.style]
        if self.cues.channel == "emoji":
            sections.append(language(self.language).prompts.emoji_asked_for)
        return "\n\n".join(part.strip() for part in sections if part.strip())

    def spoken_command(self, text: str) -> Command | None:
        """The command to the device that a person's words are, if they are one.

        Phrases are those of `words`, and for what is not named there those of the language itself.
        """
        codes = dict.fromkeys((*self.words, self.language))
        names = (self.name, *(member.name for member in self.cast))
        small = frozenset().union(*(one.commands.small_words for one in understood(self.language)))
        return spoken_command(text, map(self._phrases, codes), names, small)

    def _phrases(self, code: str) -> Phrases:
        own = self.words.get(code, Words())
        given: dict[Command, tuple[str, ...]] = {
            "stop": own.stop,
            "goodbye": own.goodbye,
            "again": own.again,
            "guest": own.guest,
        }
        usual = language(code).commands
        return given | {
            command: phrases
            for command, phrases in zip(given, (usual.stop, usual.goodbye, usual.again, usual.guest), strict=True)
            if command not in own.model_fields_set
        }


def load_persona(path: Path, overrides: Mapping[str, Any] | None = None) -> Persona:
    """Read a persona file. Raises `ConfigError` with every problem."""
    return read_settings(path, Persona, overrides)
