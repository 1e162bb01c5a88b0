"""When a device listens and speaks: what the conversation takes from the settings. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Manners:
    """When the device listens and speaks. All times are seconds of audio time."""

    nobody_s: float
    """LISTENING ends after this much silence."""
    follow_up_s: float
    """How long FOLLOW_UP lasts; 0: there is none."""
    always_open: bool = False
    """Whether words are listened for at rest too."""
    opening_after_s: float = 2.0
    continue_after_s: float = 0.0
    """0: the character never speaks by itself."""
    continue_most: int = 2
    may_speak_first: Callable[[], bool] = lambda: True
    """Whether it is not quiet hours."""
    reopens: bool = True
    """Whether a lost microphone may come back; where it may not, `run` raises its `DeviceError`."""
