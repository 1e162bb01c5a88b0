"""The child process in which pocketsphinx looks for a wake word once more, in a sound that was taken for it.

The binding holds the interpreter lock while it works, hence a process of its own. Its argument is a JSON list: for each
word its pronunciations, in the phonemes of the English model. It reads requests from stdin (bytes of sound, 4 bytes
little-endian, then the word's number, 1 byte, then the sound at `EAR_RATE`), answers each on stdout with a score
(8 bytes, a little-endian double), and ends when stdin closes.
"""

from __future__ import annotations

import contextlib
import json
import math
import signal
import struct
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

REQUEST = struct.Struct("<IB")
ANSWER = struct.Struct("<d")
LONGEST = 16_000 * 2 * 5
"""Bytes of sound in a request; a longer one means that the stream is out of step."""

READY = b"r"
"""Written once, when all is loaded."""

NOWHERE = -8.0
"""The score of a sound in which the word was found nowhere."""


def serve(requests: BinaryIO, answers: BinaryIO, scorers: Sequence[Callable[[bytes], float]]) -> None:
    """Answer requests until stdin closes. `scorers`: one for each word."""
    answers.write(READY)
    answers.flush()
    while len(head := requests.read(REQUEST.size)) == REQUEST.size:
        length, word = REQUEST.unpack(head)
        if length > LONGEST or word >= len(scorers):
            return
        sound = requests.read(length)
        if len(sound) < length:
            return
        answers.write(ANSWER.pack(scorers[word](sound)))
        answers.flush()


def scorer(pronunciations: Sequence[str]) -> Callable[[bytes], float]:
    """What scores a sound (PCM at `EAR_RATE`) for this word: 0 at best, `NOWHERE` at worst.

    The score is the logarithm of how much better the word explains the sound than any other phonemes do, in thousands
    of pocketsphinx's units. The whole sound is normalised at once, which in noise halves the misses of a stream. Raises
    `ValueError` for a phoneme that the model does not have, and `ImportError`.
    """
    from pocketsphinx import Decoder, get_model_path  # type: ignore[import-untyped, import-not-found, unused-ignore]  # has no stubs

    decoder: Any = Decoder(hmm=get_model_path("en-us/en-us"), lm=None, dict=None, kws_threshold=1e-60, loglevel="FATAL")
    last = len(pronunciations) - 1
    for at, pronunciation in enumerate(pronunciations):
        try:
            decoder.add_word("word" if at == 0 else f"word({at + 1})", pronunciation, at == last)
        except RuntimeError as error:
            raise ValueError(f"{pronunciation}: is no pronunciation in English phonemes") from error
    decoder.add_keyphrase("word", "word")
    decoder.activate_search("word")

    def score(pcm: bytes) -> float:
        with warnings.catch_warnings():
            # It is not as unnecessary as the binding says: what was heard before changes the score without it.
            warnings.simplefilter("ignore", DeprecationWarning)
            decoder.start_stream()
        decoder.start_utt()
        decoder.process_raw(pcm, False, True)
        decoder.end_utt()
        if decoder.hyp() is None:
            return NOWHERE
        best = max((segment.prob for segment in decoder.seg()), default=0.0)
        return max(math.log(best) / math.log(1.0001) / 1000, NOWHERE) if best > 0 else NOWHERE

    return score


if __name__ == "__main__":
    # The parent handles Ctrl-C, and then closes stdin.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(BrokenPipeError):
        serve(sys.stdin.buffer, sys.stdout.buffer, [scorer(word) for word in json.loads(sys.argv[1])])
