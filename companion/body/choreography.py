"""What the body does for each emotion, gesture and state, and while nothing happens: the model of a choreography file.

A routine lights the lights and moves named channels along keyframes. Keyframe values are offsets from a channel's
neutral value in the channel's own unit: degrees for servos, -1 to 1 for motors. A channel that the device lacks is not
played. What a user's file leaves out is taken from the built-in file, `choreography.toml` beside this module, which
also names the standard channels. Pure but for
reading the files: nothing here knows of a device or of time, seconds come in as arguments.

Safety: a pattern faster than `FASTEST_PERIOD_S` is refused, so that no file can ask for the 3 to 30 flashes a second
that can bring on a seizure (W3C, WCAG 2.2, success criterion 2.3.1). `limits` enforces it again on what comes out.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

from pydantic import Field, field_validator

from companion.body.tracks import FASTEST_PERIOD_S, Easing, Keyframe, Pattern, brightness, track_type
from companion.config.loading import Settings, read_settings
from companion.events import EMOTIONS, GESTURES, Colour, State

STATES = (*(state.value for state in State), "offline")
"""The conversation's states, and `offline` for a service that cannot be reached."""

RESTING_STATES = ("idle", "muted")
"""States that last for hours: their lights stand still, so that a resting device costs nothing."""

EMOTION_S = 4.0
"""How long an emotion stays when its entry gives no `duration_s`."""
LIGHT_ONLY_S = 1.5
"""How long a gesture without keyframes lasts when its entry gives no `duration_s`."""
ALL_LIGHTS = "all"
"""In `brightness`: every light that has no track of its own there."""

Blend = Literal["replace", "add", "hold"]
ChannelName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
if TYPE_CHECKING:
    Track = tuple[Keyframe, ...]
    BrightnessTrack = tuple[Keyframe, ...]
else:
    Track = track_type(-360.0, 360.0)
    BrightnessTrack = track_type(0.0, 4.0)


class Light(Settings):
    colour: str = Field(pattern=r"^#[0-9a-fA-F]{6}$")
    """Red, green and blue as in a web page: `#ff8800`."""
    pattern: Pattern = "solid"
    """`spin` runs round the device's lights; `sparkle` twinkles, each light by itself; `flicker` is a flame."""
    period_s: float = Field(default=4.0, le=60, allow_inf_nan=False)
    """Seconds from one peak of brightness to the next. Not used by `solid`."""

    @field_validator("period_s")
    @classmethod
    def _no_flashing(cls, period: float) -> float:
        if period < FASTEST_PERIOD_S:
            raise ValueError(f"must be at least {FASTEST_PERIOD_S} seconds: fast flashes can bring on seizures")
        return period

    @property
    def rgb(self) -> Colour:
        red, green, blue = bytes.fromhex(self.colour[1:])
        return red, green, blue

    def brightness(self, elapsed: float, place: float = 0.0) -> float:
        """Brightness 0 to 1; see `light_patterns.brightness`."""
        return brightness(self.pattern, self.period_s, elapsed, place)


class Performance(Settings):
    """What is seen of a routine."""

    light: Light | None = None
    """For all the device's lights. What was shown before stays where there is none."""
    lights: dict[ChannelName, Light] = Field(default_factory=dict)
    """For single lights, by name; they do not take part in `light`."""
    brightness: dict[ChannelName, BrightnessTrack] = Field(default_factory=dict)
    """Keyframes of what the brightness of a light (or of `all`) is multiplied by, 0 to 4; it begins and ends at 1."""
    move: dict[ChannelName, Track] = Field(default_factory=dict)
    """Keyframes of each channel: [seconds, value] or [seconds, value, easing]. The motion begins wherever the channel
    is, and a last value is held to the end; a motor stops after its last keyframe."""
    easing: Easing = "smooth"
    """For keyframes that name none."""
    mouth_gain: float | None = Field(default=None, ge=0, le=2)
    """What the mouth's openings are multiplied by while it lasts: 0.5 mumbles, 1.5 shouts."""
    duration_s: float | None = Field(default=None, gt=0, le=60)
    """How long it lasts. When absent: an emotion 4 s, a gesture as long as its motion. A state lasts until the next."""

    @property
    def moves_s(self) -> float:
        """Time of the last keyframe; 0 where nothing moves."""
        tracks = (*self.move.values(), *self.brightness.values())
        return max((track[-1].time for track in tracks), default=0.0)

    @property
    def every_light(self) -> tuple[Light, ...]:
        return (*((self.light,) if self.light else ()), *self.lights.values())


