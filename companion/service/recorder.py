"""Records sound for a diagnosis, until a date: utterances, and the seconds before each wake, as WAV files.

Built only where the device file says so (`ears.record`), or where recordings of an earlier start are left. It stands
between the microphone and the listener, before echo is taken out, and keeps the last half minute in memory. What the
event log tells is cut out of that and written to a folder that only its owner can open, `MOST_BYTES` of it at most.
While the device is muted nothing is kept. When the date is over every recording is deleted. Nothing here sends anything
anywhere.

On the loop; the disk is worked on in threads, one call at a time. Positions are samples at `EAR_RATE`.
"""

from __future__ import annotations

import asyncio
import logging
import math
import shutil
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from companion.errors import DeviceError
from companion.events import EAR_RATE, SAMPLE_BYTES, AudioFrame, State
from companion.ports import Microphone
from companion.sound.wave_file import WaveWriter
from companion.storage import PRIVATE, ensure_private_folder

MOST_BYTES = 200_000_000

_RING = 30 * EAR_RATE
_BEFORE_WAKE = 4 * EAR_RATE
_AROUND = EAR_RATE
"""An utterance is written with this much before and after it, as far as it has come in."""

_LOOK_S = 60.0
"""How often the date is looked at: the clock of a board may be set long after its start."""

_SAY_AGAIN_S = 3600.0
_MOST_WAITING = 8

log = logging.getLogger("companion")


class Recorder:
    """A microphone that others listen to as well. Satisfies `ports.Microphone`. Give every event to `notice`."""

    def __init__(
        self,
        microphone: Microphone,
        until: date | None,
        folder: Path,
        *,
        now: Callable[[], datetime] = datetime.now,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        """`until`: the last day; None where nothing may be recorded, or be left over."""
        self._microphone = microphone
        self._until = until
        self._folder = folder
        self._now = now
        self._most_bytes = most_bytes
        self._ring: deque[AudioFrame] = deque()
        self._cuts: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue(_MOST_WAITING)
        self._records = False
        self._muted = True
        """Also until the first state is known."""
        self._problem = ""

    async def frames(self) -> AsyncIterator[AudioFrame]:
        """See `ports.Microphone.frames`."""
        async for frame in self._microphone.frames():
            if self._records and not self._muted:
                self._ring.append(frame)
                while frame.end - self._ring[0].start > _RING:
                    self._ring.popleft()
            yield frame

    def time_of(self, position: int) -> float:
        """See `ports.Microphone.time_of`."""
        return self._microphone.time_of(position)

    async def close(self) -> None:
        """Close the microphone."""
        await self._microphone.close()

    def notice(self, kind: str, fields: Mapping[str, Any]) -> None:
        """Take one event of the log: keep the sound that belongs to it."""
        if kind == "state":
            self._muted = fields["state"] == State.MUTED.value
            if self._muted:
                self._ring.clear()
        elif not self._ring or not self._in_time():
            return
        elif kind == "wake":
            end = self._ring[-1].end
            self._cut(kind, end - _BEFORE_WAKE, end)
        elif kind == "utterance":
            start, end = (round(fields[name] * EAR_RATE) for name in ("start", "end"))
            self._cut(kind, start - _AROUND, end + _AROUND)

    def describe(self) -> str:
        """For the status: until when and where, or why no more; empty where nothing is recorded."""
        return f"until {self._until} (ears.record), into {self._folder}" if self._records else self._problem

    async def run(self, show: Callable[[bool], None]) -> None:
        """Write what is cut out until the date is over, then delete all. `show` is told whether sound is recorded."""
        if self._in_time():
            try:
                await asyncio.to_thread(ensure_private_folder, self._folder)
            except OSError as error:
                self._stop(show, f"{self._folder}: cannot be used: {error.strerror or error}")
            else:
                self._records = True
                show(True)
        await self._write_until_over(show)
        self._records = False
        self._ring.clear()
        show(False)
        await asyncio.to_thread(_delete, self._folder)

    async def _write_until_over(self, show: Callable[[bool], None]) -> None:
        time, said_at = asyncio.get_running_loop().time, -math.inf
        while self._in_time():
            if self._records and time() - said_at >= _SAY_AGAIN_S:
                log.warning("Sound is recorded %s.", self.describe())
                said_at = time()
            try:
                async with asyncio.timeout(_LOOK_S):
                    name, pcm = await self._cuts.get()
            except TimeoutError:
                continue
            if self._records and self._in_time():
                try:
                    await asyncio.to_thread(_write, self._folder / name, pcm, self._most_bytes)
                except DeviceError as error:
                    self._stop(show, str(error))
                except OSError as error:
                    self._stop(show, f"{self._folder}: cannot be written: {error.strerror or error}")

    def _in_time(self) -> bool:
        return self._until is not None and self._now().date() <= self._until

    def _stop(self, show: Callable[[bool], None], reason: str) -> None:
        self._records = False
        self._ring.clear()
        show(False)
        self._problem = f"stopped until the next start: {reason}"
        log.error("Sound is no longer recorded; the talk goes on: %s", reason)

    def _cut(self, kind: str, start: int, end: int) -> None:
        pcm = b"".join(
            frame.pcm[max(0, start - frame.start) * SAMPLE_BYTES : (end - frame.start) * SAMPLE_BYTES]
            for frame in self._ring
            if frame.end > start and frame.start < end
        )
        if not pcm:
            return
        name = f"{self._now().isoformat(timespec='milliseconds').replace(':', '-')}-{kind}.wav"
        try:
            self._cuts.put_nowait((name, pcm))
        except asyncio.QueueFull:
            log.warning("%s is left out: the disk of %s is too slow.", name, self._folder)


def _write(path: Path, pcm: bytes, most_bytes: int) -> None:
    """Write one recording, and delete the oldest ones that leave no room for it. Raises `OSError`, `DeviceError`."""
    sizes = {one: one.stat().st_size for one in sorted(path.parent.iterdir())}
    kept = sum(sizes.values()) + len(pcm)
    for one, size in sizes.items():
        if kept <= most_bytes:
            break
        one.unlink()
        kept -= size
    part = path.with_suffix(".part")
    part.touch(PRIVATE)
    try:
        writer = WaveWriter(part, EAR_RATE)
        try:
            writer.write(pcm)
        finally:
            writer.close()
        part.rename(path)
    finally:
        part.unlink(missing_ok=True)


def _delete(folder: Path) -> None:
    if not folder.exists():
        return
    try:
        shutil.rmtree(folder)
    except OSError as error:
        log.error("%s: cannot be deleted, do so by hand: %s", folder, error.strerror or error)
    else:
        log.warning("%s: what was recorded (ears.record) is deleted.", folder)
