"""How long wheels go on after the runtime hangs, and what the process that owns the board's own pins costs.

    python -m bench.hung [--times 20]

A body on gpiozero's mock pins, or on a simulated microcontroller, turns its wheels; then its event loop makes a
blocking call, or a native call that keeps Python's global lock, for a second. The time is taken from the process that
owns the pins, or is the microcontroller, by the clock that all share.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ctypes
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from companion.ports import Body

HANGS_S = 1.0
FORWARD = "GPIO23"
MOTOR = 5
SETTINGS = {
    "channels": {"head": {"kind": "servo"}, "wheels": {"kind": "motor"}},
    "gpio": {
        "channels": {"head": {"kind": "servo", "pin": 12}, "wheels": {"kind": "motor", "forward": 23, "backward": 24}}
    },
}


def own_pins(log: Path) -> None:
    """The process that owns the pins, with mock pins that write down each change."""
    from gpiozero import Device  # type: ignore[import-untyped]  # ships no types
    from gpiozero.pins.mock import MockFactory, MockPWMPin  # type: ignore[import-untyped]

    from companion.body import pin_owner

    file = log.open("a", buffering=1, encoding="utf-8")

    class MarkedPin(MockPWMPin):  # type: ignore[misc]  # gpiozero ships no types
        def _change_state(self, value: float) -> bool:
            changed = bool(super()._change_state(value))
            if changed:
                print(json.dumps([time.monotonic(), self.info.name, float(value), os.getpid()]), file=file)
            return changed

    Device.pin_factory = MockFactory(pin_class=MarkedPin)
    pin_owner.main()


def be_device(log: Path, port: int) -> None:
    """A simulated microcontroller whose outputs are written down at each change."""
    from firmware_bridge.simulator import Simulator, serve

    file = log.open("a", buffering=1, encoding="utf-8")

    def note(values: list[list[int]]) -> None:
        print(json.dumps([time.monotonic(), FORWARD, values[MOTOR][0] / 1000, os.getpid()]), file=file)

    with socket.create_server(("127.0.0.1", port)) as listener:
        serve(listener, Simulator(), lambda: True, note)


def changes(log: Path) -> list[tuple[float, float, int]]:
    """When the wheels changed, to what speed, and in which process."""
    lines = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    return [(at, level, process) for at, pin, level, process in lines if pin == FORWARD]


def memory_kb(process: int, name: str) -> int:
    lines = Path(f"/proc/{process}/smaps_rollup").read_text("ascii").splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith(name))


def processor_s(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def hang(body: Body, log: Path, times: int, kind: str) -> int:
    """Hang in each way and print how long the wheels went on. Returns the process that noted it."""
    from companion.errors import DeviceError
    from companion.events import BodyFrame

    native = ctypes.PyDLL(None)
    calls: dict[str, Callable[[], object]] = {
        "a blocking call": lambda: time.sleep(HANGS_S),
        "a native call that keeps the lock": lambda: native.usleep(round(HANGS_S * 1e6)),
    }
    process = 0
    for name, call in calls.items():
        took = []
        for _ in range(times):
            while not (seen := changes(log)) or seen[-1][1] != 1.0:
                with contextlib.suppress(DeviceError):  # the microcontroller takes its host for dead, as it should
                    await body.show(BodyFrame({}, {"head": 10.0, "wheels": 1.0}))
                await asyncio.sleep(0.02)
            began = time.monotonic()
            call()
            at, _, process = next(one for one in changes(log) if one[0] > began and one[1] == 0.0)
            took.append(1000 * (at - began))
        print(f"| {kind} | {name} | {min(took):.0f} | {statistics.median(took):.0f} | {max(took):.0f} |")
    return process


async def measure(folder: Path, times: int) -> None:
    # Here, so that the process that owns the pins is as small as on a unit.
    from companion.body.gpio import GpioBody
    from companion.body.serial import SerialBody
    from companion.config.body import BodySettings
    from companion.config.outputs import SerialSettings

    settings = BodySettings.model_validate(SETTINGS)
    assert settings.gpio is not None
    log, device_log = folder / "pins", folder / "device"
    log.touch()
    device_log.touch()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "bench.hung", "--device", str(device_log), str(port)]
    device = subprocess.Popen(command)  # noqa: ASYNC220 - nothing else waits for the loop here
    on_wire = SerialBody(SerialSettings(port=f"socket://127.0.0.1:{port}"), settings.channels)
    await hang(on_wire, device_log, times, "microcontroller")
    await on_wire.close()
    device.kill()
    device.wait()
    body = GpioBody(settings.gpio, settings.channels, (sys.executable, "-m", "bench.hung", "--pins", str(log)))
    process = await hang(body, log, times, "own pins")
    before = processor_s(process), processor_s(os.getpid())
    await asyncio.sleep(20.0)
    spent = [after - old for after, old in zip((processor_s(process), processor_s(os.getpid())), before, strict=True)]
    print(f"owner: {memory_kb(process, 'Private')} kB of its own, {memory_kb(process, 'Rss')} kB with what is shared;")
    print(f"in 20 s without motion it used {spent[0]:.2f} s of the processor, and the loop's beat {spent[1]:.2f} s")
    await body.close()


def main() -> None:
    if sys.argv[1:2] == ["--pins"]:
        own_pins(Path(sys.argv[2]))
        return
    if sys.argv[1:2] == ["--device"]:
        be_device(Path(sys.argv[2]), int(sys.argv[3]))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=20)
    options = parser.parse_args()
    print("| wheels on | the loop makes | still after ms, least | median | most |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="companion-hung-") as folder:
        asyncio.run(measure(Path(folder), options.times))


if __name__ == "__main__":
    main()
