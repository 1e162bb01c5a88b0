"""The portable C firmware, built for this machine: it passes the vectors and never differs from the simulator."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware_bridge.messages import (
    Heartbeat,
    Hello,
    Message,
    Set,
    encode,
    position,
)
from firmware_bridge.simulator import CHANNELS, Simulator
from tests.support.avr_firmware import AVR, ROOT, Program, needs
from tests.support.bridge_traffic import ACTIVE, MESSAGES, NOISE, activate

VECTORS = json.loads((ROOT / "vectors.json").read_text("utf-8"))


PORTABLE = [str(AVR / name) for name in ("device.c", "motion.c", "frames.c")]


@pytest.fixture(scope="module")
def on_host(built: Path) -> Iterator[Program]:
    needs("gcc")
    program = built / "on_host"
    warnings = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-fsanitize=undefined", "-fno-sanitize-recover"]
    source = str(AVR / "tests" / "on_host.c")
    subprocess.run(["gcc", *warnings, "-o", str(program), source, *PORTABLE], check=True)
    running = Program(str(program))
    yield running
    running.close()


def in_c(program: Program, line: str) -> tuple[str, list[list[int]], list[bool]]:
    """What the device in C sent, its outputs, and which of them are released."""
    sent, _, numbers = program.tell(line).partition(" ")
    found = iter([int(number) for number in numbers.split()])
    values = [[next(found) for _ in range(3 if channel.kind == 1 else 1)] for channel in CHANNELS]
    return sent, values, [bool(one) for one in found]


def in_python(simulator: Simulator) -> tuple[str, list[list[int]], list[bool]]:
    """The same of the simulator."""
    return simulator.outgoing().hex(), simulator.values, simulator.released


def test_the_vectors_in_c(on_host: Program) -> None:
    in_c(on_host, "s")
    for step in VECTORS["exchange"]:
        if "receive" in step:
            sent = in_c(on_host, f"r {step['receive']}")[0]
        else:
            frames = [in_c(on_host, f"f {step['active']} {step['battery_mv']}") for _ in range(step["frames"])]
            sent, (_, values, released) = "".join(one[0] for one in frames), frames[-1]
            assert values == step["values"], step["note"]
            assert [n for n, one in enumerate(released) if one] == step.get("released", []), step["note"]
        assert sent == step["sent"], step["note"]


@pytest.mark.parametrize("one", VECTORS["broken"], ids=lambda one: one["name"])
def test_broken_frames_are_dropped_in_c_and_the_next_is_not(on_host: Program, one: dict[str, str]) -> None:
    in_c(on_host, "s")
    hello = encode(Hello(9), 0).hex()
    assert in_c(on_host, f"r {one['wire']}")[0] == ""
    assert in_c(on_host, f"r {hello}")[0] != ""


STEPS = st.tuples(st.one_of(NOISE, MESSAGES), st.integers(-1, 2), st.integers(0, 12), ACTIVE)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEPS, min_size=1, max_size=25), st.integers(0, 5000))
def test_the_device_in_c_and_the_one_in_python_never_differ(
    on_host: Program, steps: list[tuple[bytes | Message, int, int, int]], battery: int
) -> None:
    in_c(on_host, "s")
    simulator, seq = Simulator(), 0
    opening: list[tuple[bytes | Message, int, int, int]] = [(Hello(1), 0, 1, 0)]
    for said, ahead, frames, active in opening + steps:
        if isinstance(said, bytes):
            data = said + b"\0"
        else:
            seq = 0 if isinstance(said, Hello) else seq + ahead & 0xFF
            data = encode(said, seq)
        simulator.receive(data)
        assert in_c(on_host, f"r {data.hex()}") == in_python(simulator)
        activate(simulator, active)
        simulator.battery_mv = battery
        for _ in range(frames):
            simulator.frame()
            assert in_c(on_host, f"f {active} {battery}") == in_python(simulator)


def test_a_motor_rests_in_c_as_in_python(on_host: Program) -> None:
    in_c(on_host, "s")
    simulator, seq, rested = Simulator(), 0, 0
    for frame in range(1300):
        if frame % 10 == 0:
            said: Message = {0: Hello(1), 10: Set({5: position(-700)})}.get(frame, Heartbeat())
            data = encode(said, seq)
            seq = seq + 1 & 0xFF
            simulator.receive(data)
            assert in_c(on_host, f"r {data.hex()}")[0] == simulator.outgoing().hex()
        simulator.frame()
        assert in_c(on_host, "f 0 0") == in_python(simulator)
        rested += frame > 20 and simulator.values[5] == [0]
    assert 249 <= rested <= 251
