"""What the times of many turns tell: medians, 95th percentiles, and what held the slowest back."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from companion.mind.memory.turn_times import TurnTimes

STAGES = {
    "endpoint": "speech over, until it was likely over",
    "transcribe": "its words were read",
    "request": "the request left",
    "first_token": "the service's first token",
    "first_sentence": "the first clause was whole",
    "ready": "its sound was made",
    "allowed": "the pause was long enough",
    "first_sound": "the loudspeaker had it",
    "total": "speech over, until the first sound",
    "first_cue": "behind the first sound: the first cue",
}
"""The stages of docs/events.md in their order, in plain words."""

_HELD_BACK = {
    "endpoint": "it took {s} until the speech was likely over, because of sound behind the words",
    "transcribe": "speech to text took {s} of it",
    "request": "the request left only after {s}",
    "first_token": "the service's first token took {s} of it",
    "first_sentence": "from the service's first token to a whole clause it took {s}",
    "ready": "the voice took {s} of it",
    "allowed": "the answer was ready and waited {s} for the pause to be long enough: a whole sentence needs less",
    "first_sound": "the loudspeaker took {s} of it",
}
SLOWEST = 3
"""How many of the slowest turns are told."""


@dataclass(frozen=True, slots=True)
class SlowTurn:
    """One of the slowest turns."""

    at: str
    """When it was over, ISO 8601."""
    total_ms: float
    stage: str
    """What held it back: the stage that took most, compared with its median."""
    stage_ms: float
    dropped: int
    sentence: str
    """The same in plain words."""


@dataclass(frozen=True, slots=True)
class LatencyReport:
    """Of the last turns. The tables hold the stages that any of them reached, and the total."""

    turns: int
    median_ms: dict[str, float]
    p95_ms: dict[str, float]
    dropped: int
    """Answers that were made ahead and dropped."""
    slowest: tuple[SlowTurn, ...]


def report(turns: Sequence[TurnTimes]) -> LatencyReport:
    """What these turns tell."""
    ranked = {stage: sorted(one.latency_ms[stage] for one in turns if stage in one.latency_ms) for stage in STAGES}
    ranked = {stage: values for stage, values in ranked.items() if values}
    median = {stage: round(statistics.median(values), 2) for stage, values in ranked.items()}
    p95 = {stage: values[math.ceil(0.95 * len(values)) - 1] for stage, values in ranked.items()}
    one_day = len({one.at.date() for one in turns}) == 1
    heard = [one for one in turns if "total" in one.latency_ms]
    slowest = sorted(heard, key=lambda one: one.latency_ms["total"], reverse=True)[:SLOWEST]
    told = tuple(_slow_turn(one, median, "%H:%M:%S" if one_day else "%Y-%m-%d %H:%M:%S") for one in slowest)
    return LatencyReport(len(turns), median, p95, sum(one.dropped for one in turns), told)


def _slow_turn(turn: TurnTimes, median: dict[str, float], form: str) -> SlowTurn:
    took = turn.latency_ms
    # Where no stage took longer than usual (a single turn), the longest one is meant.
    stage = max(
        (one for one in took if one in _HELD_BACK), key=lambda one: (round(took[one] - median[one], 1), took[one])
    )
    total = took["total"]
    sentence = f"Turn {turn.at:{form}} took {_seconds(total)}: {_HELD_BACK[stage].format(s=_seconds(took[stage]))}."
    if turn.dropped:
        answers = "an answer" if turn.dropped == 1 else f"{turn.dropped} answers"
        sentence += f" Before it {answers} made ahead had been dropped, because the person went on."
    return SlowTurn(turn.at.isoformat(), total, stage, took[stage], turn.dropped, sentence)


def _seconds(ms: float) -> str:
    return f"{ms / 1000:.1f} s" if ms >= 100 else f"{ms:.0f} ms"
