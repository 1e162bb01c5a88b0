"""What a body reports to the runtime: buttons, switches and the state of its hull. Pure.

A body with any of these offers `events` beside `show` and `close` (see `BodyEvents`). `BodySwitches` turns
their events into button presses, hardware mute (which only the switch itself can undo) and motion locks. `PressLimit`
keeps a broken button from doing what no person could.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from companion.body.log_limit import LogLimit

SHORTEST_PAUSE_S = 0.25
"""A press counts only after this long without one, so that a flood of them counts once."""

MANY_IGNORED = 50
"""This many ignored presses are no child that hammers on the button."""

HELD_S = 5.0
"""A button that is held for so long asks for the owner's page."""

QUIET_S = 300.0
"""After this long without an ignored press they are forgotten."""

BodyEventKind = Literal["wake", "hold", "mute", "unmute", "lock", "unlock", "battery"]


@dataclass(frozen=True, slots=True)
class BodyEvent:
    """Something happened to the body."""

    kind: BodyEventKind
    """`hold`: the button is held for `HELD_S`. `lock`: motors and servos must stand still because of `reason`, which no
    longer holds with `unlock`."""

    reason: str
    """The source: `button`, `touch`, `mute switch`, `lid`, `over_current`, `under_way` or `battery`."""

    value: int = 0
    """The millivolts of a battery, or the number of a button or touch sensor."""


class BodyEvents(Protocol):
    """A body with buttons or switches."""

    def events(self, callback: Callable[[BodyEvent], object]) -> None:
        """Call `callback` for each event from now on, on the event loop's thread. Call this once, on that thread.

        Inputs that are already active (a closed mute switch, an open lid) are reported before this returns, if the
        body can know them by then. A mute switch that cannot be read counts as closed.
        """


class PressLimit:
    """Which presses of buttons and touch sensors count. Times are seconds of any clock that does not run backwards."""

    def __init__(self) -> None:
        self._pressed_at = -math.inf
        self._ignored_at = -math.inf
        self._ignored = 0

    def allows(self, now: float) -> bool:
        """Whether the press that happens now counts."""
        pause, self._pressed_at = now - self._pressed_at, now
        if pause >= SHORTEST_PAUSE_S:
            return True
        if now - self._ignored_at > QUIET_S:
            self._ignored = 0
        self._ignored_at = now
        self._ignored += 1
        return False

    def problem(self, now: float) -> str | None:
        """What is wrong with the buttons, as a sentence."""
        if self._ignored < MANY_IGNORED or now - self._ignored_at > QUIET_S:
            return None
        return (
            f"The body reported {self._ignored} presses faster than a person can press, and they were ignored: look at "
            "its buttons, their wires and the microcontroller."
        )


class BodySwitches:
    """Passes the events of bodies on to the conversation and to the motion lock. All on the event loop's thread.

    `press` is called with `wake`, `mute` or `unmute`, like the actions of `companion control`; `lock` and `unlock` are
    called with a reason. `now` is a clock, in seconds, that does not run backwards.
    """

    def __init__(
        self,
        press: Callable[[str], object],
        lock: Callable[[str], object],
        unlock: Callable[[str], object],
        now: Callable[[], float],
        *,
        muted_otherwise: Callable[[], bool] = lambda: False,
    ) -> None:
        """`muted_otherwise`: whether a button or command mutes the device, which opening a switch does not undo."""
        self._press = press
        self._muted_otherwise = muted_otherwise
        self._lock = lock
        self._unlock = unlock
        self._now = now
        self._presses = PressLimit()
        self._log = LogLimit(now)
        self._muted_by: set[str] = set()
        self.on_hold: Callable[[], object] = lambda: None
        """Called when the button is held for long."""

    @property
    def muted(self) -> bool:
        """Whether a hardware switch mutes the device. If so, it cannot be unmuted by voice or command."""
        return bool(self._muted_by)

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with the inputs, for the status; empty while all is well."""
        problem = self._presses.problem(self._now())
        return () if problem is None else (problem,)

    def allows(self, action: str) -> bool:
        """Whether this action is allowed now by voice, signal or `companion control`."""
        return action not in ("unmute", "wake") or not self.muted

    def handle(self, event: BodyEvent) -> None:
        """Act on one event of a body."""
        match event.kind:
            case "wake":
                if self._presses.allows(self._now()) and self.allows("wake"):
                    self._press("wake")
            case "hold":
                self.on_hold()
            case "mute":
                self._muted_by.add(event.reason)
                self._press("mute")
            case "unmute":
                self._muted_by.discard(event.reason)
                if not self.muted and not self._muted_otherwise():
                    self._press("unmute")
            case "lock":
                self._lock(event.reason)
            case "unlock":
                self._unlock(event.reason)
            case "battery":
                self._log.log(logging.INFO, "The body's battery has %.1f V.", event.value / 1000)
