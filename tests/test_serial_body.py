"""A body on a serial port: what a conversation notices of it, and what the microcontroller is told."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from companion.body import serial_body
from companion.body.serial_body import SerialBody
from companion.body_settings import BodySettings, ChannelSettings
from companion.config import Device
from companion.errors import DeviceError, EngineUnavailable
from companion.events import BodyFrame
from companion.output_settings import SerialSettings
from companion.persona import Persona, load_persona
from firmware_bridge.messages import DeviceEvent, EventKind, Nack, Reason, encode
from firmware_bridge.simulator import Simulator, serve

CHANNELS = {
    "eyes": ChannelSettings(kind="light"),
    "head": ChannelSettings(kind="servo", low=-80, high=80),
    "tilt": ChannelSettings(kind="servo"),
    "wheels": ChannelSettings.model_validate({"kind": "motor"}),
    "mouth": ChannelSettings.model_validate({"kind": "mouth"}),
}
PATIENCE_S = 10.0


def frame(**positions: float) -> BodyFrame:
    return BodyFrame({"eyes": (10, 20, 30)}, positions)


class Toy:
    """A simulated microcontroller on a port of this machine, which can be unplugged."""

    def __init__(self) -> None:
        self.simulator = Simulator()
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._values: list[list[int]] = []
        self._number = 0
        self._thread: threading.Thread | None = None
        self._done = threading.Event()

    @property
    def port(self) -> str:
        return f"socket://127.0.0.1:{self._number}"

    def plug_in(self) -> None:
        listener = socket.create_server(("127.0.0.1", self._number))
        self._number = listener.getsockname()[1]
        self._done.clear()

        def run() -> None:
            with listener:
                serve(listener, self.simulator, lambda: not self._done.is_set(), self._show)

        self._thread = threading.Thread(target=run)
        self._thread.start()

    async def unplug(self) -> None:
        if self._thread is not None:
            self._done.set()
            await asyncio.to_thread(self._thread.join)
            self._thread = None
            self.simulator = Simulator()

    def _show(self, values: list[list[int]]) -> None:
        self._loop.call_soon_threadsafe(self._take, values)

    def _take(self, values: list[list[int]]) -> None:
        self._values = values
        self._changed.set()

    async def reaches(self, wanted: dict[int, list[int]]) -> None:
        """Wait until these channels show these values."""
        async with asyncio.timeout(PATIENCE_S):
            while not self._values or any(self._values[number] != value for number, value in wanted.items()):
                self._changed.clear()
                await self._changed.wait()


@pytest.fixture
async def toy() -> AsyncIterator[Toy]:
    one = Toy()
    one.plug_in()
    yield one
    await one.unplug()


@asynccontextmanager
async def body_at(
    port: str, on_event: Callable[[DeviceEvent], object] = serial_body.log_event, **channels: int
) -> AsyncIterator[SerialBody]:
    body = SerialBody(SerialSettings(port=port, channels=channels), CHANNELS, on_event)
    try:
        yield body
    finally:
        await body.close()


async def complaint(body: SerialBody, shown: BodyFrame) -> str:
    """Show a frame again and again, as the animator does, until the body complains."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                await body.show(shown)
            except DeviceError as error:
                return str(error)
            await asyncio.to_thread(threading.Event().wait, 0.01)


async def test_a_frame_reaches_the_servos_the_motor_the_mouth_and_the_lights(toy: Toy) -> None:
    async with body_at(toy.port) as body:
        await body.show(frame(head=-42.5, tilt=10, wheels=0.25, mouth=0.5))
        await toy.reaches({0: [-425], 1: [100], 5: [250], 4: [500], 6: [10, 20, 30]})


async def test_the_device_file_may_say_which_channel_is_which(toy: Toy) -> None:
    async with body_at(toy.port, head=3, eyes=7) as body:
        await body.show(frame(head=50, tilt=5))
        await toy.reaches({3: [500], 0: [50], 7: [10, 20, 30], 6: [0, 0, 0]})


async def test_what_the_body_cannot_do_is_left_within_its_range(toy: Toy) -> None:
    async with body_at(toy.port) as body:
        await body.show(frame(head=400, wheels=float("nan"), mouth=-3))
        await toy.reaches({0: [900], 4: [0], 5: [0]})


async def test_closing_leaves_a_neutral_body(toy: Toy) -> None:
    async with body_at(toy.port) as body:
        await body.show(frame(head=30, wheels=1))
        await toy.reaches({0: [300], 5: [1000]})
    await toy.reaches({0: [0], 5: [0], 6: [0, 0, 0]})


