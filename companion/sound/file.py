"""WAV files in place of the sound card: one is heard as the microphone, the other records the loudspeaker.

Everything runs on one clock with ticks of 10 ms. A tick happens when the next frame is asked for: tasks that are ready
run first, then the loudspeaker plays its 10 ms, sleepers of the clock are woken, and the frame is returned. Time stands
still while a reply is being prepared and none of it is queued, so the work of the engines takes no audio time and
leaves no gaps. With `realtime` each tick waits for the wall clock instead, and time never stands still. No threads.
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
from companion.sound.file_speaker import TICKS_PER_SECOND, FileSpeaker
from companion.sound.pcm import Resampler
from companion.sound.played import PlayedSound
from companion.sound.wave_file import WaveReader

_FRAME_BYTES = EAR_RATE // TICKS_PER_SECOND * SAMPLE_BYTES
_QUIET_END_S = 0.5
_SETTLE_ROUNDS = 2
"""Rounds of the event loop that ready tasks get before time goes on; each hand-over between tasks needs one."""


def _never() -> bool:
    return False


def same_file(one: Path, other: Path) -> bool:
    """Whether both paths lead to the same file, even under different names. The files need not exist."""
    try:
        return one.samefile(other) and one.is_file()
    except OSError:
        return one.resolve() == other.resolve()


class FileClock:
    """Satisfies `ports.Clock`: time passes only with `tick`."""

    def __init__(self) -> None:
        self.ticks = 0
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    def now(self) -> float:
        """See `ports.Clock.now`."""
        return self.ticks / TICKS_PER_SECOND

    async def sleep(self, seconds: float) -> None:
        """See `ports.Clock.sleep`; rounded up to whole ticks."""
        ticks = math.ceil(seconds * TICKS_PER_SECOND - 1e-6)
        if ticks <= 0:
            await asyncio.sleep(0)
            return
        due: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.ticks + ticks, next(self._order), due))
        await due

    def tick(self) -> None:
        """Advance by 10 ms."""
        self.ticks += 1
        while self._sleepers and self._sleepers[0][0] <= self.ticks:
            due = heapq.heappop(self._sleepers)[2]
            if not due.done():
                due.set_result(None)


class FileMicrophone:
    """Satisfies `ports.Microphone`: hears a WAV file of any rate. Asking for frames drives the card's time."""

    def __init__(self, path: Path, card: FileSoundCard, tail_s: float) -> None:
        self._file = WaveReader(path)
        self._sound = self._frames_of_sound()
        self._card = card
        self._tail = round(tail_s * TICKS_PER_SECOND)
        self._position = 0

    async def frames(self) -> AsyncGenerator[AudioFrame]:
        """See `ports.Microphone.frames`: 10 ms each, up to the end of the file and of the replies to it.

        Called again, it goes on from where it stopped.
        """
        for pcm in self._sound:
            await self._card.tick()
            yield self._frame(pcm)
        quiet = 0
        while quiet < _QUIET_END_S * TICKS_PER_SECOND and self._tail > 0:
            await self._card.tick()
            quiet = 0 if self._card.is_busy() else quiet + 1
            self._tail -= 1
            yield self._frame(bytes(_FRAME_BYTES))
        self._card.speaker.end()

    def _frame(self, pcm: bytes) -> AudioFrame:
        frame = AudioFrame(pcm, self._position)
        self._position = frame.end
        return frame

    def time_of(self, position: int) -> float:
        """See `ports.Microphone.time_of`."""
        return position / EAR_RATE

    async def close(self) -> None:
        """Close the file."""
        self.close_now()

    def close_now(self) -> None:
        """Like `close`, for places that cannot await."""
        self._file.close()

    def _frames_of_sound(self) -> Iterator[bytes]:
        """The file at 16 kHz in complete frames; the last one is filled up with silence."""
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
    """A microphone, a loudspeaker and the clock that both share.

    `is_replying` says whether a reply is being prepared; call `changed` whenever its result may have changed. The
    preparation must not sleep on this clock. After the end of the input, time goes on with silence as long as
    `is_replying` or `is_listening` (the listener waits for words) is true or speech is queued, and then for another
    half second, but for at most `tail_s`.
    Raises `DeviceError` if the input cannot be read or the output cannot be written.
    """

    def __init__(
        self,
        path_in: Path,
        path_out: Path | None,
        speaker_rate: int,
        realtime: bool = False,
        is_replying: Callable[[], bool] = _never,
        *,
        is_listening: Callable[[], bool] = _never,
        tail_s: float = 20.0,
        played: PlayedSound | None = None,
    ) -> None:
        if path_out is not None and same_file(path_out, path_in):
            raise DeviceError(f"{path_out}: the answer would overwrite what was said; name another file")
        self.clock = FileClock()
        self.microphone = FileMicrophone(path_in, self, tail_s)
        try:
            self.speaker = FileSpeaker(path_out, speaker_rate, self.changed, played)
        except DeviceError:
            self.microphone.close_now()
            raise
        self._realtime = realtime
        self._is_replying = is_replying
        self._is_listening = is_listening
        self._change = asyncio.Event()
        self._began: float | None = None

    def changed(self) -> None:
        """Note that the result of `is_replying` may have changed."""
        self._change.set()

    def is_busy(self) -> bool:
        """Whether the conversation is still going on."""
        return self._is_replying() or self._is_listening() or self.speaker.queued > 0

    async def tick(self) -> None:
        """Let 10 ms pass. Called by the microphone. Raises `DeviceError` if the output cannot be written."""
        await self._run_ready_tasks()
        if self._realtime:
            await self._wait_for_wall_clock()
        else:
            while self._is_replying() and not self.speaker.queued:
                self._change.clear()
                await self._change.wait()
                await self._run_ready_tasks()
        self.speaker.tick()
        self.clock.tick()
        await asyncio.sleep(0)

    async def _run_ready_tasks(self) -> None:
        for _ in range(_SETTLE_ROUNDS):
            await asyncio.sleep(0)

    async def _wait_for_wall_clock(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._began is None:
            self._began = now
        await asyncio.sleep(max(0.0, self._began + (self.clock.ticks + 1) / TICKS_PER_SECOND - now))
