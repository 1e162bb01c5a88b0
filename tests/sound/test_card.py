"""Finding and opening devices, against a stand-in for PortAudio's binding, and what the microphone makes of a card."""

from __future__ import annotations

import asyncio
import sys
import types
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from companion.ears.microphone import CardMicrophone
from companion.errors import DeviceError
from companion.sound.card import SoundCard


class PortAudioError(Exception):
    pass


@dataclass
class Plugged:
    """One device of the pretended machine."""

    name: str
    inputs: int = 0
    outputs: int = 0
    rates: tuple[int, ...] = (16_000, 22_050, 48_000)
    channels: tuple[int, ...] = (1, 2, 4)
    default_rate: float = 48_000.0


@dataclass
class PortAudio:
    """As much of sounddevice as is used: it lists devices when initialised, and forgets streams when terminated."""

    plugged: list[Plugged] = field(default_factory=list)
    streams: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.PortAudioError = PortAudioError
        self.CallbackStop = type("CallbackStop", (Exception,), {})
        self._initialized = 0
        self._initialize()
        self.RawInputStream = lambda **how: self._open("inputs", **how)
        self.RawOutputStream = lambda **how: self._open("outputs", **how)

    def _initialize(self) -> None:
        self._initialized += 1
        self.listed = list(self.plugged)

    def _terminate(self) -> None:
        assert not [stream for stream in self.streams if stream.is_open], "a stream is open"
        self._initialized -= 1

    def query_devices(self) -> list[dict[str, Any]]:
        return [
            {"name": each.name, "index": index, "max_input_channels": each.inputs, "max_output_channels": each.outputs,
             "default_samplerate": each.default_rate}
            for index, each in enumerate(self.listed)
        ]  # fmt: skip

    def query_hostapis(self) -> list[dict[str, Any]]:
        def first(way: str) -> int:
            return next((at for at, each in enumerate(self.listed) if getattr(each, way)), -1)

        return [{"default_input_device": first("inputs"), "default_output_device": first("outputs")}]

    def _open(self, way: str, *, device: int, samplerate: int, channels: int, **how: Any) -> PretendedStream:
        there = self.listed[device]
        if there not in self.plugged:
            raise PortAudioError("Error opening RawStream: Device unavailable [PaErrorCode -9985]", -9985)
        if samplerate not in there.rates or channels not in there.channels or channels > getattr(there, way):
            raise PortAudioError("Error opening RawStream: Invalid sample rate [PaErrorCode -9997]", -9997)
        stream = PretendedStream(samplerate, channels, **how)
        self.streams.append(stream)
        return stream


