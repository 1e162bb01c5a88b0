"""The host's end of the link: sessions, sequence, retry, heartbeat (`PROTOCOL.md`, "Session and sequence"). Pure.

Bytes and the time go in, events come out, and `outgoing` returns the bytes to write. Times are seconds of any clock
that does not run backwards. One command is in flight at a time. A waiting `Set` is merged with later ones, so that a
slow link carries the newest pose and no backlog.

    link.connect(now)  ->  Connected  ->  link.send(Set(...), now)  ->  Answered
                       ->  Lost: unanswered commands are dropped; the link opens a new session by itself
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

from firmware_bridge.frames import MOST_PAYLOAD, Receiver
from firmware_bridge.messages import (
    OLDEST_VERSION,
    VERSION,
    Ack,
    Command,
    DeviceEvent,
    EventAck,
    Heartbeat,
    Hello,
    HelloReply,
    Limits,
    MalformedMessage,
    Message,
    Nack,
    Reason,
    Set,
    State,
    decode,
    encode,
)

HELLO_S = 0.25
RETRY_S = 0.05
MOST_TRIES = 20
"""One second in total: a host or emulator without processor time for a third of that must not lose the link."""
HEARTBEAT_S = 0.1
MOST_WAITING = 16
MOST_EVENTS = 16
EVENT_S = 0.05
"""Events are taken at one in this time, and `MOST_EVENTS` at once. What comes faster is not acknowledged yet: a device
repeats it, so nothing is lost, and one that floods its host does not get through."""


class LinkNotReady(Exception):
    """A command cannot be accepted: there is no session, or too many commands are waiting."""


@dataclass(frozen=True, slots=True)
class Connected:
    """A session is open. The device is in its neutral pose."""

    device: HelloReply


@dataclass(frozen=True, slots=True)
class Answered:
    """A command was carried out, or refused with a nack."""

    ticket: int
    """What `send` returned."""

    answer: Ack | State | Limits | Nack


@dataclass(frozen=True, slots=True)
class Lost:
    """The device no longer answers, or has restarted. Unanswered commands are dropped."""

    sentence: str


@dataclass(frozen=True, slots=True)
class Incompatible:
    """The device speaks a version of the protocol that this host does not. The link is closed."""

    version: int


Event = Connected | Answered | Lost | Incompatible | DeviceEvent


@dataclass(slots=True)
class _InFlight:
    frame: bytes
    seq: int
    ticket: int | None
    """None for a heartbeat."""
    tries: int
    retry_at: float


class Link:
    """One link. `session` is the number of its first session; a random one, so that no stale hello matches it."""

    def __init__(self, session: int) -> None:
        self._session = session & 0xFFFF
        self._version = VERSION
        self._receiver = Receiver()
        self._out = bytearray()
        self._hello_at = math.inf
        self._heartbeat_at = math.inf
        self._seq = 0
        self._event_seq = 0
        self._events_until = -math.inf
        """Until when the events taken so far last, at one in `EVENT_S`."""
        self._tickets = 0
        self._waiting: deque[tuple[int | None, Command]] = deque()
        self._in_flight: _InFlight | None = None
        self.device: HelloReply | None = None
        """The device's description while a session is open, otherwise None."""

    @property
    def bad_frames(self) -> int:
        """Frames from the device that were dropped."""
        return self._receiver.bad_frames

    @property
    def idle(self) -> bool:
        """Whether every command has been answered."""
        return self._in_flight is None and not self._waiting

    def connect(self, now: float) -> None:
        """Open a session, and a new one whenever the link is lost."""
        self._begin_session(now)

    def send(self, command: Command, now: float) -> int:
        """Queue a command. Returns a ticket; the answer arrives as `Answered` with the same ticket.

        Raises `LinkNotReady` without a session or if `MOST_WAITING` commands wait; ValueError if no frame can hold it.
        """
        encode(command, 0)
        if self.device is None:
            raise LinkNotReady("there is no session with the device")
        if isinstance(command, Set) and self._waiting:
            ticket, last = self._waiting[-1]
            if isinstance(last, Set) and ticket is not None:
                merged = Set({**last.values, **command.values})
                if len(merged.payload()) <= MOST_PAYLOAD:
                    self._waiting[-1] = (ticket, merged)
                    return ticket
        if len(self._waiting) >= MOST_WAITING:
            raise LinkNotReady(f"{MOST_WAITING} commands wait for the device already")
        self._tickets += 1
        self._waiting.append((self._tickets, command))
        self._send_next(now)
        return self._tickets

    def receive(self, data: bytes, now: float) -> list[Event]:
        """Take bytes from the device; return the events that they cause."""
        events: list[Event] = []
        for body in self._receiver.feed(data):
            try:
                message, seq = decode(body)
            except MalformedMessage:
                # A newer device may send messages that we do not know; nothing depends on them.
                continue
            event = self._handle_message(message, seq, now)
            if event is not None:
                events.append(event)
        self._send_next(now)
        return events

    def tick(self, now: float) -> list[Event]:
        """Do what is due at this time: repeat commands, send heartbeats, notice that the device is lost."""
        if now >= self._hello_at:
            self._say_hello(now)
        in_flight = self._in_flight
        if in_flight is not None and now >= in_flight.retry_at:
            if in_flight.tries == MOST_TRIES:
                return [self._lose("The body does not answer any more.", now)]
            self._transmit(in_flight, now)
        elif in_flight is None and now >= self._heartbeat_at:
            self._waiting.append((None, Heartbeat()))
            self._send_next(now)
        return []

    def outgoing(self) -> bytes:
        """The bytes to write to the device; each is returned once."""
        data = bytes(self._out)
        self._out.clear()
        return data

    def next_timeout(self) -> float:
        """When to call `tick`; infinity before `connect`."""
        retry = math.inf if self._in_flight is None else self._in_flight.retry_at
        heartbeat = self._heartbeat_at if self._in_flight is None else math.inf
        return min(self._hello_at, heartbeat, retry)

    def _handle_message(self, message: Message, seq: int, now: float) -> Event | None:
        match message:
            case HelloReply():
                return self._handle_hello_reply(message, now)
            case Nack(Reason.VERSION, version) if self.device is None and OLDEST_VERSION <= version < self._version:
                self._version = version
                self._say_hello(now)
                return None
            case Nack(Reason.VERSION, version) if self.device is None:
                self._hello_at = math.inf
                return Incompatible(version)
            case DeviceEvent():
                return self._handle_event(message, seq, now)
            case Ack() | Nack() | State() | Limits():
                return self._handle_answer(message, seq, now)
            case _:
                # One of our own messages, echoed by the wire.
                return None

    def _handle_hello_reply(self, reply: HelloReply, now: float) -> Event | None:
        if self.device is not None or reply.session != self._session:
            return None
        self.device = reply
        self._hello_at = math.inf
        self._heartbeat_at = now + HEARTBEAT_S
        return Connected(reply)

    def _handle_event(self, event: DeviceEvent, seq: int, now: float) -> Event | None:
        if self.device is None or seq not in (self._event_seq, self._event_seq + 1 & 0xFF):
            return None
        if seq != self._event_seq:
            until = max(self._events_until, now) + EVENT_S
            if until > now + MOST_EVENTS * EVENT_S:
                return None
            self._events_until = until
        self._write(EventAck(), seq)
        if seq == self._event_seq:
            return None
        self._event_seq = seq
        return event

    def _handle_answer(self, answer: Ack | Nack | State | Limits, seq: int, now: float) -> Event | None:
        in_flight = self._in_flight
        if in_flight is None or seq != in_flight.seq:
            return None
        if isinstance(answer, Nack) and answer.reason in (Reason.NO_SESSION, Reason.OUT_OF_ORDER):
            return self._lose("The body has started anew.", now)
        self._in_flight = None
        return None if in_flight.ticket is None else Answered(in_flight.ticket, answer)

    def _lose(self, sentence: str, now: float) -> Lost:
        self._begin_session(now)
        return Lost(sentence)

    def _begin_session(self, now: float) -> None:
        self.device = None
        self._version = VERSION
        self._session = self._session + 1 & 0xFFFF
        self._seq = 0
        self._event_seq = 0
        self._waiting.clear()
        self._in_flight = None
        self._heartbeat_at = math.inf
        # Terminates an incomplete frame that may be on the line.
        self._out += b"\0"
        self._say_hello(now)

    def _say_hello(self, now: float) -> None:
        self._write(Hello(self._session, self._version), 0)
        self._hello_at = now + HELLO_S

    def _send_next(self, now: float) -> None:
        if self._in_flight is None and self._waiting:
            ticket, command = self._waiting.popleft()
            self._seq = self._seq + 1 & 0xFF
            self._in_flight = _InFlight(encode(command, self._seq), self._seq, ticket, 0, now)
            self._heartbeat_at = now + HEARTBEAT_S
            self._transmit(self._in_flight, now)

    def _transmit(self, in_flight: _InFlight, now: float) -> None:
        self._out += in_flight.frame
        in_flight.tries += 1
        in_flight.retry_at = now + RETRY_S

    def _write(self, message: Message, seq: int) -> None:
        self._out += encode(message, seq)
