"""Messages of `PROTOCOL.md`, as a host sees them. Pure.

A message is a frozen dataclass with its wire type; `encode` and `decode` are each other's inverse.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

from firmware_bridge.frames import frame

VERSION = 1


class MalformedMessage(ValueError):
    """A payload that is not what its type promises."""


class Kind(IntEnum):
    """What a channel is."""

    LIGHT = 1
    SERVO = 2
    MOTOR = 3
    MOUTH = 4


class Reason(IntEnum):
    """Why a device refused."""

    VERSION = 1
    NO_SESSION = 2
    OUT_OF_ORDER = 3
    UNKNOWN_TYPE = 4
    MALFORMED = 5
    UNKNOWN_CHANNEL = 6
    QUEUE_FULL = 7


class EventKind(IntEnum):
    """What happened to the device."""

    BUTTON = 1
    TOUCH = 2
    BATTERY = 3
    OVER_CURRENT = 4
    LID = 5


def position(value: int) -> bytes:
    """Three bytes of a servo (tenths of a degree), motor or mouth (thousandths). Raises ValueError beyond 16 bits."""
    if not -0x8000 <= value <= 0x7FFF:
        raise ValueError(f"{value} does not fit in 16 bits")
    return struct.pack("<hx", value)


def colour(red: int, green: int, blue: int) -> bytes:
    """Three bytes of a light. Raises ValueError outside of 0 to 255."""
    return bytes((red, green, blue))


def position_of(value: bytes) -> int:
    """The number in a servo's, motor's or mouth's three bytes."""
    return int.from_bytes(value[:2], "little", signed=True)


@dataclass(frozen=True, slots=True)
class Hello:
    type: ClassVar[int] = 0x01
    session: int
    version: int = VERSION

    def payload(self) -> bytes:
        return struct.pack("<BH", self.version, self.session)

    @classmethod
    def read(cls, payload: bytes) -> Hello:
        version, session = struct.unpack("<BH", payload)
        return cls(session, version)


@dataclass(frozen=True, slots=True)
class _Empty:
    """A message without a payload."""

    def payload(self) -> bytes:
        return b""


class Heartbeat(_Empty):
    type: ClassVar[int] = 0x02


class Stop(_Empty):
    """Everything to its neutral pose."""

    type: ClassVar[int] = 0x05


class Query(_Empty):
    type: ClassVar[int] = 0x06


class EventAck(_Empty):
    type: ClassVar[int] = 0x07


@dataclass(frozen=True, slots=True)
class Set:
    """Where channels shall be from now on."""

    type: ClassVar[int] = 0x03
    values: dict[int, bytes]
    """Channel number to three bytes, as `position` and `colour` make them."""

    def payload(self) -> bytes:
        return b"".join(bytes((channel,)) + value for channel, value in self.values.items())

    @classmethod
    def read(cls, payload: bytes) -> Set:
        if not payload or len(payload) % 4:
            raise MalformedMessage("a set holds whole entries of four bytes")
        return cls({payload[at]: payload[at + 1 : at + 4] for at in range(0, len(payload), 4)})


@dataclass(frozen=True, slots=True)
class Keyframe:
    channel: int
    milliseconds: int
    """How long the way from the keyframe before takes; 0 to 65535."""
    value: bytes
    smooth: bool = True


@dataclass(frozen=True, slots=True)
class Keyframes:
    """Ways to go, behind those that the device still has."""

    type: ClassVar[int] = 0x04
    entries: tuple[Keyframe, ...]

    def payload(self) -> bytes:
        return b"".join(
            struct.pack("<BBH3s", one.channel, one.smooth, one.milliseconds, one.value) for one in self.entries
        )

    @classmethod
    def read(cls, payload: bytes) -> Keyframes:
        if not payload or len(payload) % 7:
            raise MalformedMessage("keyframes are whole entries of seven bytes")
        found = struct.iter_unpack("<BBH3s", payload)
        return cls(tuple(Keyframe(channel, ms, value, bool(easing)) for channel, easing, ms, value in found))


@dataclass(frozen=True, slots=True)
class Channel:
    """What a device says of one channel, in the units of `position`."""

    kind: Kind
    low: int
    neutral: int
    high: int
    fastest: int


