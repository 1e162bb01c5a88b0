"""Layers: routines that are playing, and how they blend into one colour per light and one value per channel.

Pure. `Layer` is one playing routine: what it asks of each light and channel at a time. `blend_colour` and
`blend_position` combine layers, given lowest first. A layer that ends fades along a ramp into what lies below it. The
layers are stacked by `performer`. Times are seconds of the audio clock.
"""

from __future__ import annotations

import colorsys
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from companion.body import tracks
from companion.body.choreography import ALL_LIGHTS, Light, Routine
from companion.body.flash_limit import FloatColour
from companion.body.liveliness import Variant, mirror_name, mirror_sign
from companion.body.tracks import Keyframe, constant_for_s, ease, shortest_segment_s, value_at
from companion.config.body import ChannelSettings

FRAME_S = 0.02
"""Time between frames while something moves: 50 frames a second."""

SLOW_FRAME_S = 0.1
"""Time between frames of a slow change of brightness."""

FADE_S = 0.5
"""How long a routine that ends takes to fade into what lies below it."""

_SLOW_FROM_S = 0.5
"""Changes of brightness that take at least this long are slow."""

RETURN_S = 0.3
"""How long a channel takes to return to its neutral value if the state has no keyframes for it."""

_DARK: FloatColour = (0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Layer:
    """One playing routine, adapted to one device. Layers never change; methods return changed copies."""

    routine: Routine
    variant: Variant
    started_at: float
    priority: int
    saturation: float
    """Factor on the saturation of colours, 0 to 1."""
    tracks: Mapping[str, tuple[Keyframe, ...]]
    """For channels that the device has: values in the channel's own unit, or offsets if the layer is additive."""
    brightness_tracks: Mapping[str, tuple[Keyframe, ...]]
    """Brightness factors of lights."""
    lights: Mapping[str, Light]
    """What it shows on each light; lights that the layer leaves alone are missing."""
    start_positions: Mapping[str, float]
    """Where every channel was when the layer started."""
    moves_until: float
    lit_until: float

    @property
    def faded_out_at(self) -> float:
        """When nothing of it is visible any more."""
        return max(self.moves_until, self.lit_until) + FADE_S

    @property
    def is_additive(self) -> bool:
        """Whether it is added to what lies below instead of replacing it."""
        return self.routine.blend == "add"

    @property
    def last_keyframe_at(self) -> float:
        """When it reaches its last keyframe."""
        return self.started_at + self.variant.performance.last_keyframe_s / self.variant.tempo

    def colour(self, name: str, t: float, place: float) -> FloatColour | None:
        """The colour it gives a light, or None if it leaves the light alone. `place`: see `pattern_brightness`."""
        light = self.lights.get(name)
        if light is None:
            return None
        period = max(light.period_s / self.variant.tempo, tracks.FASTEST_PERIOD_S)
        red, green, blue = (part / 255 for part in light.rgb)
        hue, saturation, value = colorsys.rgb_to_hsv(red, green, blue)
        value *= tracks.pattern_brightness(light.pattern, period, t - self.started_at, place)
        red, green, blue = colorsys.hsv_to_rgb(hue, saturation * self.saturation, value)
        return 255 * red, 255 * green, 255 * blue

    def brightness_factor(self, name: str, t: float) -> float:
        """Factor on the brightness of a light."""
        track = self.brightness_tracks.get(name)
        if track is None:
            return 1.0
        elapsed = (t - self.started_at) * self.variant.tempo
        factor = value_at(track, elapsed, 1.0, self.variant.performance.easing)
        return 1.0 + (factor - 1.0) * fade_weight(self.lit_until, t)

    def position(self, name: str, settings: ChannelSettings, t: float) -> float | None:
        """The value it wants for a channel (an offset if additive), or None if it leaves the channel alone."""
        track = self.tracks.get(name)
        if track is None:
            return None
        rest = 0.0 if self.is_additive else settings.neutral
        elapsed = (t - self.started_at) * self.variant.tempo
        if settings.kind == "motor" and elapsed >= track[-1].time:
            return rest
        return value_at(track, elapsed, self.start_positions.get(name, rest), self.variant.performance.easing)

    def ending_at(self, t: float, *, moves: bool = True, lights: bool = True) -> Layer:
        """A copy whose motion and lights end at `t` at the latest."""
        return replace(
            self,
            moves_until=min(self.moves_until, t) if moves else self.moves_until,
            lit_until=min(self.lit_until, t) if lights else self.lit_until,
        )

    def without_motion(self) -> Layer:
        """A copy that moves nothing."""
        return replace(self, tracks={}, moves_until=min(self.moves_until, self.started_at))

    def next_change(self, t: float) -> float | None:
        """Seconds until it asks for something different, or None if it never will."""
        waits = []
        elapsed = (t - self.started_at) * self.variant.tempo
        if self.tracks and t < self.moves_until + FADE_S:
            waits.append(max(min(constant_for_s(track, elapsed) for track in self.tracks.values()), FRAME_S))
            waits += self._waits_until_faded(self.moves_until, t)
        if self.brightness_tracks and t < self.lit_until + FADE_S:
            quickest = min(shortest_segment_s(track) for track in self.brightness_tracks.values()) / self.variant.tempo
            frame = SLOW_FRAME_S if quickest >= _SLOW_FROM_S else FRAME_S
            waits.append(max(min(constant_for_s(track, elapsed) for track in self.brightness_tracks.values()), frame))
        if self.lights or self.brightness_tracks:
            waits += self._waits_until_faded(self.lit_until, t)
        if t < self.lit_until + FADE_S:
            frames = [tracks.frame_interval_s(one.pattern, one.period_s) for one in self.lights.values()]
            waits.append(max(min(frames, default=math.inf), FRAME_S))
        return min((wait for wait in waits if wait < math.inf), default=None)

    def _waits_until_faded(self, until: float, t: float) -> list[float]:
        if self._needs_fade and until < t < until + FADE_S:
            return [FRAME_S]
        return [max(until - t, FRAME_S)] if t <= until < math.inf else []

    @property
    def _needs_fade(self) -> bool:
        """Whether it still shows or moves something at its end, which must fade."""
        if self.lights or (self.tracks and not self.is_additive):
            return True
        left = (
            *(track[-1].value for track in self.tracks.values()),
            *(s[-1].value - 1.0 for s in self.brightness_tracks.values()),
        )
        return any(left) or min(self.moves_until, self.lit_until) < self.last_keyframe_at


def start_layer(
    routine: Routine,
    variant: Variant,
    t: float,
    *,
    scale: float,
    duration_s: float,
    priority: int,
    channels: Mapping[str, ChannelSettings],
    positions: Mapping[str, float],
    lights: Collection[str],
) -> Layer:
    """A layer for a routine that starts at `t`.

    `scale` is the intensity of the cue, a factor on motion and saturation. `duration_s` is how long it plays,
    `priority` is used if the routine gives none, `positions` is where every channel is now, `lights` are the lights
    that it may use.
    """
    performance, additive = variant.performance, routine.blend == "add"
    tracks = {}
    for written, track in performance.move.items():
        name = mirror_name(written) if variant.mirrored else written
        if name in channels and channels[name].kind in ("servo", "motor"):
            size = scale * variant.amplitude * (mirror_sign(name) if variant.mirrored else 1.0)
            base = 0.0 if additive else channels[name].neutral
            tracks[name] = tuple(key._replace(value=base + key.value * size) for key in track)
    own = {mirror_name(name) if variant.mirrored else name: light for name, light in performance.lights.items()}
    factors = {mirror_name(name) if variant.mirrored else name: track for name, track in performance.brightness.items()}
    colours = {name: own.get(name, performance.light) for name in lights}
    end = math.inf if routine.blend == "hold" else t + duration_s
    return Layer(
        routine,
        variant,
        t,
        priority if routine.priority is None else routine.priority,
        scale,
        tracks,
        {
            name: factors.get(name, factors.get(ALL_LIGHTS, ()))
            for name in lights
            if name in factors or ALL_LIGHTS in factors
        },
        {name: light for name, light in colours.items() if light is not None},
        {} if additive else positions,
        end,
        end,
    )


def fade_weight(until: float, t: float) -> float:
    """How much of a layer is visible, 0 to 1: all of it until it ends, then less along a ramp."""
    return 1.0 - ease("smooth", min(max((t - until) / FADE_S, 0.0), 1.0))


def blend_colour(
    layers: Sequence[Layer], name: str, t: float, place: float, background: FloatColour = _DARK
) -> FloatColour:
    """The colour of a light at `t`; it may be brighter than a light can show (above 255).

    `background` lies below all layers; `place`: see `tracks.pattern_brightness`.
    """
    shown = background
    for layer in layers:
        own = layer.colour(name, t, place)
        if own is None:
            continue
        share = fade_weight(layer.lit_until, t)
        if layer.is_additive:
            red, green, blue = (low + high * share for low, high in zip(shown, own, strict=True))
        else:
            red, green, blue = (low + (high - low) * share for low, high in zip(shown, own, strict=True))
        shown = red, green, blue
    factor = 1.0
    for layer in layers:
        factor *= layer.brightness_factor(name, t)
    red, green, blue = shown
    return red * factor, green * factor, blue * factor


def blend_position(
    state: Layer, layers: Sequence[Layer], name: str, settings: ChannelSettings, t: float
) -> tuple[float, int]:
    """Where a channel should be at `t`, and the highest priority among the layers that move it.

    `state` is one of `layers`; it returns channels without keyframes to their neutral value.
    """
    value, priority = _return_to_neutral(state, name, settings, t), 0
    for layer in layers:
        own = layer.position(name, settings, t)
        if own is None:
            continue
        share = fade_weight(layer.moves_until, t)
        value += own * share if layer.is_additive else (own - value) * share
        priority = max(priority, layer.priority)
    return value, priority


def _return_to_neutral(state: Layer, name: str, settings: ChannelSettings, t: float) -> float:
    if settings.kind == "motor":
        # Wheels stop as fast as their limits allow.
        return settings.neutral
    track = (Keyframe(RETURN_S, settings.neutral),)
    return value_at(track, t - state.started_at, state.start_positions.get(name, settings.neutral), "smooth")
