"""The device, as a host that knows only PROTOCOL.md meets it: motion, safety, session and events.

The simulator runs the MicroPython firmware's device; `test_avr_firmware.py` holds the C firmware against it.
"""

from __future__ import annotations

import itertools
import json
import socket
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import firmware_bridge
from firmware_bridge.link import Connected, Link
from firmware_bridge.messages import (
    Ack,
    AskLimits,
    DeviceEvent,
    EventAck,
    EventKind,
    Heartbeat,
    Hello,
    HelloReply,
    Keyframe,
    Keyframes,
    Kind,
    Nack,
    Query,
    Reason,
    Set,
    State,
    Stop,
    colour,
    encode,
    position,
)
from firmware_bridge.port import Port
from firmware_bridge.simulator import CHANNELS, LIMITS, Simulator, serve
from tests.support.bridge_host import HEAD, LIGHT, MOTOR, MOUTH, Host
from tests.support.bridge_traffic import ACTIVE, MESSAGES, NOISE, activate

VECTORS = json.loads((Path(firmware_bridge.__file__).with_name("vectors.json")).read_text("utf-8"))
NEUTRAL = [[0, 0, 0] if channel.kind is Kind.LIGHT else [channel.neutral] for channel in CHANNELS]


@pytest.mark.parametrize("number", range(len(VECTORS["exchange"])))
def test_the_exchange_of_the_vectors(number: int) -> None:
    device = Simulator()
    for step in VECTORS["exchange"][: number + 1]:
        sent = play(device, step)
    assert sent == step["sent"], step["note"]
    if "frames" in step:
        assert device.values == step["values"], step["note"]
        assert [n for n, released in enumerate(device.released) if released] == step.get("released", []), step["note"]


def play(device: Simulator, step: dict[str, Any]) -> str:
    if "receive" in step:
        device.receive(bytes.fromhex(step["receive"]))
    for _ in range(step.get("frames", 0)):
        activate(device, step["active"])
        device.battery_mv = step["battery_mv"]
        device.frame()
    return device.outgoing().hex()


def test_a_servo_goes_to_its_place_no_faster_than_it_may() -> None:
    host = Host()
    assert host.say(Set({HEAD: position(900)})) == [Ack()]
    way = []
    for _ in range(13):
        host.wait(1)
        way.append(host.device.values[HEAD][0])
    steps = [after - before for before, after in itertools.pairwise([0, *way])]
    assert steps[:5] == [24, 48, 72, 96, 120], "it speeds up by 24 a frame, to 6000 a second"
    assert max(steps) == 120
    assert all(abs(after - before) <= 24 for before, after in itertools.pairwise(steps))
    assert way[-1] == 900


def test_keyframes_are_followed_at_fifty_a_second_and_end_where_they_say() -> None:
    host = Host()
    host.say(Keyframes((Keyframe(HEAD, 400, position(300)), Keyframe(HEAD, 200, position(100), smooth=False))))
    way = []
    for _ in range(30):
        host.wait(1)
        way.append(host.device.values[HEAD][0])
    assert way[19] == 300
    assert way[29] == 100
    assert way[:20] == sorted(way[:20])
    assert way[9] == pytest.approx(150, abs=2)
    assert way[1] < 10


def test_too_many_keyframes_are_refused_as_a_whole() -> None:
    host = Host()
    assert host.say(Keyframes(tuple(Keyframe(HEAD, 1000, position(500)) for _ in range(5)))) == [
        Nack(Reason.QUEUE_FULL, HEAD)
    ]
    host.wait(5)
    assert host.device.values[HEAD] == [0]


@pytest.mark.parametrize("moving", [0, 5, 13])
def test_a_host_that_dies_in_the_middle_of_a_motion_leaves_a_neutral_body(moving: int) -> None:
    host = Host()
    host.say(Set({MOTOR: position(900), LIGHT: colour(200, 100, 0), MOUTH: position(1000)}))
    host.wait(moving)
    host.say(Keyframes((Keyframe(HEAD, 5000, position(900)),)))
    host.wait(15, alive=False)
    assert host.device.values[MOTOR] == [0], "300 ms after the last command"
    assert host.device.values[LIGHT] == [0, 0, 0]
    host.wait(20, alive=False)
    assert host.device.values == NEUTRAL


