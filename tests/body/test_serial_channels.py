"""What a microcontroller is told, and when: poses for servos, everything else at once, and never a backlog."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from companion.body.log_limit import LogLimit
from companion.body.serial_channels import SerialChannels
from companion.config.body import ChannelSettings
from companion.config.outputs import SerialSettings
from companion.events import BodyFrame
from firmware_bridge.frames import Receiver
from firmware_bridge.link import Answered, Connected, Link
from firmware_bridge.messages import (
    Keyframe,
    Keyframes,
    Lock,
    Message,
    Nack,
    Set,
    decode,
    position,
)
from firmware_bridge.simulator import Simulator

CHANNELS = {
    "eyes": ChannelSettings(kind="light"),
    "head": ChannelSettings(kind="servo", low=-80, high=80),
    "wheels": ChannelSettings.model_validate({"kind": "motor"}),
    "mouth": ChannelSettings.model_validate({"kind": "mouth"}),
}


class Wire:
    """The device at the other end, in simulated time: what it is told, and when."""

    def __init__(self, channels: Mapping[str, ChannelSettings] = CHANNELS) -> None:
        self.device = Simulator()
        self.link = Link(1)
        self.channels = SerialChannels(self.link, SerialSettings(port="/dev/none"), channels, LogLimit(lambda: 0.0))
        self.now = 0.0
        self.said: list[tuple[float, Message]] = []
        self._receiver = Receiver()
        self.link.connect(0.0)
        self.run(0.02, lambda _t: None)
        self.run(0.06, lambda _t: BodyFrame({}, {}))

    def run(self, seconds: float, frame_at: Callable[[float], BodyFrame | None]) -> None:
        """Let 20 ms frames pass, with a new frame of ours in each."""
        for _ in range(round(seconds / 0.02)):
            for _ in range(5):
                for event in self.link.receive(self.device.outgoing(), self.now):
                    if isinstance(event, Connected):
                        self.channels.open_session(event.device.channels)
                    elif isinstance(event, Answered) and isinstance(event.answer, Nack):
                        self.channels.handle_refusal(event.answer)
                self.link.tick(self.now)
                self.channels.send(frame_at(self.now), self.now)
                data = self.link.outgoing()
                self.said += [(self.now, decode(body)[0]) for body in self._receiver.feed(data)]
                self.device.receive(data)
                self.now += 0.004
            self.device.frame()

    def told(self, kind: type) -> list[tuple[float, Any]]:
        return [(at, one) for at, one in self.said if isinstance(one, kind)]


def test_a_smooth_motion_travels_as_ten_poses_a_second_and_is_followed_closely() -> None:
    wire = Wire()
    ways: list[tuple[float, float]] = []

    def wave(t: float) -> BodyFrame:
        angle = 40 * math.sin(2 * math.pi * 0.5 * t)
        ways.append((angle, wire.device.values[0][0] / 10))
        return BodyFrame({}, {"head": angle})

    wire.run(8.0, wave)
    assert 70 <= len(wire.told(Keyframes)) <= 81
    assert wire.told(Set) == []
    wanted = [angle for angle, _ in ways][:-25]
    shown = [angle for _, angle in ways][25:]
    worst = max(abs(a - b) for a, b in zip(wanted[100:], shown[100:], strict=True))
    assert worst < 4.0, "degrees, 100 ms later"


def test_a_body_of_its_own_lid_is_told_of_ours_before_anything_else_and_holds_nothing() -> None:
    """The lid's switch is on the board's own pins, the servos on the microcontroller."""
    wire = Wire()
    wire.run(1.0, lambda _t: BodyFrame({}, {"head": 30.0, "mouth": 1.0, "wheels": 0.5}))
    wire.run(0.1, lambda _t: BodyFrame({"eyes": (9, 9, 9)}, {"head": 12.0, "mouth": 0.5, "wheels": 0.0}, released=True))
    assert [wire.device.released[number] for number in (0, 4)] == [True, True]
    assert [wire.device.values[number] for number in (5, 6)] == [[0], [9, 9, 9]]
    stood = wire.device.values[0]
    wire.run(0.5, lambda _t: BodyFrame({}, {"head": -30.0, "mouth": 0.0, "wheels": 0.0}, released=True))
    assert wire.device.values[0] == stood
    wire.run(1.0, lambda _t: BodyFrame({}, {"head": -30.0, "mouth": 0.0, "wheels": 0.0}))
    assert wire.device.values[0] == [-300]
    assert not wire.device.released[0]
    assert [one for _, one in wire.told(Lock)] == [Lock(False), Lock(True), Lock(False)]


def test_a_body_that_is_found_under_an_open_lid_never_moves() -> None:
    wire = Wire()
    wire.device = Simulator()
    wire.link.connect(wire.now)
    wire.run(3.0, lambda _t: BodyFrame({}, {"head": 30.0, "mouth": 1.0, "wheels": 0.5}, released=True))
    assert [wire.device.released[number] for number in (0, 4)] == [True, True]
    assert wire.device.values[5] == [0]


def test_a_body_that_lost_us_glides_to_neutral_as_slowly_as_the_device_file_says() -> None:
    wire = Wire({**CHANNELS, "head": ChannelSettings(kind="servo", low=-80, high=80, fastest=90)})
    wire.run(2.0, lambda _t: BodyFrame({}, {"head": 60.0, "mouth": 1.0}))
    seen = []
    for _ in range(80):
        before = wire.device.values[0][0]
        wire.device.frame()
        seen.append(before - wire.device.values[0][0])
    assert max(seen) == 90 * 10 / 50, "tenths of a degree in 20 ms; the firmware's own limit is 600 degrees a second"
    assert wire.device.values[0] == [0]


def test_the_first_motion_is_sent_at_once_and_so_are_lights_and_mouth_always() -> None:
    wire = Wire()
    start = wire.now

    def talk(t: float) -> BodyFrame:
        mouth = round((t - start) * 25) % 2 / 1
        return BodyFrame({"eyes": (round(t * 100) % 256, 0, 0)}, {"head": 20.0, "mouth": mouth, "wheels": 0.0})

    wire.run(0.4, talk)
    assert wire.told(Keyframes)[0][0] == pytest.approx(start, abs=0.005)
    assert wire.told(Set)[0][0] == pytest.approx(start, abs=0.005)
    assert len(wire.told(Set)) >= 20
    assert len(wire.told(Keyframes)) == 1


def test_a_body_whose_queue_is_full_gets_the_newest_pose_and_no_backlog() -> None:
    wire = Wire()
    busy = Keyframes(tuple(Keyframe(0, 60_000, position(500)) for _ in range(4)))
    wire.link.send(busy, wire.now)
    wire.run(0.1, lambda _t: None)
    wire.run(0.5, lambda _t: BodyFrame({}, {"head": -30.0}))
    assert wire.device.values[0] == [-300]
