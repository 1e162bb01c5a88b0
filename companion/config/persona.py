"""The persona file: who the character is, in one TOML file that a manufacturer tunes.

The sections of the profile are sent to the model in a fixed order, so that the service's cached prefix survives edits
to anything else. A persona is independent of any device.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from companion.config.loading import Settings, read_settings
from companion.config.policy import Audience, Category
from companion.languages.language import language
from companion.languages.loader import language_codes
from companion.languages.understood import DEFAULT, Command, Phrases, spoken_command, understood


def _known_language(code: str) -> str:
    if code not in language_codes():
        raise ValueError(f"there is no such language; there is {', '.join(language_codes())}")
    return code


LanguageCode = Annotated[
    str, AfterValidator(_known_language), WithJsonSchema({"type": "string", "enum": list(language_codes())})
]
"""The code of a language in `companion/languages`."""
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
    """Voice name for espeak-ng, optionally with a variant: `en-gb+f3`. The language's own voice when absent."""
    speaker: int | None = Field(default=None, ge=0)
    """Number of the speaker, for a Piper voice with several."""
    speed: float = Field(default=1.0, ge=0.5, le=2.0)
    """Speed of speech: 1 is the voice's own pace, 2 is twice as fast."""
    pitch: int = Field(default=50, ge=0, le=99)
    """Pitch of the voice, for espeak-ng only."""


class CastMember(Settings):
    """Another character on the same device, for conversations among several."""

    name: str = Field(min_length=1)
    """The character's name."""
    profile: Profile
    """What the model is told about this character."""
    speech: PersonaVoice = PersonaVoice()
    """This character's voice."""
    lights: tuple[str, ...] = ()
    """Light channels that show this character speaking and feeling; all of the device's when empty."""


class Cues(Settings):
    channel: Literal["emoji", "directions", "inferred"] = "emoji"
    """How the model shows feelings: `emoji` (asks for them and bans brackets), `directions` (stage directions in
    brackets), or `inferred` (not at all; they are inferred from the text)."""


class Words(Settings):
    """Phrases that command the device itself, in one language. Those left out are the language's own."""

    stop: tuple[str, ...] = ()
    """Phrases that end the conversation without another word."""
    goodbye: tuple[str, ...] = ()
    """Phrases that end the conversation with the goodbye line."""
    again: tuple[str, ...] = ()
    """Phrases that ask for the last answer in other words."""
    guest: tuple[str, ...] = ()
    """Phrases after which nothing is remembered, until somebody says who they are."""
    learn_voice: tuple[str, ...] = ()
    """Phrases after which its own wake word learns how the person calls it."""


class SpokenLines(Settings):
    """What the character says by itself, in its own style. Several lines of one kind take turns."""

    offline: Lines
    """Said when the service cannot be reached."""
    failed: Lines
    """Said when anything else went wrong with an answer."""
    goodbye: tuple[str, ...] = ()
    """Answer to a goodbye. When empty nothing is said."""
    busy: tuple[str, ...] = ()
    """Said when the service is overloaded. When empty, `offline` is used."""
    denied: tuple[str, ...] = ()
    """Said when the service refuses this unit: a wrong key, or a model that it may not use. When empty, `offline` is
    used."""
    unpaid: tuple[str, ...] = ()
    """Said when the service demands payment first. When empty, `offline` is used."""
    change_subject: tuple[str, ...] = ()
    """Said when the service's moderation refuses a subject, to lead to another. When empty, `failed` is used."""
    spent: tuple[str, ...] = ()
    """Said when the budget for today or this month is used up. When empty, `goodbye` is used, else `offline`."""
    filler: tuple[str, ...] = ()
    """Said while an answer is late ("Hmm, let me think."): a few words, no part of the answer. When empty nothing is
    said."""
    cannot_hear: tuple[str, ...] = ()
    """Said at every wake while the unit has no speech recognition for the persona's language. When empty, plain words
    of the language are used."""
    guest: tuple[str, ...] = ()
    """Said when from now on nothing is remembered."""
    blocked: tuple[str, ...] = ()
    """Said in place of what the policy does not allow: leads to something else. Plain words of the language when
    empty, as for all that follow."""
    ai: tuple[str, ...] = ()
    """That it is a computer and no human being, in the character's own manner."""
    reminder: tuple[str, ...] = ()
    """The same when they have talked for long."""
    pause: tuple[str, ...] = ()
    """The time for a break has come: a gentle end of the talk."""
    resting: tuple[str, ...] = ()
    """Answer to a wake during the break."""
    day_over: tuple[str, ...] = ()
    """The minutes of today are used up."""
    bedtime: tuple[str, ...] = ()
    """It is bedtime."""
    ask_word: tuple[str, ...] = ()
    """Asks whoever says they are `{name}` for their secret word."""
    wrong_word: tuple[str, ...] = ()
    """That was another word."""


