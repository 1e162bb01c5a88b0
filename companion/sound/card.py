"""The sound card: the one file that imports sounddevice, the binding of PortAudio.

One `SoundCard` serves microphone and loudspeaker together, because PortAudio lists the devices only once, when it is
initialised, and initialising it again (`refresh`) kills every open stream. Decision record: docs/decisions/0001.

Threads: every call into PortAudio is made by one worker thread, so that a slow or hanging driver never stops the event
loop. The callbacks `Hear` and `Fill` run in PortAudio's own audio thread: they must be short and never wait.
Sound is 16-bit; times are seconds; a "frame" here is one sample of each channel.

Audio time where a sound card keeps it: the card and the loop's clock run side by side.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from companion.errors import DeviceError
from companion.sound.stream import NOUN, Fill, Hear, Kind, Stream, Worker, reason

_CARDS = Path("/proc/asound/cards")
_USUAL_RATES = (48_000, 44_100)
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Wish:
    """What somebody wants to open."""

    kind: Kind
    name: str
    rate: int
    block_s: float
    latency_s: float
    work: Hear | Fill
    lost: Callable[[Stream], None]


class SoundCard:
    """The machine's sound devices. Make one, and give it to the microphone and the loudspeaker."""

    def __init__(self) -> None:
        self._worker = Worker()
        self._streams: list[Stream] = []
        self._sd: Any = None
        self._cards = ""

    @property
    def busy_since(self) -> float | None:
        """See `sound_stream.Worker.busy_since`."""
        return self._worker.busy_since

    def problem(self, microphone: str = "default", speaker: str = "default") -> str | None:
        """Why one cannot both listen and speak here, in one line; None when one can. Blocks, for at most 10 s."""
        try:
            self._worker.call_and_block(partial(self._find, "input", microphone))
            self._worker.call_and_block(partial(self._find, "output", speaker))
        except DeviceError as error:
            return str(error)
        return None

    async def open_input(
        self, name: str, rate: int, block_s: float, hear: Hear, lost: Callable[[Stream], None]
    ) -> Stream:
        """Open a microphone by its name, a part of it, or "default"; with `rate` if it will, else at its own.

        `lost`: see `Stream`. Raises `DeviceError`.
        """
        return await self._opened(_Wish("input", name, rate, block_s, block_s, hear, lost))

    async def open_output(
        self, name: str, rate: int, latency_s: float, fill: Fill, lost: Callable[[Stream], None]
    ) -> Stream:
        """Open a loudspeaker in the same way. The card will hold about `latency_s` of sound."""
        # PortAudio holds the latency asked for plus one block (measured over ALSA's pulse plug-in).
        block_s = min(latency_s / 4, 0.02)
        return await self._opened(_Wish("output", name, rate, block_s, latency_s - block_s, fill, lost))

    async def refresh(self) -> None:
        """List the devices anew. Every open stream ends with `refreshed` set. Raises `DeviceError`."""
        await self._worker.call(self._refresh)

    async def close(self) -> None:
        """End every stream."""
        await self._worker.call(self._close_all)
        self._worker.close()

    def give_up(self) -> None:
        """`close` for a card on which nothing was opened."""
        self._worker.close()

    async def _opened(self, wish: _Wish) -> Stream:
        # A stream that opened later than anyone waited for must not keep the device busy.
        return await self._worker.call(partial(self._open, wish), unclaimed=Stream.abandon)

    # From here on: worker thread only.

    def _portaudio(self) -> Any:
        if self._sd is None:
            try:
                with _quiet_stderr():
                    import sounddevice  # type: ignore[import-untyped]  # ships no types
            except OSError as error:
                raise DeviceError("no sound: libportaudio2 is missing; sudo apt install libportaudio2") from error
            except ImportError as error:
                raise DeviceError("no sound: the Python package sounddevice is missing; run make setup") from error
            self._sd = sounddevice
            self._cards = _cards()
        return self._sd

    def _find(self, kind: Kind, name: str) -> dict[str, Any]:
        """PortAudio's description of the device. Raises `DeviceError` with the names that there are."""
        sd = self._portaudio()
        try:
            devices: list[dict[str, Any]] = [dict(each) for each in sd.query_devices()]
            default = max((api[f"default_{kind}_device"] for api in sd.query_hostapis()), default=-1)
        except sd.PortAudioError as error:
            raise DeviceError(f"the sound devices cannot be listed ({reason(error)})") from error
        usable = [each for each in devices if each[f"max_{kind}_channels"] > 0]
        if not usable:
            raise DeviceError(f"no sound card: there is no {NOUN[kind]}")
        wanted = name.casefold()
        if wanted == "default":
            return next((each for each in usable if each["index"] == default), usable[0])
        for fits in (str.__eq__, str.startswith, str.__contains__):
            for each in usable:
                if fits(each["name"].casefold(), wanted):
                    return each
        names = ", ".join(each["name"] for each in usable)
        raise DeviceError(f"there is no {NOUN[kind]} called {name!r}; there are: {names}")

    def _open(self, wish: _Wish) -> Stream:
        self._streams = [each for each in self._streams if each.open]
        try:
            return self._open_listed(wish)
        except DeviceError:
            # A device that came after the list was made is not in it. A running stream of somebody else is broken off
            # for that only where the kernel's list has changed, lest one missing device keep interrupting the other.
            if self._sd is None or (any(each.running for each in self._streams) and _cards() == self._cards):
                raise
        self._refresh()
        return self._open_listed(wish)

    def _open_listed(self, wish: _Wish) -> Stream:
        device = self._find(wish.kind, wish.name)
        sd = self._sd
        latency = wish.latency_s
        if wish.kind == "input" and "(hw:" in device["name"]:
            latency *= 6  # a bare card keeps its period however long its buffer; a sound server delivers in bursts then
        stream = Stream(self._worker, wish.kind, device["name"], wish.lost)
        refused: Exception | None = None
        for rate in dict.fromkeys((wish.rate, int(device["default_samplerate"]), *_USUAL_RATES)):
            for channels in dict.fromkeys((1, 2, int(device[f"max_{wish.kind}_channels"]))):
                block = round(rate * wish.block_s)
                try:
                    with _quiet_stderr():
                        stream.open_now(sd, device["index"], rate, channels, block, latency, wish.work)
                except sd.PortAudioError as error:
                    refused = error
                    continue
                self._streams.append(stream)
                _log.info("%s: %s, %d Hz, %d channel(s)", NOUN[wish.kind], stream.name, rate, channels)
                return stream
        others = [each["name"] for each in sd.query_devices() if each[f"max_{wish.kind}_channels"] > 0]
        raise DeviceError(
            f"the {NOUN[wish.kind]} {stream.name!r} cannot be opened ({reason(refused)}): "
            f"let no other program use it, or choose another; there are: {', '.join(others)}"
        ) from refused

    def _refresh(self) -> None:
        sd = self._portaudio()
        for stream in self._streams:
            stream.close_now(refreshed=True)
        self._streams = []
        self._cards = _cards()
        try:
            with _quiet_stderr():
                # The binding has no public way to do this.
                while sd._initialized:
                    sd._terminate()
                sd._initialize()
        except sd.PortAudioError as error:
            raise DeviceError(f"the sound devices cannot be listed anew ({reason(error)})") from error

    def _close_all(self) -> None:
        for stream in self._streams:
            stream.close_now()
        self._streams = []


def why_no_card() -> str | None:
    """Why one cannot both listen and speak on this machine, in one line; None when one can."""
    card = SoundCard()
    try:
        return card.problem()
    finally:
        card.give_up()


def _cards() -> str:
    """The kernel's list of sound cards; empty where it has none."""
    try:
        return _CARDS.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


@contextlib.contextmanager
def _quiet_stderr() -> Iterator[None]:
    """ALSA and PortAudio print their attempts to stderr from C: to nowhere with them, for these milliseconds."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


class LiveClock:
    """Seconds since it was made, on the loop's clock."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def now(self) -> float:
        return time.monotonic() - self._start

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
