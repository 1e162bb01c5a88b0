"""What a host may say to a device, for tests that say anything."""

from __future__ import annotations

from hypothesis import strategies as st

from firmware_bridge.messages import (
    Ack,
    AskLimits,
    EventAck,
    Glide,
    Heartbeat,
    Hello,
    Keyframe,
    Keyframes,
    Lock,
    Message,
    Query,
    Set,
    Stop,
)
from firmware_bridge.simulator import INPUTS, Simulator

NO_CHANNEL = 8
"""The first number that the device does not have."""

_value = st.binary(min_size=3, max_size=3)
_keyframe = st.builds(Keyframe, st.integers(0, NO_CHANNEL), st.integers(0, 400), _value, st.booleans())

MESSAGES: st.SearchStrategy[Message] = st.one_of(
    st.builds(Hello, st.integers(0, 2), st.sampled_from([2, 2, 2, 1, 3])),
    st.sampled_from([Heartbeat(), Stop(), Query(), EventAck(), Ack()]),
    st.builds(AskLimits, st.integers(0, NO_CHANNEL)),
    st.builds(Glide, st.dictionaries(st.integers(0, NO_CHANNEL), st.integers(0, 65535), min_size=1, max_size=9)),
    st.builds(Lock, st.booleans()),
    st.builds(Set, st.dictionaries(st.integers(0, NO_CHANNEL), _value, min_size=1, max_size=9)),
    st.lists(_keyframe, min_size=1, max_size=5).map(lambda entries: Keyframes(tuple(entries))),
)
NOISE = st.binary(max_size=40)
ACTIVE = st.integers(0, (1 << len(INPUTS)) - 1)
"""Which inputs are not at rest, one bit each."""


def activate(device: Simulator, active: int) -> None:
    """Set all inputs of the simulator."""
    for number, (kind, index, *_) in enumerate(INPUTS):
        device.activate(kind, index, active=bool(active >> number & 1))