class Routine(Performance):
    """What is done for one emotion, gesture or state."""

    blend: Blend = "replace"
    """`replace` takes the channels from what lies below, `add` is put on top of it, `hold` replaces and keeps its last
    pose and light until the state changes or another cue of its kind comes. A motor is never held."""
    priority: int | None = Field(default=None, ge=0, le=9)
    """The higher lies on top and moves first where the current does not suffice for all. When absent: states 0, idle
    life 1, emotions 3, gestures 5."""
    mirror: bool = False
    """Whether it means the same with left and right exchanged: every other time it is played so."""
    alternatives: tuple[Performance, ...] = ()
    """Other ways to do the same, each with the keys that it changes. No way is taken twice in a row."""

    def ways(self) -> tuple[Performance, ...]:
        """Itself and its alternatives, each whole."""
        own = {name: getattr(self, name) for name in Performance.model_fields}
        return tuple(
            Performance.model_construct(**own | {name: getattr(one, name) for name in one.model_fields_set})
            for one in (Performance.model_construct(), *self.alternatives)
        )


class IdleEpisode(Routine):
    """A sign of life: what nobody asked for."""

    blend: Blend = "add"
    every_s: tuple[
        Annotated[float, Field(ge=0.5, le=3600, allow_inf_nan=False)],
        Annotated[float, Field(ge=0.5, le=3600, allow_inf_nan=False)],
    ] = (6.0, 15.0)
    """Shortest and longest pause before it comes again."""
    states: tuple[Literal["idle", "listening", "follow_up", "thinking", "speaking"], ...] = ("idle",)
    """When it is played; never where empty."""

    @field_validator("every_s")
    @classmethod
    def _shortest_first(cls, every: tuple[float, float]) -> tuple[float, float]:
        if every[0] > every[1]:
            raise ValueError("the shortest pause stands first")
        return every


class Choreography(Settings):
    """A choreography file."""

    about: str = ""
    """For people: what this choreography is like."""
    emotion: dict[str, Routine] = Field(default_factory=dict)
    gesture: dict[str, Routine] = Field(default_factory=dict)
    state: dict[str, Routine] = Field(default_factory=dict)
    idle: dict[ChannelName, IdleEpisode] = Field(default_factory=dict)
    """Signs of life, under any names. One with the name of a built-in one takes its place."""

    @field_validator("emotion")
    @classmethod
    def _known_emotions(cls, routines: dict[str, Routine]) -> dict[str, Routine]:
        return _known("emotion", routines, EMOTIONS)

    @field_validator("gesture")
    @classmethod
    def _known_gestures(cls, routines: dict[str, Routine]) -> dict[str, Routine]:
        return _known("gesture", routines, GESTURES)

    @field_validator("state")
    @classmethod
    def _known_states(cls, routines: dict[str, Routine]) -> dict[str, Routine]:
        for name in RESTING_STATES:
            ways = routines[name].ways() if name in routines else ()
            if any(light.pattern != "solid" for way in ways for light in way.every_light):
                raise ValueError(f"{name}.light.pattern must be solid: a resting device does no work")
        return _known("state", routines, STATES)


def load_choreography(path: Path | None) -> Choreography:
    """Read a choreography file on top of the built-in one; the built-in one alone when `path` is None.

    Every emotion, gesture and state has an entry in what is returned. Raises `ConfigError` with every problem.
    """
    built_in = read_settings(Path(__file__).with_suffix(".toml"), Choreography)
    if path is None:
        return built_in
    own = read_settings(path, Choreography)
    return Choreography(
        about=own.about,
        emotion=built_in.emotion | own.emotion,
        gesture=built_in.gesture | own.gesture,
        state=built_in.state | own.state,
        idle=built_in.idle | own.idle,
    )


Entry = TypeVar("Entry", bound=Routine)


def _known(kind: str, routines: dict[str, Entry], names: Iterable[str]) -> dict[str, Entry]:
    problems = []
    names = tuple(names)
    for name in routines:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            hint = f"did you mean {near[0]}?" if near else f"write one of {', '.join(names)}"
            problems.append(f"there is no {kind} called {name}; {hint}")
    if problems:
        raise ValueError("; ".join(problems))
    return routines
