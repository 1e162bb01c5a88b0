"""The firmware image in two emulators of the board.

simavr shows the pins in simulated time: pulse widths, and what a dead host leaves behind. QEMU runs the image in real
time behind a socket that pyserial opens.
"""

from __future__ import annotations

import itertools
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from firmware_bridge.frames import Receiver
from firmware_bridge.link import Answered, Connected, Event, Link, Lost
from firmware_bridge.messages import (
    Ack,
    AskLimits,
    Command,
    DeviceEvent,
    Heartbeat,
    Hello,
    HelloReply,
    Keyframe,
    Keyframes,
    Message,
    Query,
    Set,
    State,
    Stop,
    colour,
    decode,
    encode,
    position,
    position_of,
)
from firmware_bridge.port import Port
from firmware_bridge.simulator import CHANNELS, LIMITS
from tests.support.avr_firmware import AVR, Program, needs

PULSE_US = 4.0
"""How exact a servo's pulse is: timer steps, and the entry into the interrupt."""


def test_the_firmware_allocates_nothing_and_fits(image: Path) -> None:
    symbols = subprocess.run(["avr-nm", str(image)], check=True, capture_output=True, text=True).stdout
    assert not re.search(r"\b(malloc|calloc|realloc|free)\b", symbols)
    sizes = subprocess.run(["avr-size", str(image)], check=True, capture_output=True, text=True).stdout
    text, data, bss = (int(number) for number in sizes.splitlines()[1].split()[:3])
    assert text + data < 30_000
    assert data + bss < 2048 - 300, "the rest is for the stack"


def test_nothing_in_the_image_skips_over_a_return(image: Path) -> None:
    """QEMU 7.2 never comes back from a skip that is taken over one (decision 0003)."""
    listing = subprocess.run(["avr-objdump", "-d", str(image)], check=True, capture_output=True, text=True).stdout
    words = re.findall(r"^\s*[0-9a-f]+:\t[0-9a-f ]+\t(\w+)", listing, re.MULTILINE)
    assert len(words) > 2000
    skips, jumps = {"sbrs", "sbrc", "sbis", "sbic", "cpse"}, {"ret", "reti", "ijmp", "icall"}
    assert [pair for pair in itertools.pairwise(words) if pair[0] in skips and pair[1] in jumps] == []


class Board:
    """The image in simavr: bytes in, and what the pins do, in simulated time."""

    def __init__(self, program: Path, image: Path) -> None:
        self._program = Program(str(program), str(image))
        self._receiver = Receiver()
        self._levels: dict[str, tuple[float, int]] = {}
        self.pulses: list[tuple[float, str, float]] = []
        """When each pulse began (microseconds), on which pin, and how long it was."""
        self.now = 0.0
        self.seq = 0
        self.wait(5_000)
        for line in ("i D 2 1", "i D 3 1", "i D 7 1", "i D 7 0"):
            self._tell(line)

    def say(self, message: Message) -> list[Message]:
        """Send a message and wait 20 ms for what is said meanwhile."""
        seq = 0
        if not isinstance(message, Hello):
            self.seq = seq = self.seq + 1 & 0xFF
        return self.send(encode(message, seq)) + self.wait(20_000)

    def send(self, data: bytes) -> list[Message]:
        """Send bytes, one behind the other."""
        self.now += len(data) * 11e6 / 115_200
        return self._tell(f"b {data.hex()}")

    def wait(self, microseconds: int) -> list[Message]:
        self.now += microseconds
        return self._tell(f"w {microseconds}")

    def stay(self, microseconds: int) -> None:
        """Let time pass as a host that lives."""
        end = self.now + microseconds
        while self.now < end:
            self.say(Heartbeat())
            self.wait(70_000)

    def widths(self, pin: str, since: float) -> list[float]:
        return [width for began, name, width in self.pulses if name == pin and began >= since]

    def close(self) -> None:
        self._program.close()

    def _tell(self, line: str) -> list[Message]:
        answer, heard = self._program.tell(line), bytearray()
        while answer != ".":
            kind, cycle, *rest = answer.split()
            if kind not in ("p", "u"):
                answer = self._program.more()  # simavr's own words about the image
                continue
            at = int(cycle) / 16
            if kind == "u":
                heard += bytes.fromhex(rest[0])
            elif rest[2] == "1":
                self._levels["".join(rest[:2])] = at, 1
            elif "".join(rest[:2]) in self._levels:
                began, _ = self._levels.pop("".join(rest[:2]))
                self.pulses.append((began, "".join(rest[:2]), at - began))
            answer = self._program.more()
        return [decode(body)[0] for body in self._receiver.feed(bytes(heard))]


