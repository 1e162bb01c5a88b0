"""The sound card: the only file that imports sounddevice, the binding of PortAudio.

One `SoundCard` serves microphone and loudspeaker together, because PortAudio lists the devices only once, when it is
initialised, and initialising it again (`refresh`) kills every open stream. Decision record: docs/decisions/0001.

Threads: every call into PortAudio is made by one thread (`PortAudioThread`), so a slow or hanging driver never stops
the event loop; only what a microphone has heard already is taken by the loop itself. `OutputCallback` runs in
PortAudio's own audio thread: it must be short and never wait. Sound is 16-bit; times are seconds; a "frame" here is one
sample of each channel.

`MonotonicClock` is the clock of a conversation that uses a sound card: it simply runs beside the card's own clock.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import ctypes
import logging
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from companion.errors import DeviceError
from companion.sound.device_name import Listed, choose_device, list_devices
from companion.sound.stream import (
    DEVICE_NOUN,
    Direction,
    OutputCallback,
    PortAudioThread,
    Stream,
    error_reason,
)

_CARDS = Path("/proc/asound/cards")
_USUAL_RATES = (48_000, 44_100)
_INPUT_PERIODS = 16
"""Blocks that a card keeps of what it heard: half a second of 32 ms each."""

_OUTPUT_PERIODS = 3
"""Blocks that a card holds of what it will play."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _OpenRequest:
    """What kind of stream to open."""

    direction: Direction
    name: str
    rate: int
    block_s: float
    latency_s: float
    periods: int
    """How many blocks the card holds; PortAudio makes them larger where it cannot hold so many."""
    callback: OutputCallback | None = None
    on_lost: Callable[[Stream], None] = lambda _: None
    channel: int | None = None
    """The channel that is needed, from 1; None: any number of channels will do."""


