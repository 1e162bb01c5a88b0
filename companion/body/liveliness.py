"""What keeps the body from looking like a machine: variation between repetitions, and idle life.

Pure; the same seed gives the same choices. `VariantPicker` chooses how a routine is played this time: which
alternative, mirrored or not, how large and how fast, never the same way twice in a row. `IdleLife` decides when a body
that has nothing to do breathes, blinks, glances or sighs. Idle episodes are short, and the pauses between them cost
nothing. What they look like is in the choreography file (`[idle.NAME]`).
"""

from __future__ import annotations

import math
import random
from collections.abc import Container, Mapping
from dataclasses import dataclass

from companion.body.choreography import ALL_LIGHTS, IdleEpisode, Performance, Routine
from companion.config.body import ChannelSettings

SPREAD = 0.15
"""Amplitude and tempo differ from 1 by at most this."""

_SIDEWAYS = frozenset({"head", "roll", "pan", "yaw"})
"""Standard channels whose values change sign when left and right are swapped."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to play a routine."""

    performance: Performance
    mirrored: bool = False
    amplitude: float = 1.0
    tempo: float = 1.0
    """Playing speed: at 1.1 it takes a tenth less time."""


class VariantPicker:
    """Picks how to play each routine, and remembers how it was played last."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._last: dict[str, tuple[int, bool, float, float]] = {}

    def pick(self, name: str, routine: Routine, channels: Container[str]) -> Variant:
        """How to play the routine called `name` now, on a device that has `channels`."""
        performances = routine.performances()
        before = self._last.get(name)
        # An alternative that moves nothing on this device is not used if another one does.
        moving = {number for number, one in enumerate(performances) if any(channel in channels for channel in one.move)}
        choices = [
            (number, mirrored)
            for number, one in enumerate(performances)
            if number in moving or not moving
            for mirrored in ((False, True) if routine.mirror and _can_be_mirrored(one, channels) else (False,))
        ]
        others = [choice for choice in choices if before is None or choice != before[:2]]
        # Mirroring and alternatives change each time if there are any; size and tempo always clearly differ.
        number, mirrored = self._random.choice(others or choices)
        amplitude = self._vary(before[2] if before else None)
        tempo = self._vary(before[3] if before else None)
        self._last[name] = number, mirrored, amplitude, tempo
        return Variant(performances[number], mirrored, amplitude, tempo)

    def _vary(self, before: float | None) -> float:
        """A factor from 1 - SPREAD to 1 + SPREAD, at least a tenth of that range away from the one before."""
        if before is None:
            return 1.0 + self._random.uniform(-SPREAD, SPREAD)
        turn = (before - 1.0 + SPREAD) / (2 * SPREAD) + self._random.uniform(0.1, 0.9)
        return 1.0 - SPREAD + 2 * SPREAD * (turn % 1.0)


def mirror_name(name: str) -> str:
    """`left_arm` for `right_arm` and vice versa; any other name unchanged."""
    sides = {"left": "right", "right": "left"}
    return "_".join(sides.get(part, part) for part in name.split("_"))


def mirror_sign(name: str) -> float:
    """-1 for a channel that turns sideways, otherwise 1."""
    return -1.0 if name in _SIDEWAYS else 1.0


def _can_be_mirrored(performance: Performance, channels: Container[str]) -> bool:
    """Whether the device has the mirrored channels of all the channels that it would show."""
    named = (*performance.move, *performance.lights, *performance.brightness)
    return all(mirror_name(name) in channels for name in named if name in channels)


class IdleLife:
    """The idle episodes of one body, and when each is due."""

    def __init__(self, episodes: Mapping[str, IdleEpisode], channels: Mapping[str, ChannelSettings], seed: int) -> None:
        self._random = random.Random(seed)
        self._episodes = {name: one for name, one in episodes.items() if one.states and _is_visible(one, channels)}
        self._moving = {name for name, one in self._episodes.items() if _moves_something(one, channels)}
        self._due: dict[str, float] = {}
        self.motionless = False
        """Whether to leave out episodes that move something."""

    def enter_state(self, state: str, t: float) -> None:
        """Note that the conversation enters `state` at `t`."""
        wanted = {name: one for name, one in self._episodes.items() if state in one.states}
        # The first pause is cut by a random amount, so that the episodes do not all start together.
        self._due = {name: t + self._pause(one) * self._random.uniform(0.2, 1.0) for name, one in wanted.items()}

    def start_due(self, t: float) -> list[tuple[str, IdleEpisode]]:
        """The episodes that start at `t`, with their names; each is scheduled again after its next pause."""
        starting = []
        for name, due in self._due.items():
            if due <= t:
                episode = self._episodes[name]
                self._due[name] = t + episode.last_keyframe_s + self._pause(episode)
                if not (self.motionless and name in self._moving):
                    starting.append((name, episode))
        return starting

    @property
    def next_at(self) -> float:
        """When the next episode starts; inf if none will."""
        return min(self._due.values(), default=math.inf)

    def _pause(self, episode: IdleEpisode) -> float:
        return self._random.uniform(*episode.every_s)


def _moves_something(episode: IdleEpisode, channels: Mapping[str, ChannelSettings]) -> bool:
    """Whether an episode moves anything that this device has."""
    moving = {name for name, one in channels.items() if one.kind in ("servo", "motor")}
    return any(moving & set(one.move) for one in episode.performances())


def _is_visible(episode: IdleEpisode, channels: Mapping[str, ChannelSettings]) -> bool:
    """Whether anything of an episode can be seen on this device."""
    lights = {name for name, one in channels.items() if one.kind == "light"}
    return _moves_something(episode, channels) or any(
        lights & {*one.lights, *one.brightness} or (lights and (one.light is not None or ALL_LIGHTS in one.brightness))
        for one in episode.performances()
    )
