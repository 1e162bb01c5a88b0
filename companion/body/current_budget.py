"""Who may move now, so that all channels together never draw more than the supply gives.

Pure. Mouths and lights have their share set aside: speech never waits, and the lights are dimmed by a constant share
where all of them in full white would not fit. A servo or motor moves only while it holds a grant of its whole
`current_ma`, so starts are staggered. Of those that wait the higher priority goes first, then who has waited longer.
Nobody starves: who has waited `PATIENCE_S` goes before all others, and those who moved longest make room.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

from companion.settings.body import ChannelSettings

PATIENCE_S = 1.0
LEAST_TURN_S = 0.4
"""Nobody is asked to make room sooner after they began."""


class CurrentBudget:
    """The grants of one body."""

    def __init__(self, channels: Mapping[str, ChannelSettings], current_ma: float = math.inf) -> None:
        """`current_ma` must suffice for the mouths and the hungriest mover together; `BodySettings` sees to that."""
        lights = sum(one.current_ma for one in channels.values() if one.kind == "light")
        mouths = sum(one.current_ma for one in channels.values() if one.kind == "mouth")
        self._draws = {name: one.current_ma for name, one in channels.items() if one.kind in ("servo", "motor")}
        hungriest = max(self._draws.values(), default=0.0)
        left = max(current_ma - mouths - hungriest, 0.0)
        self.light_share = 1.0 if lights <= left else left / lights
        """What the brightness of every light is multiplied by."""
        self._free = current_ma - mouths - lights * self.light_share
        self._enough = sum(self._draws.values()) <= self._free
        self._granted: dict[str, float] = {}
        """Who moves, and since when."""
        self._waiting: dict[str, float] = {}

    def grant(self, wants: Mapping[str, int], running: Collection[str], t: float) -> Collection[str]:
        """Who of `wants` (name to priority) may move on at `t`; the others come to rest. `running` are in motion."""
        if self._enough:
            return wants.keys()
        for name in [name for name in self._granted if name not in wants and name not in running]:
            del self._granted[name]
        self._waiting = {name: self._waiting.get(name, t) for name in wants if name not in self._granted}
        making_room: set[str] = set()
        for name in sorted(self._waiting, key=lambda one: self._place(one, wants[one], t)):
            if self._fits(name):
                del self._waiting[name]
                self._granted[name] = t
            elif t - self._waiting[name] >= PATIENCE_S:
                making_room = self._who_makes_room(name, t)
                # Nobody slips in before the one who has waited so long.
                break
        for name in making_room - set(running):
            # It stands already: its turn is over.
            self._granted.pop(name)
        return {name for name in wants if name in self._granted and name not in making_room}

    def _place(self, name: str, priority: int, t: float) -> tuple[int, float, int]:
        since = self._waiting[name]
        return (0, since, 0) if t - since >= PATIENCE_S else (1, -priority, round(since * 1000))

    def _fits(self, name: str) -> bool:
        return sum(self._draws[one] for one in (*self._granted, name)) <= self._free + 1e-6

    def _who_makes_room(self, name: str, t: float) -> set[str]:
        """Those who moved longest, as many as are needed."""
        missing = self._draws[name] + sum(self._draws[one] for one in self._granted) - self._free
        leaving: set[str] = set()
        for one in sorted(self._granted, key=lambda one: self._granted[one]):
            if missing <= 1e-6 or t - self._granted[one] < LEAST_TURN_S:
                break
            leaving.add(one)
            missing -= self._draws[one]
        return leaving
