"""The output of `companion chat`: to a terminal while the answer is streamed, or as one JSON object per turn.

An answer is shown in the order of its text: what is spoken, what the stage removed, and the cues. The stage returns
only what is left; `AnswerParts` finds what was removed by feeding it character by character and comparing its output
with its input.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TextIO

from companion.errors import CharacterError
from companion.events import Cue
from companion.languages.understood import Understood
from companion.mind.reply import ReplyReport
from companion.voice.stage.stage import Stage


@dataclass(frozen=True, slots=True)
class Removed:
    """Text of the model that is not spoken."""

    text: str


Part = str | Removed | Cue


class AnswerParts:
    """Splits one answer into spoken text, removed text and cues. `feed` it the deltas, then `close` it."""

    def __init__(self, name: str, languages: Understood | None = None) -> None:
        """`name` is the speaker's, which the stage removes from the beginning of lines; `languages` as in `Stage`."""
        self._stage = Stage(name, languages)
        self._raw = ""
        """Input that has not been matched with output yet."""

    def feed(self, delta: str) -> list[Part]:
        """Take the next delta; return the parts that are certain by now."""
        parts: list[Part] = []
        for character in delta:
            self._raw += character
            parts += self._attribute(self._stage.feed(character))
        return parts

    def close(self) -> list[Part]:
        """End the answer; return the remaining parts."""
        return [*self._attribute(self._stage.close()), *self._removed(len(self._raw))]

    def _attribute(self, pieces: Sequence[str | Cue]) -> Iterator[Part]:
        for number, piece in enumerate(pieces):
            following = [one.strip() for one in pieces[number:] if isinstance(one, str) and one.strip()]
            # With a single text the last occurrence is the right one: a direction may contain the same word.
            place = self._raw.rfind if len(following) == 1 else self._raw.find
            if following:
                yield from self._removed(place(following[0]))
            elif isinstance(piece, Cue):
                yield from self._removed(len(self._raw))
            if isinstance(piece, str) and piece.strip():
                core = piece.strip()
                # Text that the stage rewrote stands for the whole input so far.
                self._raw = self._raw[len(core) :] if self._raw.startswith(core) else ""
            yield piece

    def _removed(self, end: int) -> Iterator[Removed]:
        """The input before `end`, which was not spoken."""
        if end > 0:
            text, self._raw = self._raw[:end].strip(), self._raw[end:]
            if text:
                yield Removed(text)


@dataclass(frozen=True, slots=True)
class TurnReport:
    """One complete answer to one line, with its cost."""

    said: str
    speaker: str
    heard: str
    """The text that would have been spoken, with its line breaks."""
    removed: tuple[str, ...]
    cues: tuple[Cue, ...]
    answered: ReplyReport | None
    first_ms: float | None
    whole_ms: float
    error: CharacterError | None
    line: str
    """The persona's own line that replaces the answer after an error."""

    def as_json(self) -> dict[str, Any]:
        """One object for `--json`."""
        answered = self.answered
        cost = answered.cost if answered else None
        priced = cost is not None and cost.micro is not None
        return {
            "said": self.said,
            "speaker": self.speaker,
            "spoken": " ".join(self.heard.split()),
            "removed": list(self.removed),
            "cues": [
                {"emotion": cue.emotion, "gesture": cue.gesture, "intensity": cue.intensity, "at": cue.at}
                for cue in self.cues
            ],
            "candidates": self.candidates(),
            "tokens": None
            if cost is None
            else {
                "prompt": cost.prompt,
                "cached": cost.cached,
                "completion": cost.completion,
                "estimated": cost.estimated,
            },
            "cost": (cost.micro or 0) / 1_000_000 if cost is not None and priced else None,
            "currency": cost.currency if cost is not None else None,
            "ms": {"first_text": self.first_ms, "whole": self.whole_ms},
            "error": None
            if self.error is None
            else {"code": self.error.code, "line": self.error.line, "sentence": str(self.error), "says": self.line},
        }

    def candidates(self) -> list[dict[str, Any]]:
        """All candidate answers, the chosen one first, with the reasons against each."""
        if self.answered is None:
            return []
        return [
            {"text": self.answered.candidates[verdict.index].text, "against": list(verdict.reasons)}
            for verdict in self.answered.verdicts
        ]


