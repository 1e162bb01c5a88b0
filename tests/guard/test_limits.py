"""Two days of a child that never stops talking, against the limits; restarts and clocks that jump."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.config.hours import in_hours
from companion.config.policy import NAMES, TimeRules, load_policy
from companion.guard.limits import KeptTalk, Moment, TalkLimits, kept_as_dict, kept_from_dict

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
RULES = TimeRules(minutes_a_day=90, break_after_minutes=30, break_minutes=10)
STEP_S = 10.0


@dataclass
class Child:
    """Talks whenever it may, in steps of ten seconds of real time; the unit's clock may show anything."""

    rules: TimeRules
    real: datetime = NOON
    wall: datetime = NOON
    running: float = 0.0
    talked: list[datetime] = field(default_factory=list)
    """The real time of each step of talk."""
    endings: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    midnights: int = 0
    """How many its clock has passed by itself."""

    def __post_init__(self) -> None:
        self.limits = TalkLimits(self.now())
        self.talking = False

    def now(self) -> Moment:
        return Moment(self.running, self.wall)

    def set_clock(self, wall: datetime) -> None:
        self.wall = wall

    def restart(self, *, off: timedelta = timedelta(), wall: datetime | None = None) -> None:
        """Switched off, later on again; `wall`: what its clock then shows."""
        self.limits.advance(self.now(), self.rules, talking=False)
        kept = json.loads(json.dumps(kept_as_dict(self.limits.keep())))
        self.real += off
        self.wall = wall if wall is not None else self.wall + off
        self.running, self.talking = 0.0, False
        self.limits = TalkLimits(self.now(), kept_from_dict(kept))

    def live(self, span: timedelta) -> None:
        end = self.real + span
        while self.real < end:
            if self.talking and (ending := self.limits.ending(self.rules)):
                self.endings.append(ending)
                self.talking = False
            elif not self.talking:
                refusal = self.limits.refusal(self.rules)
                self.talking = not refusal
                if not self.refusals or self.refusals[-1] != refusal:
                    self.refusals.append(refusal)
            self.limits.advance(self.now(), self.rules, talking=self.talking)
            if self.talking:
                self.talked.append(self.real)
            step = timedelta(seconds=STEP_S)
            self.midnights += (self.wall + step).date() != self.wall.date()
            self.real, self.wall, self.running = self.real + step, self.wall + step, self.running + STEP_S
            self.limits.advance(self.now(), self.rules, talking=self.talking)

    def minutes(self, begin: datetime | None = None, hours: float = 0) -> float:
        """All minutes of talk, or those of so many hours from `begin` on."""
        counts = self.talked
        if begin is not None:
            counts = [at for at in counts if begin <= at < begin + timedelta(hours=hours)]
        return len(counts) * STEP_S / 60


@pytest.mark.parametrize("name", NAMES)
def test_two_days_under_every_policy(name: str) -> None:
    rules = load_policy(name).time
    child = Child(rules, real=NOON.replace(hour=0), wall=NOON.replace(hour=0))
    child.live(timedelta(days=2))
    for day in (NOON.replace(hour=0), NOON.replace(hour=0) + timedelta(days=1)):
        if rules.minutes_a_day is not None:
            assert child.minutes(day, 24) == pytest.approx(rules.minutes_a_day, abs=1)
        else:
            assert child.minutes(day, 24) > 20 * 60
    assert not any(in_hours(rules.bedtime, at.time()) for at in child.talked)
    if rules.break_after_minutes is not None:
        assert longest_stretch(child) <= rules.break_after_minutes + 1
        assert "pause" in child.endings
        assert "resting" in child.refusals


def longest_stretch(child: Child) -> float:
    """Minutes of talk without a pause of a break's length."""
    longest = stretch = 0.0
    for before, at in zip([child.talked[0], *child.talked], child.talked, strict=False):
        paused = at - before > timedelta(minutes=child.rules.break_minutes) - timedelta(seconds=2 * STEP_S)
        stretch = STEP_S / 60 if paused else stretch + STEP_S / 60
        longest = max(longest, stretch)
    return longest


def test_restarts_give_no_more_minutes_and_no_shorter_break() -> None:
    child = Child(RULES, real=NOON.replace(hour=0), wall=NOON.replace(hour=0))
    for _ in range(12 * 47):
        child.live(timedelta(minutes=5))
        child.restart()
    assert child.minutes(NOON.replace(hour=0), 24) == pytest.approx(90, abs=1)
    assert child.minutes(NOON.replace(hour=0) + timedelta(days=1), 23) == pytest.approx(90, abs=1)
    assert longest_stretch(child) <= 31


def test_short_pauses_do_not_put_the_break_off() -> None:
    limits = TalkLimits(Moment(0, NOON))
    now = 0.0
    for _ in range(31):
        for talking, seconds in ((True, 60), (False, 30)):
            limits.advance(Moment(now, NOON + timedelta(seconds=now)), RULES, talking=talking)
            now += seconds
    limits.advance(Moment(now, NOON + timedelta(seconds=now)), RULES, talking=False)
    assert limits.ending(RULES) == "pause"
    assert limits.refusal(RULES) == "resting"


