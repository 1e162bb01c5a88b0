"""Host and device over bad wires: nothing that was promised is lost, done twice or done out of order."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_bridge.frames import Receiver
from firmware_bridge.link import Answered, Connected, Event, Incompatible, Link, LinkNotReady, Lost
from firmware_bridge.messages import (
    Ack,
    DeviceEvent,
    EventAck,
    EventKind,
    Hello,
    HelloReply,
    Keyframe,
    Keyframes,
    Nack,
    Query,
    Reason,
    Set,
    State,
    Stop,
    colour,
    decode,
    encode,
    position,
    position_of,
)
from firmware_bridge.simulator import FRAME_S, Simulator

STEP_S = 0.002
Wire = Callable[[bytes], Iterable[tuple[float, bytes]]]
"""What becomes of a piece of sound bytes: pieces, each with its delay in seconds."""


def good(data: bytes) -> Iterable[tuple[float, bytes]]:
    return [(0.001, data)]


@dataclass
class Wired:
    """A host and a device in one simulated time; the wire between them can be as bad as one likes."""

    wire: Wire = good
    link: Link = field(default_factory=lambda: Link(41))
    device: Simulator = field(default_factory=Simulator)
    now: float = 0.0
    alive: bool = True
    """Whether the host lives."""
    plugged: bool = True
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._on_the_way: list[tuple[float, int, bool, bytes]] = []
        self._order = itertools.count()
        self._next_frame = 0.0
        self.link.connect(self.now)

    def _carry(self, data: bytes, *, to_device: bool) -> None:
        if data and self.plugged:
            for delay, piece in self.wire(data):
                heapq.heappush(self._on_the_way, (self.now + delay, next(self._order), to_device, piece))

    def run(self, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
        end = self.now + seconds
        while self.now < end and not until():
            if self.alive:
                self.events += self.link.tick(self.now)
                self._carry(self.link.outgoing(), to_device=True)
            while self._on_the_way and self._on_the_way[0][0] <= self.now:
                *_, to_device, piece = heapq.heappop(self._on_the_way)
                if to_device:
                    self.device.receive(piece)
                elif self.alive:
                    self.events += self.link.receive(piece, self.now)
            if self.now >= self._next_frame:
                self._next_frame += FRAME_S
                self.device.frame()
            self._carry(self.device.outgoing(), to_device=False)
            self.now += STEP_S

    def connected(self) -> Wired:
        self.run(5.0, until=lambda: self.link.device is not None)
        assert self.link.device is not None
        return self

    def answers(self) -> dict[int, object]:
        return {event.ticket: event.answer for event in self.events if isinstance(event, Answered)}

    def of_kind(self, kind: type) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]


def bad(seed: int, loss: float, twice: float, noise: float, longest: float, cut: bool) -> Wire:
    """A wire that loses, repeats, damages, delays and chops."""
    chance = Random(seed)

    def wire(data: bytes) -> Iterable[tuple[float, bytes]]:
        pieces = [bytes((byte,)) for byte in data] if cut else [data]
        delay = chance.uniform(0.0005, longest)
        for piece in pieces:
            if chance.random() < noise / len(pieces):
                piece = bytes((chance.randrange(256),)) + piece
            if chance.random() >= loss / len(pieces):
                yield delay, piece
        if chance.random() < twice:
            yield delay + chance.uniform(0.0, 0.2), data

    return wire


wires = st.builds(
    bad,
    st.integers(0, 2**32),
    st.sampled_from([0.0, 0.1, 0.25]),
    st.sampled_from([0.0, 0.3, 1.0]),
    st.sampled_from([0.0, 0.1, 0.3]),
    st.sampled_from([0.002, 0.03]),
    st.booleans(),
)


def test_a_session_opens_and_says_what_the_body_can_do() -> None:
    wired = Wired().connected()
    (connected,) = wired.of_kind(Connected)
    assert isinstance(connected, Connected)
    assert len(connected.device.channels) == 8
    assert connected.device.silence_ms == 300


def test_a_command_is_answered_within_milliseconds_on_a_good_wire() -> None:
    wired = Wired().connected()
    began = wired.now
    ticket = wired.link.send(Set({0: position(100)}), wired.now)
    wired.run(1.0, until=lambda: ticket in wired.answers())
    assert wired.answers() == {ticket: Ack()}
    assert wired.now - began < 0.01


def test_a_quiet_host_keeps_its_body_alive() -> None:
    wired = Wired().connected()
    wired.link.send(Set({5: position(600)}), wired.now)
    wired.run(60.0)
    assert wired.device.values[5] == [600]
    assert wired.of_kind(Lost) == []


@settings(max_examples=40, deadline=None)
@given(wires, st.lists(st.integers(-900, 900), min_size=1, max_size=12))
def test_over_any_wire_the_body_ends_where_it_was_sent(wire: Wire, goals: list[int]) -> None:
    wired = Wired(wire)
    for goal in goals:
        wired.run(0.05)
        if wired.link.device is not None:
            wired.link.send(Set({0: position(goal)}), wired.now)
    wired.wire = good
    wired.run(2.0)
    wired.connected()
    wired.link.send(Set({0: position(goals[-1])}), wired.now)
    wired.run(1.0)
    assert wired.device.values[0] == [goals[-1]]
    assert wired.link.idle


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([0.0, 0.2]), st.booleans())
def test_no_command_is_lost_done_twice_or_out_of_order(seed: int, loss: float, cut: bool) -> None:
    """Four keyframes fill a channel's queue: a fifth (a repetition) would be refused, a missing one would be missed."""
    wired = Wired(bad(seed, loss, 1.0, 0.1, 0.02, cut)).connected()
    losses = len(wired.of_kind(Lost))
    goals = (100, 200, 300, 400)
    tickets = [wired.link.send(Keyframes((Keyframe(0, 60_000, position(g)),)), wired.now) for g in goals]
    full = wired.link.send(Keyframes((Keyframe(0, 20, position(0)),)), wired.now)
    query = wired.link.send(Query(), wired.now)
    wired.run(6.0, until=lambda: wired.link.idle)
    if len(wired.of_kind(Lost)) > losses:
        return  # the wire was so bad that the link gave up, and said so
    answers = wired.answers()
    assert [answers[ticket] for ticket in tickets] == [Ack()] * 4
    assert answers[full] == Nack(Reason.QUEUE_FULL, 0)
    assert list(answers) == [*tickets, full, query]


