"""The messages from a device to its host (`PROTOCOL.md`, "Device to host"). Pure.

Each message is a frozen dataclass with its type byte; `read` parses what `payload` returns.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

from firmware_bridge.values import VERSION, Kind, MalformedMessage


class Reason(IntEnum):
    """Why a device refused a message."""

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


@dataclass(frozen=True, slots=True)
class Channel:
    """The kind and range of one channel, in the units of `position`."""

    kind: Kind
    low: int
    neutral: int
    high: int
    fastest: int


@dataclass(frozen=True, slots=True)
class HelloReply:
    """The description of a device, in reply to a hello."""

    type: ClassVar[int] = 0x81
    session: int
    firmware: tuple[int, int, int]
    silence_ms: int
    """After this long without a command the device goes to its neutral pose."""
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
    """A value was out of range and was clamped."""
    locked: bool = False
    """Motion is locked (open lid, over-current), so servos, motors and mouths were not moved."""

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
    """The present outputs and measurements of a device."""

    type: ClassVar[int] = 0x84
    lid_open: bool
    over_current: bool
    moving: bool
    held_back: bool
    """A channel waits for current or has to rest."""
    battery_mv: int
    """0 if it is not measured."""
    bad_frames: int
    values: tuple[bytes, ...]

    def payload(self) -> bytes:
        flags = self.lid_open | self.over_current << 1 | self.moving << 2 | self.held_back << 3
        head = struct.pack("<BHHB", flags, self.battery_mv, self.bad_frames, len(self.values))
        return head + b"".join(self.values)

    @classmethod
    def read(cls, payload: bytes) -> State:
        flags, battery, bad, count = struct.unpack_from("<BHHB", payload)
        if len(payload) != 6 + 3 * count:
            raise MalformedMessage("a state holds as many values as it says")
        values = tuple(payload[at : at + 3] for at in range(6, len(payload), 3))
        return cls(bool(flags & 1), bool(flags & 2), bool(flags & 4), bool(flags & 8), battery, bad, values)


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a channel that are not in the hello reply."""

    type: ClassVar[int] = 0x85
    channel: int
    acceleration: int
    """Largest change of speed per second, in the unit of `position`. 0 means no limit, here and in the next fields."""
    longest_ms: int
    """After running for this long it has to rest."""
    rest_ms: int
    """How long it rests then. In the long run it runs for at most longest / (longest + rest), its duty cycle."""
    current_ma: int
    """The current that it draws while it runs."""
    budget_ma: int
    """The current that all channels may draw together. A channel that wants to start waits until this suffices."""

    def payload(self) -> bytes:
        numbers = (self.acceleration, self.longest_ms, self.rest_ms, self.current_ma, self.budget_ma)
        return struct.pack("<B5H", self.channel, *numbers)

    @classmethod
    def read(cls, payload: bytes) -> Limits:
        return cls(*struct.unpack("<B5H", payload))


@dataclass(frozen=True, slots=True)
class DeviceEvent:
    """Something happened to the device."""

    type: ClassVar[int] = 0x90
    kind: EventKind
    index: int
    """Which button or touch sensor."""
    value: int
    """1: pressed, touched, open, over-current; 0: no longer. For a battery: its millivolts."""

    def payload(self) -> bytes:
        return struct.pack("<BBH", self.kind, self.index, self.value)

    @classmethod
    def read(cls, payload: bytes) -> DeviceEvent:
        kind, index, value = struct.unpack("<BBH", payload)
        return cls(EventKind(kind), index, value)


Answer = HelloReply | Ack | Nack | State | Limits