def test_neither_noise_nor_replays_keep_a_body_alive() -> None:
    host = Host()
    old = encode(Set({MOTOR: position(700)}), 1)
    host.say(Set({MOTOR: position(700)}))
    host.wait(10)
    assert host.device.values[MOTOR] == [700]
    for _ in range(25):
        host.device.receive(old + b"\x11\x22\x33\0" + encode(Hello(1), 0) + encode(Heartbeat(), 1))
        host.device.frame()
    assert host.device.values[MOTOR] == [0]


def test_a_motor_stops_at_once_when_told() -> None:
    host = Host()
    host.say(Set({MOTOR: position(1000), HEAD: position(800)}))
    host.wait(20)
    assert host.say(Stop()) == [Ack()]
    host.wait(1)
    assert host.device.values[MOTOR] == [0]
    assert 0 < host.device.values[HEAD][0] < 800
    host.wait(12)
    assert host.device.values[HEAD] == [0]


def test_a_motor_that_has_run_for_long_rests_and_runs_again() -> None:
    host = Host()
    host.say(Set({MOTOR: position(500)}))
    host.wait(999)
    assert host.device.values[MOTOR] == [500], "twenty seconds are allowed"
    host.wait(2)
    (state,) = host.say(Query())
    assert isinstance(state, State)
    assert state.held_back
    host.wait(10)
    assert host.device.values[MOTOR] == [0]
    host.wait(235)
    assert host.device.values[MOTOR] == [0], "five seconds of rest"
    host.wait(20)
    assert host.device.values[MOTOR] == [500]


def test_short_pauses_do_not_replace_a_rest() -> None:
    """However it is driven, a motor runs for at most 20 s between two rests of 5 s."""
    host = Host()
    ran = 0
    for _ in range(30):
        for speed, frames in ((800, 90), (0, 40)):
            host.say(Set({MOTOR: position(speed)}))
            for _ in range(frames):
                host.wait(1)
                ran += host.device.values[MOTOR] != [0]
    total = 30 * 130
    assert ran <= (total / 1250 + 1) * 1000


def test_channels_begin_one_after_the_other_and_wait_for_their_current() -> None:
    host = Host()
    host.say(Set({number: position(600) for number in range(4)} | {MOTOR: position(800)}))
    begun = {}
    for frame in range(60):
        host.wait(1)
        for number in (0, 1, 2, 3, MOTOR):
            if host.device.values[number] != [0]:
                begun.setdefault(number, frame)
    assert sorted(begun, key=begun.__getitem__) == [MOTOR, 0, 1, 2, 3], "after the one that began last"
    assert [begun[number] for number in (MOTOR, 0, 1)] == [0, 1, 2]
    assert 10 < begun[2] < begun[3], "1200 mA are for four servos, or the motor and two"
    assert [host.device.values[number] for number in (0, 1, 2, 3, MOTOR)] == [[600]] * 4 + [[800]]


def test_the_limits_can_be_asked_for() -> None:
    host = Host()
    assert [host.say(AskLimits(number)) for number in range(len(CHANNELS))] == [[one] for one in LIMITS]
    assert host.say(AskLimits(8)) == [Nack(Reason.UNKNOWN_CHANNEL, 8)]


def test_an_event_is_repeated_until_it_is_taken_and_then_the_next_one_comes() -> None:
    host = Host()
    host.device.activate(EventKind.BUTTON, 1)
    host.device.activate(EventKind.TOUCH)
    assert host.wait(13).count(DeviceEvent(EventKind.BUTTON, 1, 1)) == 3
    host.say(EventAck(), seq=1)
    assert host.wait(5) == [DeviceEvent(EventKind.TOUCH, 0, 1)]
    host.say(EventAck(), seq=2)
    assert host.wait(20) == []


def test_a_bouncing_button_is_not_reported() -> None:
    host = Host()
    for pressed in [True, True, False] * 10:
        host.device.activate(EventKind.BUTTON, active=pressed)
        assert host.wait(1) == []