async def test_a_body_may_be_unplugged_and_plugged_in_while_talk_goes_on(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serial_body, "FIRST_PAUSE_S", 0.02)
    async with body_at(toy.port) as body:
        await body.show(frame(head=10))
        await toy.reaches({0: [100]})
        await toy.unplug()
        said = await complaint(body, frame(head=20))
        assert toy.port in said
        for _ in range(50):
            await body.show(frame(head=20))  # one complaint is enough
        toy.plug_in()
        await toy.reaches({0: [200]})
        await toy.unplug()
        assert toy.port in await complaint(body, frame(head=20))


async def test_a_body_that_is_not_there_at_the_start_comes_later(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serial_body, "FIRST_PAUSE_S", 0.02)
    port = toy.port
    await toy.unplug()
    async with body_at(port) as body:
        assert "cannot be opened" in await complaint(body, frame(head=15))
        toy.plug_in()
        await toy.reaches({0: [150]})


@pytest.mark.parametrize(
    ("port", "words"),
    [
        ("/dev/there-is-none", "No such file"),
        ("usb:ffff:fffe", "no such USB device"),
        ("nonsense://x", "cannot be opened"),
    ],
)
async def test_a_port_that_cannot_be_opened_is_named_in_one_sentence(port: str, words: str) -> None:
    async with body_at(port) as body:
        said = await complaint(body, frame())
    assert said.startswith(port)
    assert words in said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("answer", "words"),
    [(b"", "make flash"), (b"AT\r\n\0", "make flash"), (encode(Nack(Reason.VERSION, 9), 0), "protocol version 9")],
    ids=["silent", "something else", "another version"],
)
async def test_something_else_on_the_port_is_told_apart(
    answer: bytes, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serial_body, "ANSWERS_WITHIN_S", 0.1)

    async def other(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while await reader.read(100):
                writer.write(answer)
        writer.close()

    server = await asyncio.start_server(other, "127.0.0.1", 0)
    async with server, body_at(f"socket://127.0.0.1:{server.sockets[0].getsockname()[1]}") as body:
        assert words in await complaint(body, frame())


async def test_a_button_on_the_body_is_told_on_the_event_loop(toy: Toy) -> None:
    told: asyncio.Queue[DeviceEvent] = asyncio.Queue()
    async with body_at(toy.port, told.put_nowait) as body:
        await body.show(frame(head=10))
        await toy.reaches({0: [100]})
        toy.simulator.activate(EventKind.BUTTON, 1)
        async with asyncio.timeout(PATIENCE_S):
            assert await told.get() == DeviceEvent(EventKind.BUTTON, 1, 1)


async def test_a_lid_that_is_closed_again_gives_the_pose_back(toy: Toy) -> None:
    async with body_at(toy.port) as body:
        await body.show(frame(head=30))
        await toy.reaches({0: [300]})
        toy.simulator.activate(EventKind.LID)
        await toy.reaches({0: [0]})
        await body.show(frame(head=40))
        toy.simulator.activate(EventKind.LID, active=False)
        await toy.reaches({0: [400]})


async def test_a_hung_runtime_leaves_a_neutral_body(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serial_body, "LOOP_HANGS_S", 0.3)
    monkeypatch.setattr(serial_body, "_ASK_LOOP_S", 0.05)
    async with body_at(toy.port) as body:
        await body.show(frame(wheels=1))
        await toy.reaches({5: [1000]})
        stopped = threading.Event()
        device = toy.simulator

        def watch() -> None:
            while device.values[5] != [0]:
                threading.Event().wait(0.01)
            stopped.set()

        threading.Thread(target=watch, daemon=True).start()
        assert stopped.wait(PATIENCE_S), "the loop hangs here, and the wheels must stop meanwhile"


async def test_showing_never_waits_for_the_wire() -> None:
    """The other end accepts and then reads nothing, for as long as this takes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with body_at(f"socket://127.0.0.1:{listener.getsockname()[1]}") as body:
            loop = asyncio.get_running_loop()
            began = loop.time()
            for number in range(2000):
                await body.show(frame(head=number % 80))
            assert loop.time() - began < 1.0


def test_a_device_file_that_names_serial_needs_its_table() -> None:
    with pytest.raises(ValueError, match=r"\[body.serial\]"):
        BodySettings(outputs=("serial",))
    with pytest.raises(ValueError, match="no channel called nose"):
        BodySettings(serial=SerialSettings(port="/dev/ttyACM0", channels={"nose": 1}))


def test_the_body_is_built_from_the_device_file() -> None:
    persona: Persona = load_persona(Path(__file__).parents[1] / "configs" / "personas" / "teddy.toml")
    settings = BodySettings(outputs=("serial",), serial=SerialSettings(port="usb:2341:0043"))
    assert isinstance(serial_body.build(Device(persona=Path("x"), body=settings), persona), SerialBody)
    with pytest.raises(EngineUnavailable, match=r"\[body.serial\]"):
        serial_body.build(Device(persona=Path("x")), persona)
