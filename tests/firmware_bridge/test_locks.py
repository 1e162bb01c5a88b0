"""Fingers: what an open lid, something jammed and a lost host do to a moving body."""

from __future__ import annotations

import pytest

from firmware_bridge.frames import encode_frame
from firmware_bridge.messages import (
    Ack,
    DeviceEvent,
    EventKind,
    Glide,
    Hello,
    Lock,
    Nack,
    Query,
    Reason,
    Set,
    State,
    Stop,
    colour,
    position,
)
from firmware_bridge.simulator import CHANNELS, LIMITS, Simulator
from tests.support.bridge_host import HEAD, LIGHT, MOTOR, MOUTH, Host

SERVOS = (0, 1, 2, 3)
HELD = (*SERVOS, MOUTH)
RUNS_ON = 5
"""Frames for which a servo that stands still counts as running, so that it may go on at once."""
BUDGET_MA = LIMITS[0].budget_ma


def stretched() -> Host:
    """A host whose servos stand at the end of their range, with an open mouth and a motor that turns."""
    host = Host()
    host.say(Set({number: position(CHANNELS[number].high) for number in (*HELD, MOTOR)}))
    host.wait(60)
    assert [host.device.values[number] for number in (*HELD, MOTOR)] == [
        [CHANNELS[number].high] for number in (*HELD, MOTOR)
    ]
    return host


def released(host: Host) -> list[int]:
    return [number for number, one in enumerate(host.device.released) if one]


@pytest.mark.parametrize("kind", [EventKind.LID, EventKind.OVER_CURRENT])
def test_an_open_lid_and_too_much_current_lock_motion_and_leave_the_lights(kind: EventKind) -> None:
    host = Host()
    host.say(Set({MOTOR: position(1000)}))
    host.wait(20)
    host.device.activate(kind)
    heard = host.wait(4)
    assert host.device.values[MOTOR] == [0]
    assert DeviceEvent(kind, 0, 1) in heard
    assert host.say(Set({MOTOR: position(500), LIGHT: colour(9, 9, 9)})) == [Ack(locked=True)]
    host.wait(5)
    assert host.device.values[MOTOR] == [0]
    assert host.device.values[LIGHT] == [9, 9, 9]
    (state,) = host.say(Query())
    assert isinstance(state, State)
    assert (state.lid_open, state.over_current) == (kind is EventKind.LID, kind is EventKind.OVER_CURRENT)
    host.device.activate(kind, active=False)
    host.wait(60)
    assert host.say(Set({MOTOR: position(500)})) == [Ack()]


@pytest.mark.parametrize("kind", [EventKind.LID, EventKind.OVER_CURRENT])
@pytest.mark.parametrize("moving", [0, 3, 9, 40])
def test_a_locked_body_stops_where_it_is_and_holds_nothing(kind: EventKind, moving: int) -> None:
    host = stretched()
    host.say(Set({number: position(CHANNELS[number].low) for number in HELD}))
    host.wait(moving)
    host.device.activate(kind)
    while not host.device.released[HEAD]:
        before = host.device.values
        host.wait(1)
    stopped = host.device.values
    assert [stopped[number] for number in HELD] == [before[number] for number in HELD]
    assert released(host) == list(HELD)
    host.say(Set({number: position(5) for number in HELD}))
    host.wait(100)
    assert [host.device.values[number] for number in (*HELD, MOTOR)] == [*(stopped[n] for n in HELD), [0]]
    assert released(host) == list(HELD)
    (state,) = host.say(Query())
    assert isinstance(state, State)
    assert not state.moving


def test_once_the_lid_is_closed_servos_are_held_again_where_they_were_one_after_the_other() -> None:
    host = stretched()
    host.device.activate(EventKind.LID)
    host.wait(10)
    stood = [host.device.values[number] for number in HELD]
    host.device.activate(EventKind.LID, active=False)
    seen = []
    for _ in range(10):
        host.wait(1)
        seen.append(len(set(released(host)) & set(SERVOS)))
    assert seen == [4, 4, 3, 2, 1, 0, 0, 0, 0, 0]
    assert [host.device.values[number] for number in HELD] == stood
    host.say(Set({HEAD: position(100)}))
    host.wait(30)
    assert host.device.values[HEAD] == [100]


@pytest.mark.parametrize("what", ["stop", "new session", "dead host"])
def test_nothing_reaches_for_neutral_before_the_lid_is_closed(what: str) -> None:
    host = stretched()
    host.device.activate(EventKind.LID)
    host.wait(10)
    stood = [host.device.values[number] for number in HELD]
    if what == "stop":
        host.say(Stop())
    elif what == "new session":
        host.say(Hello(2), seq=0)
    host.wait(100, alive=False)
    assert [host.device.values[number] for number in HELD] == stood
    assert released(host) == list(HELD)
    host.device.activate(EventKind.LID, active=False)
    host.wait(60, alive=False)
    assert [host.device.values[number] for number in HELD] == [[0]] * 5


def test_a_host_that_was_lost_before_the_lid_opened_leaves_a_body_that_ends_in_neutral() -> None:
    host = stretched()
    host.wait(18, alive=False)
    host.device.activate(EventKind.LID)
    host.wait(20, alive=False)
    assert 0 < host.device.values[HEAD][0] < 900
    host.device.activate(EventKind.LID, active=False)
    host.wait(60, alive=False)
    assert host.device.values[HEAD] == [0]


