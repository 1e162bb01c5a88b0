"""One open direction of a sound card, and the thread that calls PortAudio for it. See `companion.sound.card`.

Real-time priority for the audio threads, where the system lets us have it; without it everything works too.

The service's unit allows it (`LimitRTPRIO=`), and so do most desktops for the group audio; no root is needed. A thread
asks for itself, once, before its first block of sound. Children do not inherit it (`SCHED_RESET_ON_FORK`). Whoever
hears or fills a block must be done in a millisecond: a real-time thread that computes keeps all others from running.
Source: sched(7), "Privileges and resource limits".
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import os
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Literal, TypeVar

from companion.errors import DeviceError
from companion.events import SAMPLE_BYTES
from companion.sound.pcm import spread

PRIORITY = 10
"""Above every ordinary thread, below the kernel's own interrupt threads (50) and a sound server's (20 to 88)."""


def ask_for_real_time(priority: int = PRIORITY) -> bool:
    """Let the calling thread run before all ordinary ones (SCHED_RR). Returns whether the system agreed."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(priority))
    except OSError:
        # Not allowed here (EPERM); the sound may then stutter while the processor is busy.
        return False
    return True


Kind = Literal["input", "output"]
Hear = Callable[[bytes, int, int], None]
"""Takes interleaved samples, how many frames they are, and how many frames the card lost just before them."""
Fill = Callable[[memoryview, float], bool]
"""Fills a mono buffer, given the seconds until its first sample is heard. False: stop when this has been played."""
NOUN: dict[Kind, str] = {"input": "microphone", "output": "loudspeaker"}

_ANSWER_S = 5.0
_NO_ANSWER = "the sound card does not answer; unplug it and plug it in again, or restart the sound server"
T = TypeVar("T")


class Worker:
    """The one thread that calls PortAudio, which is not thread-safe and may block."""

    def __init__(self) -> None:
        self._thread = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="sound-card")
        self._asked: deque[float] = deque()

    @property
    def busy_since(self) -> float | None:
        """When the oldest call was asked for that has not come back, on the monotonic clock; None: all have."""
        with contextlib.suppress(IndexError):  # it came back this instant
            return self._asked[0]
        return None

    async def call(self, work: Callable[[], T], unclaimed: Callable[[T], None] = lambda _: None) -> T:
        """Run `work` there. Raises `DeviceError` after 5 s; what comes out later than anyone waits is `unclaimed`'s."""
        future = self._submit(work)
        try:
            async with asyncio.timeout(_ANSWER_S):
                return await asyncio.shield(asyncio.wrap_future(future))
        except (TimeoutError, asyncio.CancelledError) as gave_up:
            future.add_done_callback(lambda late: None if late.exception() else unclaimed(late.result()))
            if isinstance(gave_up, TimeoutError):
                raise DeviceError(_NO_ANSWER) from gave_up
            raise

    def call_and_block(self, work: Callable[[], T]) -> T:
        """The same without a loop."""
        try:
            return self._submit(work).result(_ANSWER_S)
        except concurrent.futures.TimeoutError as error:
            raise DeviceError(_NO_ANSWER) from error

    def later(self, work: Callable[[], None]) -> None:
        """Run `work` there some time. Called by any thread."""
        with contextlib.suppress(RuntimeError):  # after `close` nothing is left to do
            self._submit(work)

    def _submit(self, work: Callable[[], T]) -> concurrent.futures.Future[T]:
        self._asked.append(time.monotonic())
        try:
            return self._thread.submit(self._done, work)
        except RuntimeError:
            self._asked.pop()
            raise

    def _done(self, work: Callable[[], T]) -> T:
        try:
            return work()
        finally:
            self._asked.popleft()

    def close(self) -> None:
        """Take no more work."""
        self._thread.shutdown(wait=False)


