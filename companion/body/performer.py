"""From cues, states and the mouth to frames: what the whole body should look like at a time.

Pure. Times are seconds of the audio clock and do not run backwards. The layers, lowest first where no file says
otherwise: the state's routine, idle life, emotions, gestures; a layer that ends fades into what lies below it. The
newest cue of a kind replaces the one before. Every frame goes through `limits`, so that neither a file nor a cue can
ask too much of the body. A motor stops after its last keyframe, whatever the routine holds: wheels must not run on.

Safety. While a motion lock is held servos and motors go to their neutral value and stay, and the mouth is shut; the
lights live on. While nothing moves, `next_change` says so and nothing need be computed until then.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping

from companion.body.choreography import EMOTION_S, LIGHT_ONLY_S, Choreography, Performance, Routine
from companion.body.flash_limit import Shade
from companion.body.idle_life import IdleLife
from companion.body.layers import MOVING_S, RETURN_S, SLOW_S, Layer, begun, blended_colour, blended_position
from companion.body.limits import Limits
from companion.body.tracks import Keyframe
from companion.body.variation import Manner, Variation
from companion.config.body import ChannelSettings
from companion.events import BodyFrame, Cue, State

SAME_PLACE_S = 0.1
"""Two cues for the same that come within this time are one."""

_AT_ONCE_S = 0.1
"""A state that follows a barge-in this soon belongs to it."""

_FAINTEST = 0.15
"""Share of a motion and of a colour's saturation that is left at intensity 0."""

_OVERLAPPING = 4
"""Most routines of a kind at once, those that fade included; a flood of cues costs no more than this."""

_LATEST_T = 1e9
_UNTIL_NEXT = (State.SPEAKING.value, State.FOLLOW_UP.value, State.IDLE.value)
"""States that let an emotion's colour fade by itself; the others must be seen at once."""

_PRIORITY = {"state": 0, "idle": 1, "emotion": 3, "gesture": 5}


