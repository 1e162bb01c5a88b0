"""The choreography file: what the body does for each emotion, gesture and state, and while nothing happens.

A routine sets lights and moves named channels along keyframes. Keyframe values are offsets from a channel's neutral
value in the channel's own unit: degrees for servos, -1 to 1 for motors. Channels that the device lacks are skipped.
Whatever a user's file leaves out comes from the built-in file, `choreography.toml` beside this module, which also names
the standard channels. Pure apart from reading the files: it knows neither the device nor the time.

Safety: a pattern faster than `FASTEST_PERIOD_S` is refused, so that no file can ask for the 3 to 30 flashes a second
that can trigger seizures (W3C, WCAG 2.2, success criterion 2.3.1). `flash_limit` enforces this again on every frame.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

from pydantic import Field, field_validator

from companion.body.tracks import FASTEST_PERIOD_S, Easing, Keyframe, Pattern, track_type
from companion.config.loading import ChannelName, Settings, read_settings
from companion.config.wording import Form
from companion.events import EMOTIONS, GESTURES, Colour, State

STATES = (*(state.value for state in State), "offline")
"""The states of the conversation, and `offline` for when the service cannot be reached."""

RESTING_STATES = ("idle", "muted")
"""States that last for hours. Their lights must be static, so that an idle device uses no processor time."""

DEFAULT_EMOTION_S = 4.0
"""How long an emotion lasts when its entry gives no `duration_s`."""
DEFAULT_LIGHT_S = 1.5
"""How long a gesture without keyframes lasts when its entry gives no `duration_s`."""
ALL_LIGHTS = "all"
"""Key in `brightness` for every light that has no track of its own there."""

Blend = Literal["replace", "add", "hold"]
WebColour = Annotated[str, Form(r"^#[0-9a-fA-F]{6}$", "is no colour; write it as #ff8800: red, green and blue")]
if TYPE_CHECKING:
    Track = tuple[Keyframe, ...]
    BrightnessTrack = tuple[Keyframe, ...]
else:
    Track = track_type(-360.0, 360.0)
    BrightnessTrack = track_type(0.0, 4.0)


class Light(Settings):
    colour: WebColour
    """Red, green and blue as in a web page: `#ff8800`."""
    pattern: Pattern = "solid"
    """`spin` runs around the device's lights; `sparkle` makes each light twinkle by itself; `flicker` is a flame."""
    period_s: float = Field(default=4.0, le=60)
    """Seconds from one brightness peak to the next. Not used by `solid`."""

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


class Performance(Settings):
    """The lights and motion of a routine."""

    light: Light | None = None
    """For all lights of the device. When absent, they keep showing what they showed before."""
    lights: dict[ChannelName, Light] = Field(default_factory=dict)
    """For single lights, by name; these ignore `light`."""
    brightness: dict[ChannelName, BrightnessTrack] = Field(default_factory=dict)
    """Keyframes of a brightness factor, 0 to 4, for a light or for `all`; the factor starts and ends at 1."""
    move: dict[ChannelName, Track] = Field(default_factory=dict)
    """Keyframes of each channel: [seconds, value] or [seconds, value, easing]. The motion starts wherever the channel
    is, and the last value is held to the end; a motor stops after its last keyframe."""
    easing: Easing = "smooth"
    """For keyframes that give no easing."""
    mouth_gain: float | None = Field(default=None, ge=0, le=2)
    """Factor on the mouth opening while the routine lasts: 0.5 mumbles, 1.5 shouts."""
    duration_s: float | None = Field(default=None, gt=0, le=60)
    """How long it lasts. When absent: 4 s for an emotion, the length of its motion for a gesture. A state lasts until
    the next one."""

    @property
    def last_keyframe_s(self) -> float:
        """Time of the last keyframe; 0 when nothing moves."""
        tracks = (*self.move.values(), *self.brightness.values())
        return max((track[-1].time for track in tracks), default=0.0)

    @property
    def lights_used(self) -> tuple[Light, ...]:
        return (*((self.light,) if self.light else ()), *self.lights.values())


