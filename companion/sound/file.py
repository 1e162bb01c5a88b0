"""Files in place of the sound card: one hears the microphone's WAV, the other records the loudspeaker.

Everything runs on one clock of 10 ms ticks, the file's. A tick comes when the next frame is asked for: tasks that were
woken run first, then the loudspeaker takes its 10 ms, the clock's sleepers are woken, and the frame is handed out.
Time stands still while a reply is being made and nothing of it is queued, so the work of the engines takes no audio
time and leaves no gaps; with `realtime` each tick waits for the wall clock instead and nothing holds it.
No threads.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
from collections.abc import AsyncGenerator, Callable, Iterator
from pathlib import Path

from companion.errors import DeviceError
from companion.events import EAR_RATE, SAMPLE_BYTES, AudioFrame
from companion.sound.file_speaker import TICKS, FileSpeaker
from companion.sound.pcm import Resampler
from companion.sound.wave_file import WaveReader

_FRAME_BYTES = EAR_RATE // TICKS * SAMPLE_BYTES
_QUIET_END_S = 0.5
_SETTLE_ROUNDS = 2
"""How many rounds of the loop woken tasks are given before time goes on; each hand-over between tasks needs one."""


def _never() -> bool:
    return False


def same_file(one: Path, other: Path) -> bool:
    """Whether writing to one would change the other, under whatever names. Neither needs to be there."""
    try:
        return one.samefile(other) and one.is_file()
    except OSError:
        return one.resolve() == other.resolve()


class FileClock:
    """Satisfies `ports.Clock`: time passes with `tick`."""

    def __init__(self) -> None:
        self.ticks = 0
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    def now(self) -> float:
        """See `ports.Clock.now`."""
        return self.ticks / TICKS

    async def sleep(self, seconds: float) -> None:
        """See `ports.Clock.sleep`; rounded up to whole ticks."""
        ticks = math.ceil(seconds * TICKS - 1e-6)
        if ticks <= 0:
            await asyncio.sleep(0)
            return
        due: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.ticks + ticks, next(self._order), due))
        await due

    def tick(self) -> None:
        """10 ms later."""
        self.ticks += 1
        while self._sleepers and self._sleepers[0][0] <= self.ticks:
            due = heapq.heappop(self._sleepers)[2]
            if not due.done():
                due.set_result(None)


class FileMicrophone:
    """Satisfies `ports.Microphone`: hears a WAV of any rate. Asking for its frames drives the card's time."""

    def __init__(self, path: Path, card: FileSoundCard, tail_s: float) -> None:
        self._file = WaveReader(path)
        self._sound = self._frames_of_sound()
        self._card = card
        self._tail = round(tail_s * TICKS)
        self._position = 0

    async def frames(self) -> AsyncGenerator[AudioFrame]:
        """See `ports.Microphone.frames`: 10 ms each, up to the end of the file and of what it led to.

        Called again, it goes on from where it was left.
        """
        for pcm in self._sound:
            await self._card.tick()
            yield self._frame(pcm)
        quiet = 0
        while quiet < _QUIET_END_S * TICKS and self._tail > 0:
            await self._card.tick()
            quiet = 0 if self._card.busy() else quiet + 1
            self._tail -= 1
            yield self._frame(bytes(_FRAME_BYTES))
        self._card.speaker.end()

    def _frame(self, pcm: bytes) -> AudioFrame:
        frame = AudioFrame(pcm, self._position)
        self._position = frame.end
        return frame

    async def close(self) -> None:
        """Let go of the file."""
        self.release()

    def release(self) -> None:
        """`close`, where nothing can be awaited."""
        self._file.close()

    def _frames_of_sound(self) -> Iterator[bytes]:
        """The file at 16 kHz in whole frames, the last filled up with silence."""
        rate = self._file.rate
        resampler = None if rate == EAR_RATE else Resampler(rate, EAR_RATE)
        rest = b""
        while True:
            piece = self._file.read(rate)
            if resampler is None:
                rest += piece
            else:
                rest += resampler.feed(piece) if piece else resampler.finish()
            whole = len(rest) // _FRAME_BYTES * _FRAME_BYTES
            for at in range(0, whole, _FRAME_BYTES):
                yield rest[at : at + _FRAME_BYTES]
            rest = rest[whole:]
            if not piece:
                break
        if rest:
            yield rest.ljust(_FRAME_BYTES, b"\0")


class FileSoundCard:
    """A microphone, a loudspeaker and the clock that both go by.

    `hold` says whether a reply is being made; call `changed` whenever its answer may have changed. What it waits for
    must not sleep on this clock. After the input's end time goes on, with silence, for `tail_s` at most: as long as
    `hold` or `listening` (words are awaited) says so or speech is queued, and half a second more.
    Raises `DeviceError` for an input that cannot be read or an output that cannot be written.
    """

    def __init__(
        self,
        path_in: Path,
        path_out: Path | None,
        speaker_rate: int,
        realtime: bool = False,
        hold: Callable[[], bool] = _never,
        *,
        listening: Callable[[], bool] = _never,
        tail_s: float = 20.0,
    ) -> None:
        if path_out is not None and same_file(path_out, path_in):
            raise DeviceError(f"{path_out}: the answer would overwrite what was said; name another file")
        self.clock = FileClock()
        self.microphone = FileMicrophone(path_in, self, tail_s)
        try:
            self.speaker = FileSpeaker(path_out, speaker_rate, self.changed)
        except DeviceError:
            self.microphone.release()
            raise
        self._realtime = realtime
        self._hold = hold
        self._listening = listening
        self._change = asyncio.Event()
        self._began: float | None = None

    def changed(self) -> None:
        """What `hold` says may have changed."""
        self._change.set()

    def busy(self) -> bool:
        """Whether the conversation is not over yet."""
        return self._hold() or self._listening() or self.speaker.queued > 0

    async def tick(self) -> None:
        """Let the next 10 ms pass; called by the microphone. Raises `DeviceError` when the output cannot be written."""
        await self._settle()
        if self._realtime:
            await self._wait_for_wall_clock()
        else:
            while self._hold() and not self.speaker.queued:
                self._change.clear()
                await self._change.wait()
                await self._settle()
        self.speaker.tick()
        self.clock.tick()
        await asyncio.sleep(0)

    async def _settle(self) -> None:
        for _ in range(_SETTLE_ROUNDS):
            await asyncio.sleep(0)

    async def _wait_for_wall_clock(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._began is None:
            self._began = now
        await asyncio.sleep(max(0.0, self._began + (self.clock.ticks + 1) / TICKS - now))
