"""The host's end of the link: sessions, sequence, retry, heartbeat (`PROTOCOL.md`, "Session and sequence"). Pure.

Bytes and the time go in, events come out, and `outgoing` has what is to be written. Times are seconds of any clock that
does not run backwards. One command is on the way at a time; a set that still waits takes later ones in, so that a slow
link carries the newest pose and no backlog.

    link.connect(now)  ->  Connected  ->  link.send(Set(...), now)  ->  Answered
                       ->  Lost: what was not answered is gone; the link opens a new session by itself
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

from firmware_bridge.frames import MOST_PAYLOAD, Receiver
from firmware_bridge.messages import (
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
TRIES = 20
"""A second: a host or an emulator that gets no processor time for a third of one has lost nothing yet."""
HEARTBEAT_S = 0.1
MOST_WAITING = 16


class LinkNotReady(Exception):
    """A command cannot be taken: there is no session, or too many wait."""


@dataclass(frozen=True, slots=True)
class Connected:
    """A session is open; the device stands in its neutral pose."""

    device: HelloReply


@dataclass(frozen=True, slots=True)
class Answered:
    """A command was carried out, or refused by a nack."""

    ticket: int
    """What `send` returned."""

    answer: Ack | State | Limits | Nack


@dataclass(frozen=True, slots=True)
class Lost:
    """The device answers no more, or has started anew. Unanswered commands are dropped."""

    sentence: str


@dataclass(frozen=True, slots=True)
class Incompatible:
    """The device speaks another version of the protocol. The link is closed."""

    version: int


Event = Connected | Answered | Lost | Incompatible | DeviceEvent


@dataclass(slots=True)
class _OnTheWay:
    frame: bytes
    seq: int
    ticket: int | None
    """None for a heartbeat."""
    tries: int
    retry_at: float


class Link:
    """One link. `session` is the number of its first session: a random one, so that no old hello fits."""

    def __init__(self, session: int) -> None:
        self._session = session & 0xFFFF
        self._receiver = Receiver()
        self._out = bytearray()
        self._hello_at = math.inf
        self._heartbeat_at = math.inf
        self._seq = 0
        self._event_seq = 0
        self._tickets = 0
        self._waiting: deque[tuple[int | None, Command]] = deque()
        self._on_the_way: _OnTheWay | None = None
        self.device: HelloReply | None = None
        """What the device can do, while a session is open."""

    @property
    def bad_frames(self) -> int:
        """Frames from the device that were dropped."""
        return self._receiver.bad_frames

    @property
    def idle(self) -> bool:
        """Whether every command has been answered."""
        return self._on_the_way is None and not self._waiting

    def connect(self, now: float) -> None:
        """Open a session, and a new one whenever it is lost."""
        self._begin_session(now)

    def send(self, command: Command, now: float) -> int:
        """Queue a command; its answer comes as `Answered` with the ticket that is returned.

        Raises `LinkNotReady` without a session or when `MOST_WAITING` wait; ValueError for one that no frame can hold.
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
        self._pump(now)
        return self._tickets

    def receive(self, data: bytes, now: float) -> list[Event]:
        """Take bytes from the device."""
        events: list[Event] = []
        for body in self._receiver.feed(data):
            try:
                message, seq = decode(body)
            except MalformedMessage:
                # A newer device may say what we do not know; nothing depends on it.
                continue
            event = self._take(message, seq, now)
            if event is not None:
                events.append(event)
        self._pump(now)
        return events

    def tick(self, now: float) -> list[Event]:
        """Let time pass: repeats, heartbeats, and the loss of the device."""
        if now >= self._hello_at:
            self._write(Hello(self._session), 0)
            self._hello_at = now + HELLO_S
        going = self._on_the_way
        if going is not None and now >= going.retry_at:
            if going.tries == TRIES:
                return [self._lose("The body does not answer any more.", now)]
            self._transmit(going, now)
        elif going is None and now >= self._heartbeat_at:
            self._waiting.append((None, Heartbeat()))
            self._pump(now)
        return []

    def outgoing(self) -> bytes:
        """What is to be written to the device; each byte is given once."""
        data = bytes(self._out)
        self._out.clear()
        return data

    def next_timeout(self) -> float:
        """When `tick` has something to do; infinity before `connect`."""
        retry = math.inf if self._on_the_way is None else self._on_the_way.retry_at
        heartbeat = self._heartbeat_at if self._on_the_way is None else math.inf
        return min(self._hello_at, heartbeat, retry)

    def _take(self, message: Message, seq: int, now: float) -> Event | None:
        match message:
            case HelloReply():
                return self._welcome(message, now)
            case Nack(Reason.VERSION, version) if self.device is None:
                self._hello_at = math.inf
                return Incompatible(version)
            case DeviceEvent():
                return self._take_event(message, seq)
            case Ack() | Nack() | State() | Limits():
                return self._take_answer(message, seq, now)
            case _:
                # Our own words: an echo on the wire.
                return None

    def _welcome(self, reply: HelloReply, now: float) -> Event | None:
        if self.device is not None or reply.session != self._session:
            return None
        self.device = reply
        self._hello_at = math.inf
        self._heartbeat_at = now + HEARTBEAT_S
        return Connected(reply)

    def _take_event(self, event: DeviceEvent, seq: int) -> Event | None:
        if self.device is None or seq not in (self._event_seq, self._event_seq + 1 & 0xFF):
            return None
        self._write(EventAck(), seq)
        if seq == self._event_seq:
            return None
        self._event_seq = seq
        return event

    def _take_answer(self, answer: Ack | Nack | State | Limits, seq: int, now: float) -> Event | None:
        going = self._on_the_way
        if going is None or seq != going.seq:
            return None
        if isinstance(answer, Nack) and answer.reason in (Reason.NO_SESSION, Reason.OUT_OF_ORDER):
            return self._lose("The body has started anew.", now)
        self._on_the_way = None
        return None if going.ticket is None else Answered(going.ticket, answer)

    def _lose(self, sentence: str, now: float) -> Lost:
        self._begin_session(now)
        return Lost(sentence)

    def _begin_session(self, now: float) -> None:
        self.device = None
        self._session = self._session + 1 & 0xFFFF
        self._seq = 0
        self._event_seq = 0
        self._waiting.clear()
        self._on_the_way = None
        self._heartbeat_at = math.inf
        # Ends whatever half frame stands on the line.
        self._out += b"\0"
        self._write(Hello(self._session), 0)
        self._hello_at = now + HELLO_S

    def _pump(self, now: float) -> None:
        if self._on_the_way is None and self._waiting:
            ticket, command = self._waiting.popleft()
            self._seq = self._seq + 1 & 0xFF
            self._on_the_way = _OnTheWay(encode(command, self._seq), self._seq, ticket, 0, now)
            self._heartbeat_at = now + HEARTBEAT_S
            self._transmit(self._on_the_way, now)

    def _transmit(self, going: _OnTheWay, now: float) -> None:
        self._out += going.frame
        going.tries += 1
        going.retry_at = now + RETRY_S

    def _write(self, message: Message, seq: int) -> None:
        self._out += encode(message, seq)
