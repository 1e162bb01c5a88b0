"""A body on a serial port: what a conversation notices of it when it is there, away, slow or something else."""

from __future__ import annotations

import asyncio
import queue
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from companion.body import serial
from companion.body.inputs import BodyEvent
from companion.body.serial import SerialBody
from companion.config.body import BodySettings, ChannelSettings
from companion.config.device import Device
from companion.config.outputs import SerialSettings
from companion.config.persona import Persona, load_persona
from companion.errors import DeviceError, EngineUnavailable
from companion.events import BodyFrame
from firmware_bridge.frames import Receiver
from firmware_bridge.messages import EventKind, Hello, HelloReply, Nack, Reason, decode, encode
from firmware_bridge.port import Port
from firmware_bridge.simulator import CHANNELS as CHANNELS_OF_SIMULATOR
from firmware_bridge.simulator import Simulator, serve
from tests.support.paths import CONFIGS

CHANNELS = {
    "eyes": ChannelSettings(kind="light"),
    "head": ChannelSettings(kind="servo", low=-80, high=80),
    "tilt": ChannelSettings(kind="servo"),
    "wheels": ChannelSettings.model_validate({"kind": "motor"}),
    "mouth": ChannelSettings.model_validate({"kind": "mouth"}),
}
PATIENCE_S = 10.0
HUNG_S = 1.0
"""Far more than the 0.45 s that it takes, for a busy machine, and far less than the 2.2 s that it took."""


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
        self.watch: Callable[[list[list[int]]], object] = lambda _values: None
        """Called with each change of the outputs, on the device's own thread."""

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
        self.watch(values)

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
def toy_persona() -> Persona:
    return load_persona(CONFIGS / "personas" / "teddy.toml")


@pytest.fixture
async def toy() -> AsyncIterator[Toy]:
    one = Toy()
    one.plug_in()
    yield one
    await one.unplug()