class SoundCard:
    """The machine's sound devices. Create one, and give it to the microphone and the loudspeaker."""

    def __init__(self) -> None:
        self._thread = PortAudioThread()
        self._streams: list[Stream] = []
        self._sd: Any = None
        self._cards = ""

    @property
    def busy_since(self) -> float | None:
        """See `PortAudioThread.busy_since`."""
        return self._thread.busy_since

    def find_problem(self, microphone: str | None = "default", speaker: str = "default") -> str | None:
        """Check that both devices exist. Returns the problem in one line, or None. Blocks for at most 10 s.

        Without `microphone` the loudspeaker alone is checked.
        """
        try:
            if microphone is not None:
                self._thread.call_blocking(partial(self._find, "input", microphone))
            self._thread.call_blocking(partial(self._find, "output", speaker))
        except DeviceError as error:
            return str(error)
        return None

    async def open_input(self, name: str, rate: int, block_s: float, channel: int | None = None) -> Stream:
        """Open the microphone that a setting means (see `choose_device`); at `rate` if it can, otherwise at its own.

        It delivers a block each `block_s` seconds, and keeps `_INPUT_PERIODS` of them until they are read. With a
        `channel` the stream has at least so many channels, unmixed. Raises `DeviceError`.
        """
        # PortAudio holds the latency asked for plus one block.
        latency_s = block_s * (_INPUT_PERIODS - 1)
        request = _OpenRequest("input", name, rate, block_s, latency_s, _INPUT_PERIODS, channel=channel)
        return await self._open_stream(request)

    async def open_output(
        self, name: str, rate: int, latency_s: float, callback: OutputCallback, on_lost: Callable[[Stream], None]
    ) -> Stream:
        """Open a loudspeaker in the same way. The card will buffer about `latency_s` of sound."""
        # PortAudio holds the latency asked for plus one block (measured over ALSA's pulse plug-in).
        block_s = min(latency_s / _OUTPUT_PERIODS, 0.02)
        latency_s -= block_s
        request = _OpenRequest("output", name, rate, block_s, latency_s, _OUTPUT_PERIODS, callback, on_lost)
        return await self._open_stream(request)

    async def refresh(self) -> None:
        """List the devices again. Every open stream ends with `refreshed` set. Raises `DeviceError`."""
        await self._thread.call(self._refresh)

    async def close(self) -> None:
        """End every stream."""
        await self._thread.call(self._close_all)
        self._thread.close()

    def close_unused(self) -> None:
        """Close a card on which nothing was opened."""
        self._thread.close()

    async def _open_stream(self, request: _OpenRequest) -> Stream:
        # A stream that opens only after the caller gave up must not keep the device busy.
        return await self._thread.call(partial(self._open, request), discard=Stream.abandon)

    # The methods below run on the `PortAudioThread`.

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
            _log_alsa_errors()
        return self._sd

    def _find(self, direction: Direction, name: str) -> dict[str, Any]:
        """PortAudio's description of the device. Raises `DeviceError`, which lists the available names."""
        sd = self._portaudio()
        try:
            devices: list[dict[str, Any]] = [dict(each) for each in sd.query_devices()]
            default = max((api[f"default_{direction}_device"] for api in sd.query_hostapis()), default=-1)
        except sd.PortAudioError as error:
            raise DeviceError(f"the sound devices cannot be listed ({error_reason(error)})") from error
        usable = [each for each in devices if each[f"max_{direction}_channels"] > 0]
        if not usable:
            raise DeviceError(f"no sound card: there is no {DEVICE_NOUN[direction]}")
        chosen = choose_device(name, DEVICE_NOUN[direction], _listed(usable), default, _cards())
        return next(each for each in usable if each["index"] == chosen.number)

    def _open(self, request: _OpenRequest) -> Stream:
        self._streams = [each for each in self._streams if each.open]
        try:
            return self._open_listed(request)
        except DeviceError:
            # The list lacks devices that were plugged in later. Refreshing it ends all running streams, so do that
            # only if the kernel's list has changed: otherwise one missing device would keep interrupting the other.
            if self._sd is None or (any(each.running for each in self._streams) and _cards() == self._cards):
                raise
        self._refresh()
        return self._open_listed(request)

    def _open_listed(self, request: _OpenRequest) -> Stream:
        device = self._find(request.direction, request.name)
        sd = self._sd
        _set_periods(request.periods)
        stream = Stream(self._thread, request.direction, device["name"], request.on_lost)
        most = int(device[f"max_{request.direction}_channels"])
        refused: Exception | None = None
        for rate in dict.fromkeys((request.rate, int(device["default_samplerate"]), *_USUAL_RATES)):
            for channels in _channel_counts(request.channel, most, device["name"]):
                block = round(rate * request.block_s)
                try:
                    with _quiet_stderr():
                        stream.open_now(sd, device["index"], rate, channels, block, request.latency_s, request.callback)
                except sd.PortAudioError as error:
                    refused = error
                    continue
                self._streams.append(stream)
                _log.info("%s: %s, %d Hz, %d channel(s)", DEVICE_NOUN[request.direction], stream.name, rate, channels)
                return stream
        others = [dict(each) for each in sd.query_devices() if each[f"max_{request.direction}_channels"] > 0]
        raise DeviceError(
            f"the {DEVICE_NOUN[request.direction]} {stream.name!r} cannot be opened ({error_reason(refused)}): "
            f"let no other program use it, or choose another; there are: {list_devices(_listed(others))}"
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
            raise DeviceError(f"the sound devices cannot be listed anew ({error_reason(error)})") from error

    def _close_all(self) -> None:
        for stream in self._streams:
            stream.close_now()
        self._streams = []


def _channel_counts(channel: int | None, most: int, name: str) -> tuple[int, ...]:
    """With how many channels to try to open a device. Raises `DeviceError` for a channel that it does not have."""
    if channel is None:
        return tuple(dict.fromkeys((1, 2, most)))
    if channel > most:
        there = f'write a number from 1 to {most}, or "mix"' if most > 1 else "it has only one; remove the setting"
        raise DeviceError(f"the microphone {name!r} has no channel {channel} (ears.microphone.channel): {there}")
    # With fewer than all, ALSA and sound servers mix; a sound server offers more (32) than any microphone has.
    return (most,) if "(hw:" in name else tuple(dict.fromkeys((max(2, channel), channel)))


def _listed(devices: list[dict[str, Any]]) -> list[Listed]:
    return [Listed(each["index"], each["name"]) for each in devices]


def _cards() -> str:
    """The kernel's list of sound cards; empty if it has none."""
    try:
        return _CARDS.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


@contextlib.contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Discard stderr for these milliseconds: ALSA and PortAudio print their attempts there from C."""
    stderr = os.dup(2)
    devnull = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(devnull, 2)
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(devnull)


def _log_alsa_error(_file: bytes, _line: int, function: bytes, _error: int, text: bytes) -> None:
    """Called by ALSA, in any thread. The values of the placeholders in `text` cannot be had here."""
    _log.debug("ALSA: %s: %s", function.decode("utf-8", "replace"), text.decode("utf-8", "replace"))


_ALSA_HANDLER = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p)(
    _log_alsa_error
)
"""ALSA keeps its address only, so it lives as long as this module."""


def _log_alsa_errors() -> None:
    """Make ALSA's own messages (every underrun is one) debugging lines of the log.

    Its library would print them on the descriptor of stderr, amid the line that is drawn at a terminal.
    """
    try:
        alsa = ctypes.CDLL("libasound.so.2")
    except OSError:
        # Not Linux.
        return
    alsa.snd_lib_error_set_handler(_ALSA_HANDLER)
    # Python's function must not be called when there is no interpreter any more.
    atexit.register(alsa.snd_lib_error_set_handler, None)


def _set_periods(count: int) -> None:
    """Let PortAudio divide the buffer of the next stream so. The binding does not know this function."""
    with contextlib.suppress(OSError, AttributeError):  # not Linux, or built without ALSA
        ctypes.CDLL("libportaudio.so.2").PaAlsa_SetNumPeriods(count)


class MonotonicClock:
    """Satisfies `ports.Clock`: seconds of the monotonic clock since it was created."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def now(self) -> float:
        return time.monotonic() - self._start

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
