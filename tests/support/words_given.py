"""A transcriber that is told what is said. It stands for one of a language for which the tests have no model.

`GIVEN` holds the words of the utterances that follow, in order. The sound is real and is heard by the real speech
detector; only its words come from here. More utterances than words are an error.
"""

from __future__ import annotations

from collections import deque

from companion.config.device import Device
from companion.config.persona import Persona
from companion.events import Transcript

GIVEN: deque[str] = deque()
ENGINE = f"{__name__}:build"
"""For `ears.transcriber.engine`."""


class WordsGiven:
    """See the module."""

    name = "words given"

    async def start(self) -> None:
        self._fed = 0

    async def feed(self, pcm: bytes) -> str:
        assert 640 <= len(pcm) <= 6400, "20 to 200 ms of 16 kHz"
        self._fed += len(pcm)
        return ""

    async def finish(self) -> Transcript:
        assert self._fed, "an utterance has sound"
        return Transcript(GIVEN.popleft())

    async def cancel(self) -> None:
        self._fed = 0

    async def close(self) -> None:
        assert not GIVEN, f"not said: {list(GIVEN)}"


def build(device: Device, persona: Persona) -> WordsGiven:
    """An engine, as any other."""
    del device, persona
    return WordsGiven()
