"""Notifications to the service manager, with a real datagram socket in systemd's place."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.service.systemd import ServiceNotifier


class Manager:
    """Stands where systemd stands."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self.socket.settimeout(10)
        self.address = address

    def next(self) -> str:
        return self.socket.recv(4096).decode()

    def waiting(self) -> list[str]:
        """What has come and was not taken."""
        self.socket.setblocking(False)
        found = []
        try:
            while True:
                found.append(self.next())
        except BlockingIOError:
            return found
        finally:
            self.socket.settimeout(10)


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    listening = Manager(str(tmp_path / "notify") if request.param == "path" else f"@companion-test-{os.getpid()}")
    yield listening
    listening.socket.close()


def test_notifications_are_what_systemd_understands(manager: Manager) -> None:
    notifier = ServiceNotifier.from_environment({"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "20000000"})
    assert notifier.is_connected
    assert notifier.watchdog_s == 20.0
    notifier.status("Robin: idle")
    notifier.ready()
    notifier.alive()
    notifier.stopping()
    assert manager.waiting() == ["STATUS=Robin: idle", "READY=1", "WATCHDOG=1", "STOPPING=1"]


def test_the_same_state_is_sent_once(manager: Manager) -> None:
    notifier = ServiceNotifier(manager.address)
    for state in ("idle", "idle", "listening", "idle"):
        notifier.status(state)
    assert manager.waiting() == ["STATUS=idle", "STATUS=listening", "STATUS=idle"]


@given(st.text(max_size=300))
def test_a_status_is_one_short_line_and_never_another_command(sentence: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind("")  # the kernel names it
        listening.setblocking(False)
        ServiceNotifier("@" + listening.getsockname()[1:].decode()).status(f"x {sentence}\nREADY=1")
        told = listening.recv(4096).decode("utf-8", "surrogatepass")
    assert told.startswith("STATUS=x")
    assert "\n" not in told
    assert len(told) <= 207


def test_without_systemd_nothing_is_sent() -> None:
    notifier = ServiceNotifier.from_environment({})
    assert not notifier.is_connected
    assert notifier.watchdog_s is None
    notifier.ready()
    notifier.alive()


@pytest.mark.parametrize(
    ("environment", "watchdog_s"),
    [
        ({"WATCHDOG_USEC": "500000"}, 0.5),
        ({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": str(os.getpid())}, 0.5),
        ({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "-5"}, None),
        ({"WATCHDOG_USEC": ""}, None),
    ],
)
def test_only_a_watchdog_meant_for_this_process_is_fed(environment: dict[str, str], watchdog_s: float | None) -> None:
    assert ServiceNotifier.from_environment(environment).watchdog_s == watchdog_s


def test_a_vanished_manager_is_logged_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    notifier = ServiceNotifier(str(tmp_path / "gone"))
    for _ in range(5):
        notifier.alive()
    assert [record.message for record in caplog.records] == ["systemd cannot be told: No such file or directory"]


def test_a_manager_that_does_not_read_never_holds_up_the_device(tmp_path: Path) -> None:
    full = Manager(str(tmp_path / "notify"))
    notifier = ServiceNotifier(full.address)
    for _ in range(5000):
        notifier.alive()
    assert set(full.waiting()) == {"WATCHDOG=1"}
    full.socket.close()


DEVICE = """
import asyncio, sys, threading
from companion.errors import SpeechError
from companion.service.systemd import ServiceNotifier, notify_when_ready
from companion.service.watchdog import ProgressCheck, Watchdog
from companion.service.watched_engines import CallMonitor, WatchedSynthesizer

class Voice:
    name, rate = "native", 8000
    def __init__(self):
        self.stuck = threading.Event()
    async def synthesize(self, text):
        # What an adapter does whose native call never comes back.
        try:
            async with asyncio.timeout(0.1):
                await asyncio.to_thread(self.stuck.wait)
        except TimeoutError as error:
            raise SpeechError("took too long") from error
    async def close(self):
        self.stuck.set()

async def main():
    loop = asyncio.get_running_loop()
    notifier = ServiceNotifier.from_environment()
    position = 0
    voice = Voice()
    calls = CallMonitor("the voice", 0.1, loop.time)
    watched = WatchedSynthesizer(voice, calls)
    checks = {"ears": ProgressCheck(lambda: position, loop.time), "voice": calls}
    watchdog = Watchdog(checks, notifier.alive, notifier.watchdog_s, [watched.probe])
    async def listen():
        nonlocal position
        await asyncio.to_thread(sys.stdin.readline)
        while True:
            position += 512
            await asyncio.sleep(0.01)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(listen()), group.create_task(watchdog.run())]
        notifier.status("Robin is starting.")
        print("started", flush=True)
        await notify_when_ready(notifier, lambda: position > 0)
        await asyncio.to_thread(sys.stdin.readline)
        try:
            await watched.synthesize("Hello.")
        except SpeechError:
            pass
        while not watchdog.problems:
            await asyncio.sleep(0.01)
        print(*watchdog.problems, flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        print(*watchdog.problems, flush=True)
        voice.stuck.set()
        notifier.stopping()
        for task in tasks:
            task.cancel()

asyncio.run(main())
"""


def test_a_daemon_is_ready_when_it_listens_and_fed_until_its_voice_hangs(tmp_path: Path) -> None:
    manager = Manager(str(tmp_path / "notify"))
    device = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", DEVICE], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env={**os.environ, "NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "400000"},
    )  # fmt: skip
    with device:
        assert device.stdin is not None
        assert device.stdout is not None
        assert device.stdout.readline() == "started\n"
        # Alive, but not ready: no sound comes in yet.
        assert manager.next() == "STATUS=Robin is starting."
        assert manager.next() == "WATCHDOG=1"
        assert "READY=1" not in manager.waiting()
        print("sound", file=device.stdin, flush=True)
        while (told := manager.next()) != "READY=1":
            assert told == "WATCHDOG=1"
        assert manager.next() == "WATCHDOG=1"
        print("hang", file=device.stdin, flush=True)
        assert "the voice hangs" in device.stdout.readline()
        manager.waiting()
        print("look again", file=device.stdin, flush=True)
        assert "the voice hangs" in device.stdout.readline()
        assert device.wait(10) == 0
    assert manager.waiting() == ["STOPPING=1"], "not fed once after the complaint"
    manager.socket.close()


@pytest.mark.looptime
async def test_ready_is_sent_only_when_the_device_listens(tmp_path: Path) -> None:
    from companion.service.systemd import notify_when_ready

    manager = Manager(str(tmp_path / "notify"))
    listens = False
    async with asyncio.TaskGroup() as group:
        telling = group.create_task(notify_when_ready(ServiceNotifier(manager.address), lambda: listens))
        await asyncio.sleep(100)  # virtual time
        assert manager.waiting() == []
        listens = True
        await telling
    assert manager.waiting() == ["READY=1"]
    manager.socket.close()