class Persona(Settings):
    """One character."""

    name: str = Field(min_length=1)
    """The character's name. It is removed where the model writes it before a line (`Name: ...`)."""
    language: LanguageCode = DEFAULT
    """The language that the character speaks."""
    audience: Audience = "adult"
    """Whom the character is made for: it decides the policy where the device file names none."""
    profile: Profile
    """What the model is told about the character."""
    opening: str = ""
    """The character's first line, which sets the style of everything that follows."""
    speech: PersonaVoice = PersonaVoice()
    """The character's voice."""
    patience: float = Field(default=1.0, ge=0.5, le=2.0)
    """How long the character waits in a pause before it answers, as a factor: 1.5 for small children and for old
    people, who pause amid a sentence."""
    cues: Cues = Cues()
    """How the character shows feelings."""
    lines: SpokenLines
    """What the character says when no answer comes, and in a few other situations."""
    blocked: dict[Category, Lines] = Field(default_factory=dict)
    """What the character says in place of what the policy does not allow, by category; `lines.blocked` where a category
    has none."""
    words: dict[LanguageCode, Words] = Field(default_factory=dict)
    """Phrases of one's own for commands to the device, by language. Those of the language apply where none are
    given."""
    cast: tuple[CastMember, ...] = ()
    """Other characters on this device. The persona itself is the first of the group."""
    lights: tuple[str, ...] = ()
    """In a group: the light channels of the persona itself."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all who speak."""
        return (self.name, *(member.name for member in self.cast))

    def system_message(self) -> str:
        """The profile as one system message, its sections in a fixed order."""
        sections = [self.profile.details, self.profile.description, self.profile.context, self.profile.style]
        if self.cues.channel == "emoji":
            sections.append(language(self.language).prompts.emoji_asked_for)
        return "\n\n".join(part.strip() for part in sections if part.strip())

    def spoken_command(self, text: str) -> Command | None:
        """The command to the device in a person's words, if they are one.

        The phrases are those of `words`, and those of the language where `words` has none.
        """
        codes = dict.fromkeys((*self.words, self.language))
        names = self.names
        commands = [one.commands for one in understood(self.language)]
        small = frozenset().union(*(one.small_words for one in commands))
        called = (name + end for one in commands for end in one.name_ends for name in names)
        return spoken_command(text, map(self.phrases, codes), (*names, *called), small)

    def phrases(self, code: str) -> Phrases:
        """The phrases that count as commands in one language."""
        own = self.words.get(code, Words())
        given: dict[Command, tuple[str, ...]] = {
            "stop": own.stop,
            "goodbye": own.goodbye,
            "again": own.again,
            "guest": own.guest,
            "learn_voice": own.learn_voice,
        }
        usual = language(code).commands
        return given | {
            command: phrases
            for command, phrases in zip(
                given, (usual.stop, usual.goodbye, usual.again, usual.guest, usual.learn_voice), strict=True
            )
            if command not in own.model_fields_set
        }


def load_persona(path: Path, overrides: Mapping[str, Any] | None = None) -> Persona:
    """Read a persona file. Raises `ConfigError` with all problems."""
    return read_settings(path, Persona, overrides)
