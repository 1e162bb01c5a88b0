"""The emulator's characters: TOML files of patterns and answers.

The system message (or the open prefix `Name:` of a group chat) selects the character, the user's last message selects a
rule, and the rule's answers are used in turn each time it applies again in the conversation. The same conversation and
the same seed always get the same answer.

A rule may also search everything that the model was given and put what it finds into its answer. This makes it possible
to test memory from end to end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from companion.config.loading import Settings, read_settings
from companion.emulator.memory import extract_summary
from companion.emulator.request import Message
from companion.errors import ConfigError
from companion.languages.language import language
from companion.languages.loader import language_codes

CHARACTERS = Path(__file__).parent / "characters"

SUMMARY_MARKS = ("[summary]", *(language(code).prompts.summary.marker for code in language_codes()))
"""The beginnings of system messages that ask for a summary. All but the first are the device's own, by language."""

_PLACE = re.compile(r"\{([A-Za-z_]\w*)\}")
_SPEAKER = re.compile(r"^\s*[^\s:：]{1,20}(?: [^\s:：]{1,20})?[:：]\s*")


def _check_pattern(pattern: str) -> str:
    try:
        re.compile(_PLACE.sub("x", pattern))
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from error
    return pattern


Pattern = Annotated[str, AfterValidator(_check_pattern)]
"""A regular expression, searched for case-insensitively."""


class Rule(Settings):
    """Answers to messages that match a pattern."""

    when: tuple[Pattern, ...] = Field(min_length=1)
    """Patterns of the user's message."""
    find: tuple[Pattern, ...] = ()
    """Where given, the rule applies only if one of these is found in the system messages or earlier user messages,
    searched from the newest to the oldest, the persona's system message last. `{name}` is replaced by what the group of
    that name in `when` has matched."""
    answers: tuple[str, ...] = Field(min_length=1)
    """`{name}` is replaced by what the group of that name in `when` or `find` has matched."""

    @model_validator(mode="after")
    def _check_groups(self) -> Self:
        groups = {name for pattern in (*self.when, *self.find) for name in re.findall(r"\(\?P<(\w+)>", pattern)}
        for place in (place for text in (*self.find, *self.answers) for place in _PLACE.findall(text)):
            if place not in groups:
                raise ValueError(f"{{{place}}} has no group of that name: write (?P<{place}>...) in `when` or `find`")
        return self

    def match(self, said: str, before: Sequence[str]) -> Mapping[str, str] | None:
        """The groups' matches; None where the rule does not apply. `before`: earlier texts, newest first."""
        match = next((match for one in self.when if (match := re.search(one, said, re.IGNORECASE))), None)
        if match is None:
            return None
        groups = {name: text.strip() for name, text in match.groupdict().items() if text}
        if not self.find:
            return groups
        for text in before:
            for pattern in self.find:
                filled = _PLACE.sub(lambda place: re.escape(groups.get(place[1], "")), pattern)
                matches = list(re.finditer(filled, text, re.IGNORECASE))
                if matches:
                    return {**groups, **{name: text.strip() for name, text in matches[-1].groupdict("").items()}}
        return None


class CharacterScript(Settings):
    """One character."""

    name: str
    plays: tuple[Pattern, ...]
    """Patterns of the system messages that select this character. Empty for the one that plays everybody else."""
    everyone: bool = False
    """Whether these rules are shared by all characters and tried before their own."""
    rules: tuple[Rule, ...] = Field(min_length=1)
    """The first rule that applies is used; a character's last rule must apply to everything."""
    goes_on: tuple[str, ...] = ("...",)
    """Answers for when the user is silent."""

    def matches(self, text: str) -> bool:
        """Whether the text selects this character."""
        return any(re.search(pattern, text, re.IGNORECASE) for pattern in self.plays)


class Cast:
    """All the characters."""

    def __init__(self, scripts: Sequence[CharacterScript]) -> None:
        """Raises `ConfigError` where there is no character at all."""
        self.characters = tuple(script for script in scripts if not script.everyone)
        self._shared = tuple(rule for script in scripts if script.everyone for rule in script.rules)
        if not self.characters:
            raise ConfigError(
                "scripts: -: there is no character; write at least one TOML file as docs/emulator.md says"
            )

    def answer(self, messages: Sequence[Message], shift: int = 0) -> str:
        """The answer to a request. `shift` comes from the seed and selects another of the rule's answers."""
        systems = [message.content for message in messages if message.role == "system"]
        if any(map(_asks_for_summary, systems)):
            return _summary(messages)
        character = self._select_character(messages, systems)
        is_open = messages[-1].partial
        asked = messages[:-1] if is_open else messages
        silent = sum(1 for _ in _since_user_message(asked))
        if silent or not any(_user_messages(asked)):
            return _pick(character.goes_on, max(silent - 1, 0) + shift)
        said = [_SPEAKER.sub("", message.content) if is_open else message.content for message in _user_messages(asked)]
        systems.reverse()
        earlier = [message.content for message in reversed(list(_user_messages(asked)))][1:]
        rules = (*self._shared, *character.rules)
        rule, caught = _choose(rules, said[-1], [*systems[:-1], *earlier, *systems[-1:]])
        times = sum(_applied(rule, rules, one) for one in said[:-1])
        return _PLACE.sub(lambda place: caught.get(place[1], ""), _pick(rule.answers, times + shift))

    def _select_character(self, messages: Sequence[Message], systems: Sequence[str]) -> CharacterScript:
        """The character that the open prefix names, else that the system messages select, else the default one."""
        names = [messages[-1].content] if messages[-1].partial else []
        for text in (*names, *systems):
            for character in self.characters:
                if character.matches(text):
                    return character
        return next((character for character in self.characters if not character.plays), self.characters[-1])


def load_cast(folder: Path = CHARACTERS) -> Cast:
    """Load every character of the folder, in the order of the file names. Raises `ConfigError`."""
    return Cast([read_settings(path, CharacterScript) for path in sorted(folder.glob("*.toml"))])


def _choose(rules: Sequence[Rule], said: str, given: Sequence[str]) -> tuple[Rule, Mapping[str, str]]:
    for rule in rules:
        caught = rule.match(said, given)
        if caught is not None:
            return rule, caught
    return rules[-1], {}


def _applied(rule: Rule, rules: Sequence[Rule], said: str) -> bool:
    """Whether the rule answered this earlier message, as far as that can be reconstructed."""
    if rule.find:
        return any(re.search(pattern, said, re.IGNORECASE) for pattern in rule.when)
    return _choose(rules, said, ())[0] is rule


def _pick(answers: Sequence[str], number: int) -> str:
    return answers[number % len(answers)]


def _user_messages(messages: Sequence[Message]) -> Iterator[Message]:
    return (message for message in messages if message.role not in ("system", "assistant"))


def _since_user_message(messages: Sequence[Message]) -> Iterator[Message]:
    """The assistant's messages since the last user message, newest first."""
    for message in reversed(messages):
        if message.role == "assistant":
            yield message
        elif message.role != "system":
            return


def _summary(messages: Sequence[Message]) -> str:
    """An extract of the messages to be summarised, without the instruction."""
    texts = [message.content for message in messages if not _asks_for_summary(message.content)]
    if not texts:
        texts = [message.content.partition("\n")[2] for message in messages]
    return extract_summary("\n".join(texts)) or "-"


def _asks_for_summary(text: str) -> bool:
    return text.lstrip().startswith(SUMMARY_MARKS)
