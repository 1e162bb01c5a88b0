"""From cues, states and the mouth to frames: what the whole body should look like at a time.

Pure. Times are seconds of the audio clock and do not run backwards. The layers, lowest first: the state's routine, the
emotion's, the gesture's; a layer that ends fades into what lies below it. The newest cue of a kind replaces the one
before. Every frame goes through `limits`, so that neither a file nor a cue can ask too much of the body. A motor stops
after its last keyframe, whatever the routine holds: wheels must not run on.

While nothing moves, `next_change` says so and nothing need be computed until the next state, cue or mouth opening.
"""

from __future__ import annotations

import colorsys
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from companion.body.choreography import EMOTION_S, LIGHT_ONLY_S, Choreography, Routine, ease, value_at
from companion.body.limits import Limits
from companion.body_settings import ChannelSettings
from companion.events import BodyFrame, Cue, State

MOVING_S = 0.02
"""Between two frames while something moves: 50 frames a second."""

FADE_S = 0.5
"""How long a routine that ends takes to give way to what lies below it."""

RETURN_S = 0.4
"""How long a channel takes to its neutral value when a state has no keyframes for it."""

_FAINTEST = 0.15
"""Share of a motion and of a colour's saturation that is left at intensity 0."""

_OVERLAPPING = 4
"""Most routines of a kind at once, those that fade included; a flood of cues costs no more than this."""

_LATEST_T = 1e9
_UNTIL_NEXT = (State.SPEAKING.value, State.FOLLOW_UP.value, State.IDLE.value)
"""States that let an emotion's colour fade by itself; the others must be seen at once."""

_Light = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class _Layer:
    """A routine that is being played."""

    routine: Routine
    since: float
    scale: float
    origin: Mapping[str, float]
    """Where every channel was when it began."""
    moves_until: float
    lit_until: float

    @property
    def over(self) -> float:
        return max(self.moves_until, self.lit_until) + FADE_S

    def light(self, t: float, place: float) -> _Light | None:
        if self.routine.light is None:
            return None
        red, green, blue = (part / 255 for part in self.routine.light.rgb)
        hue, saturation, value = colorsys.rgb_to_hsv(red, green, blue)
        value *= self.routine.light.brightness(t - self.since, place)
        red, green, blue = colorsys.hsv_to_rgb(hue, saturation * self.scale, value)
        return 255 * red, 255 * green, 255 * blue

    def position(self, name: str, settings: ChannelSettings, t: float) -> float | None:
        """Where this layer wants a channel; None where it does not care."""
        track = self.routine.move.get(name)
        if track is None:
            return None
        elapsed = t - self.since
        if settings.kind == "motor" and elapsed >= track[-1][0]:
            return settings.neutral
        scaled = ((time, settings.neutral + value * self.scale) for time, value in track)
        return value_at(scaled, elapsed, self.origin.get(name, settings.neutral), self.routine.easing)

    def ended(self, t: float) -> _Layer:
        """This layer, ending at `t` if it would last longer."""
        return replace(self, moves_until=min(self.moves_until, t), lit_until=min(self.lit_until, t))

    def next_change(self, t: float, *, lit: bool) -> float | None:
        """Seconds until this layer asks for something else, or None."""
        light = self.routine.light
        waits = []
        if self.routine.move:
            if t < self.since + self.routine.moves_s or self.moves_until < t < self.moves_until + FADE_S:
                waits.append(MOVING_S)
            elif t <= self.moves_until < math.inf:
                waits.append(max(self.moves_until - t, MOVING_S))
        if light is not None and lit:
            if self.lit_until < t < self.lit_until + FADE_S:
                waits.append(MOVING_S)
            elif t <= self.lit_until < math.inf:
                waits.append(max(self.lit_until - t, MOVING_S))
            if light.pattern != "solid" and t < self.lit_until + FADE_S:
                # Forty steps a period look smooth; a slow breath needs few frames.
                waits.append(min(max(light.period_s / 40, MOVING_S), 0.1))
        return min(waits, default=None)


