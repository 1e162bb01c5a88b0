"""The second look: what pocketsphinx thinks of a sound that the head may have taken for the word.

Head and pocketsphinx err in different places: their sum misses a third of what either does alone. Only candidates are
looked at, in a process of its own (`companion.ears.keyphrase_process`), while the next frames come in. A process that
died, is slow or cannot be started leaves the head to decide alone.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Sequence

from companion.child_environment import child_environment
from companion.ears.keyphrase_process import ANSWER, LONGEST, READY, REQUEST

LIVE_WAIT_S = 0.15
"""How long a person's wake word waits for the answer at most."""
FILE_WAIT_S = 10.0
"""How long a file does, so that it gives the same result on a busy machine."""


def is_installed() -> bool:
    """Whether pocketsphinx is there to be asked."""
    return importlib.util.find_spec("pocketsphinx") is not None


class KeyphraseProcess:
    """The child, from the building of the engine on; asked about one sound at a time."""

    def __init__(self, words: Sequence[Sequence[str]]) -> None:
        """`words`: the pronunciations of each. Without any there is no child."""
        self._child: subprocess.Popen[bytes] | None = None
        self._unread = 0
        """Bytes of answers that nobody waits for any more."""
        self._ready = False
        if not words or not is_installed():
            return
        command = (sys.executable, "-m", "companion.ears.keyphrase_process", json.dumps(words))
        with contextlib.suppress(OSError):
            self._child = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=child_environment(), bufsize=0
            )

    @property
    def is_there(self) -> bool:
        """Whether there is anybody to ask."""
        return self._child is not None

    def ask(self, word: int, pcm: bytes) -> bool:
        """Ask about the end of this sound. False: there is nobody to ask, or they are not ready yet."""
        child = self._child
        if child is None or child.stdin is None:
            return False
        pcm = pcm[-LONGEST:]
        try:
            child.stdin.write(REQUEST.pack(len(pcm), word) + pcm)
        except OSError:
            self.close()
            return False
        return True

    def answer(self, wait_s: float) -> float | None:
        """The score for what was asked last; None where it takes longer than `wait_s`, or there is nobody."""
        until = time.monotonic() + wait_s
        if not self._ready:
            if self._read(len(READY), until) is None:
                self._unread += ANSWER.size
                return None
            self._ready = True
        while self._unread:
            dropped = self._read(self._unread, until)
            if dropped is None:
                self._unread += ANSWER.size
                return None
            self._unread = 0
        data = self._read(ANSWER.size, until)
        if data is None:
            self._unread += ANSWER.size
            return None
        return float(ANSWER.unpack(data)[0])

    def _read(self, size: int, until: float) -> bytes | None:
        """Bytes of the child, all or none of them."""
        child = self._child
        if child is None or child.stdout is None:
            return None
        data = b""
        while len(data) < size:
            readable, _, _ = select.select([child.stdout], [], [], max(0.0, until - time.monotonic()))
            if not readable:
                self._unread -= len(data)
                return None
            piece = os.read(child.stdout.fileno(), size - len(data))
            if not piece:
                self.close()
                return None
            data += piece
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
