"""A unit without a lamp tells by a sound that it is awake, and one without a microphone says so."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from companion.config.device import Device
from companion.ears import vad
from companion.errors import DeviceError
from companion.languages.language import language
from companion.service.signs_of_life import WakeSound, wants_wake_sound
from companion.sound.pcm import wake_earcon
from tests.support.doubles import RATE, VirtualSpeaker, pass_time
from tests.support.paths import CONFIGS
from tests.support.running_daemon import Running
from tests.support.scene import PERSONA
from tests.support.virtual_sound import VirtualSound, why_not

EARS_RATE = 16_000
LAMP = {"channels": {"glow": {"kind": "light"}}}
NO_LAMP = {"channels": {"head": {"kind": "servo"}}}
GPIO_LAMP = {"channels": {"glow": {"kind": "led", "pin": 17}}}
GPIO_HEAD = {"channels": {"head": {"kind": "servo", "pin": 18}}}
BOTH = {"channels": {**LAMP["channels"], **NO_LAMP["channels"]}}
SERIAL = {"port": "/dev/ttyACM0"}


def device(body: dict[str, Any], sound: str = "auto") -> Device:
    return Device.model_validate(
        {"persona": CONFIGS / "personas" / "teddy.toml", "ears": {"wake": {"sound": sound}}, "body": body}
    )


@pytest.mark.parametrize(
    ("body", "at_terminal", "wanted"),
    [
        ({"outputs": ["simulated"], **LAMP}, False, True),
        ({"outputs": ["simulated"], **LAMP}, True, False),
        ({"outputs": ["page"], **NO_LAMP}, False, False),
        ({"outputs": ["serial"], "serial": SERIAL, **LAMP}, False, False),
        ({"outputs": ["serial"], "serial": SERIAL, **NO_LAMP}, False, True),
        ({"outputs": ["gpio"], "gpio": GPIO_LAMP, **LAMP}, False, False),
        ({"outputs": ["gpio"], "gpio": GPIO_HEAD, **BOTH}, False, True),
        ({"outputs": []}, False, True),
    ],
)
def test_a_sound_where_nothing_else_shows_it(body: dict[str, Any], at_terminal: bool, wanted: bool) -> None:
    assert wants_wake_sound(device(body), at_terminal=at_terminal) is wanted
    assert wants_wake_sound(device(body, "always"), at_terminal=at_terminal)
    assert not wants_wake_sound(device(body, "never"), at_terminal=at_terminal)


async def heard_after(speaker: VirtualSpeaker, *events: str) -> int:
    """Samples heard after these events: `wake`, `words`, or the name of a state."""
    async with asyncio.TaskGroup() as group:

        def start(playing: Coroutine[Any, Any, None]) -> None:
            group.create_task(playing)

        sound = WakeSound(speaker, start)
        for event in events:
            if event == "wake":
                await pass_time(1.0)
            kind = {"wake": "wake", "words": "speech_started"}.get(event, "state")
            sound.notice(kind, {"state": event} if kind == "state" else {})
        await pass_time(1.0)
    return speaker.position()


SOUND = len(wake_earcon(RATE)) // 2


@pytest.mark.looptime
@pytest.mark.parametrize(
    ("events", "times"),
    [
        (("idle", "wake", "listening"), 1),
        (("idle", "wake", "listening", "wake"), 2),
        (("speaking", "wake", "listening"), 1),
        (("idle", "wake", "thinking", "listening"), 0),
        (("idle", "wake", "listening", "words"), 0),
        (("idle", "wake", "listening", "words", "thinking", "wake", "listening"), 1),
        (("follow_up", "listening"), 0),
        (("speaking", "wake"), 0),
    ],
)
async def test_it_sounds_once_for_each_wake_that_it_listens_after(events: tuple[str, ...], times: int) -> None:
    assert await heard_after(VirtualSpeaker(), *events) == times * SOUND


@pytest.mark.looptime
async def test_a_missing_loudspeaker_does_not_matter() -> None:
    assert await heard_after(VirtualSpeaker(DeviceError("gone")), "idle", "wake", "listening") == 0


def test_it_is_short_and_no_speech_for_the_detector() -> None:
    """At any level, with a room's echoes and some noise: not one frame counts as voiced, and an onset needs three."""
    pcm = np.frombuffer(wake_earcon(EARS_RATE), dtype="<i2") / 32768
    assert len(pcm) <= 0.12 * EARS_RATE
    detector = vad.build(device(LAMP), PERSONA)
    noise = np.random.default_rng(1).standard_normal(EARS_RATE)
    for peak in (0.003, 0.03, 0.3):
        for begin in range(8000, 8512, 128):
            for hiss in (0.0, 0.003):
                room = hiss * noise
                for delay, gain in ((0, 1.0), (480, 0.4), (1120, 0.2)):
                    room[begin + delay : begin + delay + len(pcm)] += gain * peak * pcm / np.abs(pcm).max()
                samples = (room * 32767).astype("<i2").tobytes()
                detector.reset()
                frames = [samples[at : at + 1024] for at in range(0, len(samples) - 1023, 1024)]
                assert max(detector.probability(frame) for frame in frames) < 0.5, (peak, begin, hiss)


@pytest.mark.skipif(why_not() is not None, reason=str(why_not()))
def test_without_a_microphone_it_says_so_once(tmp_path: Path) -> None:
    (tmp_path / "unit").mkdir()
    sound = VirtualSound(tmp_path / "sound")
    sound.start()
    running = Running(sound, tmp_path / "unit", "ears.microphone.device=no such microphone")
    line = language("en").general.no_microphone
    try:
        assert running.until("heard", reason="finished")["text"] == line
        running.kill()
        running.start()
        running.until("error")
        assert running.command("control", "say", "Something else.").returncode == 0
        assert running.until("sentence")["text"] == "Something else."
    finally:
        running.kill()
        sound.stop()