class Performer:
    """Plays a choreography on the channels of one body."""

    def __init__(self, choreography: Choreography, channels: Mapping[str, ChannelSettings]) -> None:
        """`choreography` must be whole, as `load_choreography` returns it."""
        self._choreography = choreography
        self._lights = [name for name, one in channels.items() if one.kind == "light"]
        self._moving = {name: one for name, one in channels.items() if one.kind in ("servo", "motor")}
        self._mouths = {name: one for name, one in channels.items() if one.kind == "mouth"}
        self._limits = Limits(channels)
        self._t = -math.inf
        self._opening = 0.0
        self._told = True
        self._emotions: list[_Layer] = []
        self._gestures: list[_Layer] = []
        self._state = self._begun(choreography.state[State.IDLE.value], 0.0)

    def state(self, name: str, t: float) -> None:
        """Show a state of the conversation, one of `choreography.STATES` (KeyError for any other)."""
        t = self._told_at(t)
        self._state = self._begun(self._choreography.state[name], t)
        if name not in _UNTIL_NEXT:
            for layers in (self._emotions, self._gestures):
                layers[:] = [replace(layer, lit_until=min(layer.lit_until, t)) for layer in layers]

    def cue(self, cue: Cue, t: float) -> None:
        """Act a cue, from `t` on (KeyError for an emotion or gesture that is not in the vocabulary)."""
        t = self._told_at(t)
        intensity = min(max(cue.intensity, 0.0), 1.0) if math.isfinite(cue.intensity) else 0.0
        scale = _FAINTEST + (1 - _FAINTEST) * intensity
        if cue.emotion is not None:
            routine = self._choreography.emotion[cue.emotion]
            lasts = routine.duration_s or max(EMOTION_S, routine.moves_s)
            _put(self._emotions, self._begun(routine, t, scale, lasts))
        if cue.gesture is not None:
            routine = self._choreography.gesture[cue.gesture]
            lasts = routine.duration_s or routine.moves_s or LIGHT_ONLY_S
            _put(self._gestures, self._begun(routine, t, scale, lasts))

    def mouth(self, opening: float) -> None:
        """Open the mouth, 0 (closed) to 1; anything else is brought into that range."""
        opening = min(max(opening, 0.0), 1.0) if math.isfinite(opening) else 0.0
        self._told = self._told or opening != self._opening
        self._opening = opening

    def relax(self, t: float) -> None:
        """End all gestures and all motion of emotions along a ramp. An emotion's colour stays for its time."""
        t = self._told_at(t)
        self._emotions[:] = [replace(layer, moves_until=min(layer.moves_until, t)) for layer in self._emotions]
        self._gestures[:] = [layer.ended(t) for layer in self._gestures]

    def frame(self, t: float) -> BodyFrame:
        """The picture at `t`; it names every channel."""
        t = self._told_at(t)
        for layers in (self._emotions, self._gestures):
            layers[:] = [layer for layer in layers if t < layer.over]
        lights = {name: self._light(t, index / len(self._lights)) for index, name in enumerate(self._lights)}
        positions = {name: self._position(name, one, t) for name, one in self._moving.items()}
        for name, one in self._mouths.items():
            positions[name] = one.neutral + self._opening * (one.high - one.neutral)
        self._told = False
        return self._limits.frame(lights, positions, t)

    def next_change(self, t: float) -> float | None:
        """Seconds from `t` until `frame` is worth asking for again; None when nothing will change by itself."""
        if self._told:
            return 0.0
        if not self._limits.arrived:
            return MOVING_S
        if self._moving and t < self._state.since + RETURN_S:
            return MOVING_S
        layers = (self._state, *self._emotions, *self._gestures)
        waits = [layer.next_change(t, lit=bool(self._lights)) for layer in layers]
        return min((wait for wait in waits if wait is not None), default=None)

    def settled(self, t: float) -> bool:
        """Whether nothing will change until the next call of `state`, `cue` or `mouth`."""
        return self.next_change(t) is None

    def _told_at(self, t: float) -> float:
        """Something was told at `t`; returns `t`, made to grow and to be a number."""
        if math.isfinite(t):
            self._t = max(self._t, min(t, _LATEST_T))
        self._told = True
        return self._t if math.isfinite(self._t) else 0.0

    def _begun(self, routine: Routine, t: float, scale: float = 1.0, lasts: float = math.inf) -> _Layer:
        return _Layer(routine, t, scale, self._limits.positions, t + lasts, t + lasts)

    def _light(self, t: float, place: float) -> _Light:
        colour = self._state.light(t, place) or (0.0, 0.0, 0.0)
        for layer in (*self._emotions, *self._gestures):
            above = layer.light(t, place)
            if above is not None:
                weight = _weight(layer.lit_until, t)
                red, green, blue = (low + (high - low) * weight for low, high in zip(colour, above, strict=True))
                colour = (red, green, blue)
        return colour

    def _position(self, name: str, settings: ChannelSettings, t: float) -> float:
        value = self._state.position(name, settings, t)
        if value is None:
            origin = self._state.origin.get(name, settings.neutral)
            value = value_at(((RETURN_S, settings.neutral),), t - self._state.since, origin, "smooth")
        for layer in (*self._emotions, *self._gestures):
            above = layer.position(name, settings, t)
            if above is not None:
                value += (above - value) * _weight(layer.moves_until, t)
        return value


def _put(layers: list[_Layer], new: _Layer) -> None:
    """Let `new` take the place of the others of its kind, which fade below it."""
    layers[:] = [*(layer.ended(new.since) for layer in layers), new][-_OVERLAPPING:]


def _weight(until: float, t: float) -> float:
    """How much of a layer is seen: all of it until it ends, then less along a ramp."""
    return 1.0 - ease("smooth", min(max((t - until) / FADE_S, 0.0), 1.0))
