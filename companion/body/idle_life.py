"""When a body that has nothing to do shows that it is awake: a breath, a blink, a glance, a sigh.

Pure; the same seed gives the same life. Episodes are short and what lies between them costs nothing. What they look
like stands in the choreography file (`[idle.NAME]`).
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping

from companion.body.choreography import ALL_LIGHTS, IdleEpisode
from companion.config.body import ChannelSettings


class IdleLife:
    """The episodes of one body, and when each is due."""

    def __init__(self, episodes: Mapping[str, IdleEpisode], channels: Mapping[str, ChannelSettings], seed: int) -> None:
        self._random = random.Random(seed)
        self._episodes = {name: one for name, one in episodes.items() if one.states and _shows(one, channels)}
        moving = {name for name, one in channels.items() if one.kind in ("servo", "motor")}
        self._moves = {
            name for name, one in self._episodes.items() if any(moving & set(way.move) for way in one.ways())
        }
        self._due: dict[str, float] = {}
        self.still = False
        """Whether episodes that move something are left out."""

    def enter(self, state: str, t: float) -> None:
        """The conversation's state is `state` from `t` on."""
        wanted = {name: one for name, one in self._episodes.items() if state in one.states}
        # The first comes after any part of its pause, so that they do not all come at once.
        self._due = {name: t + self._pause(one) * self._random.uniform(0.2, 1.0) for name, one in wanted.items()}

    def begins(self, t: float) -> list[tuple[str, IdleEpisode]]:
        """The episodes that begin at `t`, with their names."""
        beginning = []
        for name, due in self._due.items():
            if due <= t:
                episode = self._episodes[name]
                self._due[name] = t + episode.moves_s + self._pause(episode)
                if not (self.still and name in self._moves):
                    beginning.append((name, episode))
        return beginning

    @property
    def next_at(self) -> float:
        """When something begins; inf where nothing will."""
        return min(self._due.values(), default=math.inf)

    def _pause(self, episode: IdleEpisode) -> float:
        return self._random.uniform(*episode.every_s)


def _moves(episode: IdleEpisode, channels: Mapping[str, ChannelSettings]) -> bool:
    """Whether an episode moves anything that this device has."""
    moving = {name for name, one in channels.items() if one.kind in ("servo", "motor")}
    return any(moving & set(way.move) for way in episode.ways())


def _shows(episode: IdleEpisode, channels: Mapping[str, ChannelSettings]) -> bool:
    """Whether anything of an episode can be seen on this device."""
    lights = {name for name, one in channels.items() if one.kind == "light"}
    return _moves(episode, channels) or any(
        lights & {*way.lights, *way.brightness} or (lights and (way.light is not None or ALL_LIGHTS in way.brightness))
        for way in episode.ways()
    )
