"""A room in which the microphone hears the loudspeaker, with samples of 16 bits as floats at 16 kHz."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import numpy as np

from companion.events import SAMPLE_BYTES, AudioFrame
from companion.ports import Microphone
from companion.sound.played import PlayedSound
from tests.support.synthetic_user import RATE, say

FRAME = 512
Sound = np.ndarray[Any, Any]


def speech(voice: str, text: str = "the old bear went down to the river and looked for his friend the fox") -> Sound:
    return np.frombuffer(say(text, voice), "<i2").astype(np.float32) / 4


def come_back(played: Sound, delay_s: float, gain: float, rt60_s: float = 0.3) -> Sound:
    """What a room makes of it, with a little noise."""
    rng = np.random.default_rng(3)
    tail = rng.standard_normal(round(rt60_s * RATE)) * 10 ** (-3 * np.linspace(0, 1, round(rt60_s * RATE)))
    tail[0] += np.sqrt(np.square(tail).sum())
    impulse = np.concatenate([np.zeros(round(delay_s * RATE)), gain * tail / np.sqrt(np.square(tail).sum())])
    size = len(played) + len(impulse)
    echo = np.fft.irfft(np.fft.rfft(played, size) * np.fft.rfft(impulse, size), size)[: len(played)]
    return (echo + rng.normal(0, 8, len(played))).astype(np.float32)


STORY = np.concatenate([speech("en-us"), np.zeros(RATE // 2, np.float32)] * 3)


def pcm(sound: Sound) -> bytes:
    return bytes(sound.astype("<i2").tobytes())


def frames_of(heard: Sound) -> list[AudioFrame]:
    return [AudioFrame(pcm(heard[at : at + FRAME]), at) for at in range(0, len(heard) - FRAME + 1, FRAME)]


class EchoingMicrophone:
    """Another microphone, with what is played mixed in, so loud and so late."""

    def __init__(self, microphone: Microphone, played: PlayedSound, gain: float, delay_s: float) -> None:
        self._microphone = microphone
        self._played = played
        self._gain = gain
        self._delay_s = delay_s

    async def frames(self) -> AsyncIterator[AudioFrame]:
        async for frame in self._microphone.frames():
            at = self.time_of(frame.start) - self._delay_s
            echo = self._gain * self._played.heard(at, len(frame.pcm) // SAMPLE_BYTES)
            mixed = np.clip(np.frombuffer(frame.pcm, "<i2") + echo, -32768, 32767)
            yield AudioFrame(mixed.astype("<i2").tobytes(), frame.start)

    def time_of(self, position: int) -> float:
        return self._microphone.time_of(position)

    async def close(self) -> None:
        await self._microphone.close()