@pytest.mark.parametrize("kind", [EventKind.LID, EventKind.OVER_CURRENT])
def test_a_body_that_is_switched_on_with_an_open_lid_gets_no_pulse_before_it_is_closed(kind: EventKind) -> None:
    device = Simulator()
    assert [number for number, one in enumerate(device.released) if one] == list(HELD)
    device.activate(kind)
    for _ in range(50):
        device.frame()
        assert [number for number, one in enumerate(device.released) if one] == list(HELD)
    device.activate(kind, active=False)
    for _ in range(60):
        device.frame()
    assert not any(device.released)


@pytest.mark.parametrize("moving", [0, 2, 5, 60])
def test_a_lost_host_never_means_faster_than_announced_nor_more_current(moving: int) -> None:
    """The way to neutral keeps speed, acceleration and the current of all: no two servos begin at once."""
    host = stretched()
    host.say(Set({number: position(CHANNELS[number].low) for number in HELD} | {LIGHT: colour(9, 9, 9)}))
    host.wait(moving)
    before, speeds, still = host.device.values, None, dict.fromkeys(SERVOS, 0)
    for frame in range(60):
        host.wait(1, alive=False)
        now = host.device.values
        moves = {number: now[number][0] - before[number][0] for number in HELD}
        for number, change in moves.items():
            assert abs(change) <= CHANNELS[number].fastest / 50
            if speeds is not None and LIMITS[number].acceleration:
                assert abs(change - speeds[number]) <= LIMITS[number].acceleration / 2500
        running = [number for number in (*SERVOS, MOTOR) if now[number] != before[number]]
        # A motor that is stopped draws nothing.
        drawn = sum(LIMITS[number].current_ma for number in running if now[number] != [0] or number != MOTOR)
        assert drawn <= BUDGET_MA
        begun = [number for number in SERVOS if moves[number] and still[number] >= RUNS_ON]
        assert len(begun) <= 1
        still = {number: 0 if moves[number] else still[number] + 1 for number in SERVOS}
        before, speeds = now, moves
        if frame == 15:
            assert now[MOTOR] == [0]
            assert now[LIGHT] == [0, 0, 0]
    assert [before[number] for number in HELD] == [[0]] * 5


def test_a_host_s_lock_outlives_the_host_and_ends_with_its_word() -> None:
    host = stretched()
    host.say(Set({number: position(CHANNELS[number].low) for number in SERVOS}))
    host.wait(5)
    stood = [host.device.values[number] for number in HELD]
    assert host.say(Lock(True)) == [Ack()]
    assert released(host) == list(HELD)
    assert host.device.values[MOTOR] == [0]
    host.wait(100, alive=False)
    host.say(Hello(2), seq=0)
    host.seq = 0
    host.wait(10)
    assert [host.device.values[number] for number in HELD] == stood
    assert released(host) == list(HELD)
    assert host.say(Set({HEAD: position(3), LIGHT: colour(1, 2, 3)})) == [Ack(locked=True)]
    host.device.activate(EventKind.LID)
    host.wait(5)
    host.say(Lock(False))
    host.wait(5)
    assert released(host) == list(HELD), "its own lid is open too"
    host.device.activate(EventKind.LID, active=False)
    host.wait(60)
    assert released(host) == []


def test_a_host_that_knows_of_no_lock_ends_that_of_another() -> None:
    host = stretched()
    host.say(Lock(True))
    host.say(Hello(2, version=1), seq=0)
    host.seq = 0
    host.wait(60)
    assert released(host) == []


@pytest.mark.parametrize("fastest", [1, 30, 1800, 5000, 6000, 60000, 0])
@pytest.mark.parametrize("what", ["stop", "new session", "dead host"])
def test_the_way_to_neutral_is_as_slow_as_the_host_said_until_the_body_has_caught_up(what: str, fastest: int) -> None:
    host = stretched()
    assert host.say(Glide(dict.fromkeys(SERVOS, fastest))) == [Ack()]
    if what == "stop":
        host.say(Stop())
    elif what == "new session":
        host.say(Hello(2), seq=0)
        host.seq = 0
    most = min(CHANNELS[HEAD].fastest, fastest or CHANNELS[HEAD].fastest) // 50 or 1
    for _ in range(60):
        before = host.device.values
        host.wait(1, alive=what != "dead host")
        assert all(abs(host.device.values[number][0] - before[number][0]) <= most for number in SERVOS)
    if what != "dead host" and most > 20:
        host.wait(60)
        assert host.device.values[HEAD] == [0]
        host.say(Set({HEAD: position(900)}))
        host.wait(30)
        assert host.device.values[HEAD] == [900], "once it has caught up, the device's own limits count"


@pytest.mark.parametrize(("payload", "why"), [(b"", Reason.MALFORMED), (b"\2", Reason.MALFORMED)])
def test_a_lock_that_is_none_is_refused(payload: bytes, why: Reason) -> None:
    host = Host()
    host.seq += 1
    host.device.receive(encode_frame(bytes((Lock.type, host.seq)) + payload))
    assert host.heard() == [Nack(why, 0)]
    assert host.say(Glide({8: 1})) == [Nack(Reason.UNKNOWN_CHANNEL, 8)]
    assert host.say(Glide({})) == [Nack(Reason.MALFORMED, 0)]
