"""The characters of one persona file: mostly one; in a group, who answers what is said.

Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from companion.config.persona import Persona
from companion.mind.memory.index_words import UNSPACED
from companion.mind.prompt import Exchange, Role

MAX_SPEAKERS = 2
"""How many characters of a group answer one utterance."""

_UNSPACED = re.compile(f"[{UNSPACED}]")


class Group:
    """The characters of one persona file, mostly one. The persona itself is always the first."""

    def __init__(self, persona: Persona) -> None:
        opening = persona.opening.strip()
        profiles = [(persona.name, persona.profile), *((member.name, member.profile) for member in persona.cast)]
        self._roles = {
            name: Role(
                name=name,
                system=persona.model_copy(update={"profile": profile}).system_message(),
                language=persona.language,
                opening=opening,
                opener=persona.name,
                group=len(profiles) > 1,
                others=tuple(other for other, _ in profiles if other != name),
            )
            for name, profile in profiles
        }
        self.names = tuple(self._roles)
        """The persona's own name first."""

    @property
    def has_several(self) -> bool:
        """Whether there is more than one character."""
        return len(self.names) > 1

    def role(self, name: str) -> Role:
        """The character of that name; the persona itself for a name that is nobody's."""
        return self._roles.get(name) or self._roles[self.names[0]]

    def speakers(self, said: str, exchanges: Sequence[Exchange], addressed: str = "") -> tuple[str, ...]:
        """Who answers: those called by name, else the one `addressed` before, else the persona and the one who has been
        silent longest."""
        if not self.has_several:
            return self.names
        called = sorted((at, name) for name in self.names if (at := _position(name, said)) >= 0)
        if called:
            return tuple(name for _, name in called)[:MAX_SPEAKERS]
        if addressed in self._roles:
            return (addressed,)
        spoke = {exchange.speaker: at for at, exchange in enumerate(exchanges) if exchange.heard}
        others = sorted(self.names[1:], key=lambda name: spoke.get(name, -1))
        return (self.names[0], *others)[:MAX_SPEAKERS]

    def last_speaker(self, exchanges: Sequence[Exchange]) -> str:
        """Who spoke last; the persona where nobody did."""
        spoke = (exchange.speaker for exchange in reversed(exchanges) if exchange.heard)
        return next((name for name in spoke if name in self._roles), self.names[0])


def _position(name: str, said: str) -> int:
    """Where the name stands in what was said; -1 where it does not."""
    name, said = name.casefold(), said.casefold()
    if _UNSPACED.search(name):
        return said.find(name)
    found = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", said)
    return found.start() if found else -1
