"""Where `companion chat` writes: a terminal as the answer comes, or one JSON object a turn.

What a manufacturer sees of an answer: what is spoken, what was taken out, and the cues, in the order of the text.

The stage tells only what is left; what it took out is found by feeding it character by character and looking for
what comes out among what went in.

One answer in the terminal, as a report: what was said, spoken, taken out, shown, and what it cost.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TextIO

from companion.errors import CharacterError
from companion.events import Cue
from companion.mind.reply import ReplyReport
from companion.voice.stage.stage import Stage


@dataclass(frozen=True, slots=True)
class Removed:
    """Text that the model wrote and nobody hears."""

    text: str


Part = str | Removed | Cue


class Unmixed:
    """Reads one answer. `feed` it the deltas, then `close` it."""

    def __init__(self, name: str) -> None:
        """`name` is the speaker's, which is taken off lines that begin with it."""
        self._stage = Stage(name)
        self._raw = ""
        """What went in and is not accounted for yet."""

    def feed(self, delta: str) -> list[Part]:
        """Take the next piece; return what is certain by now."""
        parts: list[Part] = []
        for character in delta:
            self._raw += character
            parts += self._account(self._stage.feed(character))
        return parts

    def close(self) -> list[Part]:
        """The answer ends: return the rest."""
        return [*self._account(self._stage.close()), *self._taken_out(len(self._raw))]

    def _account(self, pieces: Sequence[str | Cue]) -> Iterator[Part]:
        for number, piece in enumerate(pieces):
            following = [one.strip() for one in pieces[number:] if isinstance(one, str) and one.strip()]
            # Of one text alone the last place counts: a direction may hold the same word.
            place = self._raw.rfind if len(following) == 1 else self._raw.find
            if following:
                yield from self._taken_out(place(following[0]))
            elif isinstance(piece, Cue):
                yield from self._taken_out(len(self._raw))
            if isinstance(piece, str) and piece.strip():
                core = piece.strip()
                # Text that the stage wrote otherwise stands for all that has come.
                self._raw = self._raw[len(core) :] if self._raw.startswith(core) else ""
            yield piece

    def _taken_out(self, end: int) -> Iterator[Removed]:
        """What came before `end` and was not spoken."""
        if end > 0:
            text, self._raw = self._raw[:end].strip(), self._raw[end:]
            if text:
                yield Removed(text)


@dataclass(frozen=True, slots=True)
class TurnReport:
    """One answer to one line."""

    said: str
    speaker: str
    heard: str
    """What would have been spoken, with its line ends."""
    removed: tuple[str, ...]
    cues: tuple[Cue, ...]
    answered: ReplyReport | None
    first_ms: float | None
    whole_ms: float
    error: CharacterError | None
    line: str
    """The persona's own line that is said because of the error."""

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
        """All answers, the one that was chosen first, with what speaks against each."""
        if self.answered is None:
            return []
        return [
            {"text": self.answered.candidates[verdict.index].text, "against": list(verdict.reasons)}
            for verdict in self.answered.verdicts
        ]


@dataclass(slots=True)
class Spoken:
    """An answer while it comes."""

    said: str
    speaker: str
    heard: str = ""
    removed: list[str] = field(default_factory=list)
    cues: list[Cue] = field(default_factory=list)
    first_at: float = 0.0
    """Seconds until the first delta."""

    def add(self, part: Part) -> None:
        """One more part of it."""
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
        """It is over."""
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
