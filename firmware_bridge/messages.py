"""Encodes and decodes the messages of `PROTOCOL.md`. Pure.

`encode` makes a frame; `decode` takes the body of one. Messages from the host are defined in `commands`, messages from
the device in `reports`; both are re-exported here.
"""

from __future__ import annotations

import struct

from firmware_bridge.commands import (
    AskLimits,
    Command,
    EventAck,
    Glide,
    Heartbeat,
    Hello,
    Keyframe,
    Keyframes,
    Lock,
    Query,
    Set,
    Stop,
)
from firmware_bridge.frames import encode_frame
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
from firmware_bridge.values import OLDEST_VERSION, VERSION, Kind, MalformedMessage, colour, position, position_of

__all__ = [
    "OLDEST_VERSION",
    "VERSION",
    "Ack",
    "Answer",
    "AskLimits",
    "Channel",
    "Command",
    "DeviceEvent",
    "EventAck",
    "EventKind",
    "Glide",
    "Heartbeat",
    "Hello",
    "HelloReply",
    "Keyframe",
    "Keyframes",
    "Kind",
    "Limits",
    "Lock",
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
    one.type: one
    for one in (Hello, Set, Keyframes, AskLimits, Glide, Lock, HelloReply, Ack, Nack, State, Limits, DeviceEvent)
}
_WITHOUT = {one.type: one for one in (Heartbeat, Stop, Query, EventAck)}


def encode(message: Message, seq: int) -> bytes:
    """The frame of a message, with the final zero. Raises ValueError if its payload or a number in it is too large."""
    try:
        payload = message.payload()
    except struct.error as error:
        raise ValueError(f"{message}: {error}") from error
    return encode_frame(bytes((message.type, seq)) + payload)


def decode(body: bytes) -> tuple[Message, int]:
    """The message and sequence number in the body (type, seq and payload) of a frame. Raises MalformedMessage."""
    kind, seq, payload = body[0], body[1], body[2:]
    try:
        if kind in _WITHOUT and not payload:
            return _WITHOUT[kind](), seq
        return _WITH_PAYLOAD[kind].read(payload), seq
    except (KeyError, ValueError, struct.error) as error:
        raise MalformedMessage(f"type 0x{kind:02x} with {len(payload)} bytes of payload: {error}") from error
