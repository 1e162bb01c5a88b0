"""Where a model goes on writing the script: a line that begins with another speaker's name ends the answer.

Pure. Models that were trained on scripts write `User: ...` or the next line of the other one by themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

TEMPLATE_NAMES = ("User", "Human", "Assistant", "You")
"""What the templates of models call the two who speak, whatever language they speak."""

_MARKS = "#*_>~[ \t"
_BEHIND = "*_] \t"


class OtherSpeakersFilter:
    """Reads one answer. `feed` it text as it comes, then `close` it."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        """`names` of the others; without any the whole text is the character's. Its own name is none of them."""
        self._names = tuple(name.strip().casefold() for name in names if name.strip())
        self._titles = {name.casefold() for name in TEMPLATE_NAMES}
        self._label = re.compile(
            rf"[{re.escape(_MARKS)}]{{0,8}}({'|'.join(map(re.escape, self._names))})[{re.escape(_BEHIND)}]{{0,6}}[:：]",
            re.IGNORECASE,
        )
        self._longest = max(map(len, self._names), default=0) + 16
        self._line: str | None = ""
        """The beginning of a line, while it may become a name; None behind it."""
        self._begun = False
        self.is_over = False
        """Whether somebody else speaks from here on."""

    def feed(self, text: str) -> str:
        """Take the next piece; return what is certain to be the character's."""
        if not self._names:
            return text
        out: list[str] = []
        for piece in re.split(r"(\n)", text):
            if self.is_over:
                break
            if piece == "\n":
                out += [self._line or "", piece]
                self._line = ""
            elif self._line is None:
                out.append(piece)
            elif piece:
                self._line += piece
                out.append(self._decide())
        return "".join(out)

    def close(self) -> str:
        """The answer ends; return what was held back."""
        line, self._line = self._line or "", ""
        return "" if self.is_over else line

    def _decide(self) -> str:
        """What can be said of the line so far."""
        line = self._line or ""
        if found := self._label.match(line):
            if self._begun:
                self.is_over, self._line = True, ""
                return ""
            # At the very beginning a name may be a call: "Ana: look!"
            if found[1].casefold() in self._titles:
                self._line = line[found.end() :].lstrip(_BEHIND)
                return self._decide() if self._line else ""
        elif self._may_become_name(line):
            return ""
        self._line = None
        if not self._begun:
            line = line.lstrip()
            self._begun = bool(line)
        return line

    def _may_become_name(self, line: str) -> bool:
        begun = line.lstrip(_MARKS).casefold()
        return len(line) <= self._longest and any(
            name.startswith(begun) or (begun.startswith(name) and not begun[len(name) :].strip(_BEHIND))
            for name in self._names
        )