class PretendedStream:
    def __init__(
        self, rate: int, channels: int, *, blocksize: int, dtype: str, latency: float,
        callback: Callable[..., None] = lambda *_: None, finished_callback: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        assert dtype == "int16"
        self.heard, self.gone = b"", False
        self.rate, self.channels, self.block, self.latency = rate, channels, blocksize, latency
        self.callback, self.finished = callback, finished_callback
        self.is_open, self.active = True, False

    def start(self) -> None:
        self.active = True

    def stop(self) -> None:
        if self.active:
            self.active = False
            self.finished()

    def close(self) -> None:
        self.stop()
        self.is_open = False

    def hear(self, samples: np.ndarray[Any, Any]) -> None:
        """The card holds these samples from now on."""
        self.heard += samples.astype("<i2").tobytes()

    @property
    def read_available(self) -> int:
        if self.gone:
            raise PortAudioError("Error in stream: No such device [PaErrorCode -9999]", -9999)
        return len(self.heard) // 2 // self.channels

    def read(self, frames: int) -> tuple[memoryview, bool]:
        end = frames * 2 * self.channels
        sound, self.heard = memoryview(self.heard[:end]), self.heard[end:]
        return sound, False

    def vanish(self) -> None:
        self.gone, self.active = True, False


@pytest.fixture(autouse=True)
def _no_kernel_list(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """The machine's own cards play no part."""
    monkeypatch.setattr("companion.sound.card._CARDS", tmp_path / "none")


@pytest.fixture
def portaudio(monkeypatch: pytest.MonkeyPatch) -> PortAudio:
    pretended = PortAudio()
    monkeypatch.setitem(sys.modules, "sounddevice", pretended)  # type: ignore[arg-type]  # it answers as the module does
    return pretended


@pytest.fixture
async def card(portaudio: PortAudio) -> AsyncIterator[SoundCard]:  # noqa: ARG001  # is there before it
    card = SoundCard()
    yield card
    await card.close()


def plug(portaudio: PortAudio, *devices: Plugged) -> None:
    """In the machine since before the program started."""
    portaudio.plugged += devices
    portaudio.listed = list(portaudio.plugged)


def no_lost(_stream: object) -> None:
    pass


async def opened(card: SoundCard, name: str) -> str:
    return (await card.open_input(name, 16_000, 0.032)).name


USB = Plugged("USB PnP Sound Device: Audio (hw:1,0)", inputs=1, rates=(44_100, 48_000))
HEADSET = Plugged("Headset: USB Audio (hw:2,0)", inputs=2, outputs=2)
SCREEN = Plugged("HDMI 0", outputs=2, channels=(2,))


async def test_a_device_is_found_by_its_name_a_part_of_it_or_as_the_default(
    portaudio: PortAudio, card: SoundCard
) -> None:
    plug(portaudio, SCREEN, HEADSET, USB)
    assert await opened(card, "default") == HEADSET.name
    assert await opened(card, USB.name) == USB.name
    assert await opened(card, "usb pnp") == USB.name
    assert await opened(card, "usb audio") == HEADSET.name
    assert await opened(card, "") == HEADSET.name
    assert await opened(card, "2") == USB.name


async def test_an_unknown_device_name_is_refused_with_the_available_names(
    portaudio: PortAudio, card: SoundCard
) -> None:
    plug(portaudio, SCREEN, HEADSET, USB)
    with pytest.raises(DeviceError) as failure:
        await opened(card, "webcam")
    sentence = str(failure.value)
    assert "'webcam'" in sentence
    assert "microphone" in sentence
    assert HEADSET.name in sentence
    assert USB.name in sentence
    assert SCREEN.name not in sentence
    assert "\n" not in sentence


async def test_alsas_name_is_found_by_the_kernels_list_of_cards(
    portaudio: PortAudio, card: SoundCard, tmp_path: Path
) -> None:
    (tmp_path / "none").write_text(" 1 [Device         ]: USB-Audio - USB PnP Sound Device\n")
    plug(portaudio, SCREEN, HEADSET, USB)
    assert await opened(card, "plughw:CARD=Device,DEV=0") == USB.name


def card_problem() -> str | None:
    card = SoundCard()
    try:
        return card.find_problem()
    finally:
        card.close_unused()


def test_whatever_is_missing_is_reported_in_one_line(portaudio: PortAudio, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no microphone" in (card_problem() or "")
    plug(portaudio, USB)
    assert "no loudspeaker" in (card_problem() or "")
    plug(portaudio, SCREEN)
    assert card_problem() is None
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    assert "sounddevice is missing" in (card_problem() or "")


def test_a_missing_library_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Missing:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "sounddevice":
                raise OSError("PortAudio library not found")

    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Missing(), *sys.meta_path])
    assert "apt install libportaudio2" in (card_problem() or "")


async def test_a_card_that_will_not_do_the_rate_is_opened_with_its_own(portaudio: PortAudio, card: SoundCard) -> None:
    plug(portaudio, USB, Plugged("Array", inputs=4, channels=(4,)))
    stream = await card.open_input("usb pnp", 16_000, 0.032)
    assert (stream.rate, stream.channels) == (48_000, 1)
    assert portaudio.streams[-1].block == 1536
    stream = await card.open_input("array", 16_000, 0.032)
    assert (stream.rate, stream.channels) == (16_000, 4)


async def test_a_device_plugged_in_later_is_found(portaudio: PortAudio, card: SoundCard) -> None:
    with pytest.raises(DeviceError, match="no microphone"):
        await opened(card, "default")
    portaudio.plugged.append(USB)
    assert await opened(card, "default") == USB.name


async def test_a_missing_device_does_not_interrupt_the_stream_of_the_other(
    portaudio: PortAudio, card: SoundCard
) -> None:
    plug(portaudio, USB)
    stream = await card.open_input("default", 16_000, 0.032)
    await stream.start()
    with pytest.raises(DeviceError, match="no loudspeaker"):
        await card.open_output("default", 22_050, 0.04, lambda _buffer, _delay: True, no_lost)
    assert not stream.refreshed
    assert portaudio.streams[0].active


async def test_a_refresh_tells_every_stream_to_be_opened_again(portaudio: PortAudio, card: SoundCard) -> None:
    plug(portaudio, HEADSET)
    lost: list[object] = []
    streams = [
        await card.open_input("default", 16_000, 0.032),
        await card.open_output("default", 22_050, 0.04, lambda _buffer, _delay: True, lost.append),
    ]
    for stream in streams:
        await stream.start()
    await card.refresh()
    assert lost == [streams[1]]
    assert all(stream.refreshed for stream in streams)
    assert not any(stream.is_open for stream in portaudio.streams)


async def test_mono_sound_is_played_on_all_channels_of_the_card(portaudio: PortAudio, card: SoundCard) -> None:
    plug(portaudio, SCREEN)

    def fill(buffer: memoryview, delay: float) -> bool:
        assert delay == pytest.approx(0.03)
        buffer[:] = np.arange(len(buffer) // 2, dtype="<i2").tobytes()
        return False

    await (await card.open_output("HDMI", 48_000, 0.04, fill, no_lost)).start()
    raw = portaudio.streams[0]
    out = bytearray(4 * 3)
    time = types.SimpleNamespace(outputBufferDacTime=7.03, currentTime=7.0)
    with pytest.raises(portaudio.CallbackStop):
        raw.callback(memoryview(out), 3, time, None)
    assert np.frombuffer(out, "<i2").tolist() == [0, 0, 1, 1, 2, 2]


async def frames_of(portaudio: PortAudio, frames: Any, *blocks: Callable[[PretendedStream], None]) -> list[Any]:
    """What the microphone makes of some blocks, each heard after the last one was taken."""
    first = asyncio.ensure_future(anext(frames))
    while not (portaudio.streams and portaudio.streams[-1].active):  # noqa: ASYNC110  # another thread sets it
        await asyncio.sleep(0)  # until the worker thread has opened and started it
    came = []
    for block in blocks:
        block(portaudio.streams[-1])
        came.append(await (anext(frames) if came else first))
    return came


def block(samples: np.ndarray[Any, Any]) -> Callable[[PretendedStream], None]:
    """These samples, and then silence until the block is full."""

    def hear(stream: PretendedStream) -> None:
        stream.hear(np.concatenate([samples, np.zeros(max(0, stream.block * stream.channels - len(samples)))]))

    return hear


async def test_the_microphone_mixes_amplifies_and_clips(portaudio: PortAudio, card: SoundCard) -> None:
    plug(portaudio, Plugged("Array", inputs=4, channels=(4,)))
    async with aclosing(CardMicrophone(card, "default", 2.0, channel="mix").frames()) as frames:
        sound = np.array([[100, 200, 300, 400], [-1, -1, -1, -1], [30_000] * 4, [-30_000] * 4]).ravel()
        [frame] = await frames_of(portaudio, frames, block(sound))
    assert np.frombuffer(frame.pcm, "<i2")[:5].tolist() == [500, -2, 32767, -32768, 0]
    assert frame.start == 0


RESPEAKER = Plugged("ReSpeaker 4 Mic Array: USB Audio (hw:1,0)", inputs=6, channels=(6,))
STEREO = Plugged("Stereo: USB Audio (hw:2,0)", inputs=2, channels=(1, 2))
SERVER = Plugged("pulse", inputs=32, channels=tuple(range(1, 33)))


@pytest.mark.parametrize(
    ("device", "channel", "opened", "heard"),
    [
        (RESPEAKER, "auto", 6, [100, -100]),
        (RESPEAKER, "3", 6, [300, -300]),
        (RESPEAKER, "6", 6, [600, -600]),
        (RESPEAKER, "mix", 6, [350, -350]),
        (STEREO, "auto", 1, [100, -100]),
        (STEREO, "2", 2, [200, -200]),
        (STEREO, "1", 2, [100, -100]),
        (SERVER, "auto", 1, [100, -100]),
        (SERVER, "2", 2, [200, -200]),
        (SERVER, "5", 5, [500, -500]),
    ],
)
async def test_a_channel_is_chosen_and_the_loudspeakers_reference_never_mixed_in(
    portaudio: PortAudio, card: SoundCard, device: Plugged, channel: str, opened: int, heard: list[int]
) -> None:
    plug(portaudio, device)
    async with aclosing(CardMicrophone(card, "default", 1.0, channel=channel).frames()) as frames:
        each = np.arange(1, opened + 1) * 100
        [frame] = await frames_of(portaudio, frames, block(np.concatenate([each, -each])))
    assert portaudio.streams[-1].channels == opened
    assert np.frombuffer(frame.pcm, "<i2")[:3].tolist() == [*heard, 0]


@pytest.mark.parametrize(("device", "advice"), [(STEREO, "from 1 to 2"), (USB, "has only one")])
async def test_a_channel_that_the_microphone_does_not_have_is_refused_with_how_many_there_are(
    portaudio: PortAudio, card: SoundCard, device: Plugged, advice: str
) -> None:
    plug(portaudio, device)
    with pytest.raises(DeviceError, match=rf"no channel 3 \(ears.microphone.channel\): .*{advice}"):
        await anext(CardMicrophone(card, "default", 1.0, channel="3").frames())


@pytest.mark.parametrize("name", ["0", "hw:1,0", "plughw:1", "USB PnP Sound Device: Audio (hw:1,0)"])
async def test_a_device_that_is_named_exactly_is_never_replaced_by_another(
    portaudio: PortAudio, card: SoundCard, name: str
) -> None:
    plug(portaudio, USB, HEADSET)
    portaudio.plugged.remove(USB)
    with pytest.raises(DeviceError):
        await opened(card, name if name != "0" else "7")
    assert portaudio.streams == []
    # It can be opened no more, though it is listed: the other one is not tried either.
    portaudio.plugged.insert(0, Plugged(USB.name, inputs=1, rates=()))
    await card.refresh()
    with pytest.raises(DeviceError, match="cannot be opened"):
        await opened(card, name)
    assert portaudio.streams == []


async def test_the_microphone_resamples_without_losing_time(portaudio: PortAudio, card: SoundCard) -> None:
    plug(portaudio, USB)
    second = (9000 * np.sin(2 * np.pi * 500 * np.arange(48_000) / 48_000)).astype("<i2")
    async with aclosing(CardMicrophone(card, "default", 1.0).frames()) as frames:
        came = await frames_of(portaudio, frames, *(block(piece) for piece in np.split(second, 10)))
    starts, ends = [frame.start for frame in came], [frame.end for frame in came]
    assert starts == [0, *ends[:-1]]
    assert 16_000 - 400 <= ends[-1] <= 16_000  # the resampler holds about 20 ms back
    heard = np.frombuffer(b"".join(frame.pcm for frame in came), "<i2")
    wanted = 9000 * np.sin(2 * np.pi * 500 * np.arange(len(heard)) / 16_000)
    assert np.abs(heard - wanted)[200:-200].max() < 100


async def test_an_unplugged_microphone_is_noticed_at_once_and_heard_again_when_it_is_back(
    portaudio: PortAudio, card: SoundCard
) -> None:
    plug(portaudio, HEADSET)
    microphone = CardMicrophone(card, "default", 1.0)
    async with aclosing(microphone.frames()) as frames:
        [first] = await frames_of(portaudio, frames, block(np.zeros(512)))
        waiting = asyncio.ensure_future(anext(frames))
        await asyncio.sleep(0)
        portaudio.plugged.remove(HEADSET)
        portaudio.streams[-1].vanish()
        with pytest.raises(DeviceError, match="went away"):
            await waiting
    async with aclosing(microphone.frames()) as frames:
        with pytest.raises(DeviceError, match="no microphone"):
            await anext(frames)
    portaudio.plugged.append(HEADSET)
    async with aclosing(microphone.frames()) as frames:
        [again] = await frames_of(portaudio, frames, block(np.zeros(512)))
    assert again.start >= first.end


async def test_a_refresh_for_another_device_only_leaves_a_gap_in_the_sound(
    portaudio: PortAudio, card: SoundCard
) -> None:
    plug(portaudio, HEADSET)
    async with aclosing(CardMicrophone(card, "default", 1.0).frames()) as frames:
        [before] = await frames_of(portaudio, frames, block(np.zeros(512)))
        await card.refresh()
        [after] = await frames_of(portaudio, frames, block(np.zeros(512)))
    assert after.start >= before.end
