"""The device's own voice in its ears: a microphone that does not hear it, or somebody who tells it from a person."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from companion.ears.echo_canceller import CancellingMicrophone
from companion.ears.kept_echo import KeptEcho
from companion.ears.own_voice import OwnVoice
from companion.errors import EngineUnavailable
from companion.events import AudioFrame
from companion.ports import Microphone
from companion.sound.played import PlayedSound

NEW_CANCELLER_S = 10.0
"""So much of its own voice a canceller that has just begun may leave some of: the guard looks at what it leaves."""

Grade = Literal["guard", "apm", "cancelled"]


def past_own_voice(
    grade: Grade,
    microphone: Microphone,
    played: PlayedSound | None,
    missing: list[str],
    kept: KeptEcho | None = None,
) -> tuple[Microphone, Callable[[AudioFrame], bool]]:
    """The microphone to listen to, and whether a frame of it holds more than what is `played` (None: that is unknown).

    Where the canceller cannot be used the guard stands in; `missing` gets a sentence about that. The guard begins with
    what is `kept`.
    """
    if played is None or grade == "cancelled":
        return microphone, lambda _: True
    if grade == "apm":
        try:
            microphone = CancellingMicrophone(microphone, played)
            return microphone, OwnVoice(played, microphone.time_of, for_s=NEW_CANCELLER_S).is_person
        except EngineUnavailable as error:
            missing.append(f"It tells its own voice apart, but cannot take it out. ears.echo = {error}")
    return microphone, OwnVoice(played, microphone.time_of, kept).is_person