@pytest.mark.parametrize("hours", [-48, -24, -13, -1, 1, 13, 24, 48, 24 * 4000])
@pytest.mark.parametrize("restarts", [False, True])
def test_a_clock_that_is_set_amid_a_day_gives_no_more_minutes(hours: float, restarts: bool) -> None:
    rules = TimeRules(minutes_a_day=90)
    child = Child(rules)
    child.live(timedelta(minutes=60))
    child.set_clock(child.wall + timedelta(hours=hours))
    child.live(timedelta(minutes=60))
    if restarts:
        child.restart()
        child.live(timedelta(minutes=60))
    child.set_clock(child.wall - timedelta(hours=hours))
    child.live(timedelta(hours=8))
    assert child.minutes() == pytest.approx(90, abs=1)
    child.live(timedelta(hours=24))
    # The next day's minutes were used up where the clock had shown that day already.
    assert child.minutes() == pytest.approx(90 if hours in (13, 24) else 180, abs=1)
    child.live(timedelta(hours=24))
    assert child.minutes() >= 179


@pytest.mark.parametrize("hours", [-24, -11, 14])
def test_another_time_zone_gives_no_more_minutes(hours: int) -> None:
    child = Child(TimeRules(minutes_a_day=90))
    child.live(timedelta(hours=2))
    child.restart(wall=child.wall.astimezone(timezone(timedelta(hours=max(hours, -23)))))
    child.live(timedelta(hours=8))
    assert child.minutes() == pytest.approx(90, abs=1)


def test_a_unit_without_a_battery_for_its_clock() -> None:
    """It starts in 1970, or when it was switched off, and is set right a minute later."""
    for stale in (datetime(1970, 1, 1, tzinfo=UTC), NOON + timedelta(hours=2), None):
        child = Child(TimeRules(minutes_a_day=90, bedtime="20:00-07:00"))
        for day in range(5):
            child.live(timedelta(hours=2))
            assert child.minutes() == pytest.approx(90 * (day + 1), abs=1), (stale, day)
            # Twice a day it is switched off for a moment.
            child.restart(off=timedelta(minutes=1), wall=stale)
            child.live(timedelta(minutes=2))
            child.set_clock(child.real)
            child.live(timedelta(minutes=30))
            assert child.minutes() == pytest.approx(90 * (day + 1), abs=1), (stale, day)
            overnight = NOON + timedelta(days=day + 1) - child.real
            child.restart(off=overnight, wall=stale)
            child.live(timedelta(seconds=30))
            child.set_clock(child.real)


def test_a_clock_that_never_goes_right_shuts_nobody_out_for_ever() -> None:
    child = Child(TimeRules(minutes_a_day=30, bedtime="20:00-07:00"))
    child.live(timedelta(hours=1))
    for _ in range(30):
        child.restart(off=timedelta(hours=21), wall=datetime(1970, 1, 1, tzinfo=UTC))
        child.live(timedelta(hours=3))
    assert 60 <= child.minutes() <= 30 * 5


def test_a_clock_that_was_years_ahead_for_a_while() -> None:
    child = Child(TimeRules(minutes_a_day=30))
    child.set_clock(NOON.replace(year=2036))
    child.restart()
    child.live(timedelta(hours=1))
    child.set_clock(child.real)
    child.live(timedelta(hours=1))
    assert child.minutes() == pytest.approx(30, abs=1)
    child.live(timedelta(hours=24))
    assert child.minutes() == pytest.approx(60, abs=1)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["live", "set", "restart"]),
            st.floats(-72, 72).map(lambda hours: round(hours, 2)),
        ),
        max_size=12,
    )
)
def test_whatever_becomes_of_the_clock_within_one_run_of_a_day(steps: list[tuple[str, float]]) -> None:
    child = Child(TimeRules(minutes_a_day=20))
    for what, hours in steps:
        if what == "set":
            child.set_clock(child.real.replace(hour=12) + timedelta(hours=hours))
        else:
            child.live(timedelta(minutes=min(abs(hours), 50)))
    # Each midnight that the clock passes by itself, wherever it was set to before, is another day's beginning.
    assert child.minutes() <= 20 * (1 + child.midnights) + 1


@given(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=9) | st.none()))
def test_what_was_kept_is_read_or_refused(found: dict[str, object]) -> None:
    with pytest.raises((ValueError, TypeError, KeyError, AttributeError, OverflowError)):
        kept_from_dict(found)
    with pytest.raises((ValueError, TypeError)):
        kept_from_dict(kept_as_dict(KeptTalk()) | {"seconds": {"2026-03-10": "much"}})


def test_who_was_told_today_is_known_until_tomorrow() -> None:
    limits = TalkLimits(Moment(0, NOON))
    assert limits.must_be_told("Ana")
    limits.note_told("Ana")
    assert (limits.must_be_told("Ana"), limits.must_be_told("Ben")) == (False, True)
    again = TalkLimits(Moment(0, NOON + timedelta(hours=1)), kept_from_dict(kept_as_dict(limits.keep())))
    assert not again.must_be_told("Ana")
    again.advance(Moment(86400, NOON + timedelta(hours=25)), RULES, talking=False)
    assert again.must_be_told("Ana")


def test_a_long_talk_is_reminded_of_it() -> None:
    limits = TalkLimits(Moment(0, NOON))
    limits.advance(Moment(0, NOON), RULES, talking=True)
    limits.advance(Moment(3600, NOON + timedelta(hours=1)), RULES, talking=True)
    assert limits.is_long(60)
    assert not limits.is_long(None)
    limits.note_told("")
    assert not limits.is_long(60)
