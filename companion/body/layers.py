"""One routine that is being played: what it asks of each light and channel at a time.

Pure. A layer is a picture laid over others; `performer` lays them. Times are seconds of the audio clock.

Layers laid over each other: one colour for each light, one value for each channel.

Pure. Layers come lowest first. A layer that ends gives way to what lies below it along a ramp.
"""

from __future__ import annotations

import colorsys
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from companion.body import tracks
from companion.body.choreography import ALL_LIGHTS, Light, Routine
from companion.body.flash_limit import Shade
from companion.body.tracks import Keyframe, ease, steepest_s, still_s, value_at
from companion.body.variation import Manner, mirror_name, mirror_sign
from companion.config.body import ChannelSettings

MOVING_S = 0.02
"""Between two frames while something moves: 50 frames a second."""

SLOW_S = 0.1
"""Between two frames of a slow breath."""

FADE_S = 0.5
"""How long a routine that ends takes to give way to what lies below it."""

_SLOW_FROM_S = 0.5
"""Changes of brightness that take this long are slow."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A routine at one moment, on one device."""

    routine: Routine
    manner: Manner
    since: float
    priority: int
    strength: float
    """Share of a colour's saturation."""
    tracks: Mapping[str, tuple[Keyframe, ...]]
    """Of the channels that the device has: values in the channel's own unit; offsets where the layer is added."""
    shades: Mapping[str, tuple[Keyframe, ...]]
    """Factors of brightness of the device's lights."""
    lights: Mapping[str, Light]
    """What each of the device's lights shows; those that the layer leaves alone are not in it."""
    origin: Mapping[str, float]
    """Where every channel was when it began."""
    moves_until: float
    lit_until: float

    @property
    def over(self) -> float:
        return max(self.moves_until, self.lit_until) + FADE_S

    @property
    def adds(self) -> bool:
        return self.routine.blend == "add"

    @property
    def moved_at(self) -> float:
        """When its last keyframe is reached."""
        return self.since + self.manner.performance.moves_s / self.manner.tempo

    def light(self, name: str, t: float, place: float) -> Shade | None:
        """What it shows on a light; None where it leaves the light alone. `place`: see `light_patterns`."""
        light = self.lights.get(name)
        if light is None:
            return None
        period = max(light.period_s / self.manner.tempo, tracks.FASTEST_PERIOD_S)
        red, green, blue = (part / 255 for part in light.rgb)
        hue, saturation, value = colorsys.rgb_to_hsv(red, green, blue)
        value *= tracks.brightness(light.pattern, period, t - self.since, place)
        red, green, blue = colorsys.hsv_to_rgb(hue, saturation * self.strength, value)
        return 255 * red, 255 * green, 255 * blue

    def shade(self, name: str, t: float) -> float:
        """What it multiplies a light's brightness by."""
        track = self.shades.get(name)
        if track is None:
            return 1.0
        elapsed = (t - self.since) * self.manner.tempo
        factor = value_at(track, elapsed, 1.0, self.manner.performance.easing)
        return 1.0 + (factor - 1.0) * weight(self.lit_until, t)

    def position(self, name: str, settings: ChannelSettings, t: float) -> float | None:
        """Where it wants a channel, or (`adds`) how far from where it is; None where it does not care."""
        track = self.tracks.get(name)
        if track is None:
            return None
        rest = 0.0 if self.adds else settings.neutral
        elapsed = (t - self.since) * self.manner.tempo
        if settings.kind == "motor" and elapsed >= track[-1].time:
            return rest
        return value_at(track, elapsed, self.origin.get(name, rest), self.manner.performance.easing)

    def ended(self, t: float, *, moves: bool = True, lights: bool = True) -> Layer:
        """This layer, ending at `t` if it would last longer."""
        return replace(
            self,
            moves_until=min(self.moves_until, t) if moves else self.moves_until,
            lit_until=min(self.lit_until, t) if lights else self.lit_until,
        )

    def still(self) -> Layer:
        """This layer without its motion."""
        return replace(self, tracks={}, moves_until=min(self.moves_until, self.since))

    def next_change(self, t: float) -> float | None:
        """Seconds until it asks for something else, or None."""
        waits = []
        elapsed = (t - self.since) * self.manner.tempo
        if self.tracks and t < self.moves_until + FADE_S:
            waits.append(max(min(still_s(track, elapsed) for track in self.tracks.values()), MOVING_S))
            waits += self._until_faded(self.moves_until, t)
        if self.shades and t < self.lit_until + FADE_S:
            quickest = min(steepest_s(track) for track in self.shades.values()) / self.manner.tempo
            frame = SLOW_S if quickest >= _SLOW_FROM_S else MOVING_S
            waits.append(max(min(still_s(track, elapsed) for track in self.shades.values()), frame))
        if self.lights or self.shades:
            waits += self._until_faded(self.lit_until, t)
        if t < self.lit_until + FADE_S:
            frames = [tracks.frame_s(one.pattern, one.period_s) for one in self.lights.values()]
            waits.append(max(min(frames, default=math.inf), MOVING_S))
        return min((wait for wait in waits if wait < math.inf), default=None)

    def _until_faded(self, until: float, t: float) -> list[float]:
        if self._fades and until < t < until + FADE_S:
            return [MOVING_S]
        return [max(until - t, MOVING_S)] if t <= until < math.inf else []

    @property
    def _fades(self) -> bool:
        """Whether anything of it is left at its end that must fade."""
        if self.lights or (self.tracks and not self.adds):
            return True
        left = (
            *(track[-1].value for track in self.tracks.values()),
            *(s[-1].value - 1.0 for s in self.shades.values()),
        )
        return any(left) or min(self.moves_until, self.lit_until) < self.moved_at