def test_a_battery_is_reported_when_it_changes() -> None:
    host = Host()
    host.device.battery_mv = 3700
    assert DeviceEvent(EventKind.BATTERY, 0, 3700) in host.wait(2)
    host.say(EventAck(), seq=1)
    host.device.battery_mv = 3650
    assert host.wait(10) == []
    host.device.battery_mv = 3590
    assert DeviceEvent(EventKind.BATTERY, 0, 3590) in host.wait(2)


def test_activating_an_unknown_input_is_an_error() -> None:
    with pytest.raises(KeyError):
        Simulator().activate(EventKind.BUTTON, 7)


anything = st.one_of(
    NOISE.map(lambda noise: noise + b"\0"),
    st.builds(encode, MESSAGES, st.integers(0, 12)),
)
steps = st.lists(st.tuples(anything, st.integers(0, 25), ACTIVE), max_size=25)


@settings(max_examples=60)
@given(steps)
def test_no_message_takes_a_channel_out_of_its_limits(steps: list[tuple[bytes, int, int]]) -> None:
    device = Simulator()
    device.receive(encode(Hello(0), 0))
    before, speeds, begun = device.values, [0] * len(CHANNELS), [False] * len(CHANNELS)
    for data, frames, active in steps:
        activate(device, active)
        device.receive(data)
        for _ in range(frames):
            device.frame()
            for number, (channel, values, old) in enumerate(zip(CHANNELS, device.values, before, strict=True)):
                assert all(channel.low <= value <= channel.high for value in values)
                # Going to neutral takes 8 frames, and a motor or light stops at once: those steps may be longer.
                step = max(channel.fastest // 50, (channel.high - channel.low) // 8 + 1)
                for value, one in zip(values, old, strict=True):
                    towards_rest = abs(value - channel.neutral) <= abs(one - channel.neutral)
                    assert towards_rest or abs(value - one) <= step
                speed, most = values[0] - old[0], LIMITS[number].acceleration // 2500
                if most and not towards_rest:
                    assert abs(speed) <= abs(speeds[number]) + most
                speeds[number] = speed
            moved = [values != old for values, old in zip(device.values, before, strict=True)]
            fresh = [n for n in (0, 1, 2, 3, MOTOR) if moved[n] and not begun[n] and before[n] == NEUTRAL[n]]
            assert len(fresh) <= 1, "no two begin in one frame"
            begun = [
                a or (b and device.values[n] != NEUTRAL[n]) for n, (a, b) in enumerate(zip(moved, begun, strict=True))
            ]
            before = device.values


@settings(max_examples=60)
@given(st.lists(st.tuples(st.tuples(*[st.sampled_from([0, 40, 255])] * 3), st.integers(1, 12)), max_size=40))
def test_no_light_flashes_more_than_three_times_a_second(changes: list[tuple[tuple[int, int, int], int]]) -> None:
    host = Host()
    seen = []
    for wanted, frames in changes:
        host.say(Set({LIGHT: colour(*wanted)}))
        for _ in range(frames):
            host.wait(1)
            red, green, blue = host.device.values[LIGHT]
            seen.append((2 * red + 7 * green + blue, red))
    for part in (0, 1):
        rises, falling = [], True
        for frame, (before, after) in enumerate(itertools.pairwise([0, *(one[part] for one in seen)])):
            if after > before and falling:
                rises.append(frame)
            if after != before:
                falling = after < before
        assert all(later - earlier >= 17 for earlier, later in itertools.pairwise(rises))


def test_the_simulator_can_be_reached_through_a_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        done = threading.Event()
        device = Simulator()
        thread = threading.Thread(target=serve, args=(listener, device, lambda: not done.is_set()))
        thread.start()
        try:
            with Port(f"socket://127.0.0.1:{listener.getsockname()[1]}", 115_200) as port:
                link = Link(1)
                link.connect(0.0)
                port.write(link.outgoing())
                events: list[object] = []
                for _ in range(100):
                    port.wait(0.1)
                    events += link.receive(port.read(), 0.0)
                    if events:
                        break
        finally:
            done.set()
            thread.join()
    (connected,) = events
    assert isinstance(connected, Connected)
    assert isinstance(connected.device, HelloReply)
    assert connected.device.channels == CHANNELS
