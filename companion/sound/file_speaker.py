"""Loudspeakers that write WAV files: `FileSpeaker` in audio time, `InstantFileSpeaker` at once. No threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from companion.events import SAMPLE_BYTES
from companion.sound.pcm import fade, fade_out
from companion.sound.played import PlayedSound
from companion.sound.wave_file import WaveWriter

TICKS_PER_SECOND = 100
"""Ticks per second of the clock in `companion.sound.file`."""

CARD_S = 0.04
_AHEAD_S = 1.0
_FADE_S = 0.005
_DUCKED = 0.25


class FileSpeaker:
    """Satisfies `ports.Speaker`: records what is heard, silence included, in a WAV file. It plays 10 ms at each `tick`.

    Without a path nothing is recorded. `on_change` is called whenever the queue has changed. `played` learns what is
    played, as if by a card that buffers `CARD_S` of it.
    """

    def __init__(
        self,
        path: Path | None,
        rate: int,
        on_change: Callable[[], None] = lambda: None,
        played: PlayedSound | None = None,
    ) -> None:
        self.rate = rate
        self._played = played
        self._file = None if path is None else WaveWriter(path, rate)
        self._on_change = on_change
        self._queue = bytearray()
        self._position = 0
        self._ticks = 0
        self._tick = bytearray()  # the sound of the current tick
        self._missing = 0  # samples that the queue lacked for that tick
        self._waiters: set[asyncio.Future[None]] = set()
        self._ended = False
        self._volume = self._wanted_volume = 1.0

    @property
    def queued(self) -> int:
        """Samples that have not been heard yet."""
        return len(self._queue) // SAMPLE_BYTES

    async def prepare(self) -> None:
        """See `ports.Speaker.prepare`. A file needs nothing."""

    async def write(self, pcm: bytes) -> int:
        """See `ports.Speaker.write`. After the end of the microphone's file, nothing is heard any more."""
        await self._wait_until(lambda: self.queued <= _AHEAD_S * self.rate)
        start = self._position + self.queued
        if not self._ended:
            self._queue += pcm
            # Speech that ran out in the middle of this tick goes on without a gap.
            self._missing -= self._move_to_tick(self._missing)
            self._on_change()
        return start

    def position(self) -> int:
        """See `ports.Speaker.position`."""
        return self._position

    async def drain(self) -> None:
        """See `ports.Speaker.drain`."""
        await self._wait_until(lambda: not self._queue)

    def pause(self) -> None:
        """See `ports.Speaker.pause`. The tick in which it happens fades out."""
        self._wanted_volume = 0.0

    def duck(self) -> None:
        """See `ports.Speaker.duck`."""
        self._wanted_volume = _DUCKED

    def resume(self) -> None:
        """See `ports.Speaker.resume`."""
        self._wanted_volume = 1.0
        self._on_change()

    def flush(self) -> int:
        """See `ports.Speaker.flush`. A fade of 5 ms follows."""
        if self._volume == 0.0:
            self._queue.clear()
        self._volume = self._wanted_volume = 1.0
        del self._queue[round(_FADE_S * self.rate) * SAMPLE_BYTES :]
        self._queue[:] = fade_out(bytes(self._queue))
        self._on_change()
        return self._position

    async def close(self) -> None:
        """Finish the file. Raises `DeviceError` when it cannot be written."""
        self.end()

    def tick(self) -> None:
        """Play 10 ms. Raises `DeviceError` if the file cannot be written."""
        self._record_tick()
        self._ticks += 1
        wanted = self._ticks * self.rate // TICKS_PER_SECOND - (self._ticks - 1) * self.rate // TICKS_PER_SECOND
        short = wanted - self._move_to_tick(wanted)
        if self._tick:
            self._missing = short
        else:
            self._tick += bytes(short * SAMPLE_BYTES)
        for waiter in self._waiters:
            _wake(waiter)

    def end(self) -> None:
        """Stop time: release everything that waits, and finish the file."""
        self._ended = True
        self._queue.clear()
        for waiter in self._waiters:
            _wake(waiter)
        self._record_tick()
        if self._file is not None:
            self._file.close()

    def _record_tick(self) -> None:
        """Write the tick that has passed, filled up with silence, to the file."""
        self._tick += bytes(self._missing * SAMPLE_BYTES)
        if self._file is not None and self._tick:
            self._file.write(bytes(self._tick))
        self._tick.clear()
        self._missing = 0

    def _move_to_tick(self, samples: int) -> int:
        """Move up to this many samples from the queue to the current tick. Returns how many."""
        if self._volume == self._wanted_volume == 0.0:
            return 0
        sound = bytes(self._queue[: samples * SAMPLE_BYTES])
        del self._queue[: len(sound)]
        if self._volume != 1.0 or self._wanted_volume != 1.0:
            sound = fade(sound, self._volume, self._wanted_volume)
        self._volume = self._wanted_volume
        if sound and self._played is not None:
            before = len(self._tick) // SAMPLE_BYTES / self.rate
            self._played.put(sound, self.rate, (self._ticks - 1) / TICKS_PER_SECOND + before + CARD_S)
        self._tick += sound
        self._position += len(sound) // SAMPLE_BYTES
        return len(sound) // SAMPLE_BYTES

    async def _wait_until(self, condition: Callable[[], bool]) -> None:
        while not condition() and not self._ended:
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.add(waiter)
            try:
                await waiter
            finally:
                self._waiters.discard(waiter)


class InstantFileSpeaker:
    """Satisfies `ports.Speaker`: everything written counts as heard at once. For `companion say --out`.

    Raises `DeviceError` if the file cannot be written.
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

    def pause(self) -> None:
        """See `ports.Speaker.pause`. There is never a queue."""

    def duck(self) -> None:
        """See `ports.Speaker.duck`."""

    def resume(self) -> None:
        """See `ports.Speaker.resume`."""

    def flush(self) -> int:
        """See `ports.Speaker.flush`. There is never a queue."""
        return self._written

    async def close(self) -> None:
        """Finish the file."""
        self._file.close()


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
