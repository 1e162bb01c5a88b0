"""Somebody who teaches a unit how they call it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import numpy as np

from companion.events import EAR_RATE, AudioFrame, State
from companion.voice_enrolment import PATIENCE_S
from tests.support.small_word import Samples

NOBODY = np.random.default_rng(3).normal(0, 8, round((PATIENCE_S + 1) * EAR_RATE)).astype(np.int16)
"""Nobody speaks for as long as is waited for."""


class Owner:
    """Somebody who answers each question with the next of these sounds; the microphone hears the room in between."""

    def __init__(self, answers: Sequence[Samples]) -> None:
        self._answers = list(answers)
        self._sound = np.zeros(0, np.int16)
        self.asked: list[str] = []
        self.lights: list[bool] = []
        self.told: list[str] = []

    async def say(self, text: str) -> None:
        self.asked.append(text)

    def listening(self, is_listening: bool) -> None:
        self.lights.append(is_listening)
        if is_listening:
            self._sound = self._answers.pop(0)

    def show(self, state: State) -> None:
        """The same as the state of a talk."""
        self.listening(state is State.LISTENING)

    async def frames(self) -> AsyncIterator[AudioFrame]:
        at, random = 0, np.random.default_rng(5)
        while True:
            piece, self._sound = self._sound[:512], self._sound[512:]
            quiet = random.normal(0, 8, 512).astype(np.int16)
            quiet[: len(piece)] = piece
            yield AudioFrame(quiet.tobytes(), at)
            at += 512
            await asyncio.sleep(0)

    def time_of(self, position: int) -> float:
        return position / EAR_RATE

    async def close(self) -> None:
        pass
