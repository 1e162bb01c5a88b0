"""How long a unit may talk: minutes a day, breaks, bedtime; over restarts, and whatever becomes of its clock. Pure.

Minutes of talk run from a wake to the end of that talk, the short silences in it included. A pause is the time between
two talks that lasts as long as a break. The account of a day begins anew at local midnight, as the unit sees it pass.
Where the clock jumps instead, what was talked goes along: no jump and no other time zone gives more minutes. A clock
that is set right after a start (a unit without a battery for it) begins the day's account with what was talked since
that start. And so that a wrong clock shuts nobody out for ever, an account ends after 25 hours of running at most; a
date on which the clock showed ahead of time that all was used up has no more minutes when it comes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from companion.config.hours import in_hours
from companion.config.policy import TimeRules

Ending = Literal["", "pause", "day_over", "bedtime"]
"""Why a talk ends after the present answer, as one of the lines; empty: it goes on."""

Refusal = Literal["", "resting", "day_over", "bedtime"]
"""Why no talk begins, as one of the lines."""

JUMP_S = 120.0
"""A clock that is off by more than this, against the time that passed, was set."""
ACCOUNT_S = 25 * 3600.0
"""Days have at most so many seconds."""
KEPT_DAYS = 8
_FIRST_TRUE = datetime(2025, 1, 1, tzinfo=UTC)
"""A clock that shows less has never been set."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Now, by both clocks."""

    running: float
    """Seconds of a clock that nobody sets."""
    wall: datetime
    """Local time, with its offset."""


@dataclass(slots=True)
class KeptTalk:
    """What outlives a restart."""

    at: datetime | None = None
    """When this was kept."""
    seconds: dict[date, float] = field(default_factory=dict)
    """Seconds of talk that count for each of the last days."""
    running_s: float = 0.0
    """How long the unit ran since the account began."""
    stretch_s: float = 0.0
    """Talk since the last pause."""
    rests_until: datetime | None = None
    """The end of the present break."""
    untold_s: float = 0.0
    """Talk since it last said what it is."""
    told: dict[str, date] = field(default_factory=dict)
    """Who was told when what it is."""