class Openings:
    """Counts how often the body opens its port. By the next opening, what went wrong before has been told."""

    def __init__(self) -> None:
        self.count = 0
        self._loop = asyncio.get_running_loop()
        self._opened = asyncio.Event()

    def port(self, name: str, baud: int) -> Port:
        self._loop.call_soon_threadsafe(self._one_more)
        return Port(name, baud)

    def _one_more(self) -> None:
        self.count += 1
        self._opened.set()

    async def reach(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while self.count < count:
                self._opened.clear()
                await self._opened.wait()


@pytest.fixture
async def openings(monkeypatch: pytest.MonkeyPatch) -> Openings:
    """Ports are opened again without much of a pause, and counted."""
    one = Openings()
    monkeypatch.setattr(serial, "Port", one.port)
    monkeypatch.setattr(serial, "FIRST_RETRY_S", 0.02)
    return one


@asynccontextmanager
async def body_at(
    port: str, callback: Callable[[BodyEvent], object] | None = None, **channels: int
) -> AsyncIterator[SerialBody]:
    body = SerialBody(SerialSettings(port=port, channels=channels), CHANNELS)
    if callback is not None:
        body.events(callback)
    try:
        yield body
    finally:
        await body.close()


async def complaint(body: SerialBody, shown: BodyFrame) -> str:
    """Show a frame; what the body says is wrong."""
    with pytest.raises(DeviceError) as told:
        await body.show(shown)
    return str(told.value)


async def test_a_frame_reaches_the_servos_the_motor_the_mouth_and_the_lights(toy: Toy) -> None:
    async with body_at(toy.port) as body:
        await body.show(frame(head=-42.5, tilt=10, wheels=0.25, mouth=0.5))
        await toy.reaches({0: [-425], 1: [100], 5: [250], 4: [500], 6: [10, 20, 30]})


async def test_the_device_file_may_say_which_channel_is_which(toy: Toy) -> None:
    async with body_at(toy.port, head=3, eyes=7) as body:
        await body.show(frame(head=50, tilt=5))
        await toy.reaches({3: [500], 0: [50], 7: [10, 20, 30], 6: [0, 0, 0]})


async def test_values_are_clamped_to_the_range_of_the_body(toy: Toy) -> None:
    async with body_at(toy.port) as body:
        await body.show(frame(head=400, wheels=float("nan"), mouth=-3))
        await toy.reaches({0: [900], 4: [0], 5: [0]})


async def test_closing_leaves_a_neutral_body(toy: Toy) -> None:
    async with body_at(toy.port) as body:
        await body.show(frame(head=30, wheels=1))
        await toy.reaches({0: [300], 5: [1000]})
    await toy.reaches({0: [0], 5: [0], 6: [0, 0, 0]})


async def test_a_body_may_be_unplugged_and_plugged_in_while_talk_goes_on(toy: Toy, openings: Openings) -> None:
    async with body_at(toy.port) as body:
        for goal in (100, 200):
            await body.show(frame(head=goal / 10))
            await toy.reaches({0: [goal]})
            before = openings.count
            await toy.unplug()
            await openings.reach(before + 1)
            assert toy.port in await complaint(body, frame(head=goal / 10))
            for _ in range(50):
                await body.show(frame(head=goal / 10 + 5))  # one complaint is enough
            toy.plug_in()
            await toy.reaches({0: [goal + 50]})


async def test_a_body_that_is_not_there_at_the_start_comes_later(toy: Toy, openings: Openings) -> None:
    port = toy.port
    await toy.unplug()
    async with body_at(port) as body:
        await body.show(frame(head=5))
        await openings.reach(2)
        assert "cannot be opened" in await complaint(body, frame(head=15))
        toy.plug_in()
        await toy.reaches({0: [150]})


@pytest.mark.parametrize(
    ("port", "words"),
    [
        ("/dev/there-is-none", "No such file"),
        ("usb:ffff:fffe", "no such USB device"),
    ],
)
async def test_a_port_that_cannot_be_opened_is_named_in_one_sentence(port: str, words: str, openings: Openings) -> None:
    async with body_at(port) as body:
        await body.show(frame())
        await openings.reach(2)
        said = await complaint(body, frame())
    assert said.startswith(port)
    assert words in said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("answer", "words"),
    [(b"", "make flash"), (b"AT\r\n\0", "make flash"), (encode(Nack(Reason.VERSION, 9), 0), "protocol version 9")],
    ids=["silent", "something else", "another version"],
)
async def test_something_else_on_the_port_is_recognised(
    answer: bytes, words: str, monkeypatch: pytest.MonkeyPatch, openings: Openings
) -> None:
    monkeypatch.setattr(serial, "FIRST_ANSWER_S", 0.1)

    async def other(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while await reader.read(100):
                writer.write(answer)
        writer.close()

    server = await asyncio.start_server(other, "127.0.0.1", 0)
    async with server, body_at(f"socket://127.0.0.1:{server.sockets[0].getsockname()[1]}") as body:
        await body.show(frame())
        await openings.reach(2)
        assert words in await complaint(body, frame())


async def test_a_body_is_well_once_it_does_what_it_is_told(toy: Toy) -> None:
    async with body_at(toy.port) as body:
        assert "nothing has answered there yet" in body.trouble
        for degrees in (40, 20):
            # The second frame goes out behind the answer to the first.
            await body.show(frame(head=degrees))
            await toy.reaches({0: [10 * degrees]})
        assert body.trouble == ""


async def test_a_port_that_answers_hello_and_nothing_else_is_never_well() -> None:
    troubles: list[str] = []
    hellos: set[int] = set()
    again = asyncio.Event()

    async def polite(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        receiver = Receiver()
        with suppress(ConnectionError):
            while data := await reader.read(100):
                for message, seq in map(decode, receiver.feed(data)):
                    troubles.append(body.trouble)
                    if isinstance(message, Hello):
                        hellos.add(message.session)
                        writer.write(encode(HelloReply(message.session, (9, 9, 9), 300, 4, CHANNELS_OF_SIMULATOR), seq))
                if len(hellos) > 1:
                    again.set()
        writer.close()

    server = await asyncio.start_server(polite, "127.0.0.1", 0)
    async with server, body_at(f"socket://127.0.0.1:{server.sockets[0].getsockname()[1]}") as body:
        await body.show(frame(head=40))
        async with asyncio.timeout(PATIENCE_S):
            await again.wait()
        assert "does not answer any more" in body.trouble
    assert all(troubles)


async def test_button_lid_and_battery_are_reported_on_the_event_loop(toy: Toy) -> None:
    told: asyncio.Queue[BodyEvent] = asyncio.Queue()
    async with body_at(toy.port, told.put_nowait) as body, asyncio.timeout(PATIENCE_S):
        await body.show(frame(head=10))
        await toy.reaches({0: [100]})
        toy.simulator.activate(EventKind.BUTTON, 1)
        assert await told.get() == BodyEvent("wake", "button", 1)
        toy.simulator.activate(EventKind.BUTTON, 1, active=False)
        toy.simulator.activate(EventKind.LID)
        assert await told.get() == BodyEvent("lock", "lid")
        toy.simulator.battery_mv = 3700
        assert await told.get() == BodyEvent("battery", "battery", 3700)
        toy.simulator.activate(EventKind.LID, active=False)
        assert await told.get() == BodyEvent("unlock", "lid")


async def test_a_body_that_goes_away_with_an_open_lid_releases_its_lock(toy: Toy, openings: Openings) -> None:
    told: asyncio.Queue[BodyEvent] = asyncio.Queue()
    async with body_at(toy.port, told.put_nowait) as body, asyncio.timeout(PATIENCE_S):
        await body.show(frame(head=10))
        toy.simulator.activate(EventKind.LID)
        assert await told.get() == BodyEvent("lock", "lid")
        await toy.unplug()
        assert await told.get() == BodyEvent("unlock", "lid")
        await openings.reach(2)
        toy.plug_in()


async def test_the_pose_returns_when_the_lid_is_closed(toy: Toy) -> None:
    told: asyncio.Queue[BodyEvent] = asyncio.Queue()
    async with body_at(toy.port, told.put_nowait) as body:
        await body.show(frame(head=30))
        await toy.reaches({0: [300]})
        toy.simulator.activate(EventKind.LID)
        async with asyncio.timeout(PATIENCE_S):
            assert await told.get() == BodyEvent("lock", "lid")
        assert toy.simulator.values[0] == [300]
        assert toy.simulator.released[0]
        await body.show(frame(head=40))
        toy.simulator.activate(EventKind.LID, active=False)
        await toy.reaches({0: [400]})


async def test_a_hung_runtime_leaves_a_neutral_body_and_goes_on_after_it(toy: Toy) -> None:
    async with body_at(toy.port) as body:
        await body.show(frame(wheels=1))
        await toy.reaches({5: [1000]})
        stopped: queue.SimpleQueue[float] = queue.SimpleQueue()
        toy.watch = lambda values: stopped.put(time.monotonic()) if values[5] == [0] else None
        began = time.monotonic()
        stopped_at = stopped.get(timeout=PATIENCE_S)  # the loop hangs here, and the wheels must stop meanwhile
        assert stopped_at - began < HUNG_S
        await toy.reaches({5: [1000]})


async def test_a_short_stall_of_the_loop_breaks_nothing(toy: Toy) -> None:
    async with body_at(toy.port) as body:
        await body.show(frame(wheels=1))
        await toy.reaches({5: [1000]})
        time.sleep(0.15)  # noqa: ASYNC251 - the loop stalls, but for less than the microcontroller's patience
        await body.show(frame(wheels=0.5))
        await toy.reaches({5: [500]})


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


async def test_channels_on_the_boards_own_pins_are_not_sent_over_the_wire(toy: Toy, toy_persona: Persona) -> None:
    settings = BodySettings.model_validate(
        {
            "outputs": ["gpio", "serial"],
            "channels": {"eyes": {"kind": "light"}, "glow": {"kind": "light"}},
            "gpio": {"channels": {"eyes": {"kind": "led", "pin": 4}}},
            "serial": {"port": toy.port},
        }
    )
    body = serial.build(Device(persona=Path("x"), body=settings), toy_persona)
    await body.show(BodyFrame({"eyes": (1, 2, 3), "glow": (10, 20, 30)}, {}))
    await toy.reaches({6: [10, 20, 30], 7: [0, 0, 0]})
    await body.close()


def test_the_body_is_built_from_the_device_file(toy_persona: Persona) -> None:
    settings = BodySettings(outputs=("serial",), serial=SerialSettings(port="usb:2341:0043"))
    assert isinstance(serial.build(Device(persona=Path("x"), body=settings), toy_persona), SerialBody)
    with pytest.raises(EngineUnavailable, match=r"\[body.serial\]"):
        serial.build(Device(persona=Path("x")), toy_persona)
