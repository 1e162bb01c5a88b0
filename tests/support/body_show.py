"""A performer and the time that passes before it, for the tests of the body."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from companion.body.choreography import load_choreography
from companion.body.performer import Performer
from companion.config.body import ChannelSettings
from companion.events import BodyFrame, Colour, Cue

CHANNELS = {
    "glow": ChannelSettings(kind="light"),
    "head": ChannelSettings(kind="servo", low=-45, high=45),
    "tilt": ChannelSettings(kind="servo", low=-30, high=30, neutral=4, fastest=200),
    "right_arm": ChannelSettings(kind="servo", low=-90, high=90),
    "wheels": ChannelSettings.model_validate({"kind": "motor"}),
    "mouth": ChannelSettings.model_validate({"kind": "mouth"}),
}


BUILT_IN = load_choreography(None)


FRAME = 0.02


def cue(emotion: str | None = None, gesture: str | None = None, intensity: float = 1.0) -> Cue:
    """A cue at the first character, as an emoji would give it."""
    return Cue(emotion, gesture, intensity, 0, "emoji")


class Show:
    """A performer and the time that passes before it."""

    def __init__(
        self, channels: dict[str, ChannelSettings] = CHANNELS, own: Path | None = None, **options: Any
    ) -> None:
        self.performer = Performer(load_choreography(own) if own else BUILT_IN, channels, **options)
        self.t = 0.0

    def play(self, seconds: float) -> list[BodyFrame]:
        frames = []
        for _ in range(round(seconds / FRAME)):
            frames.append(self.performer.frame(self.t))
            self.t += FRAME
        return frames

    def until_settled(self, longest: float = 30.0) -> BodyFrame:
        end = self.t + longest
        while True:
            frame = self.performer.frame(self.t)
            wait = self.performer.next_change(self.t)
            if wait is None:
                return frame
            assert self.t < end, "never comes to rest"
            self.t += max(wait, 0.001)

    def state(self, name: str) -> None:
        self.performer.show_state(name, self.t)

    def cue(self, *args: object, **kwargs: object) -> None:
        self.performer.play_cue(cue(*args, **kwargs), self.t)  # type: ignore[arg-type]


def swing(frames: list[BodyFrame], channel: str) -> float:
    """How far a channel moves in all, in its own units."""
    values = [frame.positions[channel] for frame in frames]
    return max(values) - min(values)


def redness(colour: Colour) -> int:
    """How much more red than blue a colour has."""
    return colour[0] - colour[2]


MANY = {name: CHANNELS[name] for name in ("glow", "head", "tilt", "right_arm")} | {
    "left_arm": ChannelSettings(kind="servo"),
    "roll": ChannelSettings(kind="servo"),
}


def shown_with(tmp_path: Path, text: str, channels: dict[str, ChannelSettings] = CHANNELS) -> Show:
    """A show with a choreography file of this text beside the built-in one."""
    own = tmp_path / "own.toml"
    own.write_text(text, encoding="utf-8")
    return Show(channels, own)


def minutes(show: Show, count: float) -> tuple[list[BodyFrame], int]:
    """Frames asked for only when something changes, and how many were asked for."""
    frames, asked, end = [], 0, show.t + 60 * count
    while show.t < end:
        frames.append(show.performer.frame(show.t))
        asked += 1
        wait = show.performer.next_change(show.t)
        show.t += end if wait is None else max(wait, FRAME)
    return frames, asked
