"""Frames and messages: what comes off a wire, however bad, and what goes onto it."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge import frames, messages
from firmware_bridge.firmware.micropython.companion_device import frames as board_frames
from firmware_bridge.frames import MOST_PAYLOAD, Receiver, crc16, encode_frame
from firmware_bridge.messages import Ack, Channel, Keyframe, Kind, MalformedMessage, Message, Set, decode, encode

VECTORS = json.loads((Path(frames.__file__).with_name("vectors.json")).read_text("utf-8"))

u8 = st.integers(0, 255)
u16 = st.integers(0, 0xFFFF)
i16 = st.integers(-0x8000, 0x7FFF)
value = st.binary(min_size=3, max_size=3)
body = st.builds(
    lambda head, payload: head + payload, st.binary(min_size=2, max_size=2), st.binary(max_size=MOST_PAYLOAD)
)
channel = st.builds(Channel, st.sampled_from(Kind), i16, i16, i16, u16)

ANY: dict[str, st.SearchStrategy[Any]] = {
    "session": u16,
    "version": u8,
    "values": st.dictionaries(u8, value, min_size=1, max_size=30),
    "entries": st.lists(st.builds(Keyframe, u8, u16, value, st.booleans()), min_size=1, max_size=17).map(tuple),
    "fastest": st.dictionaries(u8, u16, min_size=1, max_size=40),
    "firmware": st.tuples(u8, u8, u8),
    "silence_ms": u16,
    "queue": u8,
    "channels": st.lists(channel, max_size=12).map(tuple),
    "reason": st.sampled_from(messages.Reason),
    "kind": st.sampled_from(messages.EventKind),
    "battery_mv": u16,
    "bad_frames": u16,
    **dict.fromkeys(("clamped", "locked", "lid_open", "over_current", "moving", "held_back"), st.booleans()),
    **dict.fromkeys(("acceleration", "longest_ms", "rest_ms", "current_ma", "budget_ma"), u16),
}
TYPES = [one for part in get_args(Message) for one in (get_args(part) or (part,))]


def received(data: bytes) -> list[bytes]:
    return list(Receiver().feed(data))


def received_on_board(data: bytes) -> list[bytes]:
    receiver = board_frames.Receiver()
    return [found for byte in data if (found := receiver.take(byte)) is not None]


BOTH = pytest.mark.parametrize("receive", [received, received_on_board], ids=["host", "micropython"])
Receive = Callable[[bytes], list[bytes]]


@pytest.mark.parametrize("one", VECTORS["crc"], ids=lambda one: one["bytes"][:20])
def test_the_checksum_matches_the_vectors(one: dict[str, Any]) -> None:
    assert crc16(bytes.fromhex(one["bytes"])) == board_frames.crc16(bytes.fromhex(one["bytes"])) == one["crc"]


def test_the_checksum_has_its_published_check_value() -> None:
    assert crc16(b"123456789") == 0x29B1


@BOTH
@pytest.mark.parametrize("one", VECTORS["frames"], ids=lambda one: one["name"])
def test_frames_of_the_vectors(one: dict[str, str], receive: Receive) -> None:
    wanted, wire = bytes.fromhex(one["body"]), bytes.fromhex(one["wire"])
    assert encode_frame(wanted) == board_frames.write(wanted) == wire
    assert receive(wire) == [wanted]


@BOTH
@pytest.mark.parametrize("one", VECTORS["broken"], ids=lambda one: one["name"])
def test_broken_frames_of_the_vectors_are_dropped_and_the_next_is_not(one: dict[str, str], receive: Receive) -> None:
    good = bytes.fromhex(VECTORS["frames"][0]["wire"])
    assert receive(bytes.fromhex(one["wire"]) + good) == [bytes.fromhex(VECTORS["frames"][0]["body"])]


@pytest.mark.parametrize("one", VECTORS["messages"], ids=lambda one: one["type"])
def test_messages_of_the_vectors(one: dict[str, Any]) -> None:
    wire = bytes.fromhex(one["wire"])
    (found,) = received(wire)
    message, seq = decode(found)
    assert (type(message).__name__, seq) == (one["type"], one["seq"])
    assert plain(message) == one["fields"]
    assert encode(message, seq) == wire


def test_the_micropython_device_passes_the_vectors_under_micropython() -> None:
    """MicroPython where it is installed, else the Python that runs this."""
    folder = Path(frames.__file__).parent / "firmware" / "micropython"
    python = shutil.which("micropython") or sys.executable
    path = str(Path(frames.__file__).with_name("vectors.json"))
    done = subprocess.run([python, "check_vectors.py", path], cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, f"{len(VECTORS['exchange'])} steps, 0 differences\n")


def test_the_vectors_show_every_message() -> None:
    assert {one["type"] for one in VECTORS["messages"]} == {one.__name__ for one in TYPES}


@given(st.data(), u8)
def test_every_message_survives_the_wire(data: st.DataObject, seq: int) -> None:
    kind = data.draw(st.sampled_from(TYPES))
    given_fields: dict[str, Any] = {}
    for field in dataclasses.fields(kind):
        strategy = ANY.get(field.name, u8)
        if (kind, field.name) == (messages.State, "values"):
            strategy = st.lists(value, max_size=30).map(tuple)
        if (kind, field.name) == (messages.DeviceEvent, "value"):
            strategy = u16
        given_fields[field.name] = data.draw(strategy)
    message = kind(**given_fields)
    (found,) = received(encode(message, seq))
    assert decode(found) == (message, seq)


@given(body)
def test_a_frame_holds_one_zero_at_its_end(sent: bytes) -> None:
    assert encode_frame(sent).index(0) == len(encode_frame(sent)) - 1


@BOTH
@given(bodies=st.lists(body, max_size=5), cuts=st.lists(st.integers(1, 40)))
def test_bytes_may_come_in_any_pieces(receive: Receive, bodies: list[bytes], cuts: list[int]) -> None:
    wire = b"".join(map(encode_frame, bodies))
    assert receive(wire) == bodies
    receiver, found = Receiver(), []
    for cut in [*cuts, len(wire)]:
        piece, wire = wire[:cut], wire[cut:]
        found += list(receiver.feed(piece))
    assert [*found, *receiver.feed(wire)] == bodies


@BOTH
@given(noise=st.binary(max_size=300), sent=body)
def test_a_frame_after_noise_is_found_after_the_next_zero(receive: Receive, noise: bytes, sent: bytes) -> None:
    assert receive(noise + b"\0" + encode_frame(sent))[-1] == sent


@given(noise=st.binary(max_size=600))
def test_host_and_board_agree_on_noise(noise: bytes) -> None:
    assert received(noise) == received_on_board(noise)


@BOTH
@given(sent=body, at=st.integers(0, 200), flip=st.integers(1, 255))
def test_a_frame_with_one_wrong_byte_is_never_accepted(receive: Receive, sent: bytes, at: int, flip: int) -> None:
    wire = bytearray(encode_frame(sent))
    wire[at % len(wire)] ^= flip
    assert sent not in receive(bytes(wire) + b"\0") or bytes(wire[:-1]) == encode_frame(sent)[:-1]


def test_what_was_dropped_is_counted() -> None:
    receiver = Receiver()
    list(receiver.feed(b"\x05\x01\x02\0\0\0" + encode_frame(b"\x02\x01") + bytes([7] * 500)))
    assert receiver.bad_frames == 1
    assert list(receiver.feed(b"\0" + encode_frame(b"\x02\x02"))) == [b"\x02\x02"]
    assert receiver.bad_frames == 2


@given(body)
def test_a_body_is_a_message_or_malformed(sent: bytes) -> None:
    try:
        message, seq = decode(sent)
    except MalformedMessage:
        return
    assert (message.type, seq) == (sent[0], sent[1])


def test_a_message_that_no_frame_can_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 120 bytes"):
        encode(Set({number: messages.position(0) for number in range(31)}), 0)
    with pytest.raises(ValueError, match="16 bits"):
        messages.position(40_000)
    with pytest.raises(ValueError, match="256"):
        messages.colour(256, 0, 0)
    assert encode(Ack(), 255)


def plain(thing: Any) -> Any:
    """A message's fields as the vectors write them."""
    if isinstance(thing, bytes):
        return thing.hex()
    if isinstance(thing, dict):
        return {str(key): plain(one) for key, one in thing.items()}
    if isinstance(thing, tuple):
        return [plain(one) for one in thing]
    if dataclasses.is_dataclass(thing):
        return {field.name: plain(getattr(thing, field.name)) for field in dataclasses.fields(thing)}
    return thing
