"""What the service's own memory is sent: only what it does not know yet. Pure.

The service keeps what it is told to answer, but not its answer (`output` is skipped): what of it was really heard goes
along with the next request, as a message of the assistant. Extra information (`system`) is never kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from companion.mind.api.messages import Message
from companion.mind.prompt import Role

SAVED = ("system", "output")
"""What is not kept of an ordinary round."""
UNSAVED = ("system", "user", "assistant", "output")
"""Nothing is kept: of an answer asked anew, and of one that goes on by itself."""


@dataclass(frozen=True, slots=True)
class Round:
    """One request's messages, and what is not kept of them."""

    messages: tuple[Message, ...]
    skip_save: tuple[str, ...]


class ServiceTalk:
    """One session, as far as the service has not been told of it."""

    def __init__(self, opening: str = "") -> None:
        """`opening` is the first line of a session that the service does not know."""
        self._unsent: list[Message] = [_line(opening)] if opening else []
        self._kept = ""
        """What the service has kept as said, of the exchange that is still to be remembered."""

    def question(self, said: str, extra: str) -> Round:
        """An ordinary round."""
        return Round((*self._unsent, *_extra(extra), _words(said)), SAVED)

    def again(self, said: str, extra: str) -> Round:
        """Another answer to what was said before."""
        return Round((*_extra(extra), _words(said)), UNSAVED)

    def going_on(self, role: Role) -> Round:
        """The character speaks on."""
        name = {"role": "assistant", "content": role.label(role.name), "partial": True}
        return Round((*self._unsent, name), UNSAVED)

    def answered(self, sent: Round, said: str) -> None:
        """The service has begun to answer this round: it knows now what it keeps of it."""
        if sent.skip_save == SAVED:
            self._unsent.clear()
            self._kept = said

    def remember(self, said: str, heard: str) -> None:
        """One exchange is over."""
        if said and said != self._kept:
            self._unsent.append(_words(said))
        if heard:
            self._unsent.append(_line(heard))
        self._kept = ""

    def forget_unsent(self) -> None:
        """What waits must not be sent: moderation refuses it."""
        self._unsent.clear()


def _words(text: str) -> Message:
    return {"role": "user", "content": text}


def _line(text: str) -> Message:
    return {"role": "assistant", "content": text}


def _extra(text: str) -> Sequence[Message]:
    return ({"role": "system", "content": text},) if text else ()
