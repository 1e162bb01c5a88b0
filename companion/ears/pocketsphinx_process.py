"""The child process that runs pocketsphinx, and the protocol between it and its parent.

The binding holds the interpreter lock for hundreds of milliseconds, which would stop the event loop, so it gets its own
process. The process reads requests from stdin, answers each on stdout, and ends when stdin closes, so it never outlives
its parent. Both directions use one message format: length of the rest (4 bytes, little-endian), number of the request
(4 bytes, repeated in the answer), kind (1 byte), payload.

Requests: `s` start, `f` feed (payload: PCM at `EAR_RATE`), `e` end, `c` cancel.
Answers: `t` (payload: the words so far, UTF-8), `x` failure (payload: the reason, UTF-8).
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

LONGEST_MESSAGE = 1 << 20
"""Most bytes after the length field; a longer message means that the stream is out of step."""

START, FEED, END, CANCEL, TEXT, FAILED = b"s", b"f", b"e", b"c", b"t", b"x"
KINDS = (START, FEED, END, CANCEL, TEXT, FAILED)


class Message(NamedTuple):
    number: int
    kind: bytes
    payload: bytes = b""


def encode(message: Message) -> bytes:
    """The bytes of a message. Raises `ValueError` if it is too long."""
    rest = _HEAD.pack(message.number, message.kind) + message.payload
    if len(rest) > LONGEST_MESSAGE:
        raise ValueError(f"a message of {len(rest)} bytes is longer than {LONGEST_MESSAGE}")
    return LENGTH.pack(len(rest)) + rest


def length_of(prefix: bytes) -> int:
    """Read the length field: how many bytes follow. Raises `ValueError` if no message can have that length."""
    (length,) = LENGTH.unpack(prefix)
    if not _HEAD.size <= length <= LONGEST_MESSAGE:
        raise ValueError(f"a message cannot have {length} bytes")
    return int(length)


def decode(rest: bytes) -> Message:
    """Parse what follows the length field. Raises `ValueError` if it is not a message."""
    if len(rest) < _HEAD.size:
        raise ValueError(f"a message cannot have {len(rest)} bytes")
    number, kind = _HEAD.unpack_from(rest)
    if kind not in KINDS:
        raise ValueError(f"there is no message of kind {kind!r}")
    return Message(number, kind, rest[_HEAD.size :])


def serve(requests: BinaryIO, answers: BinaryIO, load: Callable[[], Any]) -> None:
    """Answer requests until stdin closes. `load` makes a `pocketsphinx.Decoder`; called at the first start."""
    recogniser = _Recogniser(load)
    # An incomplete message means that the parent died while writing.
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
    # The parent handles Ctrl-C, and then closes stdin.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(BrokenPipeError):
        serve(sys.stdin.buffer, sys.stdout.buffer, _load)
