"""The characters that the emulator plays: TOML files of patterns and answers.

A character is chosen by the system message, a rule by the last thing the user said, and of a rule's answers the next
one each time the rule applies again in the conversation. The same conversation always gets the same answers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from companion.settings_file import Settings, read_settings

CHARACTERS = Path(__file__).parent / "characters"


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from error
    return pattern


Pattern = Annotated[str, AfterValidator(_compiles)]
"""A regular expression, searched for without regard to case."""

_DIRECTIONS = (
    # What writes it, and the tokens without which the model cannot begin it.
    (re.compile(r"\([^()]*\)\s*"), frozenset({7, 320})),
    (re.compile(r"（[^（）]*）\s*"), frozenset({9909, 42344})),
    (re.compile(r"\*[^*]+\*\s*"), frozenset({9, 353})),
)


class Rule(Settings):
    """What is answered to what."""

    when: tuple[Pattern, ...] = Field(min_length=1)
    answers: tuple[str, ...] = Field(min_length=1)

    def applies(self, said: str) -> bool:
        """Whether one of the patterns is found."""
        return any(re.search(pattern, said, re.IGNORECASE) for pattern in self.when)


class Script(Settings):
    """One character."""

    name: str
    plays: tuple[Pattern, ...]
    """Patterns of the system messages for which this character is chosen; none for the one that plays all others."""
    rules: tuple[Rule, ...]
    """The first that applies answers; the last must apply to everything."""

    def suits(self, system: str) -> bool:
        """Whether this character is meant by the system message."""
        return any(re.search(pattern, system, re.IGNORECASE) for pattern in self.plays)

    def answer(self, messages: Sequence[Mapping[str, str]], turn: int = 0) -> str:
        """The answer to the last message. `turn` shifts the choice, as another seed would."""
        said = [message["content"] for message in messages if message["role"] == "user"]
        rule = self._rule(said[-1])
        before = sum(self._rule(earlier) is rule for earlier in said[:-1])
        return rule.answers[(before + turn) % len(rule.answers)]

    def _rule(self, said: str) -> Rule:
        return next((rule for rule in self.rules if rule.applies(said)), self.rules[-1])


def load_scripts(folder: Path = CHARACTERS) -> tuple[Script, ...]:
    """Every character of the folder, in the order of the file names. Raises `ConfigError`."""
    return tuple(read_settings(path, Script) for path in sorted(folder.glob("*.toml")))


def choose(scripts: Sequence[Script], messages: Sequence[Mapping[str, str]]) -> Script:
    """The character whom the system message means, else the one that plays all others."""
    system = "\n".join(message["content"] for message in messages if message["role"] == "system")
    others = next((script for script in scripts if not script.plays), scripts[-1])
    return next((script for script in scripts if script.suits(system)), others)


def without_banned(answer: str, banned: frozenset[int]) -> str:
    """The answer as the model would give it where it cannot write some signs: without those directions."""
    for direction, openers in _DIRECTIONS:
        if banned & openers:
            answer = direction.sub("", answer)
    return answer.strip()
