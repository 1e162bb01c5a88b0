"""Turns cues, states and mouth openings into frames: what the whole body should look like at a time.

Pure. Times are seconds of the audio clock and do not run backwards. The layers, lowest first unless the choreography
gives other priorities: the state's routine, idle life, emotions, gestures. A layer that ends fades into what lies below
it, and a new cue replaces the previous one of its kind. Every frame goes through `limits`, so neither a file nor a cue
can ask too much of the body. While nothing moves, `next_change` says so, and no frames need to be computed until then.

Safety. A motor stops after its last keyframe, even in a routine that holds its last pose: wheels must not run on. While
motion is locked, servos and motors go to their neutral value and stay there, and the mouth is closed; lights go on.
Where fingers may be in the way (`RELEASING`), everything stops where it is instead and holds nothing.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping

from companion.body.choreography import DEFAULT_EMOTION_S, DEFAULT_LIGHT_S, Choreography, Performance, Routine
from companion.body.flash_limit import FloatColour
from companion.body.layers import FRAME_S, RETURN_S, SLOW_FRAME_S, Layer, blend_colour, blend_position, start_layer
from companion.body.limits import Limits
from companion.body.liveliness import IdleLife, Variant, VariantPicker
from companion.body.tracks import Keyframe, frame_interval_s, pattern_brightness
from companion.config.body import ChannelSettings
from companion.events import BodyFrame, Cue, State

SAME_CUE_S = 0.1
"""Equal cues that arrive within this time count as one."""

RELEASING = frozenset({"lid", "over_current"})
"""Reasons for a lock at which nothing may move, not even to its neutral value."""

_AFTER_BARGE_IN_S = 0.1
"""A state that follows a barge-in within this time belongs to it."""

_SMALLEST_SCALE = 0.15
"""Factor on motion and colour saturation at intensity 0."""

_MOST_OVERLAPPING = 4
"""Most layers of a kind at once, including those that fade out; it bounds the cost of a flood of cues."""

_LATEST_T = 1e9
_KEEP_EMOTION = (State.SPEAKING.value, State.FOLLOW_UP.value, State.IDLE.value)
"""States in which the colour of an emotion fades in its own time; other states must be visible at once."""

_RECORDING_COLOUR, _RECORDING_PERIOD_S = (255.0, 0.0, 0.0), 4.0

_PRIORITIES = {"state": 0, "idle": 1, "emotion": 3, "gesture": 5}


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
        """`choreography` must be complete, as `load_choreography` returns it.

        `current_ma` is the limit for all channels together. The same seed and the same calls give the same frames.
        """
        self._choreography = choreography
        self._channels = channels
        self._lights = [name for name, one in channels.items() if one.kind == "light"]
        self._spotlit: Collection[str] = self._lights
        self._moving = {name: one for name, one in channels.items() if one.kind in ("servo", "motor")}
        self._mouths = {name: one for name, one in channels.items() if one.kind == "mouth"}
        self._limits = Limits(channels, current_ma)
        self._variants = VariantPicker(seed)
        self._idle_life = IdleLife(choreography.idle if idle_life else {}, channels, seed)
        self._t = -math.inf
        self._opening = 0.0
        self._changed = True
        """Whether something was set that no frame shows yet."""
        self._locks: set[str] = set()
        self._recording = False
        self._relaxed_at = -math.inf
        self._idle_episodes: list[Layer] = []
        self._emotions: list[Layer] = []
        self._gestures: list[Layer] = []
        self._state_name = State.IDLE.value
        self._state = self._final_pose_layer(self._state_name, 0.0)
        self._idle_life.enter_state(self._state_name, 0.0)

    def show_state(self, name: str, t: float) -> None:
        """Show a state of the conversation, one of `choreography.STATES` (KeyError for any other)."""
        routine = self._choreography.state[name]
        t = self._note_change(t)
        self._state_name = name
        if t - self._relaxed_at <= _AFTER_BARGE_IN_S or self._locks:
            self._state = self._final_pose_layer(name, t)
        else:
            variant = self._variants.pick(f"state.{name}", routine, self._channels)
            self._state = self._start_layer("state", routine, variant, t, self._lights_for_state(name))
        self._idle_life.enter_state(name, t)
        at_once = name not in _KEEP_EMOTION
        self._idle_episodes[:] = [layer.ending_at(t) for layer in self._idle_episodes]
        for layers in (self._emotions, self._gestures):
            layers[:] = [
                layer.ending_at(t, moves=held, lights=held or at_once)
                for layer in layers
                for held in (layer.routine.blend == "hold",)
            ]

    def play_cue(self, cue: Cue, t: float) -> None:
        """Play a cue from `t` on (KeyError for an emotion or gesture that is not in the vocabulary)."""
        t = self._note_change(t)
        intensity = min(max(cue.intensity, 0.0), 1.0) if math.isfinite(cue.intensity) else 0.0
        scale = _SMALLEST_SCALE + (1 - _SMALLEST_SCALE) * intensity
        if cue.emotion is not None:
            routine = self._choreography.emotion[cue.emotion]
            self._play_routine("emotion", cue.emotion, routine, self._emotions, scale, t)
        if cue.gesture is not None:
            routine = self._choreography.gesture[cue.gesture]
            self._play_routine("gesture", cue.gesture, routine, self._gestures, scale, t)

    def set_mouth(self, opening: float) -> None:
        """Open the mouth, from 0 (closed) to 1; other values are clamped."""
        opening = min(max(opening, 0.0), 1.0) if math.isfinite(opening) else 0.0
        self._changed = self._changed or opening != self._opening
        self._opening = opening

    def relax(self, t: float) -> None:
        """Barge-in: end all motion along a ramp to the state's pose. The colour of an emotion stays for its time."""
        t = self._note_change(t)
        self._relaxed_at = t
        self._end_motion(t)

    def lock(self, reason: str) -> None:
        """Lock all motion: a car is moving, a lid is open. Every reason must be taken back by its own `unlock`."""
        t = self._note_change(self._t)
        if not self._locks:
            self._end_motion(t)
        self._locks.add(reason)

    def unlock(self, reason: str) -> None:
        """Take back a reason; an unknown one is ignored. Cues that arrived meanwhile are not made up for."""
        if reason in self._locks:
            self._locks.remove(reason)
            if not self._locks:
                self._end_motion(self._note_change(self._t))

    @property
    def locks(self) -> frozenset[str]:
        """The reasons why motion is locked."""
        return frozenset(self._locks)

    def set_brightness(self, brightness: float) -> None:
        """Dim the lights to this factor from now on. Below 1 (at night) idle life moves nothing."""
        self._limits.set_brightness(brightness)
        self._idle_life.motionless = brightness < 1.0
        self._changed = True

    def spotlight(self, lights: Iterable[str]) -> None:
        """Show cues and `speaking` on these lights only from now on, or on all if the device has none of them."""
        wanted = set(lights)
        self._spotlit = [name for name in self._lights if name in wanted] or self._lights

    def show_recording(self, recording: bool) -> None:
        """While sound is recorded, and it is not muted, let every light breathe red over what it shows otherwise."""
        self._recording = recording
        self._changed = True

    def frame(self, t: float) -> BodyFrame:
        """The frame at `t`, with every channel in it."""
        t = self._note_change(t)
        for name, episode in self._idle_life.start_due(t):
            variant = self._variants.pick(f"idle.{name}", episode, self._channels)
            duration_s = episode.duration_s or variant.performance.last_keyframe_s / variant.tempo or DEFAULT_LIGHT_S
            self._idle_episodes.append(self._start_layer("idle", episode, variant, t, self._lights, 1.0, duration_s))
        for layers in (self._idle_episodes, self._emotions, self._gestures):
            layers[:] = [layer for layer in layers if t < layer.faded_out_at]
        order = self._layers_by_priority()
        lights = {
            name: blend_colour(order, name, t, index / len(self._lights), self._background(name))
            for index, name in enumerate(self._lights)
        }
        if self._shows_recording:
            red = pattern_brightness("breathe", _RECORDING_PERIOD_S, t)
            lights = {name: _mixed(colour, _RECORDING_COLOUR, red) for name, colour in lights.items()}
        positions: dict[str, float] = {}
        priorities: dict[str, int] = {}
        for name, one in self._moving.items():
            positions[name], priorities[name] = blend_position(self._state, order, name, one, t)
        opening = self._mouth_opening(order, t)
        for name, one in self._mouths.items():
            positions[name] = one.neutral + opening * (one.high - one.neutral)
        self._changed = False
        return self._limits.apply(lights, positions, t, priorities, released=not RELEASING.isdisjoint(self._locks))

    def next_change(self, t: float) -> float | None:
        """Seconds from `t` until the frame will differ, or None if nothing will change by itself."""
        if self._changed:
            return 0.0
        t = max(t, self._t) if math.isfinite(t) else self._t
        if not self._limits.reached_targets:
            return FRAME_S
        if self._moving and t < self._state.started_at + RETURN_S:
            return FRAME_S
        waits = [SLOW_FRAME_S] if self._limits.running else []
        if self._shows_recording and self._lights:
            waits.append(frame_interval_s("breathe", _RECORDING_PERIOD_S))
        waits += [wait for layer in self._layers_by_priority() if (wait := layer.next_change(t)) is not None]
        if self._idle_life.next_at < math.inf:
            waits.append(max(self._idle_life.next_at - t, FRAME_S))
        return min(waits, default=None)

    def at_rest(self, t: float) -> bool:
        """Whether nothing will change until the next `show_state`, `play_cue` or `set_mouth`."""
        return self.next_change(t) is None

    @property
    def _shows_recording(self) -> bool:
        return self._recording and self._state_name != State.MUTED

    def _note_change(self, t: float) -> float:
        """Note that something changes at `t`. Returns `t`, corrected so that it is finite and never decreases."""
        if math.isfinite(t):
            self._t = max(self._t, min(t, _LATEST_T))
        self._changed = True
        return self._t if math.isfinite(self._t) else 0.0

    def _play_routine(
        self, kind: str, name: str, routine: Routine, layers: list[Layer], scale: float, t: float
    ) -> None:
        """Start a routine for a cue; it replaces the `layers` of its kind, which fade out below it."""
        newest = layers[-1] if layers else None
        if newest is not None and newest.routine is routine and t - newest.started_at <= SAME_CUE_S:
            if scale <= newest.saturation:
                return
            # The same cue again, but stronger: it replaces the first.
            layers.pop()
            variant = newest.variant
        else:
            variant = self._variants.pick(f"{kind}.{name}", routine, self._channels)
        motion_s = variant.performance.last_keyframe_s / variant.tempo
        default_s = max(DEFAULT_EMOTION_S, motion_s) if kind == "emotion" else motion_s or DEFAULT_LIGHT_S
        duration_s = variant.performance.duration_s or default_s
        layer = self._start_layer(kind, routine, variant, t, self._spotlit, scale, duration_s)
        layers[:] = [*(one.ending_at(t) for one in layers), layer][-_MOST_OVERLAPPING:]

    def _start_layer(
        self,
        kind: str,
        routine: Routine,
        variant: Variant,
        t: float,
        lights: Collection[str],
        scale: float = 1.0,
        duration_s: float = math.inf,
    ) -> Layer:
        return start_layer(
            routine,
            variant,
            t,
            scale=scale,
            duration_s=duration_s,
            priority=_PRIORITIES[kind],
            channels=self._channels,
            positions=self._limits.positions,
            lights=lights,
        )

    def _lights_for_state(self, name: str) -> Collection[str]:
        return self._spotlit if name == State.SPEAKING else self._lights

    def _background(self, name: str) -> FloatColour:
        """The colour below all layers: while another speaker has the spotlight, a light shows the idle colour."""
        light = self._choreography.state[State.IDLE.value].light
        if light is None or self._state_name != State.SPEAKING or name in self._spotlit:
            return 0.0, 0.0, 0.0
        red, green, blue = light.rgb
        return float(red), float(green), float(blue)

    def _mouth_opening(self, order: Iterable[Layer], t: float) -> float:
        if self._locks:
            return 0.0
        gains = (layer.variant.performance.mouth_gain for layer in order if t <= layer.lit_until)
        gain = [1.0, *(one for one in gains if one is not None)][-1]
        return min(self._opening * gain, 1.0)

    def _layers_by_priority(self) -> list[Layer]:
        """The layers from lowest to highest; layers of equal priority in the order of their kinds and start times."""
        layers = [self._state, *self._idle_episodes, *self._emotions, *self._gestures]
        if self._locks:
            layers = [layer.without_motion() for layer in layers]
        return sorted(layers, key=lambda layer: layer.priority)

    def _end_motion(self, t: float) -> None:
        """End all motion except that to the state's final pose."""
        self._state = self._final_pose_layer(self._state_name, t)
        self._emotions[:] = [layer.without_motion() for layer in self._emotions]
        self._idle_episodes[:] = [layer.without_motion().ending_at(t) for layer in self._idle_episodes]
        self._gestures[:] = [layer.without_motion().ending_at(t) for layer in self._gestures]

    def _final_pose_layer(self, name: str, t: float) -> Layer:
        """A layer for the state that goes straight to its final pose instead of along its keyframes."""
        routine = self._choreography.state[name]
        performance = routine.performances()[0]
        motors = {one for one, settings in self._moving.items() if settings.kind == "motor"}
        poses = {
            one: (Keyframe(RETURN_S, track[-1].value),) for one, track in performance.move.items() if one not in motors
        }
        direct = Performance.model_construct(**performance.__dict__ | {"move": poses, "easing": "smooth"})
        return self._start_layer("state", routine, Variant(direct), t, self._lights_for_state(name))


def _mixed(below: FloatColour, above: FloatColour, share: float) -> FloatColour:
    red, green, blue = (low + (high - low) * share for low, high in zip(below, above, strict=True))
    return red, green, blue