class Stream:
    """One open direction of a card. No sound flows until `start`.

    `lost` is called with the stream, in any thread, when it ends by itself or because the card was refreshed.
    Methods whose name ends in `_now` are for the worker's thread only.
    """

    def __init__(self, worker: Worker, kind: Kind, name: str, lost: Callable[[Stream], None]) -> None:
        self.name = name
        """The device's full name."""
        self.rate = 0
        """Samples a second that the card agreed to."""
        self.channels = 0
        """Channels that the card agreed to."""
        self.refreshed = False
        """Whether it was closed only because the card was refreshed: open another."""
        self._worker = worker
        self._kind = kind
        self._lost = lost
        self._refusal: type[Exception] = Exception
        self._raw: Any = None
        self._expected = True

    async def start(self) -> None:
        """Let sound flow, again too after a `Fill` ended it. Raises `DeviceError`."""
        await self._worker.call(self.start_now)

    async def close(self) -> None:
        """End it. Doing so twice is harmless."""
        await self._worker.call(self.close_now)

    def abandon(self) -> None:
        """End it some time, for a device that may no longer answer. Called by any thread."""
        self._worker.later(self.close_now)

    @property
    def open(self) -> bool:
        """Whether it has not been closed."""
        return self._raw is not None

    @property
    def running(self) -> bool:
        """Whether sound flows. Worker thread only."""
        return self._raw is not None and bool(self._raw.active)

    def gone(self) -> str:
        """The sentence for a device that vanished."""
        return f"the {NOUN[self._kind]} {self.name!r} went away; check its plug, and that the sound server runs"

    def open_now(self, sd: Any, device: int, rate: int, channels: int, block: int, latency: float, work: Any) -> None:
        """Open it with sounddevice, for a `Hear` or `Fill` as `work`. Raises sounddevice's error."""
        self._refusal = sd.PortAudioError
        if self._kind == "input":
            make, callback = sd.RawInputStream, _listening(work, rate)
        else:
            make, callback = sd.RawOutputStream, self._playing(work, channels, sd.CallbackStop)
        self._raw = make(
            samplerate=rate, blocksize=block, device=device, channels=channels, dtype="int16", latency=latency,
            callback=callback, finished_callback=self._finished,
        )  # fmt: skip
        self.rate, self.channels = rate, channels

    def start_now(self) -> None:
        """See `start`."""
        if self._raw is None:
            raise DeviceError(self.gone())
        self._expected = True
        try:
            self._raw.stop()
            self._expected = False
            self._raw.start()
        except self._refusal as error:
            self.close_now()
            raise DeviceError(f"{self.gone()} ({reason(error)})") from error

    def close_now(self, *, refreshed: bool = False) -> None:
        """See `close`."""
        raw, self._raw = self._raw, None
        self._expected = True
        if raw is None:
            return
        with contextlib.suppress(self._refusal):  # it is gone either way
            raw.close()
        if refreshed:
            self.refreshed = True
            self._lost(self)

    def _finished(self) -> None:
        """PortAudio's word that the stream has ended. Audio thread."""
        if not self._expected:
            self._lost(self)
            self.abandon()

    def _playing(self, fill: Fill, channels: int, stop: type[Exception]) -> Callable[[Any, int, Any, Any], None]:
        first = True

        def play(data: Any, frames: int, time: Any, _status: Any) -> None:
            nonlocal first
            if first:
                first = False
                ask_for_real_time()
            delay = time.outputBufferDacTime - time.currentTime
            if channels == 1:
                go_on = fill(memoryview(data), delay)
            else:
                sound = bytearray(frames * SAMPLE_BYTES)
                go_on = fill(memoryview(sound), delay)
                data[:] = spread(bytes(sound), channels)
            if not go_on:
                self._expected = True
                raise stop

        return play


def _listening(hear: Hear, rate: int) -> Callable[[Any, int, Any, Any], None]:
    due = 0.0
    first = True

    def listen(data: Any, frames: int, time: Any, status: Any) -> None:
        nonlocal due, first
        if first:
            first = False
            ask_for_real_time()
        captured = time.inputBufferAdcTime
        # Only an overflow says that frames are missing; between two good blocks the time merely jitters.
        lost = max(0, round((captured - due) * rate)) if status and status.input_overflow and due else 0
        due = captured + frames / rate if captured else 0.0
        hear(bytes(data), frames, lost)

    return listen


def reason(error: Exception | None) -> str:
    """The last, telling part of PortAudio's message."""
    text = str(error.args[0]) if error is not None and error.args else "no reason given"
    return text.rpartition(": ")[2].strip()