@dataclass(frozen=True, slots=True)
class HelloReply:
    """What a device can do."""

    type: ClassVar[int] = 0x81
    session: int
    firmware: tuple[int, int, int]
    silence_ms: int
    """After so long without a command the device goes to its neutral pose."""
    queue: int
    """Keyframes that each channel can hold."""
    channels: tuple[Channel, ...]
    version: int = VERSION

    def payload(self) -> bytes:
        head = struct.pack("<HB3BHB", self.session, self.version, *self.firmware, self.silence_ms, self.queue)
        entries = (
            struct.pack("<BhhhH", one.kind, one.low, one.neutral, one.high, one.fastest) for one in self.channels
        )
        return head + bytes((len(self.channels),)) + b"".join(entries)

    @classmethod
    def read(cls, payload: bytes) -> HelloReply:
        session, version, *firmware, silence, queue, count = struct.unpack_from("<HB3BHBB", payload)
        if len(payload) != 10 + 9 * count:
            raise MalformedMessage("a hello reply holds as many channels as it says")
        found = struct.iter_unpack("<BhhhH", payload[10:])
        channels = tuple(Channel(Kind(kind), *limits) for kind, *limits in found)
        return cls(session, (firmware[0], firmware[1], firmware[2]), silence, queue, channels, version)


@dataclass(frozen=True, slots=True)
class Ack:
    type: ClassVar[int] = 0x82
    clamped: bool = False
    """A value was out of range, and was moved into it."""
    locked: bool = False
    """Motion is locked (open lid, over-current): servos, motors and mouths were left alone."""

    def payload(self) -> bytes:
        return bytes((self.clamped | self.locked << 1,))

    @classmethod
    def read(cls, payload: bytes) -> Ack:
        (flags,) = payload
        return cls(bool(flags & 1), bool(flags & 2))


@dataclass(frozen=True, slots=True)
class Nack:
    type: ClassVar[int] = 0x83
    reason: Reason
    detail: int = 0

    def payload(self) -> bytes:
        return bytes((self.reason, self.detail))

    @classmethod
    def read(cls, payload: bytes) -> Nack:
        reason, detail = payload
        return cls(Reason(reason), detail)


@dataclass(frozen=True, slots=True)
class State:
    """What a device measures and where its outputs are."""

    type: ClassVar[int] = 0x84
    lid_open: bool
    over_current: bool
    moving: bool
    battery_mv: int
    """0 where nothing measures it."""
    bad_frames: int
    values: tuple[bytes, ...]

    def payload(self) -> bytes:
        flags = self.lid_open | self.over_current << 1 | self.moving << 2
        head = struct.pack("<BHHB", flags, self.battery_mv, self.bad_frames, len(self.values))
        return head + b"".join(self.values)

    @classmethod
    def read(cls, payload: bytes) -> State:
        flags, battery, bad, count = struct.unpack_from("<BHHB", payload)
        if len(payload) != 6 + 3 * count:
            raise MalformedMessage("a state holds as many values as it says")
        values = tuple(payload[at : at + 3] for at in range(6, len(payload), 3))
        return cls(bool(flags & 1), bool(flags & 2), bool(flags & 4), battery, bad, values)


@dataclass(frozen=True, slots=True)
class DeviceEvent:
    """Something happened to the device."""

    type: ClassVar[int] = 0x90
    kind: EventKind
    index: int
    """Which button or touch sensor."""
    value: int
    """1 pressed, touched, open or too much; 0 not; a battery's millivolts."""

    def payload(self) -> bytes:
        return struct.pack("<BBH", self.kind, self.index, self.value)

    @classmethod
    def read(cls, payload: bytes) -> DeviceEvent:
        kind, index, value = struct.unpack("<BBH", payload)
        return cls(EventKind(kind), index, value)


Command = Heartbeat | Set | Keyframes | Stop | Query
Answer = HelloReply | Ack | Nack | State
Message = Hello | Command | EventAck | Answer | DeviceEvent

_WITH_PAYLOAD = {one.type: one for one in (Hello, Set, Keyframes, HelloReply, Ack, Nack, State, DeviceEvent)}
_WITHOUT = {one.type: one for one in (Heartbeat, Stop, Query, EventAck)}


def encode(message: Message, seq: int) -> bytes:
    """One frame, its zero included. Raises ValueError for a payload that is too long or a number that does not fit."""
    try:
        payload = message.payload()
    except struct.error as error:
        raise ValueError(f"{message}: {error}") from error
    return frame(bytes((message.type, seq)) + payload)


def decode(body: bytes) -> tuple[Message, int]:
    """Message and sequence number of a frame's type, seq and payload. Raises MalformedMessage."""
    kind, seq, payload = body[0], body[1], body[2:]
    try:
        if kind in _WITHOUT and not payload:
            return _WITHOUT[kind](), seq
        return _WITH_PAYLOAD[kind].read(payload), seq
    except (KeyError, ValueError, struct.error) as error:
        raise MalformedMessage(f"type 0x{kind:02x} with {len(payload)} bytes of payload: {error}") from error
