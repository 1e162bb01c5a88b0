"""An open input or output stream of a sound card, and the thread that calls PortAudio for it (`companion.sound.card`).

For a loudspeaker PortAudio calls back in an audio thread of its own. A microphone has no such thread: whoever wants its
sound takes what the card holds (`Stream.read`), because a thread that is woken for each block costs more than all else
that an idle device does.

The audio thread gets real-time priority where the system allows it; without it everything works too. The service's unit
allows it (`LimitRTPRIO=`), and so do most desktops for the group audio; root is not needed. A thread
requests it for itself, once, before its first block of sound. Child processes do not inherit it
(`SCHED_RESET_ON_FORK`). A callback must return within a millisecond, because a real-time thread that computes keeps all
other threads from running. Source: sched(7), "Privileges and resource limits".
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Literal, TypeVar

from companion.errors import DeviceError
from companion.events import SAMPLE_BYTES
from companion.priority import request_realtime_priority
from companion.sound.pcm import duplicate_channels

Direction = Literal["input", "output"]
OutputCallback = Callable[[memoryview, float], bool]
"""Fills a mono buffer, given the seconds until its first sample is heard. Returns False to stop after this buffer."""

DEVICE_NOUN: dict[Direction, str] = {"input": "microphone", "output": "loudspeaker"}
_CALL_TIMEOUT_S = 5.0
_NO_ANSWER = "the sound card does not answer; unplug it and plug it in again, or restart the sound server"
T = TypeVar("T")


class PortAudioThread:
    """The only thread that calls PortAudio, which is not thread-safe and may block."""

    def __init__(self) -> None:
        self._thread = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="sound-card")
        self._pending: deque[float] = deque()

    @property
    def busy_since(self) -> float | None:
        """When the oldest unfinished call was made, on the monotonic clock; None if there is none."""
        with contextlib.suppress(IndexError):  # no call, or it has just finished
            return self._pending[0]
        return None

    async def call(self, function: Callable[[], T], discard: Callable[[T], None] = lambda _: None) -> T:
        """Run `function` on the thread. Raises `DeviceError` after 5 s.

        If the caller no longer waits when the function returns, its result is passed to `discard`.
        """
        future = self._submit(function)
        try:
            async with asyncio.timeout(_CALL_TIMEOUT_S):
                return await asyncio.shield(asyncio.wrap_future(future))
        except (TimeoutError, asyncio.CancelledError) as gave_up:
            future.add_done_callback(lambda late: None if late.exception() else discard(late.result()))
            if isinstance(gave_up, TimeoutError):
                raise DeviceError(_NO_ANSWER) from gave_up
            raise

    def call_blocking(self, function: Callable[[], T]) -> T:
        """Like `call`, but without an event loop."""
        try:
            return self._submit(function).result(_CALL_TIMEOUT_S)
        except concurrent.futures.TimeoutError as error:
            raise DeviceError(_NO_ANSWER) from error

    def call_later(self, function: Callable[[], None]) -> None:
        """Run `function` on the thread without waiting for it. Called from any thread."""
        with contextlib.suppress(RuntimeError):  # after `close` nothing is left to do
            self._submit(function)

    def _submit(self, function: Callable[[], T]) -> concurrent.futures.Future[T]:
        self._pending.append(time.monotonic())
        try:
            return self._thread.submit(self._run, function)
        except RuntimeError:
            self._pending.pop()
            raise

    def _run(self, function: Callable[[], T]) -> T:
        try:
            return function()
        finally:
            self._pending.popleft()

    def close(self) -> None:
        """Accept no more calls."""
        self._thread.shutdown(wait=False)


class Stream:
    """One open input or output of a card. No sound flows until `start`.

    `on_lost` is called with the stream, in any thread, when it ends by itself or because the card was refreshed.
    Methods whose names end in `_now` may only be called on the `PortAudioThread`.
    """

    def __init__(
        self, thread: PortAudioThread, direction: Direction, name: str, on_lost: Callable[[Stream], None]
    ) -> None:
        self.name = name
        """The full name of the device."""
        self.rate = 0
        """The sample rate that the card accepted."""
        self.channels = 0
        """The number of channels that the card accepted."""
        self.refreshed = False
        """Whether it was closed only because the card was refreshed; then another one can be opened."""
        self._thread = thread
        self._direction = direction
        self._on_lost = on_lost
        self._portaudio_error: type[Exception] = Exception
        self._raw: Any = None
        self._in_use = threading.Lock()
        """Held by whoever starts, reads or closes it: PortAudio must not close what is being read."""
        self._end_expected = True

    async def start(self) -> None:
        """Let sound flow; also after an `OutputCallback` stopped it. Raises `DeviceError`."""
        await self._thread.call(self.start_now)

    async def close(self) -> None:
        """End it. Closing it again is harmless."""
        await self._thread.call(self.close_now)

    def abandon(self) -> None:
        """End it without waiting, for a device that may no longer answer. Called from any thread."""
        self._thread.call_later(self.close_now)

    def read(self, least: int) -> tuple[bytes, bool]:
        """All that a microphone has heard since the last time, and whether the card lost sound before it. Never waits.

        Interleaved samples; none while there are fewer than `least` frames. Raises `DeviceError` where it is gone.
        """
        if not self._in_use.acquire(blocking=False):
            # It is being closed, which takes long where a sound server hangs.
            return b"", False
        try:
            if self._raw is None:
                raise DeviceError(self.gone_message())
            if (frames := self._raw.read_available) < least:
                return b"", False
            sound, lost = self._raw.read(frames)
            return bytes(sound), bool(lost)
        except self._portaudio_error as error:
            raise DeviceError(f"{self.gone_message()} ({error_reason(error)})") from error
        finally:
            self._in_use.release()

    @property
    def open(self) -> bool:
        """Whether it has not been closed."""
        return self._raw is not None

    @property
    def running(self) -> bool:
        """Whether sound flows. Only on the `PortAudioThread`."""
        return self._raw is not None and bool(self._raw.active)

    def gone_message(self) -> str:
        """The error message for a device that vanished."""
        noun = DEVICE_NOUN[self._direction]
        return f"the {noun} {self.name!r} went away; check its plug, and that the sound server runs"

    def open_now(
        self,
        sd: Any,
        device: int,
        rate: int,
        channels: int,
        block: int,
        latency: float,
        callback: OutputCallback | None,
    ) -> None:
        """Open it with sounddevice. `callback`: a loudspeaker's. Raises sounddevice's error."""
        self._portaudio_error = sd.PortAudioError
        make, how = sd.RawInputStream, {}
        if callback is not None:
            make = sd.RawOutputStream
            wrapped = self._wrap_output(callback, channels, sd.CallbackStop)
            how = {"callback": wrapped, "finished_callback": self._finished}
        self._raw = make(
            samplerate=rate, blocksize=block, device=device, channels=channels, dtype="int16", latency=latency, **how
        )
        self.rate, self.channels = rate, channels

    def start_now(self) -> None:
        """See `start`."""
        if self._raw is None:
            raise DeviceError(self.gone_message())
        self._end_expected = True
        try:
            with self._in_use:
                self._raw.stop()
                self._end_expected = False
                self._raw.start()
        except self._portaudio_error as error:
            self.close_now()
            raise DeviceError(f"{self.gone_message()} ({error_reason(error)})") from error

    def close_now(self, *, refreshed: bool = False) -> None:
        """See `close`."""
        self._end_expected = True
        with self._in_use:
            raw, self._raw = self._raw, None
            if raw is None:
                return
            self.refreshed = refreshed
            with contextlib.suppress(self._portaudio_error):  # it is gone either way
                raw.close()
        if refreshed:
            self._on_lost(self)

    def _finished(self) -> None:
        """Called by PortAudio, in the audio thread, when the stream has ended."""
        if not self._end_expected:
            self._on_lost(self)
            self.abandon()

    def _wrap_output(
        self, fill: OutputCallback, channels: int, stop: type[Exception]
    ) -> Callable[[Any, int, Any, Any], None]:
        """The callback for PortAudio: mono for `fill`, real-time priority, and a stop when `fill` asks for it."""
        first = True

        def play(data: Any, frames: int, time: Any, _status: Any) -> None:
            nonlocal first
            if first:
                first = False
                request_realtime_priority()
            delay = time.outputBufferDacTime - time.currentTime
            if channels == 1:
                go_on = fill(memoryview(data), delay)
            else:
                sound = bytearray(frames * SAMPLE_BYTES)
                go_on = fill(memoryview(sound), delay)
                data[:] = duplicate_channels(bytes(sound), channels)
            if not go_on:
                self._end_expected = True
                raise stop

        return play


def error_reason(error: Exception | None) -> str:
    """The last part of PortAudio's message, which gives the reason."""
    text = str(error.args[0]) if error is not None and error.args else "no reason given"
    return text.rpartition(": ")[2].strip()
