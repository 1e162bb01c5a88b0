"""Messages of `PROTOCOL.md` on the wire, as a host sees them. Pure.

`encode` and `decode` are each other's inverse. What a host says stands in `commands`, what a device says in `reports`.
"""

from __future__ import annotations

import struct

from firmware_bridge.commands import (
    AskLimits,
    Command,
    EventAck,
    Heartbeat,
    Hello,
    Keyframe,
    Keyframes,
    Query,
    Set,
    Stop,
)
from firmware_bridge.frames import frame
from firmware_bridge.reports import (
    Ack,
    Answer,
    Channel,
    DeviceEvent,
    EventKind,
    HelloReply,
    Limits,
    Nack,
    Reason,
    State,
)
from firmware_bridge.values import VERSION, Kind, MalformedMessage, colour, position, position_of

__all__ = [
    "VERSION",
    "Ack",
    "Answer",
    "AskLimits",
    "Channel",
    "Command",
    "DeviceEvent",
    "EventAck",
    "EventKind",
    "Heartbeat",
    "Hello",
    "HelloReply",
    "Keyframe",
    "Keyframes",
    "Kind",
    "Limits",
    "MalformedMessage",
    "Message",
    "Nack",
    "Query",
    "Reason",
    "Set",
    "State",
    "Stop",
    "colour",
    "decode",
    "encode",
    "position",
    "position_of",
]

Message = Hello | Command | EventAck | Answer | DeviceEvent

_WITH_PAYLOAD = {
    one.type: one for one in (Hello, Set, Keyframes, AskLimits, HelloReply, Ack, Nack, State, Limits, DeviceEvent)
}
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