class TalkLimits:
    """Counts talk, and knows when it is over. `advance` it at every change, and every few seconds of talk."""

    def __init__(self, now: Moment, kept: KeptTalk | None = None) -> None:
        self.kept = kept or KeptTalk()
        self._last = now
        self._talking = False
        self._idle_since = now.running
        self._rests_until = -1.0
        self._run_s = 0.0
        """Talk since the start, or since the last midnight that was seen to pass."""
        self._day = now.wall.date()
        at = self.kept.at
        self._sure_from = max(_FIRST_TRUE, at or _FIRST_TRUE)
        """Before this the clock is known to be wrong since the start: then nobody knows whether it is bedtime."""
        self._is_sure = now.wall >= self._sure_from
        if at is not None:
            self._go_on_from(at, now)

    def _go_on_from(self, at: datetime, now: Moment) -> None:
        kept = self.kept
        if now.wall < at or now.wall.astimezone(at.tzinfo).date() == at.date():
            self._take_along(kept.seconds.get(at.date(), 0.0))
        else:
            self._begin_account()
        self._idle_since -= max((now.wall - at).total_seconds(), 0.0)
        if kept.rests_until is not None:
            # How much of it is left where the clock stood still meanwhile: `resting` bounds it by a break's length.
            self._rests_until = now.running + (kept.rests_until - now.wall).total_seconds()

    @property
    def talked_s(self) -> float:
        """Seconds of talk today."""
        return self.kept.seconds.get(self._day, 0.0)

    def left_s(self, rules: TimeRules) -> float | None:
        """Seconds of talk that are left today; None where there is no limit."""
        if rules.minutes_a_day is None or rules.minutes_a_day >= 1440:
            return None
        return max(rules.minutes_a_day * 60 - self.talked_s, 0.0)

    def advance(self, now: Moment, rules: TimeRules, *, talking: bool) -> None:
        """It is `now`; from now on it is talked, or not."""
        last, self._last = self._last, now
        passed = max(now.running - last.running, 0.0)
        self.kept.running_s += passed
        if self._talking:
            # A later day has an account where the clock was set back: it may be the true one.
            for day in {self._day, *self.kept.seconds}:
                if day >= self._day:
                    self.kept.seconds[day] = self.kept.seconds.get(day, 0.0) + passed
            self.kept.stretch_s += passed
            self.kept.untold_s += passed
            self._run_s += passed
        self._change_day(last, now, passed)
        self._is_sure = self._is_sure or now.wall >= self._sure_from
        if self.kept.running_s >= ACCOUNT_S:
            self.kept.seconds.clear()
            self._begin_account()
        if self._talking and not talking:
            self._idle_since = now.running
        if not (self._talking or talking) and now.running - self._idle_since >= rules.break_minutes * 60:
            self.kept.stretch_s = 0.0
        self._talking = talking
        # A shorter break than before, or a clock that was set back while the unit was off.
        self._rests_until = min(self._rests_until, now.running + rules.break_minutes * 60)

    def _change_day(self, last: Moment, now: Moment, passed: float) -> None:
        day, before = now.wall.date(), self._day
        jumped = abs((now.wall - last.wall).total_seconds() - passed) > JUMP_S
        if day == before:
            return
        midnight_passed = not jumped and day > before and now.wall.astimezone(last.wall.tzinfo).date() == day
        along = self._run_s if jumped and day > before else self.talked_s
        self._day = day
        if midnight_passed:
            self._run_s = 0.0
            self._begin_account()
        else:
            self._take_along(max(along, self._run_s))
            if day > before:
                self._begin_account()

    def _take_along(self, seconds: float) -> None:
        self.kept.seconds[self._day] = max(self.talked_s, seconds)

    def _begin_account(self) -> None:
        self.kept.running_s = self.kept.untold_s = 0.0
        latest = sorted({*self.kept.seconds, self._day})[-KEPT_DAYS:]
        self.kept.seconds = {day: seconds for day, seconds in self.kept.seconds.items() if day in latest}

    def ending(self, rules: TimeRules) -> Ending:
        """Whether the talk ends now. A pause that is due begins with this, so it is to be said."""
        over = self._over(rules)
        if over or rules.break_after_minutes is None or rules.break_after_minutes >= 1440:
            return over
        if self.kept.stretch_s < rules.break_after_minutes * 60:
            return ""
        self.kept.stretch_s = 0.0
        self._rests_until = self._last.running + rules.break_minutes * 60
        self.kept.rests_until = self._last.wall + timedelta(minutes=rules.break_minutes)
        return "pause"

    def refusal(self, rules: TimeRules) -> Refusal:
        """Why no talk may begin now."""
        if over := self._over(rules):
            return over
        if rules.break_after_minutes is not None and self._last.running < self._rests_until:
            return "resting"
        self.kept.rests_until = None
        return ""

    def _over(self, rules: TimeRules) -> Literal["", "day_over", "bedtime"]:
        if self._is_sure and in_hours(rules.bedtime, self._last.wall.time()):
            return "bedtime"
        return "day_over" if self.left_s(rules) == 0 else ""

    def keep(self) -> KeptTalk:
        """What is to be kept now."""
        # A clock that was never set says nothing about when this is.
        if self._last.wall >= _FIRST_TRUE or self.kept.at is None:
            self.kept.at = self._last.wall
        return self.kept

    def must_be_told(self, whom: str) -> bool:
        """Whether they have not been told today what it is."""
        return self.kept.told.get(whom) != self._day

    def is_long(self, reminder_minutes: int | None) -> bool:
        """Whether it was talked for so long since it last said what it is."""
        return reminder_minutes is not None and self.kept.untold_s >= reminder_minutes * 60

    def note_told(self, whom: str) -> None:
        """They have just been told."""
        self.note_known(whom)
        self.kept.untold_s = 0.0

    def note_known(self, whom: str) -> None:
        """They need not be told today."""
        self.kept.told = {one: day for one, day in self.kept.told.items() if day == self._day} | {whom: self._day}


def kept_as_dict(kept: KeptTalk) -> dict[str, object]:
    """For JSON."""
    return {
        "at": None if kept.at is None else kept.at.isoformat(),
        "seconds": {day.isoformat(): round(seconds, 1) for day, seconds in kept.seconds.items()},
        "running_s": round(kept.running_s),
        "stretch_s": round(kept.stretch_s, 1),
        "rests_until": None if kept.rests_until is None else kept.rests_until.isoformat(),
        "untold_s": round(kept.untold_s, 1),
        "told": {whom: day.isoformat() for whom, day in kept.told.items()},
    }


def kept_from_dict(found: Mapping[str, object]) -> KeptTalk:
    """Back from JSON. Raises `ValueError`, `TypeError`, `KeyError`, `AttributeError` or `OverflowError` for others."""

    def moment(key: str) -> datetime | None:
        text = found[key]
        read = None if text is None else datetime.fromisoformat(str(text))
        if read is not None and read.tzinfo is None:
            raise ValueError(text)
        return read

    def number(value: object) -> float:
        if not isinstance(value, int | float) or not 0 <= value < 1e9:
            raise ValueError(value)
        return float(value)

    def days(key: str) -> dict[str, object]:
        table = found[key]
        if not isinstance(table, dict):
            raise TypeError(key)
        return table

    return KeptTalk(
        at=moment("at"),
        seconds={date.fromisoformat(day): number(value) for day, value in days("seconds").items()},
        running_s=number(found["running_s"]),
        stretch_s=number(found["stretch_s"]),
        rests_until=moment("rests_until"),
        untold_s=number(found["untold_s"]),
        told={whom: date.fromisoformat(str(day)) for whom, day in days("told").items()},
    )