class Performer:
    """Plays a choreography on the channels of one body."""

    def __init__(
        self,
        choreography: Choreography,
        channels: Mapping[str, ChannelSettings],
        *,
        seed: int = 0,
        idle_life: bool = False,
        current_ma: float = math.inf,
    ) -> None:
        """`choreography` must be whole, as `load_choreography` returns it; `current_ma` is for all channels together.

        The same seed and the same calls give the same frames.
        """
        self._choreography = choreography
        self._channels = channels
        self._lights = [name for name, one in channels.items() if one.kind == "light"]
        self._lit: Collection[str] = self._lights
        self._moving = {name: one for name, one in channels.items() if one.kind in ("servo", "motor")}
        self._mouths = {name: one for name, one in channels.items() if one.kind == "mouth"}
        self._limits = Limits(channels, current_ma)
        self._variation = Variation(seed)
        self._life = IdleLife(choreography.idle if idle_life else {}, channels, seed)
        self._t = -math.inf
        self._opening = 0.0
        self._told = True
        self._locks: set[str] = set()
        self._relaxed_at = -math.inf
        self._idle: list[Layer] = []
        self._emotions: list[Layer] = []
        self._gestures: list[Layer] = []
        self._name = State.IDLE.value
        self._state = self._settling(self._name, 0.0)
        self._life.enter(self._name, 0.0)

    def state(self, name: str, t: float) -> None:
        """Show a state of the conversation, one of `choreography.STATES` (KeyError for any other)."""
        routine = self._choreography.state[name]
        t = self._told_at(t)
        self._name = name
        if t - self._relaxed_at <= _AT_ONCE_S or self._locks:
            self._state = self._settling(name, t)
        else:
            manner = self._variation.manner(f"state.{name}", routine, self._channels)
            self._state = self._begun("state", routine, manner, t, self._lit_in(name))
        self._life.enter(name, t)
        at_once = name not in _UNTIL_NEXT
        self._idle[:] = [layer.ended(t) for layer in self._idle]
        for layers in (self._emotions, self._gestures):
            layers[:] = [
                layer.ended(t, moves=held, lights=held or at_once)
                for layer in layers
                for held in (layer.routine.blend == "hold",)
            ]

    def cue(self, cue: Cue, t: float) -> None:
        """Act a cue, from `t` on (KeyError for an emotion or gesture that is not in the vocabulary)."""
        t = self._told_at(t)
        intensity = min(max(cue.intensity, 0.0), 1.0) if math.isfinite(cue.intensity) else 0.0
        scale = _FAINTEST + (1 - _FAINTEST) * intensity
        if cue.emotion is not None:
            self._act("emotion", cue.emotion, self._choreography.emotion[cue.emotion], self._emotions, scale, t)
        if cue.gesture is not None:
            self._act("gesture", cue.gesture, self._choreography.gesture[cue.gesture], self._gestures, scale, t)

    def mouth(self, opening: float) -> None:
        """Open the mouth, 0 (closed) to 1; anything else is brought into that range."""
        opening = min(max(opening, 0.0), 1.0) if math.isfinite(opening) else 0.0
        self._told = self._told or opening != self._opening
        self._opening = opening

    def relax(self, t: float) -> None:
        """Barge-in: end all motion along a ramp to the state's pose. An emotion's colour stays for its time."""
        t = self._told_at(t)
        self._relaxed_at = t
        self._settle(t)

    def lock(self, reason: str) -> None:
        """Move nothing from now on: a car is under way, a lid is open. Each reason must be taken back by itself."""
        t = self._told_at(self._t)
        if not self._locks:
            self._settle(t)
        self._locks.add(reason)

    def unlock(self, reason: str) -> None:
        """A reason is gone; nothing happens where it was not there. What was cued meanwhile is not made up for."""
        if reason in self._locks:
            self._locks.remove(reason)
            if not self._locks:
                self._settle(self._told_at(self._t))

    @property
    def locks(self) -> frozenset[str]:
        """Why nothing may move."""
        return frozenset(self._locks)

    def dim(self, share: float) -> None:
        """Show the lights at this share of their brightness from now on; below 1 (at night) idle life moves nothing."""
        self._limits.dim(share)
        self._life.still = share < 1.0
        self._told = True

    def spotlight(self, lights: Iterable[str]) -> None:
        """Cues and `speaking` show on these lights only from now on; on all where none of them is there."""
        wanted = set(lights)
        self._lit = [name for name in self._lights if name in wanted] or self._lights

    def frame(self, t: float) -> BodyFrame:
        """The picture at `t`; it names every channel."""
        t = self._told_at(t)
        for name, episode in self._life.begins(t):
            manner = self._variation.manner(f"idle.{name}", episode, self._channels)
            lasts = episode.duration_s or manner.performance.moves_s / manner.tempo or LIGHT_ONLY_S
            self._idle.append(self._begun("idle", episode, manner, t, self._lights, 1.0, lasts))
        for layers in (self._idle, self._emotions, self._gestures):
            layers[:] = [layer for layer in layers if t < layer.over]
        order = self._order()
        lights = {
            name: blended_colour(order, name, t, index / len(self._lights), self._ground(name))
            for index, name in enumerate(self._lights)
        }
        positions: dict[str, float] = {}
        priorities: dict[str, int] = {}
        for name, one in self._moving.items():
            positions[name], priorities[name] = blended_position(self._state, order, name, one, t)
        opening = self._opening_now(order, t)
        for name, one in self._mouths.items():
            positions[name] = one.neutral + opening * (one.high - one.neutral)
        self._told = False
        return self._limits.frame(lights, positions, t, priorities)

    def next_change(self, t: float) -> float | None:
        """Seconds from `t` until `frame` is worth asking for again; None when nothing will change by itself."""
        if self._told:
            return 0.0
        t = max(t, self._t) if math.isfinite(t) else self._t
        if not self._limits.arrived:
            return MOVING_S
        if self._moving and t < self._state.since + RETURN_S:
            return MOVING_S
        waits = [SLOW_S] if self._limits.running else []
        waits += [wait for layer in self._order() if (wait := layer.next_change(t)) is not None]
        if self._life.next_at < math.inf:
            waits.append(max(self._life.next_at - t, MOVING_S))
        return min(waits, default=None)

    def settled(self, t: float) -> bool:
        """Whether nothing will change until the next call of `state`, `cue` or `mouth`."""
        return self.next_change(t) is None

    def _told_at(self, t: float) -> float:
        """Something was told at `t`; returns `t`, made to grow and to be a number."""
        if math.isfinite(t):
            self._t = max(self._t, min(t, _LATEST_T))
        self._told = True
        return self._t if math.isfinite(self._t) else 0.0

    def _act(self, kind: str, name: str, routine: Routine, layers: list[Layer], scale: float, t: float) -> None:
        newest = layers[-1] if layers else None
        if newest is not None and newest.routine is routine and t - newest.since <= SAME_PLACE_S:
            if scale <= newest.strength:
                return
            # The same once more, and stronger: it is the one cue that counts.
            layers.pop()
            manner = newest.manner
        else:
            manner = self._variation.manner(f"{kind}.{name}", routine, self._channels)
        way = manner.performance
        moves = way.moves_s / manner.tempo
        lasts = way.duration_s or (max(EMOTION_S, moves) if kind == "emotion" else moves or LIGHT_ONLY_S)
        _put(layers, self._begun(kind, routine, manner, t, self._lit, scale, lasts))

    def _begun(
        self,
        kind: str,
        routine: Routine,
        manner: Manner,
        t: float,
        lit: Collection[str],
        scale: float = 1.0,
        lasts: float = math.inf,
    ) -> Layer:
        return begun(
            routine,
            manner,
            t,
            scale=scale,
            lasts=lasts,
            priority=_PRIORITY[kind],
            channels=self._channels,
            origin=self._limits.positions,
            lit=lit,
        )

    def _lit_in(self, name: str) -> Collection[str]:
        return self._lit if name == State.SPEAKING else self._lights

    def _ground(self, name: str) -> Shade:
        """What a light outside of the spotlight shows while somebody else speaks: the colour of rest."""
        light = self._choreography.state[State.IDLE.value].light
        if light is None or self._name != State.SPEAKING or name in self._lit:
            return 0.0, 0.0, 0.0
        red, green, blue = light.rgb
        return float(red), float(green), float(blue)

    def _opening_now(self, order: Iterable[Layer], t: float) -> float:
        if self._locks:
            return 0.0
        gains = (layer.manner.performance.mouth_gain for layer in order if t <= layer.lit_until)
        gain = [1.0, *(one for one in gains if one is not None)][-1]
        return min(self._opening * gain, 1.0)

    def _order(self) -> list[Layer]:
        """The layers from the lowest to the highest; those of one priority in the order of their kinds and times."""
        layers = [self._state, *self._idle, *self._emotions, *self._gestures]
        if self._locks:
            layers = [layer.still() for layer in layers]
        return sorted(layers, key=lambda layer: layer.priority)

    def _settle(self, t: float) -> None:
        """End all motion but the way to the state's pose."""
        self._state = self._settling(self._name, t)
        self._emotions[:] = [layer.still() for layer in self._emotions]
        self._idle[:] = [layer.still().ended(t) for layer in self._idle]
        self._gestures[:] = [layer.still().ended(t) for layer in self._gestures]

    def _settling(self, name: str, t: float) -> Layer:
        """The state's layer, which goes to its last pose at once instead of along its own keyframes."""
        routine = self._choreography.state[name]
        way = routine.ways()[0]
        motors = {one for one, settings in self._moving.items() if settings.kind == "motor"}
        poses = {one: (Keyframe(RETURN_S, track[-1].value),) for one, track in way.move.items() if one not in motors}
        straight = Performance.model_construct(**way.__dict__ | {"move": poses, "easing": "smooth"})
        return self._begun("state", routine, Manner(straight), t, self._lit_in(name))


def _put(layers: list[Layer], new: Layer) -> None:
    """Let `new` take the place of the others of its kind, which fade below it."""
    layers[:] = [*(layer.ended(new.since) for layer in layers), new][-_OVERLAPPING:]