@pytest.mark.time_limit(60)
def test_ten_minutes_of_full_traffic_lose_nothing() -> None:
    wired = Wired(bad(7, 0.02, 0.1, 0.02, 0.004, cut=False)).connected()
    sent = []
    end = wired.now + 600
    while wired.now < end:
        sent.append(wired.link.send(Set({0: position(len(sent) % 900), 6: colour(len(sent) % 256, 0, 0)}), wired.now))
        wired.run(0.04, until=lambda: wired.link.idle)
    wired.run(1.0, until=lambda: wired.link.idle)
    assert wired.of_kind(Lost) == []
    assert len(sent) > 15_000
    assert set(wired.answers()) == set(sent)
    assert set(wired.answers().values()) == {Ack()}


def test_a_slow_wire_carries_the_newest_pose_and_no_backlog() -> None:
    wired = Wired(lambda data: [(0.02, data)]).connected()
    tickets = set()
    for goal in range(100):
        tickets.add(wired.link.send(Set({0: position(goal)}), wired.now))
        wired.run(0.002)
    wired.run(0.15)
    assert len(tickets) < 20
    assert wired.device.values[0] == [99]


@pytest.mark.parametrize("moment", [0.0, 0.013, 0.08, 0.35])
def test_a_host_that_dies_leaves_a_body_that_stands_still_within_500_ms_and_is_neutral_soon(moment: float) -> None:
    wired = Wired().connected()
    wired.link.send(Set({0: position(900), 5: position(-1000), 6: colour(255, 255, 255)}), wired.now)
    wired.run(0.1 + moment)
    wired.alive = False
    wired.run(0.5)
    assert wired.device.values[5] == [0]
    assert wired.device.values[6] == [0, 0, 0]
    wired.run(0.3)
    assert wired.device.values[0] == [0]


def test_a_body_that_is_unplugged_is_lost_and_found_again() -> None:
    wired = Wired().connected()
    wired.plugged = False
    wired.run(1.3)
    (lost,) = wired.of_kind(Lost)
    assert isinstance(lost, Lost)
    assert "does not answer" in lost.sentence
    with pytest.raises(LinkNotReady):
        wired.link.send(Stop(), wired.now)
    wired.plugged = True
    wired.connected()
    assert len(wired.of_kind(Connected)) == 2


def test_a_command_waits_for_a_device_without_processor_time_for_most_of_a_second() -> None:
    """As an emulator on a loaded machine: nothing runs in it, frames neither, and then all that was sent arrives."""
    wired = Wired().connected()
    ticket = wired.link.send(Set({0: position(500)}), wired.now)
    held, end = b"", wired.now + 0.8
    while wired.now < end:
        held += wired.link.outgoing()
        assert wired.link.tick(wired.now) == []
        wired.now += 0.01
    wired.device.receive(held)
    (answered,) = wired.link.receive(wired.device.outgoing(), wired.now)
    assert isinstance(answered, Answered)
    assert answered.ticket == ticket
    assert answered.answer == Ack()


