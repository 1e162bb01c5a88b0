"""Loudspeakers that are WAV files: one in audio time, one that takes all it is given at once. No threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from companion.events import SAMPLE_BYTES
from companion.sound.pcm import faded_out
from companion.sound.wave_file import WaveWriter

TICKS = 100
"""Ticks a second of the file's clock."""

_AHEAD_S = 1.0
_FADE_S = 0.005


class FileSpeaker:
    """Satisfies `ports.Speaker`: what is heard goes to a WAV, silence included. None as path: to nowhere."""

    def __init__(self, path: Path | None, rate: int, moved: Callable[[], None] = lambda: None) -> None:
        self.rate = rate
        self._file = None if path is None else WaveWriter(path, rate)
        self._moved = moved
        self._queue = bytearray()
        self._position = 0
        self._ticks = 0
        self._tick = bytearray()  # the sound of the tick that is passing
        self._missing = 0  # samples by which speech fell short of that tick
        self._waiters: set[asyncio.Future[None]] = set()
        self._over = False

    @property
    def queued(self) -> int:
        """Samples that have not been heard."""
        return len(self._queue) // SAMPLE_BYTES

    async def prepare(self) -> None:
        """See `ports.Speaker.prepare`. A file needs nothing."""

    async def write(self, pcm: bytes) -> int:
        """See `ports.Speaker.write`. Once the microphone's file is over, nothing is heard any more."""
        await self._until(lambda: self.queued <= _AHEAD_S * self.rate)
        start = self._position + self.queued
        if not self._over:
            self._queue += pcm
            # Speech that broke off in the middle of this tick goes on without a gap.
            self._missing -= self._take(self._missing)
            self._moved()
        return start

    def position(self) -> int:
        """See `ports.Speaker.position`."""
        return self._position

    async def drain(self) -> None:
        """See `ports.Speaker.drain`."""
        await self._until(lambda: not self._queue)

    def flush(self) -> int:
        """See `ports.Speaker.flush`. A fade of 5 ms follows."""
        del self._queue[round(_FADE_S * self.rate) * SAMPLE_BYTES :]
        self._queue[:] = faded_out(bytes(self._queue))
        self._moved()
        return self._position

    async def close(self) -> None:
        """Finish the file. Raises `DeviceError` when it cannot be written."""
        self.end()

    def tick(self) -> None:
        """Let 10 ms be heard. Raises `DeviceError` when the file cannot be written."""
        self._record()
        self._ticks += 1
        wanted = self._ticks * self.rate // TICKS - (self._ticks - 1) * self.rate // TICKS
        short = wanted - self._take(wanted)
        if self._tick:
            self._missing = short
        else:
            self._tick += bytes(short * SAMPLE_BYTES)
        for waiter in self._waiters:
            _wake(waiter)

    def end(self) -> None:
        """No more time will pass: whoever waits is let go, and the file is finished."""
        self._over = True
        self._queue.clear()
        for waiter in self._waiters:
            _wake(waiter)
        self._record()
        if self._file is not None:
            self._file.close()

    def _record(self) -> None:
        """The tick has passed: what it lacks was silence."""
        self._tick += bytes(self._missing * SAMPLE_BYTES)
        if self._file is not None and self._tick:
            self._file.write(bytes(self._tick))
        self._tick.clear()
        self._missing = 0

    def _take(self, samples: int) -> int:
        """Move at most so many samples from the queue into the tick."""
        sound = self._queue[: samples * SAMPLE_BYTES]
        del self._queue[: len(sound)]
        self._tick += sound
        self._position += len(sound) // SAMPLE_BYTES
        return len(sound) // SAMPLE_BYTES

    async def _until(self, met: Callable[[], bool]) -> None:
        while not met() and not self._over:
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.add(waiter)
            try:
                await waiter
            finally:
                self._waiters.discard(waiter)


class WavSpeaker:
    """Satisfies `ports.Speaker`: all that is written counts as heard at once. For saying something into a file.

    Raises `DeviceError` where the file cannot be written.
    """

    def __init__(self, path: Path, rate: int) -> None:
        self.rate = rate
        self._file = WaveWriter(path, rate)
        self._written = 0

    async def prepare(self) -> None:
        """See `ports.Speaker.prepare`. A file needs nothing."""

    async def write(self, pcm: bytes) -> int:
        """See `ports.Speaker.write`."""
        start = self._written
        self._file.write(pcm)
        self._written += len(pcm) // SAMPLE_BYTES
        return start

    def position(self) -> int:
        """See `ports.Speaker.position`."""
        return self._written

    async def drain(self) -> None:
        """See `ports.Speaker.drain`."""
        self._file.save()

    def flush(self) -> int:
        """See `ports.Speaker.flush`. Nothing is ever queued."""
        return self._written

    async def close(self) -> None:
        """Finish the file."""
        self._file.close()


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