@dataclass(slots=True)
class AnswerSoFar:
    """An answer while it is streamed."""

    said: str
    speaker: str
    heard: str = ""
    removed: list[str] = field(default_factory=list)
    cues: list[Cue] = field(default_factory=list)
    first_at: float = 0.0
    """Seconds until the first delta."""

    def add(self, part: Part) -> None:
        """Add the next part."""
        match part:
            case str():
                self.heard += part
            case Removed(text):
                self.removed.append(text)
            case Cue():
                self.cues.append(part)

    def report(
        self, answered: ReplyReport | None, whole_s: float, error: CharacterError | None, line: str
    ) -> TurnReport:
        """The report of the finished answer."""
        return TurnReport(
            self.said,
            self.speaker,
            self.heard.strip(),
            tuple(self.removed),
            tuple(self.cues),
            answered,
            round(self.first_at * 1000, 1) if self.first_at else None,
            round(whole_s * 1000, 1),
            error,
            line,
        )


_DIM, _PLAIN = "\x1b[2m", "\x1b[0m"


class Screen(Protocol):
    """Where a chat is shown."""

    def prompt(self, person: str) -> None:
        """Prompt the person for the next line."""

    def replayed(self, line: str) -> None:
        """A script said this line; nobody typed it."""

    def opening(self, name: str, line: str) -> None:
        """The character's first line."""

    def begin_answer(self, name: str) -> None:
        """A speaker begins to answer."""

    def part(self, part: Part) -> None:
        """A piece of an answer."""

    def turn(self, report: TurnReport) -> None:
        """The answer has ended."""

    def note(self, text: str) -> None:
        """Show a message of the chat itself."""

    def table(self, command: str, values: Mapping[str, Any]) -> None:
        """Show the result of a command."""


class Terminal:
    """Output for people. What is not spoken is dimmed on a terminal, else put into double brackets."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._is_terminal = out.isatty()
        self._last = "\n"
        """The text written last."""
        self._aside = False
        """Whether that text was not a spoken one."""

    def replayed(self, line: str) -> None:
        self._write(_safe(line if self._is_terminal else f"you> {line}") + "\n")

    def prompt(self, person: str) -> None:
        if self._is_terminal:
            self._write(f"{person or 'you'}> ")
            # The typed line ends with its own line break.
            self._last = "\n"

    def opening(self, name: str, line: str) -> None:
        self._write(f"{name}: {line}\n")

    def begin_answer(self, name: str) -> None:
        self._write(f"{_safe(name)}: ")

    def part(self, part: Part) -> None:
        if isinstance(part, str):
            self._write_apart(self._aside and not part[:1].isspace(), _safe(part))
            self._aside = False
        else:
            aside = _cue(part) if isinstance(part, Cue) else part.text
            self._write_apart(True, self._dim(aside, marked=isinstance(part, Removed)))
            self._aside = True

    def turn(self, report: TurnReport) -> None:
        if report.answered is not None:
            cost = report.answered.cost
            price = f", {cost.micro / 1_000_000:.6f} {cost.currency}" if cost.micro is not None else ""
            first = f"{report.first_ms:.0f} ms, " if report.first_ms is not None else ""
            self._write_apart(
                True,
                self._dim(f"[{first}{cost.prompt} tokens ({cost.cached} cached) + {cost.completion}{price}]"),
            )
        self._end_line()
        for one in report.candidates()[1:]:
            self._write(f"{self._dim('not said: ' + _one_line(one))}\n")
        if report.error is not None:
            self._write(f"{report.speaker}: {report.line}\n" if report.line else "")
            self._write(f"{self._dim(f'[{report.error.line}] {report.error}')}\n")
        self._aside = False

    def note(self, text: str) -> None:
        self._write(f"{_safe(text)}\n")

    def table(self, command: str, values: Mapping[str, Any]) -> None:  # noqa: ARG002 - the protocol's signature
        width = max(map(len, values))
        for key, value in values.items():
            lines = value if isinstance(value, list) else [value]
            self._write(_safe(f"{key:{width}}  {', '.join(map(str, lines)) if lines else '-'}\n"))

    def _dim(self, text: str, *, marked: bool = False) -> str:
        if self._is_terminal:
            return f"{_DIM}{_safe(text)}{_PLAIN}"
        return f"⟦{_safe(text)}⟧" if marked else _safe(text)

    def _write_apart(self, apart: bool, text: str) -> None:
        """Write text, with a space before it where one is needed."""
        self._write(f" {text}" if apart and text and not self._last[-1:].isspace() else text)

    def _end_line(self) -> None:
        if not self._last.endswith("\n"):
            self._write("\n")

    def _write(self, text: str) -> None:
        self._last = text or self._last
        self._out.write(text)
        self._out.flush()


class JsonLines:
    """Output for programs: one JSON object per turn, and one per command with a result."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def prompt(self, person: str) -> None:
        pass

    def replayed(self, line: str) -> None:
        pass

    def opening(self, name: str, line: str) -> None:
        pass

    def begin_answer(self, name: str) -> None:
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
    """The text without control characters: a model's text must not control the terminal."""
    return "".join(ch for ch in text if ch.isprintable() or ch in "\n\t ")