@pytest.fixture
def board(built: Path, image: Path) -> Iterator[Board]:
    needs("gcc")
    if not Path("/usr/include/simavr/sim_avr.h").exists():
        pytest.skip("libsimavr-dev is not installed: make setup-dev")
    program = built / "on_pins"
    source = str(AVR / "tests" / "on_pins.c")
    subprocess.run(["gcc", "-std=gnu99", "-O2", "-o", str(program), source, "-lsimavr", "-lelf"], check=True)
    running = Board(program, image)
    yield running
    running.close()


@pytest.fixture
def session(board: Board) -> Board:
    """A board with a host."""
    (reply, *_) = board.say(Hello(5))
    assert isinstance(reply, HelloReply)
    assert reply.channels == CHANNELS
    return board


def test_a_board_that_starts_holds_its_servos_in_the_middle_and_its_motor_still(board: Board) -> None:
    board.wait(180_000)
    for pin, width in (("B0", 1500), ("B1", 1500), ("B2", 833), ("B3", 833), ("B4", 1000)):
        assert board.widths(pin, 20_000)[:3] == pytest.approx([width] * 3, abs=PULSE_US)
    first = [min(began for began, pin, _ in board.pulses if pin == f"B{number}") for number in range(4)]
    assert min(b - a for a, b in itertools.pairwise(first)) > 15_000, "one after the other"
    assert board.widths("D5", 0) == board.widths("D6", 0) == []


def test_pulses_come_fifty_times_a_second_and_one_after_the_other(board: Board) -> None:
    board.wait(200_000)
    servos = [one for one in board.pulses if one[1].startswith("B")]
    starts = [began for began, pin, _ in servos if pin == "B0"]
    periods = [later - earlier for earlier, later in itertools.pairwise(starts)]
    assert periods[:8] == pytest.approx([20_000] * 8, abs=PULSE_US)
    assert all(before[0] + before[2] <= after[0] + 1 for before, after in itertools.pairwise(servos))


