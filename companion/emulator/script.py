"""The characters that the emulator plays: TOML files of patterns and answers.

A character is chosen by the system message (or by the open prefix `Name:` of a group chat), a rule by the last thing
the user said, and of a rule's answers the next one each time the rule applies again in the conversation. The same
conversation and the same seed always get the same answer.

A rule may look for something in all that the model was given, and put it into its answer: so a memory can be tested
from end to end, though nobody here understands anything.

Summaries without a model: sentences as they were said. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from companion.config.loading import Settings, read_settings
from companion.emulator.request import Message
from companion.errors import ConfigError
from companion.languages.language import language
from companion.languages.loader import language_codes

_SENTENCE = re.compile(r"[^.!?。！？…\n]+(?:[.!?。！？…]+[”\"'）)]*|\n|$)")
_MOST_SENTENCES = 40


def sentences(text: str) -> list[str]:
    """The text's sentences, without the space around them."""
    return [found for one in _SENTENCE.findall(text) if (found := one.strip()) and any(map(str.isalnum, found))]


def summary(text: str, most: int = _MOST_SENTENCES) -> str:
    """The first sentences of a text, none of them twice, and without its headings."""
    found = (sentence for sentence in sentences(text) if not sentence.endswith((":", "：")))
    return "\n".join(list(dict.fromkeys(found))[:most])


CHARACTERS = Path(__file__).parent / "characters"

SUMMARY_MARKS = ("[summary]", *(language(code).prompts.summary.marker for code in language_codes()))
"""How a system message begins that asks for a summary: all but the first are the device's own, of each language."""

_PLACE = re.compile(r"\{([A-Za-z_]\w*)\}")
_SPEAKER = re.compile(r"^\s*[^\s:：]{1,20}(?: [^\s:：]{1,20})?[:：]\s*")


def _compiles(pattern: str) -> str:
    try:
        re.compile(_PLACE.sub("x", pattern))
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from error
    return pattern


Pattern = Annotated[str, AfterValidator(_compiles)]
"""A regular expression, searched for without regard to case."""


class Rule(Settings):
    """What is answered to what."""

    when: tuple[Pattern, ...] = Field(min_length=1)
    find: tuple[Pattern, ...] = ()
    """Where given, the rule applies only if one of these is found in what the system messages (the persona's last of
    all) and people said before, the newest first. `{name}` in it stands for what the group of that name in `when` has
    caught."""
    answers: tuple[str, ...] = Field(min_length=1)
    """`{name}` stands for what a group of that name has caught, in `when` or `find`."""

    @model_validator(mode="after")
    def _has_its_groups(self) -> Self:
        groups = {name for pattern in (*self.when, *self.find) for name in re.findall(r"\(\?P<(\w+)>", pattern)}
        for place in (place for text in (*self.find, *self.answers) for place in _PLACE.findall(text)):
            if place not in groups:
                raise ValueError(f"{{{place}}} has no group of that name: write (?P<{place}>...) in `when` or `find`")
        return self

    def found(self, said: str, before: Sequence[str]) -> Mapping[str, str] | None:
        """What the groups have caught; None where the rule does not apply. `before`: all else, the newest first."""
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


class Script(Settings):
    """One character."""

    name: str
    plays: tuple[Pattern, ...]
    """Patterns of the system messages for which this character is chosen; none for the one that plays all others."""
    everyone: bool = False
    """These are no character's rules but everybody's, and come before their own."""
    rules: tuple[Rule, ...] = Field(min_length=1)
    """The first that applies answers; a character's last must apply to everything."""
    goes_on: tuple[str, ...] = ("...",)
    """What is said where nobody answers."""

    def suits(self, text: str) -> bool:
        """Whether this character is meant."""
        return any(re.search(pattern, text, re.IGNORECASE) for pattern in self.plays)


class Cast:
    """All the characters."""

    def __init__(self, scripts: Sequence[Script]) -> None:
        """Raises `ConfigError` where there is nobody to play whoever is asked for."""
        self.characters = tuple(script for script in scripts if not script.everyone)
        self._shared = tuple(rule for script in scripts if script.everyone for rule in script.rules)
        if not self.characters:
            raise ConfigError(
                "scripts: -: there is no character; write at least one TOML file as docs/emulator.md says"
            )

    def answer(self, messages: Sequence[Message], shift: int = 0) -> str:
        """The answer to a request. `shift` is what another seed changes."""
        systems = [message.content for message in messages if message.role == "system"]
        if any(map(_asks_for_summary, systems)):
            return _summary(messages)
        character = self._who(messages, systems)
        is_open = messages[-1].partial
        asked = messages[:-1] if is_open else messages
        silent = sum(1 for _ in _unanswered(asked))
        if silent or not any(_users(asked)):
            return _pick(character.goes_on, max(silent - 1, 0) + shift)
        said = [_SPEAKER.sub("", message.content) if is_open else message.content for message in _users(asked)]
        systems.reverse()
        earlier = [message.content for message in reversed(list(_users(asked)))][1:]
        rules = (*self._shared, *character.rules)
        rule, caught = _choose(rules, said[-1], [*systems[:-1], *earlier, *systems[-1:]])
        times = sum(_applied(rule, rules, one) for one in said[:-1])
        return _PLACE.sub(lambda place: caught.get(place[1], ""), _pick(rule.answers, times + shift))

    def _who(self, messages: Sequence[Message], systems: Sequence[str]) -> Script:
        """Whom the open prefix names, else whom the system messages mean, else the one who plays all others."""
        names = [messages[-1].content] if messages[-1].partial else []
        for text in (*names, *systems):
            for character in self.characters:
                if character.suits(text):
                    return character
        return next((character for character in self.characters if not character.plays), self.characters[-1])


def load_cast(folder: Path = CHARACTERS) -> Cast:
    """Every character of the folder, in the order of the file names. Raises `ConfigError`."""
    return Cast([read_settings(path, Script) for path in sorted(folder.glob("*.toml"))])


def _choose(rules: Sequence[Rule], said: str, given: Sequence[str]) -> tuple[Rule, Mapping[str, str]]:
    for rule in rules:
        caught = rule.found(said, given)
        if caught is not None:
            return rule, caught
    return rules[-1], {}


def _applied(rule: Rule, rules: Sequence[Rule], said: str) -> bool:
    """Whether the rule has answered this before, as far as that can still be told."""
    if rule.find:
        return any(re.search(pattern, said, re.IGNORECASE) for pattern in rule.when)
    return _choose(rules, said, ())[0] is rule


def _pick(answers: Sequence[str], number: int) -> str:
    return answers[number % len(answers)]


def _users(messages: Sequence[Message]) -> Iterator[Message]:
    return (message for message in messages if message.role not in ("system", "assistant"))


def _unanswered(messages: Sequence[Message]) -> Iterator[Message]:
    """The assistant's last messages that nobody has answered."""
    for message in reversed(messages):
        if message.role == "assistant":
            yield message
        elif message.role != "system":
            return


def _summary(messages: Sequence[Message]) -> str:
    """An extract of what is to be summarised: all but the instruction."""
    texts = [message.content for message in messages if not _asks_for_summary(message.content)]
    if not texts:
        texts = [message.content.partition("\n")[2] for message in messages]
    return summary("\n".join(texts)) or "-"


def _asks_for_summary(text: str) -> bool:
    return text.lstrip().startswith(SUMMARY_MARKS)
