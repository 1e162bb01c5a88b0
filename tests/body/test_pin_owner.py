"""The process that owns the board's pins: frames reach it, and no way to hang or end leaves anything driven."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from companion.body import gpio
from companion.body.gpio import GpioBody
from companion.errors import DeviceError
from companion.events import BodyFrame
from tests.support.mock_pins import PATIENCE_S, OwnedPins, built, settings

SOON_S = 1.0
"""Far more than 0.3 s, for a busy machine, and far less than the hang lasts."""
MOVING = BodyFrame({"glow": (255, 255, 255)}, {"head": 45.0, "wheels": 1.0})


ALL, NOTHING = (True, True, True), (False, False, False)
PROJECT = Path(__file__).resolve().parents[2]
BROKEN = {"kind": "servo", "pin": 13, "hardware_pwm": "pwmchip99:0"}


def driven(pins: OwnedPins) -> tuple[bool, bool, bool]:
    """Whether wheels turn, the head is held and the light is on."""
    return pins.level(23) == 1.0, pins.width_us(12) == 2000, pins.level(5) > 0.9


async def complaint(body: GpioBody, frame: BodyFrame) -> str:
    """Show a frame until the body says what is wrong."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                await body.show(frame)
            except DeviceError as error:
                return str(error)
            await asyncio.sleep(0)


async def test_a_frame_reaches_all_pins_and_closing_lets_go_of_them(owned: OwnedPins) -> None:
    body = built(settings(), owned)
    await body.show(BodyFrame({"eyes": (0, 255, 0)}, {"head": 45, "wheels": 0.25, "mouth": 1.0}))
    await owned.reach(lambda: owned.width_us(12) == 2000 and owned.level(23) == 0.25 and owned.level(27) == 1.0)
    await body.close()
    await owned.reach(lambda: owned.level(23) == 0.0 and owned.width_us(12) is None)


async def test_a_pin_that_cannot_be_used_disables_only_its_own_channel(owned: OwnedPins) -> None:
    body = built(settings(channels={"head": {"kind": "servo", "pin": 12}, "mouth": BROKEN}), owned)
    frame = BodyFrame({}, {"head": 45.0, "mouth": 0.5})
    await body.show(frame)
    await owned.reach(lambda: owned.width_us(12) == 2000)
    assert "pwmchip99:0: there is no such PWM chip" in await complaint(body, frame)
    for _ in range(50):
        await body.show(frame)
    await body.close()


async def test_an_owner_that_ends_is_started_again(owned: OwnedPins, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpio, "FIRST_RESTART_S", 0.02)
    body = built(settings(), owned)
    await body.show(MOVING)
    await owned.reach(lambda: driven(owned) == ALL)
    os.kill(owned.process, signal.SIGKILL)
    await owned.reach(lambda: driven(owned) == NOTHING)
    await owned.reach(lambda: driven(owned) == ALL)
    assert owned.owners == 2
    assert "has ended (status -9)" in await complaint(body, MOVING)
    await body.close()


async def test_signals_that_end_the_runtime_do_not_end_the_owner_before_it(owned: OwnedPins) -> None:
    body = built(settings(), owned)
    await body.show(MOVING)
    await owned.reach(lambda: driven(owned) == ALL)
    for one in (signal.SIGTERM, signal.SIGINT):
        os.kill(owned.process, one)
    await body.show(BodyFrame({}, {"wheels": 0.5}))
    await owned.reach(lambda: owned.level(23) == 0.5)
    await body.close()
    assert owned.owners == 1


async def test_showing_never_waits_for_the_pins() -> None:
    """The owner reads nothing at all."""
    device = settings()
    assert device.gpio is not None
    body = GpioBody(device.gpio, device.channels, (sys.executable, "-c", "import time; time.sleep(60)"))
    loop = asyncio.get_running_loop()
    began = loop.time()
    for angle in range(5000):
        await body.show(BodyFrame({}, {"head": angle % 80}))
    took = loop.time() - began
    await body.close()
    assert took < 2.0


@pytest.mark.parametrize("how", ["blocking call", "native call that keeps the lock", "killed"])
async def test_a_runtime_that_hangs_or_dies_leaves_nothing_driven(how: str, owned: OwnedPins) -> None:
    """By the owner's own clock, and while the hang still goes on."""
    runtime = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.hanging_body", owned.command[-1], how),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=PROJECT,
    )
    assert runtime.stdin is not None
    assert runtime.stdout is not None
    await owned.reach(lambda: driven(owned) == ALL)
    runtime.stdin.write(b"hang\n")
    began = float(await runtime.stdout.readline())
    await owned.reach(lambda: driven(owned) == NOTHING)
    last = max(one.at for one in owned.changes)
    assert last - began < SOON_S
    if how != "killed":
        ended = float(await runtime.stdout.readline())
        assert last < ended
        await owned.reach(lambda: driven(owned) == ALL)
        runtime.stdin.write(b"end\n")
    await runtime.communicate()
    assert owned.owners == 1


def test_the_owner_is_a_small_process() -> None:
    """It must not load what the runtime needs, or it would cost as much."""
    found = subprocess.run(
        [sys.executable, "-c", "import sys, companion.body.pin_owner; print(*sys.modules)"],
        check=True,
        capture_output=True,
        text=True,
        cwd=PROJECT,
    ).stdout.split()
    assert not {"pydantic", "numpy", "asyncio", "httpx"} & set(found)
    assert {one for one in found if one.startswith("companion")} == {
        *("companion", "companion.errors", "companion.body", "companion.body.gpio_pins", "companion.body.pin_owner"),
    }
