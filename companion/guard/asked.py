"""What a person asks of the unit itself: what it is, and to be left alone. Pure.

The phrases are those of every understood language, whatever the persona's own commands are.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from companion.guard.reading import readings
from companion.languages.language import Language
from companion.languages.understood import Phrases, Understood, closed_up, spoken_command


class Asked:
    """For the languages of one persona."""

    def __init__(self, languages: Understood) -> None:
        self._what_it_is = [_pattern(one) for one in languages if one.guard.asked.what_it_is]
        self._leaves: list[Phrases] = [
            {"stop": (*one.commands.stop, *one.commands.goodbye, *one.guard.asked.leaves)} for one in languages
        ]
        self._small = frozenset().union(*(one.commands.small_words for one in languages))
        self._name_ends = [end for one in languages for end in one.commands.name_ends]

    def what_it_is(self, said: str) -> bool:
        """Whether this asks if it is human, alive or a machine."""
        text = readings(closed_up(said))[0]
        return any(pattern.search(text) for pattern in self._what_it_is)

    def leaves(self, said: str, names: Collection[str]) -> bool:
        """Whether all of this says that they leave. `names` (the characters') may stand beside it."""
        called = [name + end for end in self._name_ends for name in names]
        return spoken_command(said, self._leaves, (*names, *called), self._small) is not None


def _pattern(language: Language) -> re.Pattern[str]:
    inside = "|".join(f"(?:{one})" for one in language.guard.asked.what_it_is)
    return re.compile(rf"(?<!\w)(?:{inside})(?!\w)" if language.is_spaced else inside)
