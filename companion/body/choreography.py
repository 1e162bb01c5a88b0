"""What the body does for each emotion, gesture and state: the model of a choreography file, and its curves.

A routine lights the lights and moves named channels along keyframes. Keyframe values are offsets from a channel's
neutral value in the channel's own unit: degrees for servos, -1 to 1 for motors. A channel that the device lacks is not
played. What a user's file leaves out is taken from the built-in file, `choreography.toml` beside this module, which
also names the standard channels. Nothing here knows of a device or of time: seconds come in as arguments.

Safety: a pattern faster than `FASTEST_PERIOD_S` is refused, so that no file can ask for the 3 to 30 flashes a second
that can bring on a seizure (W3C, WCAG 2.2, success criterion 2.3.1). `limits` enforces it again on what comes out.
"""

from __future__ import annotations

import difflib
import itertools
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator

from companion.events import EMOTIONS, GESTURES, Colour, State
from companion.settings_file import Settings, read_settings

STATES = (*(state.value for state in State), "offline")
"""The conversation's states, and `offline` for a service that cannot be reached."""

RESTING_STATES = ("idle", "muted")
"""States that last for hours: their lights stand still, so that a resting device costs nothing."""

FASTEST_PERIOD_S = 0.4
EMOTION_S = 4.0
"""How long an emotion stays when its entry gives no `duration_s`."""
LIGHT_ONLY_S = 1.5
"""How long a gesture without keyframes lasts when its entry gives no `duration_s`."""

Pattern = Literal["solid", "breathe", "pulse", "spin", "sparkle"]
Easing = Literal["smooth", "linear"]
ChannelName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
_MOST_KEYFRAMES = 200
_Time = Annotated[float, Field(ge=0, le=60, allow_inf_nan=False)]
_Value = Annotated[float, Field(ge=-360, le=360, allow_inf_nan=False)]


def _in_order(track: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
    times = [time for time, _ in track]
    if not 1 <= len(times) <= _MOST_KEYFRAMES:
        raise ValueError(f"a channel takes 1 to {_MOST_KEYFRAMES} keyframes, each [seconds, value]")
    if any(later <= earlier for earlier, later in itertools.pairwise(times)):
        raise ValueError("the times of the keyframes must grow from one to the next")
    return track


Track = Annotated[tuple[tuple[_Time, _Value], ...], AfterValidator(_in_order)]
"""Keyframes as (seconds since the routine began, value)."""


class Light(Settings):
    colour: str = Field(pattern=r"^#[0-9a-fA-F]{6}$")
    """Red, green and blue as in a web page: `#ff8800`."""
    pattern: Pattern = "solid"
    """`spin` runs round the device's lights; `sparkle` twinkles."""
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
        """Brightness 0 to 1, `elapsed` seconds after the routine began.

        `place` is the light's place among the device's lights, 0 to below 1.
        """
        phase = elapsed / self.period_s
        wave = 0.5 - 0.5 * math.cos(2 * math.pi * phase)
        match self.pattern:
            case "solid":
                return 1.0
            case "breathe":
                return 0.3 + 0.7 * wave
            case "pulse":
                into = phase % 1.0
                return 0.15 + 0.85 * (into / 0.2 if into < 0.2 else (1.25 * (1.0 - into)) ** 2)
            case "spin":
                return 0.1 + 0.9 * (0.5 + 0.5 * math.cos(2 * math.pi * (phase - place))) ** 2
            case "sparkle":
                knot = math.floor(phase)
                into = phase - knot
                ease = into * into * (3.0 - 2.0 * into)
                seed = int(place * 1024)
                before, after = _scatter(knot, seed), _scatter(knot + 1, seed)
                return 0.2 + 0.8 * (before + (after - before) * ease)


class Routine(Settings):
    """What is done for one emotion, gesture or state."""

    light: Light | None = None
    """For all the device's lights. What was shown before stays where there is none."""
    move: dict[ChannelName, Track] = Field(default_factory=dict)
    """Keyframes of each channel. The motion begins wherever the channel is, and a last value is held to the end."""
    easing: Easing = "smooth"
    duration_s: float | None = Field(default=None, gt=0, le=60)
    """How long it lasts. When absent: an emotion 4 s, a gesture as long as its motion. A state lasts until the next."""

    @property
    def moves_s(self) -> float:
        """Time of the last keyframe; 0 where nothing moves."""
        return max((track[-1][0] for track in self.move.values()), default=0.0)


class Choreography(Settings):
    """A choreography file."""

    about: str = ""
    """For people: what this choreography is like."""
    emotion: dict[str, Routine] = Field(default_factory=dict)
    gesture: dict[str, Routine] = Field(default_factory=dict)
    state: dict[str, Routine] = Field(default_factory=dict)

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
            light = routines[name].light if name in routines else None
            if light is not None and light.pattern != "solid":
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
    )


def ease(easing: Easing, progress: float) -> float:
    """Progress 0 to 1 along the way from one keyframe to the next, as it is seen."""
    return progress if easing == "linear" else 0.5 - 0.5 * math.cos(math.pi * progress)


def value_at(track: Iterable[tuple[float, float]], elapsed: float, origin: float, easing: Easing) -> float:
    """The value of a track `elapsed` seconds after it began at the value `origin`. The last value is held."""
    since, value = 0.0, origin
    for time, next_value in track:
        if elapsed < time:
            return value + (next_value - value) * ease(easing, max(0.0, elapsed - since) / (time - since))
        since, value = time, next_value
    return value


def _known(kind: str, routines: dict[str, Routine], names: Iterable[str]) -> dict[str, Routine]:
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


def _scatter(knot: int, seed: int) -> float:
    """A number from 0 to 1 that looks random and is always the same for the same arguments."""
    mixed = ((knot * 2_654_435_761) ^ (seed * 40_503 + 97)) & 0xFFFF_FFFF
    mixed = ((mixed ^ (mixed >> 15)) * 2_246_822_519) & 0xFFFF_FFFF
    return (mixed ^ (mixed >> 13)) / 0xFFFF_FFFF
