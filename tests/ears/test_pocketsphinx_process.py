"""The protocol between the device and the pocketsphinx process, with a scripted decoder and with the real one."""

from __future__ import annotations

import io
import subprocess
import sys
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.ears import pocketsphinx_process as child
from tests.support.synthetic_user import RATE


class Decoder:
    """Refuses what the real one refuses; its words are the bytes that it was fed."""

    def __init__(self) -> None:
        self._begun = False
        self._words: list[str] = []

    def start_utt(self) -> None:
        if self._begun:
            raise RuntimeError("already begun")
        self._begun, self._words = True, []

    def end_utt(self) -> None:
        if not self._begun:
            raise RuntimeError("not begun")
        self._begun = False

    def process_raw(self, pcm: bytes, no_search: bool, full_utt: bool) -> None:
        assert not no_search
        assert not full_utt
        if not self._begun:
            raise RuntimeError("not begun")
        self._words.append(pcm.hex())

    def hyp(self) -> SimpleNamespace | None:
        return SimpleNamespace(hypstr=" ".join(self._words)) if self._words else None


def answers(stream: bytes) -> list[child.Message]:
    written = io.BytesIO()
    child.serve(io.BytesIO(stream), written, Decoder)
    written.seek(0)
    made = []
    while prefix := written.read(4):
        made.append(child.decode(written.read(child.length_of(prefix))))
    return made


messages = st.builds(child.Message, st.integers(0, 2**32 - 1), st.sampled_from(child.KINDS), st.binary(max_size=200))


requests = st.builds(
    child.Message,
    st.integers(0, 2**32 - 1),
    st.sampled_from([child.START, child.FEED, child.END, child.CANCEL]),
    st.binary(min_size=1, max_size=8),
)


@given(messages)
def test_a_message_arrives_as_it_was_sent(message: child.Message) -> None:
    wire = child.encode(message)
    assert child.length_of(wire[:4]) == len(wire) - 4
    assert child.decode(wire[4:]) == message


@given(st.binary(max_size=40))
def test_bytes_that_are_no_message_are_refused(noise: bytes) -> None:
    try:
        message = child.decode(noise)
    except ValueError:
        return
    assert child.encode(message)[4:] == noise


@given(st.binary(min_size=4, max_size=4))
def test_an_impossible_length_is_refused(prefix: bytes) -> None:
    length = int.from_bytes(prefix, "little")
    if 5 <= length <= child.LONGEST_MESSAGE:
        assert child.length_of(prefix) == length
    else:
        with pytest.raises(ValueError, match=str(length)):
            child.length_of(prefix)


def test_a_message_that_is_too_long_is_not_sent() -> None:
    with pytest.raises(ValueError, match="longer"):
        child.encode(child.Message(1, child.FEED, bytes(child.LONGEST_MESSAGE)))


@given(st.lists(requests, max_size=30))
def test_every_request_in_any_order_gets_its_answer(asked: list[child.Message]) -> None:
    made = answers(b"".join(child.encode(request) for request in asked))
    assert [answer.number for answer in made] == [request.number for request in asked]
    words: list[str] | None = None
    for request, answer in zip(asked, made, strict=True):
        if request.kind in (child.FEED, child.END) and words is None:
            assert answer.kind == child.FAILED
            continue
        if request.kind == child.FEED:
            words = [*(words or []), request.payload.hex()]
        expected = " ".join(words or []) if request.kind in (child.FEED, child.END) else ""
        assert (answer.kind, answer.payload.decode()) == (child.TEXT, expected)
        if request.kind != child.FEED:
            words = [] if request.kind == child.START else None


@given(st.lists(requests, min_size=1, max_size=5), st.data())
def test_a_stream_cut_anywhere_is_answered_up_to_there(asked: list[child.Message], data: st.DataObject) -> None:
    wire = [child.encode(request) for request in asked]
    cut = data.draw(st.integers(0, sum(map(len, wire))))
    whole = 0
    while whole < len(wire) and sum(map(len, wire[: whole + 1])) <= cut:
        whole += 1
    assert len(answers(b"".join(wire)[:cut])) == whole


def test_the_real_engine_says_why_it_cannot_answer() -> None:
    process = subprocess.run(
        [sys.executable, "-m", "companion.ears.pocketsphinx_process"],
        input=child.encode(child.Message(7, child.FEED, bytes(RATE))),
        capture_output=True,
        check=True,
    )
    assert child.decode(process.stdout[4:]) == child.Message(7, child.FAILED, b"no utterance was begun")
