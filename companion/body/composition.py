"""Layers laid over each other: one colour for each light, one value for each channel.

Pure. Layers come lowest first. A layer that ends gives way to what lies below it along a ramp.
"""

from __future__ import annotations

from collections.abc import Sequence

from companion.body.calm_lights import Shade
from companion.body.layers import Layer, weight
from companion.body.tracks import Keyframe, value_at
from companion.settings.body import ChannelSettings

RETURN_S = 0.3
"""How long a channel takes to its neutral value where the state has no keyframes for it."""

_DARK: Shade = (0.0, 0.0, 0.0)


def colour(layers: Sequence[Layer], name: str, t: float, place: float, ground: Shade = _DARK) -> Shade:
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


def position(
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
