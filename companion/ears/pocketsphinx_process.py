"""The process in which pocketsphinx works, and the protocol spoken with it.

Its binding holds the interpreter lock for hundreds of milliseconds, which would stop the event loop; hence a process of
its own. It reads requests from stdin, answers each on stdout, and ends by itself when stdin closes, so it outlives
nobody. Both directions use one message format: length of the rest (4 bytes, little-endian), number (4 bytes, the
request's, repeated in its answer), kind (1 byte), payload.

Requests: `s` start, `f` feed (payload: PCM at `EAR_RATE`), `e` end, `c` cancel.
Answers: `t` (payload: the words so far, UTF-8), `x` (payload: why not, UTF-8).
"""

from __future__ import annotations

import contextlib
import signal
import struct
import sys
from collections.abc import Callable
from typing import Any, BinaryIO, NamedTuple

LENGTH = struct.Struct("<I")
_HEAD = struct.Struct("<Ic")

LONGEST = 1 << 20
"""Bytes behind the length; a longer message means that the stream is out of step."""

START, FEED, END, CANCEL, TEXT, FAILED = b"s", b"f", b"e", b"c", b"t", b"x"
KINDS = (START, FEED, END, CANCEL, TEXT, FAILED)


class Message(NamedTuple):
    number: int
    kind: bytes
    payload: bytes = b""


def encode(message: Message) -> bytes:
    """A message as it travels. Raises `ValueError` for one that is too long."""
    rest = _HEAD.pack(message.number, message.kind) + message.payload
    if len(rest) > LONGEST:
        raise ValueError(f"a message of {len(rest)} bytes is longer than {LONGEST}")
    return LENGTH.pack(len(rest)) + rest


def length_of(prefix: bytes) -> int:
    """Bytes that follow these four. Raises `ValueError` where no message can be that long or that short."""
    (length,) = LENGTH.unpack(prefix)
    if not _HEAD.size <= length <= LONGEST:
        raise ValueError(f"a message cannot have {length} bytes")
    return int(length)


def decode(rest: bytes) -> Message:
    """What follows the length. Raises `ValueError` for bytes that are no message."""
    if len(rest) < _HEAD.size:
        raise ValueError(f"a message cannot have {len(rest)} bytes")
    number, kind = _HEAD.unpack_from(rest)
    if kind not in KINDS:
        raise ValueError(f"there is no message of kind {kind!r}")
    return Message(number, kind, rest[_HEAD.size :])


def serve(requests: BinaryIO, answers: BinaryIO, load: Callable[[], Any]) -> None:
    """Answer requests until they end. `load` makes a `pocketsphinx.Decoder`, at the first start."""
    recogniser = _Recogniser(load)
    # A half message means that the other side died while writing.
    while len(prefix := requests.read(LENGTH.size)) == LENGTH.size:
        length = length_of(prefix)
        rest = requests.read(length)
        if len(rest) < length:
            return
        request = decode(rest)
        try:
            answer = Message(request.number, TEXT, recogniser.answer(request).encode())
        except (RuntimeError, ValueError, OSError) as error:
            answer = Message(request.number, FAILED, str(error).encode())
        answers.write(encode(answer))
        answers.flush()


class _Recogniser:
    def __init__(self, load: Callable[[], Any]) -> None:
        self._load = load
        self._decoder: Any = None
        self._in_utterance = False

    def answer(self, request: Message) -> str:
        if request.kind in (FEED, END) and not self._in_utterance:
            raise ValueError("no utterance was begun")
        if request.kind == FEED:
            self._decoder.process_raw(request.payload, False, False)
        elif self._in_utterance:
            self._in_utterance = False
            self._decoder.end_utt()
        if request.kind == START:
            self._decoder = self._decoder or self._load()
            self._decoder.start_utt()
            self._in_utterance = True
        if request.kind not in (FEED, END):
            return ""
        best = self._decoder.hyp()
        return "" if best is None else str(best.hypstr)


def _load() -> Any:
    from pocketsphinx import Decoder, get_model_path  # type: ignore[import-untyped, import-not-found, unused-ignore]  # has no stubs

    return Decoder(
        hmm=get_model_path("en-us/en-us"),
        lm=get_model_path("en-us/en-us.lm.bin"),
        dict=get_model_path("en-us/cmudict-en-us.dict"),
        loglevel="FATAL",
    )


if __name__ == "__main__":
    # Ctrl-C is the parent's affair; it closes stdin.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(BrokenPipeError):
        serve(sys.stdin.buffer, sys.stdout.buffer, _load)
