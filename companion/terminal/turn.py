"""One answer in the terminal, as a report: what was said, spoken, taken out, shown, and what it cost."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from companion.errors import CharacterError
from companion.events import Cue
from companion.mind.answering import Answered
from companion.terminal.text import Part, Removed


@dataclass(frozen=True, slots=True)
class TurnReport:
    """One answer to one line."""

    said: str
    speaker: str
    heard: str
    """What would have been spoken, with its line ends."""
    removed: tuple[str, ...]
    cues: tuple[Cue, ...]
    answered: Answered | None
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

    def report(self, answered: Answered | None, whole_s: float, error: CharacterError | None, line: str) -> TurnReport:
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
