"""The messages of a request: the fixed beginning, the recent exchanges, and what is told for one reply only. Pure.

The order is chosen for the service's prefix cache. The profile and the summary come first: they change only when a
block of the history is cut. Then come the opening line and the exchanges, which only grow. What belongs to this moment
comes last, just before the newest message of a user. In a group (section 8 of the service's specification) the
speaker's own lines are the assistant's, all others are a user's, and each begins with a name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from companion.languages.language import language
from companion.languages.understood import DEFAULT
from companion.mind.api.messages import Message

SILENCE = "…"
"""What a user says, for a server that wants them to speak, where nobody said anything."""

_LONGEST_LABEL = 120
"""Characters after which the beginning of an answer cannot be a speaker's name any more."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """What a person said, and what they heard in answer; one of the two may be empty."""

    said: str
    """Empty where the character spoke by itself, or is not the first of a group to answer."""

    heard: str
    """Empty where nothing of the answer was heard."""

    speaker: str = ""
    """Who answered, in a group."""

    id: int | None = None
    """Its id in the long-term memory; None for one that was kept after that was last read."""

    @property
    def message_count(self) -> int:
        """How many messages it becomes."""
        return bool(self.said) + bool(self.heard)


@dataclass(frozen=True, slots=True)
class Role:
    """The character that the model plays in one request."""

    name: str
    system: str
    """The profile."""
    language: str = DEFAULT
    opening: str = ""
    opener: str = ""
    """Whose line the opening is, in a group."""
    group: bool = False
    others: tuple[str, ...] = ()
    """The other characters of the group."""

    @property
    def script_names(self) -> tuple[str, ...]:
        """What a script in this language calls the two who speak."""
        prompts = language(self.language).prompts
        return (*prompts.script_names, *([prompts.somebody] if self.group else []))

    def label(self, name: str) -> str:
        """The name and the colon before a line of `name`."""
        return f"{name}{language(self.language).general.colon}"


def build_messages(
    role: Role,
    exchanges: Sequence[Exchange],
    said: str = "",
    *,
    summary: str = "",
    person: str = "",
    extra: str = "",
    goes_on: bool = False,
) -> list[Message]:
    """The messages of one request.

    `said` is what is to be answered; empty where it is the last exchange already, or nobody said anything. `extra` is
    told for this request only. With `goes_on` the character goes on speaking by itself.
    """
    out = [system_message(role, summary)]
    if role.opening:
        out.append(_assistant_message(role, role.opener or role.name, role.opening))
    for exchange in exchanges:
        out += _exchange_messages(role, exchange, person)
    if said:
        out.append(_user_message(role, person, said))
    if extra and not goes_on:
        out.insert(_last_user_index(out), {"role": "system", "content": extra})
    if goes_on or role.group:
        out.append({"role": "assistant", "content": role.label(role.name), "partial": True})
    return out


def system_message(role: Role, summary: str = "") -> Message:
    """The profile, and the summary of what is remembered where there is one."""
    remembered = f"\n\n{language(role.language).prompts.remembered}\n{summary}" if summary else ""
    return {"role": "system", "content": role.system + remembered}


def without_partial(sent: Sequence[Message]) -> list[Message]:
    """The messages for a server that cannot continue an open message: the last one must be a user's."""
    if not sent or not sent[-1].get("partial"):
        return list(sent)
    rest = list(sent[:-1])
    if rest and rest[-1]["role"] == "user":
        return rest
    return [*rest, {"role": "user", "content": SILENCE}]


def _exchange_messages(role: Role, exchange: Exchange, person: str) -> list[Message]:
    """Its one or two messages. The next may be of the same role, which the service allows (section 3.1)."""
    out = []
    if exchange.said:
        out.append(_user_message(role, person, exchange.said))
    if exchange.heard:
        out.append(_assistant_message(role, exchange.speaker or role.opener or role.name, exchange.heard))
    return out


def _user_message(role: Role, person: str, said: str) -> Message:
    name = role.label(person or language(role.language).prompts.somebody) if role.group else ""
    return {"role": "user", "content": f"{name} {said}" if name else said}


def _assistant_message(role: Role, speaker: str, text: str) -> Message:
    if not role.group:
        return {"role": "assistant", "content": text}
    own = speaker == role.name
    return {"role": "assistant" if own else "user", "content": f"{role.label(speaker)} {text}"}


def _last_user_index(sent: Sequence[Message]) -> int:
    return max((at for at, message in enumerate(sent) if message["role"] == "user"), default=len(sent))


class History:
    """The recent exchanges, cut in blocks.

    When there are more than `max_messages`, the oldest exchanges go until at most half of that is left, but never the
    newest one. A window that slid by one message would lose the cached prefix with every turn.
    """

    def __init__(self, max_messages: int, exchanges: Sequence[Exchange] = ()) -> None:
        self._longest = max_messages
        self._exchanges = list(exchanges)
        self._cut()

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """The oldest first."""
        return tuple(self._exchanges)

    @property
    def message_count(self) -> int:
        """How many messages they become."""
        return sum(exchange.message_count for exchange in self._exchanges)

    def add(self, exchange: Exchange) -> None:
        """Add the newest."""
        self._exchanges.append(exchange)
        self._cut()

    def shorten(self) -> bool:
        """Drop the older half. False where nothing is left to drop."""
        if not self._exchanges:
            return False
        del self._exchanges[: (len(self._exchanges) + 1) // 2]
        return True

    def clear(self) -> None:
        """Forget every exchange."""
        self._exchanges.clear()

    def _cut(self) -> None:
        if self.message_count > self._longest:
            while self.message_count > self._longest // 2 and len(self._exchanges) > 1:
                del self._exchanges[0]


class SpeakerLabelFilter:
    """Removes the speaker's name from the beginning of a streamed answer: `Name:`, perhaps bold."""

    def __init__(self, name: str) -> None:
        """With an empty `name` nothing is removed."""
        name = name.strip()
        self._name = name.casefold()
        self._label = re.compile(rf"\s*([*_]{{0,3}}){re.escape(name)}([*_]{{0,3}})[ \t]*[:：]", re.IGNORECASE)
        self._held = ""
        self._open = bool(name)

    def feed(self, text: str) -> str:
        """Take the next piece; return what is certain not to belong to the name."""
        if not self._open:
            return text
        self._held += text
        rest = self._rest()
        if rest is None:
            return ""
        self._open = False
        return rest

    def close(self) -> str:
        """The answer ends: return what was held back."""
        if not self._open:
            return ""
        self._open = False
        found = self._label.match(self._held)
        return "" if found else self._held

    def _rest(self) -> str | None:
        """What is left of the text so far; None while that is undecided."""
        if found := self._label.match(self._held):
            rest, bold = self._held[found.end() :], found[1]
            if bold and found[2] != bold:
                # The closing mark of a bold name stands behind the colon.
                if bold.startswith(rest):
                    return None
                rest = rest.removeprefix(bold)
            return rest.lstrip(" \t") or None
        begun = self._held.lstrip().lstrip("*_").casefold()
        is_open = self._name.startswith(begun) or (
            begun.startswith(self._name) and not begun[len(self._name) :].strip("*_ \t")
        )
        return None if is_open and len(self._held) <= _LONGEST_LABEL else self._held