class Routine(Performance):
    """What the body does for one emotion, gesture or state."""

    blend: Blend = "replace"
    """`replace` overrides the layers below, `add` is added on top of them, `hold` overrides them and keeps its last
    pose and light until the state changes or another cue of its kind arrives. A motor is never held."""
    priority: int | None = Field(default=None, ge=0, le=9)
    """Higher layers lie on top and move first when the current does not suffice for all. When absent: states 0, idle
    life 1, emotions 3, gestures 5."""
    mirror: bool = False
    """Whether it means the same with left and right swapped. If so, mirrored and unmirrored playing alternate."""
    alternatives: tuple[Performance, ...] = ()
    """Other ways to do the same, each with the keys that it changes. None is played twice in a row."""

    def performances(self) -> tuple[Performance, ...]:
        """The routine itself and its alternatives, with all values filled in."""
        own = {name: getattr(self, name) for name in Performance.model_fields}
        return tuple(
            Performance.model_construct(**own | {name: getattr(one, name) for name in one.model_fields_set})
            for one in (Performance.model_construct(), *self.alternatives)
        )


class IdleEpisode(Routine):
    """A short routine that plays by itself now and then, such as a blink."""

    blend: Blend = "add"
    every_s: tuple[
        Annotated[float, Field(ge=0.5, le=3600)],
        Annotated[float, Field(ge=0.5, le=3600)],
    ] = (6.0, 15.0)
    """Shortest and longest pause before it plays again."""
    states: tuple[Literal["idle", "listening", "follow_up", "thinking", "speaking"], ...] = ("idle",)
    """The states in which it plays; when empty, it never does."""

    @field_validator("every_s")
    @classmethod
    def _shortest_first(cls, every: tuple[float, float]) -> tuple[float, float]:
        if every[0] > every[1]:
            raise ValueError("the shortest pause stands first")
        return every


class Choreography(Settings):
    """A choreography file."""

    about: str = ""
    """For people: a description of this choreography."""
    emotion: dict[str, Routine] = Field(default_factory=dict)
    gesture: dict[str, Routine] = Field(default_factory=dict)
    state: dict[str, Routine] = Field(default_factory=dict)
    idle: dict[ChannelName, IdleEpisode] = Field(default_factory=dict)
    """Idle episodes, under any names. One that has the name of a built-in episode replaces it."""

    @field_validator("emotion")
    @classmethod
    def _known_emotions(cls, routines: dict[str, Routine]) -> dict[str, Routine]:
        return _check_names("emotion", routines, EMOTIONS)

    @field_validator("gesture")
    @classmethod
    def _known_gestures(cls, routines: dict[str, Routine]) -> dict[str, Routine]:
        return _check_names("gesture", routines, GESTURES)

    @field_validator("state")
    @classmethod
    def _known_states(cls, routines: dict[str, Routine]) -> dict[str, Routine]:
        for name in RESTING_STATES:
            performances = routines[name].performances() if name in routines else ()
            if any(light.pattern != "solid" for one in performances for light in one.lights_used):
                raise ValueError(
                    f'{name}: a resting device does no work, so its lights must be solid: pattern = "solid"'
                )
        return _check_names("state", routines, STATES)


def load_choreography(path: Path | None) -> Choreography:
    """Read a choreography file on top of the built-in one, or only the built-in one when `path` is None.

    The result has an entry for every emotion, gesture and state. Raises `ConfigError`, which lists every problem.
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


def _check_names(kind: str, routines: dict[str, Entry], names: Iterable[str]) -> dict[str, Entry]:
    problems = []
    names = tuple(names)
    for name in routines:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            hint = f"did you mean {near[0]}?" if near else f"write one of {', '.join(names)}"
            problems.append(f"{name}: there is no {kind} called {name}; {hint}")
    if problems:
        raise ValueError("\n".join(problems))
    return routines