def test_what_the_host_says_reaches_the_pins(session: Board) -> None:
    wanted = {0: position(-900), 1: position(450), 3: position(1500), 4: position(500), 5: position(-600)}
    assert session.say(Set({**wanted, 6: colour(255, 0, 0), 7: colour(0, 0, 255)})) == [Ack()]
    session.stay(400_000)
    since = session.now
    session.stay(90_000)
    for pin, width in (("B0", 500), ("B1", 2000), ("B2", 833), ("B3", 2500), ("B4", 1500)):
        assert session.widths(pin, since)[:3] == pytest.approx([width] * 3, abs=PULSE_US)
    assert session.widths("D5", since) == []
    # simavr shows the port's own level for a moment whenever the strip is written; a real chip does not.
    duties = sorted(session.widths("D6", since))
    assert duties[len(duties) // 2] == pytest.approx(1024 * 0.6, abs=8)


def test_a_pixel_strip_gets_its_bits_with_the_timing_of_the_data_sheet(session: Board) -> None:
    session.say(Set({6: colour(255, 0, 0), 7: colour(0, 0, 255)}))
    session.stay(300_000)
    bits = [one for one in session.pulses if one[1] == "D4"][-8 * 24 :]
    assert {round(width, 4) for _, _, width in bits} == {0.375, 0.8125}
    pixels = ["".join("1" if width > 0.6 else "0" for _, _, width in bits[at : at + 24]) for at in range(0, 192, 24)]
    assert pixels == ["00000000" + "1" * 8 + "00000000"] * 4 + ["0" * 16 + "1" * 8] * 4
    pauses = [after[0] - before[0] - before[2] for before, after in itertools.pairwise(bits)]
    assert max(pauses) < 9, "a longer low would end the strip's frame"


@pytest.mark.parametrize("moment", [10_000, 63_000, 150_000])
def test_a_host_that_dies_leaves_still_motors_within_500_ms_and_neutral_pins(session: Board, moment: int) -> None:
    session.say(Keyframes((Keyframe(0, 800, position(900)), Keyframe(3, 300, position(1500)))))
    session.stay(20_000)
    session.say(Set({5: position(1000), 6: colour(200, 200, 200)}))
    died = session.now - 20_000
    session.wait(moment)
    session.wait(900_000)
    assert set(session.widths("B3", died)) != set(session.widths("B3", died + 800_000))
    for pin, width in (("B0", 1500), ("B3", 833), ("B4", 1000)):
        steps = [abs(b - a) for a, b in itertools.pairwise(session.widths(pin, died))]
        assert max(steps) <= 120 / 0.9 + 2 * PULSE_US, "600 degrees a second"
        after = session.widths(pin, died + 800_000)
        assert len(after) >= 4
        assert after == pytest.approx([width] * len(after), abs=PULSE_US)
    assert session.widths("D5", died + 500_000) == []
    assert all(width < 0.6 for width in session.widths("D4", died + 500_000))


def test_garbage_at_full_speed_moves_nothing_and_a_host_is_heard_behind_it(board: Board) -> None:
    noise = bytes(number * 73 + 11 & 0xFF for number in range(2000))
    board.send(noise + b"\0")
    board.wait(10_000)
    assert board.widths("B0", 20_000) == pytest.approx([1500] * len(board.widths("B0", 20_000)), abs=40)
    assert any(isinstance(one, HelloReply) for one in board.say(Hello(8)))


PATIENCE_S = 20.0
"""How long a busy machine may take for what is quick elsewhere."""


class Host:
    """A host in real time, at the port that a companion would open."""

    def __init__(self, port: Port, session: int) -> None:
        self._port = port
        self.link = Link(session)
        self.events: list[Event] = []
        self.link.connect(time.monotonic())

    def run(self, seconds: float, until: Any = lambda: False) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end and not until():
            self._port.write(self.link.outgoing())
            self._port.wait(min(self.link.next_timeout(), end) - time.monotonic())
            now = time.monotonic()
            self.events += self.link.receive(self._port.read(), now)
            self.events += self.link.tick(now)

    def ask(self, command: Command) -> object:
        ticket = self.link.send(command, time.monotonic())
        self.run(PATIENCE_S, until=lambda: self._answer(ticket) is not None)
        return self._answer(ticket)

    def _answer(self, ticket: int) -> object:
        return next((one.answer for one in self.events if isinstance(one, Answered) and one.ticket == ticket), None)

    def state(self) -> State:
        state = self.ask(Query())
        assert isinstance(state, State)
        return state

    def connect(self) -> None:
        self.run(PATIENCE_S, until=lambda: self.link.device is not None)
        assert self.link.device is not None


@pytest.fixture
def qemu(image: Path) -> Iterator[str]:
    needs("qemu-system-avr")
    with socket.create_server(("127.0.0.1", 0)) as free:
        number = free.getsockname()[1]
    serial = f"tcp:127.0.0.1:{number},server=on,wait=off,nodelay=on"
    command = ["qemu-system-avr", "-M", "uno", "-bios", str(image), "-display", "none", "-monitor", "none"]
    process = subprocess.Popen([*command, "-serial", serial])
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", number), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline, "QEMU did not open its port"
        else:
            break
    yield f"socket://127.0.0.1:{number}"
    process.terminate()
    process.wait(timeout=10)


def test_the_image_in_qemu_talks_moves_reports_and_goes_neutral(qemu: str) -> None:
    with Port(qemu, 115_200) as port:
        host = Host(port, 100)
        host.connect()
        assert host.link.device is not None
        assert host.link.device.channels == CHANNELS
        assert host.ask(Set({0: position(9999), 3: position(700), 6: colour(200, 100, 0)})) == Ack(clamped=True)
        assert [host.ask(AskLimits(number)) for number in range(len(LIMITS))] == list(LIMITS)
        for goal in range(200):
            assert host.ask(Set({1: position(goal)})) == Ack()
        host.run(PATIENCE_S, until=lambda: not host.state().moving)
        state = host.state()
        assert [position_of(value) for value in state.values[:4]] == [900, 199, 0, 700]
        assert state.values[6] == colour(200, 100, 0)
        # QEMU's pins all read low, so both buttons look pressed: real events from the real image.
        assert [one.index for one in host.events if isinstance(one, DeviceEvent)] == [0, 1]
        port.write(b"\x00\x07garbage\x00" + bytes(range(256)))
        assert host.ask(Set({0: position(-9999), 1: position(-5), 3: position(-299)})) == Ack(clamped=True)
        host.run(PATIENCE_S, until=lambda: not host.state().moving)
        assert [position_of(value) for value in host.state().values[:4]] == [-900, -5, 0, -299]
        assert host.ask(Stop()) == Ack()
        assert [one for one in host.events if isinstance(one, Lost)] == []
    with Port(qemu, 115_200) as port:
        host = Host(port, 200)
        host.connect()
        assert host.ask(Keyframes((Keyframe(0, 300, position(900)),))) == Ack()
        host.run(0.2)
        # The host dies: it stops talking, and after 600 ms another one looks.
        port.wait(0.0)
        until = time.monotonic() + 0.6
        while time.monotonic() < until:
            port.wait(until - time.monotonic())
            port.read()
        host = Host(port, 300)
        host.connect()
        assert any(isinstance(one, Connected) for one in host.events)
        host.run(PATIENCE_S, until=lambda: not host.state().moving)
        state = host.state()
        assert position_of(state.values[0]) == 0
        assert not state.moving
