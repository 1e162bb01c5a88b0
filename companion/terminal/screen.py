"""Where `companion chat` writes: a terminal as the answer comes, or one JSON object a turn."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol, TextIO

from companion.events import Cue
from companion.terminal.text import Part, Removed
from companion.terminal.turn import TurnReport

_DIM, _PLAIN = "\x1b[2m", "\x1b[0m"


class Screen(Protocol):
    """What a chat shows."""

    def ask(self, person: str) -> None:
        """It is the person's turn."""

    def opening(self, name: str, line: str) -> None:
        """The character's first line."""

    def speaks(self, name: str) -> None:
        """Somebody begins to answer."""

    def part(self, part: Part) -> None:
        """A piece of an answer."""

    def turn(self, report: TurnReport) -> None:
        """The answer is over."""

    def note(self, text: str) -> None:
        """Something about the chat itself."""

    def table(self, command: str, values: Mapping[str, Any]) -> None:
        """What a command asked for."""


class Terminal:
    """For eyes. What is not spoken is dimmed where the terminal can do that, else it stands in double brackets."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._is_terminal = out.isatty()
        self._last = "\n"
        """What was written last."""
        self._aside = False
        """Whether that was nothing that is spoken."""

    def ask(self, person: str) -> None:
        if self._is_terminal:
            self._write(f"{person or 'you'}> ")
            # What is typed ends its line itself.
            self._last = "\n"

    def opening(self, name: str, line: str) -> None:
        self._write(f"{name}: {line}\n")

    def speaks(self, name: str) -> None:
        self._write(f"{_safe(name)}: ")

    def part(self, part: Part) -> None:
        if isinstance(part, str):
            self._apart(self._aside and not part[:1].isspace(), _safe(part))
            self._aside = False
        else:
            aside = _cue(part) if isinstance(part, Cue) else part.text
            self._apart(True, self._dimmed(aside, marked=isinstance(part, Removed)))
            self._aside = True

    def turn(self, report: TurnReport) -> None:
        if report.answered is not None:
            cost = report.answered.cost
            price = f", {cost.micro / 1_000_000:.6f} {cost.currency}" if cost.micro is not None else ""
            first = f"{report.first_ms:.0f} ms, " if report.first_ms is not None else ""
            self._apart(
                True,
                self._dimmed(f"[{first}{cost.prompt} tokens ({cost.cached} cached) + {cost.completion}{price}]"),
            )
        self._end_line()
        for one in report.candidates()[1:]:
            self._write(f"{self._dimmed('not said: ' + _one_line(one))}\n")
        if report.error is not None:
            self._write(f"{report.speaker}: {report.line}\n" if report.line else "")
            self._write(f"{self._dimmed(f'[{report.error.line}] {report.error}')}\n")
        self._aside = False

    def note(self, text: str) -> None:
        self._write(f"{_safe(text)}\n")

    def table(self, command: str, values: Mapping[str, Any]) -> None:  # noqa: ARG002 - the protocol's signature
        width = max(map(len, values))
        for key, value in values.items():
            lines = value if isinstance(value, list) else [value]
            self._write(_safe(f"{key:{width}}  {', '.join(map(str, lines)) if lines else '-'}\n"))

    def _dimmed(self, text: str, *, marked: bool = False) -> str:
        if self._is_terminal:
            return f"{_DIM}{_safe(text)}{_PLAIN}"
        return f"⟦{_safe(text)}⟧" if marked else _safe(text)

    def _apart(self, apart: bool, text: str) -> None:
        """Write something with a blank before it, where it needs one."""
        self._write(f" {text}" if apart and text and not self._last[-1:].isspace() else text)

    def _end_line(self) -> None:
        if not self._last.endswith("\n"):
            self._write("\n")

    def _write(self, text: str) -> None:
        self._last = text or self._last
        self._out.write(text)
        self._out.flush()


class JsonLines:
    """For programs: one JSON object a turn, and one for each command that asks for something."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def ask(self, person: str) -> None:
        pass

    def opening(self, name: str, line: str) -> None:
        pass

    def speaks(self, name: str) -> None:
        pass

    def part(self, part: Part) -> None:
        pass

    def turn(self, report: TurnReport) -> None:
        self._write(report.as_json())

    def note(self, text: str) -> None:
        self._write({"note": text})

    def table(self, command: str, values: Mapping[str, Any]) -> None:
        self._write({"command": command, **values})

    def _write(self, value: Mapping[str, Any]) -> None:
        self._out.write(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace").decode() + "\n")
        self._out.flush()


def _cue(cue: Cue) -> str:
    return f"[{cue.emotion or cue.gesture} {cue.intensity:.1f}]"


def _one_line(candidate: Mapping[str, Any]) -> str:
    against = f" ({', '.join(candidate['against'])})" if candidate["against"] else ""
    return " ".join(candidate["text"].split()) + against


def _safe(text: str) -> str:
    """A model's text must not steer the terminal."""
    return "".join(ch for ch in text if ch.isprintable() or ch in "\n\t ")
