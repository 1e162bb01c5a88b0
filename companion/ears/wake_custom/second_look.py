"""The second look: what pocketsphinx thinks of a sound that the head may have taken for the word.

Head and pocketsphinx err in different places: their sum misses a third of what either does alone. Only candidates are
looked at, in a process of its own (`companion.ears.keyphrase_process`), while the next frames come in. A process that
died, is slow or cannot be started leaves the head to decide alone.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import json
import math
import os
import select
import subprocess
import sys
import time
from collections.abc import Sequence

from companion.child_environment import child_environment
from companion.config.wake import MOST_WORDS
from companion.ears.keyphrase_process import ANSWER, LONGEST, READY, REQUEST

LIVE_WAIT_S = 0.15
"""How long a person's wake word waits for the answer at most."""
_PIPE = 1 << 20
"""Bytes of questions that wait for a slow child; one that is further behind is ended."""
FILE_WAIT_S = 10.0
"""How long a file does, so that it gives the same result on a busy machine."""


def is_installed() -> bool:
    """Whether pocketsphinx is there to be asked."""
    return importlib.util.find_spec("pocketsphinx") is not None


class KeyphraseProcess:
    """The child, from the building of the engine on. It answers in the order of the questions."""

    def __init__(self, words: Sequence[Sequence[str]]) -> None:
        """`words`: the pronunciations of each. Without any there is no child."""
        self._child: subprocess.Popen[bytes] | None = None
        self._ready = False
        self._asked = 0
        self._answered = 0
        self._begun = b""
        """Of an answer that has not come whole yet."""
        self._scores: dict[int, float] = {}
        """Answers that nobody has taken yet, by the numbers of their questions."""
        if not words or not is_installed():
            return
        command = (sys.executable, "-m", "companion.ears.keyphrase_process", json.dumps(words))
        with contextlib.suppress(OSError):
            self._child = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=child_environment(), bufsize=0
            )
        if self._child is not None and self._child.stdin is not None:
            # One that hangs must not stop the ears: what does not fit into the pipe is not written.
            os.set_blocking(self._child.stdin.fileno(), False)
            with contextlib.suppress(OSError):
                fcntl.fcntl(self._child.stdin, fcntl.F_SETPIPE_SZ, _PIPE)

    @property
    def is_there(self) -> bool:
        """Whether there is anybody to ask."""
        return self._child is not None

    def ask(self, word: int, pcm: bytes) -> int | None:
        """Ask about the end of this sound; the question's number, or None where there is nobody to ask."""
        child = self._child
        if child is None or child.stdin is None:
            return None
        pcm = pcm[-LONGEST:]
        request = REQUEST.pack(len(pcm), word) + pcm
        try:
            written = os.write(child.stdin.fileno(), request)
        except OSError:
            written = 0
        if written < len(request):
            self.close()
            return None
        self._asked += 1
        return self._asked - 1

    def answer(self, question: int, wait_s: float) -> float | None:
        """The score for this question; None where it takes longer than `wait_s`, or there is nobody any more."""
        until = time.monotonic() + wait_s
        while self._answered <= question:
            if (score := self._next_score(until)) is None:
                return None
            self._scores[self._answered] = score
            self._scores.pop(self._answered - MOST_WORDS, None)
            self._answered += 1
        return self._scores.pop(question, None)

    def _next_score(self, until: float) -> float | None:
        if not self._ready:
            if self._read(len(READY), until) is None:
                return None
            self._ready = True
        data = self._read(ANSWER.size, until)
        if data is None:
            return None
        score = float(ANSWER.unpack(data)[0])
        if math.isfinite(score):
            return score
        self.close()
        return None

    def _read(self, size: int, until: float) -> bytes | None:
        """So many bytes of the child; None where they have not come by then."""
        child = self._child
        if child is None or child.stdout is None:
            return None
        while len(self._begun) < size:
            readable, _, _ = select.select([child.stdout], [], [], max(0.0, until - time.monotonic()))
            if not readable:
                return None
            piece = os.read(child.stdout.fileno(), size - len(self._begun))
            if not piece:
                self.close()
                return None
            self._begun += piece
        data, self._begun = self._begun, b""
        return data

    def close(self) -> None:
        """End the child."""
        child, self._child = self._child, None
        if child is None:
            return
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        child.kill()
        child.wait()
