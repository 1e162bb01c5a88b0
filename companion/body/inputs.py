"""What a body tells the runtime: buttons, switches and the state of its hull. Pure.

A body that has any of these offers `events`, beside `show` and `close`. `BodySwitches` is what the runtime makes of
them: a press of the button, the mute switch that nothing but itself undoes, and reasons for motion to rest.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

log = logging.getLogger("companion")

BodyEventKind = Literal["wake", "mute", "unmute", "lock", "unlock", "battery"]


@dataclass(frozen=True, slots=True)
class BodyEvent:
    """Something happened to the body."""

    kind: BodyEventKind
    """`lock` and `unlock`: motors and servos must rest for `reason`, or need not any more."""

    reason: str
    """What it was: `button`, `touch`, `mute switch`, `lid`, `over_current`, `under_way` or `battery`."""

    value: int = 0
    """A battery's millivolts; the number of a button or touch sensor."""


class BodyEvents(Protocol):
    """A body with buttons or switches."""

    def events(self, callback: Callable[[BodyEvent], object]) -> None:
        """Call `callback` on the event loop's thread for each event from now on; call this once, on that thread.

        What is not at rest already (a closed mute switch, an open lid) is told before this returns, where the body can
        know it by then. A mute switch that cannot be read counts as closed.
        """


class BodySwitches:
    """Hands what bodies tell to the conversation and the motion. All on the event loop's thread.

    `press` takes `wake`, `mute` and `unmute`, as `companion control` does; `lock` and `unlock` take a reason.
    """

    def __init__(
        self, press: Callable[[str], object], lock: Callable[[str], object], unlock: Callable[[str], object]
    ) -> None:
        self._press = press
        self._lock = lock
        self._unlock = unlock
        self._muted_by: set[str] = set()

    @property
    def muted(self) -> bool:
        """Whether a switch in hardware mutes the device: then nobody may unmute it by word or by command."""
        return bool(self._muted_by)

    def allows(self, action: str) -> bool:
        """Whether somebody may do this by voice, signal or `companion control` now."""
        return action not in ("unmute", "wake") or not self.muted

    def take(self, event: BodyEvent) -> None:
        """Take one event of a body."""
        match event.kind:
            case "wake":
                if self.allows("wake"):
                    self._press("wake")
            case "mute":
                self._muted_by.add(event.reason)
                self._press("mute")
            case "unmute":
                self._muted_by.discard(event.reason)
                if not self.muted:
                    self._press("unmute")
            case "lock":
                self._lock(event.reason)
            case "unlock":
                self._unlock(event.reason)
            case "battery":
                log.info("The body's battery has %.1f V.", event.value / 1000)