def begun(
    routine: Routine,
    manner: Manner,
    t: float,
    *,
    scale: float,
    lasts: float,
    priority: int,
    channels: Mapping[str, ChannelSettings],
    origin: Mapping[str, float],
    lit: Collection[str],
) -> Layer:
    """A routine that begins at `t`.

    `scale` is the cue's intensity as a share of the whole motion, `lasts` its length in seconds as it is played, `lit`
    the lights that it may use.
    """
    way, adds = manner.performance, routine.blend == "add"
    tracks = {}
    for written, track in way.move.items():
        name = mirror_name(written) if manner.mirrored else written
        if name in channels and channels[name].kind in ("servo", "motor"):
            size = scale * manner.amplitude * (mirror_sign(name) if manner.mirrored else 1.0)
            base = 0.0 if adds else channels[name].neutral
            tracks[name] = tuple(key._replace(value=base + key.value * size) for key in track)
    own = {mirror_name(name) if manner.mirrored else name: light for name, light in way.lights.items()}
    shades = {mirror_name(name) if manner.mirrored else name: track for name, track in way.brightness.items()}
    lights = {name: own.get(name, way.light) for name in lit}
    forever = math.inf if routine.blend == "hold" else t + lasts
    return Layer(
        routine,
        manner,
        t,
        priority if routine.priority is None else routine.priority,
        scale,
        tracks,
        {name: shades.get(name, shades.get(ALL_LIGHTS, ())) for name in lit if name in shades or ALL_LIGHTS in shades},
        {name: light for name, light in lights.items() if light is not None},
        {} if adds else origin,
        forever,
        forever,
    )


def weight(until: float, t: float) -> float:
    """How much of a layer is seen: all of it until it ends, then less along a ramp."""
    return 1.0 - ease("smooth", min(max((t - until) / FADE_S, 0.0), 1.0))


RETURN_S = 0.3
"""How long a channel takes to its neutral value where the state has no keyframes for it."""

_DARK: Shade = (0.0, 0.0, 0.0)


def blended_colour(layers: Sequence[Layer], name: str, t: float, place: float, ground: Shade = _DARK) -> Shade:
    """What a light shows at `t`, perhaps brighter than it can (above 255); `ground` lies below all layers."""
    shown = ground
    for layer in layers:
        own = layer.light(name, t, place)
        if own is None:
            continue
        share = weight(layer.lit_until, t)
        if layer.adds:
            red, green, blue = (low + high * share for low, high in zip(shown, own, strict=True))
        else:
            red, green, blue = (low + (high - low) * share for low, high in zip(shown, own, strict=True))
        shown = red, green, blue
    factor = 1.0
    for layer in layers:
        factor *= layer.shade(name, t)
    red, green, blue = shown
    return red * factor, green * factor, blue * factor


def blended_position(
    state: Layer, layers: Sequence[Layer], name: str, settings: ChannelSettings, t: float
) -> tuple[float, int]:
    """Where a channel should be at `t`, and the priority of the highest layer that wants it there.

    `layers` hold `state`, the layer that sends channels without keyframes back to their neutral value.
    """
    value, priority = _returning(state, name, settings, t), 0
    for layer in layers:
        own = layer.position(name, settings, t)
        if own is None:
            continue
        share = weight(layer.moves_until, t)
        value += own * share if layer.adds else (own - value) * share
        priority = max(priority, layer.priority)
    return value, priority


def _returning(state: Layer, name: str, settings: ChannelSettings, t: float) -> float:
    if settings.kind == "motor":
        # Wheels stop as fast as their limits let them.
        return settings.neutral
    way = (Keyframe(RETURN_S, settings.neutral),)
    return value_at(way, t - state.since, state.origin.get(name, settings.neutral), "smooth")
