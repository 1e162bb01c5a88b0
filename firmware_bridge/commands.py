"""The messages from a host to a device (`PROTOCOL.md`, "Host to device"). Pure.

Each message is a frozen dataclass with its type byte; `read` parses what `payload` returns.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import ClassVar

from firmware_bridge.values import VERSION, MalformedMessage


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
    """Move everything to its neutral pose."""

    type: ClassVar[int] = 0x05


class Query(_Empty):
    type: ClassVar[int] = 0x06


class EventAck(_Empty):
    type: ClassVar[int] = 0x07


@dataclass(frozen=True, slots=True)
class Set:
    """New values of channels, valid from now on."""

    type: ClassVar[int] = 0x03
    values: dict[int, bytes]
    """Channel number -> three bytes, from `position` or `colour`."""

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
    """Time from the previous keyframe to this one; 0 to 65535."""
    value: bytes
    smooth: bool = True


@dataclass(frozen=True, slots=True)
class Keyframes:
    """Keyframes to append to the queues of the device."""

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
class AskLimits:
    """A request for the limits of one channel."""

    type: ClassVar[int] = 0x08
    channel: int

    def payload(self) -> bytes:
        return bytes((self.channel,))

    @classmethod
    def read(cls, payload: bytes) -> AskLimits:
        (channel,) = payload
        return cls(channel)


@dataclass(frozen=True, slots=True)
class Glide:
    """How fast channels go to the neutral pose by themselves."""

    type: ClassVar[int] = 0x09
    fastest: dict[int, int]
    """Channel number -> largest change per second in the channel's unit; 0: as fast as the device allows."""

    def payload(self) -> bytes:
        return b"".join(struct.pack("<BH", channel, fastest) for channel, fastest in self.fastest.items())

    @classmethod
    def read(cls, payload: bytes) -> Glide:
        if not payload or len(payload) % 3:
            raise MalformedMessage("a glide holds whole entries of three bytes")
        return cls(dict(struct.iter_unpack("<BH", payload)))


@dataclass(frozen=True, slots=True)
class Lock:
    """Whether motion is locked for a reason that the host knows."""

    type: ClassVar[int] = 0x0A
    locked: bool

    def payload(self) -> bytes:
        return bytes((self.locked,))

    @classmethod
    def read(cls, payload: bytes) -> Lock:
        (locked,) = payload
        return cls(bool(locked))


Command = Heartbeat | Set | Keyframes | Stop | Query | AskLimits | Glide | Lock
