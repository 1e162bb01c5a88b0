"""The body's link: how long a frame needs from `show` to the wire, and whether a command is ever lost.

    python -m bench.link                 200 poses through pyserial to the AVR firmware under QEMU (or the simulator)
    python -m bench.link --simulator     to the simulator
    python -m bench.link --minutes 10    besides, so long of full traffic: a new command as soon as one is answered

A small relay stands between the body and the device. It notes when bytes pass, so what is measured is the time from
`show()` to the frame with that pose on the wire: the thread's wake-up, the link and pyserial.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import shutil
import socket
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from companion.body.serial import SerialBody
from companion.config.body import ChannelSettings
from companion.config.outputs import SerialSettings
from companion.events import BodyFrame
from firmware_bridge.frames import Receiver
from firmware_bridge.link import Answered, Event, Link, Lost
from firmware_bridge.messages import Ack, MalformedMessage, Set, colour, decode, position
from firmware_bridge.port import Port
from firmware_bridge.simulator import Simulator, serve

POSES = 200
MOUTH = 4
"""The device's channel."""
AVR = Path(__file__).resolve().parents[1] / "firmware_bridge" / "firmware" / "avr"
CHANNELS = {
    "head": ChannelSettings(kind="servo"),
    "mouth": ChannelSettings.model_validate({"kind": "mouth"}),
    "eyes": ChannelSettings(kind="light"),
}


class Relay:
    """Stands between host and device; notes when each value of the mouth first passed."""

    def __init__(self, device: int) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = f"socket://127.0.0.1:{self._listener.getsockname()[1]}"
        self._device = device
        self._receiver = Receiver()
        self.passed: dict[bytes, float] = {}
        self._came = threading.Condition()
        threading.Thread(target=self._accept, daemon=True).start()

    def wait(self, mouth: bytes, seconds: float) -> float | None:
        """When the mouth's value passed; None when it did not in time."""
        with self._came:
            self._came.wait_for(lambda: mouth in self.passed, seconds)
            return self.passed.get(mouth)

    def _accept(self) -> None:
        while True:
            host, _ = self._listener.accept()
            device = socket.create_connection(("127.0.0.1", self._device))
            for one in (host, device):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._copy, args=(device, host, False), daemon=True).start()
            self._copy(host, device, True)

    def _copy(self, source: socket.socket, target: socket.socket, from_host: bool) -> None:
        with contextlib.suppress(OSError):  # one side closed: the other is closed too
            while data := source.recv(4096):
                now = time.monotonic()
                target.sendall(data)
                if from_host:
                    self._note(data, now)
        target.close()

    def _note(self, data: bytes, now: float) -> None:
        for body in self._receiver.feed(data):
            with contextlib.suppress(MalformedMessage):  # not ours
                message, _ = decode(body)
                if isinstance(message, Set) and MOUTH in message.values:
                    with self._came:
                        self.passed.setdefault(message.values[MOUTH], now)
                        self._came.notify()


@contextlib.contextmanager
def qemu() -> Iterator[int]:
    """The AVR firmware, built anew, in QEMU's Uno; yields the number of its serial port's socket."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        number: int = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="companion-link-") as built:
        subprocess.run(["make", "-s", "-C", str(AVR), f"BUILD={built}"], check=True, stdout=subprocess.DEVNULL)
        serial = f"tcp:127.0.0.1:{number},server=on,wait=off,nodelay=on"
        command = ["qemu-system-avr", "-M", "uno", "-bios", f"{built}/companion.elf", "-display", "none"]
        process = subprocess.Popen([*command, "-monitor", "none", "-serial", serial])
        try:
            time.sleep(1.0)
            yield number
        finally:
            process.terminate()
            process.wait(timeout=10)


@contextlib.contextmanager
def simulator() -> Iterator[int]:
    """The device in Python, in a thread."""
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener, Simulator(), lambda: not done.is_set()))
        thread.start()
        yield listener.getsockname()[1]
        done.set()
        thread.join()


async def poses(device: int) -> list[float]:
    """Milliseconds from `show` to the wire, for each pose."""
    relay = Relay(device)
    body = SerialBody(SerialSettings(port=relay.port), CHANNELS)
    await body.show(BodyFrame({"eyes": (1, 1, 1)}, {"mouth": 0.0}))
    if await asyncio.to_thread(relay.wait, position(0), 10.0) is None:
        raise SystemExit("The device did not answer.")
    took = []
    for number in range(1, POSES + 1):
        # Poses of a talk: the mouth in each, the head in every tenth.
        await asyncio.sleep(0.05)
        began = time.monotonic()
        await body.show(BodyFrame({}, {"mouth": number / 1000, "head": number // 10 * 2.0}))
        passed = await asyncio.to_thread(relay.wait, position(number), 2.0)
        if passed is not None:
            took.append((passed - began) * 1000)
    await body.close()
    return took


def full_traffic(device: int, seconds: float) -> tuple[int, int, list[str]]:
    """Commands sent, how many of them were not answered by an ack, and what the link said each time it was lost."""
    link, answers, tickets = Link(1), dict[int, object](), list[int]()
    losses: list[str] = []
    with Port(f"socket://127.0.0.1:{device}", 115_200) as port:
        start = time.monotonic()
        link.connect(start)
        while (now := time.monotonic()) < start + seconds or (not link.idle and now < start + seconds + 5):
            if link.device is not None and link.idle and now < start + seconds:
                count = len(tickets)
                wanted = {0: position(count % 900), 4: position(count % 1000), 6: colour(count % 256, 0, 0)}
                tickets.append(link.send(Set(wanted), now))
            port.write(link.outgoing())
            port.wait(min(link.next_timeout() - time.monotonic(), 0.2))
            now = time.monotonic()
            events: list[Event] = [*link.receive(port.read(), now), *link.tick(now)]
            answers |= {event.ticket: event.answer for event in events if isinstance(event, Answered)}
            losses += [event.sentence for event in events if isinstance(event, Lost)]
    return len(tickets), sum(not isinstance(answers.get(ticket), Ack) for ticket in tickets), losses


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulator", action="store_true", help="the device in Python instead of the AVR in QEMU")
    parser.add_argument("--minutes", type=float, default=0.0, help="of full traffic besides")
    chosen = parser.parse_args()
    in_python = chosen.simulator or not shutil.which("qemu-system-avr") or not shutil.which("avr-gcc")
    name = "the simulator" if in_python else "the AVR firmware under QEMU"
    with simulator() if in_python else qemu() as device:
        took = sorted(asyncio.run(poses(device)))
        p95 = took[round(0.95 * (len(took) - 1))]
        print(f"{name}: show() to the wire, {len(took)} of {POSES} poses: ", end="")
        print(f"p50 {statistics.median(took):.2f} ms, p95 {p95:.2f} ms, longest {took[-1]:.2f} ms")
    if chosen.minutes:
        with simulator() if in_python else qemu() as device:
            sent, lost, losses = full_traffic(device, 60 * chosen.minutes)
            told = "; ".join(f"{losses.count(one)} times: {one}" for one in sorted(set(losses))) or "never"
            print(
                f"{name}: {chosen.minutes:g} minutes of full traffic: {sent} commands, {lost} lost. Link lost: {told}"
            )


if __name__ == "__main__":
    main()