def test_a_body_that_restarts_is_noticed_at_once() -> None:
    wired = Wired().connected()
    wired.device = Simulator()
    wired.link.send(Set({0: position(500)}), wired.now)
    wired.run(0.1)
    assert len(wired.of_kind(Lost)) == 1
    assert len(wired.of_kind(Connected)) == 2


@settings(max_examples=30, deadline=None)
@given(wires)
def test_each_event_of_the_device_is_reported_once_and_in_order(wire: Wire) -> None:
    # A session in which something was answered: one that the device closed before, and that a late copy of its own
    # hello opened anew, looks to the host like the one that it knows.
    wired = Wired().connected()
    wired.run(0.25)
    wired.wire = wire
    for pressed in (True, False, True):
        wired.device.activate(EventKind.BUTTON, active=pressed)
        wired.run(0.1)
    wired.wire = good
    wired.run(1.5)
    if wired.of_kind(Lost):
        return  # a new session tells again what is not at rest
    assert wired.of_kind(DeviceEvent) == [DeviceEvent(EventKind.BUTTON, 0, value) for value in (1, 0, 1)]


def test_a_query_reports_all_outputs() -> None:
    wired = Wired().connected()
    wired.link.send(Set({0: position(-300)}), wired.now)
    wired.run(0.2)
    ticket = wired.link.send(Query(), wired.now)
    wired.run(0.1)
    state = wired.answers()[ticket]
    assert isinstance(state, State)
    assert position_of(state.values[0]) == -300
    assert not state.moving


def test_a_wire_that_echoes_confuses_nobody() -> None:
    wired = Wired()
    wired.connected()
    wired.events += wired.link.receive(encode(Hello(1), 0) + encode(Set({0: position(5)}), 1), wired.now)
    wired.device.receive(encode(Ack(), 1))
    wired.run(1.0)
    assert wired.of_kind(Lost) == []


@given(st.lists(st.tuples(st.binary(max_size=60), st.floats(0, 0.2)), max_size=20))
def test_no_noise_breaks_the_host(pieces: list[tuple[bytes, float]]) -> None:
    link, now = Link(3), 0.0
    link.connect(now)
    for data, seconds in pieces:
        assert [event for event in link.receive(data, now) if not isinstance(event, DeviceEvent)] == []
        now += seconds
        link.tick(now)
    assert isinstance(decode(next(Receiver().feed(link.outgoing())))[0], Hello)


@pytest.mark.parametrize("heeds_the_host", [True, False])
def test_a_body_that_floods_its_host_with_events_gets_twenty_a_second_through(heeds_the_host: bool) -> None:
    """One event every millisecond, whether the device waits for its acknowledgement or counts on."""
    link, now, seq, taken = Link(3), 0.0, 1, 0
    link.connect(now)
    link.receive(encode(HelloReply(4, (9, 9, 9), 300, 4, ()), 0), now)
    link.outgoing()
    while now < 10.0:
        now += 0.001
        taken += len(link.receive(encode(DeviceEvent(EventKind.BUTTON, 0, 1), seq), now))
        acknowledged = any(isinstance(decode(body)[0], EventAck) for body in Receiver().feed(link.outgoing()))
        if acknowledged or not heeds_the_host:
            seq = seq + 1 & 0xFF
    assert 16 < taken <= 16 + 10 / 0.05


def test_a_body_with_another_protocol_version_is_incompatible() -> None:
    link = Link(3)
    link.connect(0.0)
    assert link.receive(encode(Nack(Reason.VERSION, 3), 0), 0.0) == [Incompatible(3)]


def test_a_body_with_the_firmware_of_version_1_is_served_in_its_version() -> None:
    link = Link(3)
    link.connect(0.0)
    assert [decode(body)[0] for body in Receiver().feed(link.outgoing())] == [Hello(4, 2)]
    refusal = encode(Nack(Reason.VERSION, 1), 0)
    assert link.receive(refusal, 0.1) == []
    assert [decode(body)[0] for body in Receiver().feed(link.outgoing())] == [Hello(4, 1)]
    device = HelloReply(4, (0, 2, 0), 300, 4, (), version=1)
    assert link.receive(encode(device, 0), 0.2) == [Connected(device)]
    assert Link(5).receive(refusal + refusal, 0.0) == [Incompatible(1)], "it must not be asked for ever"


def test_too_many_commands_at_once_are_refused() -> None:
    wired = Wired().connected()
    for _ in range(17):
        wired.link.send(Query(), wired.now)
    with pytest.raises(LinkNotReady, match="16"):
        wired.link.send(Query(), wired.now)
