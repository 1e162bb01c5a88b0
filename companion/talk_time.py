"""The time of talk of one unit, with everybody and as every persona: counted, bounded, and kept over restarts.

What the limits are says the policy of whoever speaks, and the owner over it. Kept in `talk-time.json` in the state
folder, at most `TICK_S` behind. A conversation with files counts the time of its sound, from noon of a day of its own:
it knows neither a first talk of a day nor a bedtime, and keeps nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

from companion.config.policy import Policy
from companion.guard.limits import Ending, KeptTalk, Moment, TalkLimits, kept_as_dict, kept_from_dict
from companion.owner_settings import OwnerSettings
from companion.storage import PRIVATE, create_private_folder, read_plain_file, write_atomically

TALK_TIME_FILE: Final = "talk-time.json"
TICK_S: Final = 20.0
_LONGEST = 64 * 1024
_RUNNING_S = 900.0
"""How often it is kept how long the unit runs, where nothing else changes."""
_NO_DAY = datetime(2025, 1, 1, 12, tzinfo=UTC)


def now_of_unit() -> Moment:
    """By the clock that goes on while a machine sleeps, and the wall clock in local time."""
    return Moment(time.clock_gettime(time.CLOCK_BOOTTIME), datetime.now().astimezone())


def now_of_file(seconds: Callable[[], float]) -> Callable[[], Moment]:
    """The moments of a sound file."""
    return lambda: Moment(seconds(), _NO_DAY + timedelta(seconds=seconds()))


class TalkTime:
    """On the loop's thread. `owner` gives the owner's decisions."""

    def __init__(
        self,
        now: Callable[[], Moment],
        owner: Callable[[], OwnerSettings] = OwnerSettings,
        folder: Path | None = None,
        add_talk: Callable[[date, float], None] = lambda _day, _seconds: None,
        talked_s: float = 0.0,
        *,
        knows_days: bool = True,
    ) -> None:
        """Blocks for a look at the disk. `talked_s`: of today, as far as others know. `knows_days`: no file."""
        self._knows_days = knows_days
        self._now, self._owner, self._add_talk = now, owner, add_talk
        self._path = None if folder is None else folder / TALK_TIME_FILE
        kept, begin = self._read(), now()
        if talked_s:
            today = begin.wall.date()
            kept.seconds[today] = max(kept.seconds.get(today, 0.0), talked_s)
        self._limits = TalkLimits(begin, kept)
        self._written: dict[str, object] = {}
        self._counted = begin.wall.date(), self._limits.talked_s
        self._told_in_this_talk = False
        self._talking = False

    @property
    def talked_s(self) -> float:
        """Seconds of talk today."""
        return self._limits.talked_s

    @property
    def owner(self) -> OwnerSettings:
        """What the owner has decided by now."""
        return self._owner()

    def left_s(self, policy: Policy) -> float | None:
        """Seconds of talk that are left today; None where there is no limit."""
        return self._limits.left_s(self._owner().time_rules(policy.time))

    def pass_on(self, policy: Policy, *, talking: bool | None = None) -> None:
        """Time has passed; from now on it is talked, or not, or as before (None)."""
        if talking is not None and talking is not self._talking:
            self._talking = talking
            self._told_in_this_talk = self._told_in_this_talk and not talking
        self._limits.advance(self._now(), self._owner().time_rules(policy.time), talking=self._talking)

    def refusal(self, policy: Policy) -> str:
        """Why no talk may begin now, as the name of a line; empty where it may."""
        if policy.consent.guardian and self._owner().consent is None:
            return "consent"
        self.pass_on(policy)
        return self._limits.refusal(self._owner().time_rules(policy.time))

    def ending(self, policy: Policy) -> Ending:
        """Why the talk ends after the present answer, as the name of a line. It is to be said: a break begins."""
        self.pass_on(policy)
        return self._limits.ending(self._owner().time_rules(policy.time))

    def truth(self, policy: Policy, persona: str, person: str) -> str:
        """What must be said of what it is with the next answer, as the name of a line; empty where nothing must."""
        if self._told_in_this_talk and self._limits.must_be_told(_whom(persona, person)):
            # Whoever says their name amid a talk heard it in this talk.
            self._limits.note_known(_whom(persona, person))
        daily = policy.truth.says_it_is_ai == "daily" and self._knows_days
        if daily and self._limits.must_be_told(_whom(persona, person)):
            return "ai"
        return "reminder" if self._limits.is_long(policy.truth.reminder_minutes) else ""

    def note_told(self, persona: str, person: str) -> None:
        """They have heard what it is."""
        self._told_in_this_talk = True
        self._limits.note_told(_whom(persona, person))

    async def run(self, tick: Callable[[], None]) -> None:
        """Count on and keep it, until cancelled. `tick` calls `pass_on`."""
        try:
            while True:
                await asyncio.sleep(TICK_S)
                tick()
                if found := self._changed():
                    await asyncio.to_thread(self._write, found)
        finally:
            tick()
            self._write(self._changed())

    def _changed(self) -> dict[str, object]:
        """What is to be written now; empty where nothing is."""
        day, counted = self._counted
        today, talked = self._now().wall.date(), self._limits.talked_s
        if (more := talked - (counted if today == day else 0.0)) > 0:
            self._add_talk(today, more)
        self._counted = today, talked
        found = kept_as_dict(self._limits.keep())
        still = {**found, "at": self._written.get("at"), "running_s": self._written.get("running_s")}
        ran = self._limits.kept.running_s - float(str(self._written.get("running_s", 0)))
        if still == self._written and not (talked and ran >= _RUNNING_S):
            return {}
        self._written = found
        return found

    def _write(self, found: dict[str, object]) -> None:
        if self._path is None or not found:
            return
        try:
            create_private_folder(self._path.parent)
            write_atomically(self._path, json.dumps(found).encode(), PRIVATE)
        except OSError:
            # A full or broken disk: it counts on in memory, and the memory tells what is wrong with the disk.
            self._written = {}

    def _read(self) -> KeptTalk:
        """What was kept; nothing where there is nothing that can be read."""
        try:
            data = None if self._path is None else read_plain_file(self._path, _LONGEST)
            return KeptTalk() if data is None else kept_from_dict(json.loads(data))
        except (OSError, ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
            return KeptTalk()


def _whom(persona: str, person: str) -> str:
    """Who was told by whom, without a name that could be read."""
    return hashlib.sha256(f"{persona}\0{person}".encode()).hexdigest()[:12]
