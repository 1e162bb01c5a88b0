"""The terminal on stderr: one line at its bottom that is drawn again and again, and all else above it.

Everything that shares the terminal with such a line is written through the same `Terminal`: the log, the transcript and
the simulated body. ALSA's complaints go into the log (`companion.sound.card`); what other native libraries write
themselves begins at the left edge, over the line.
"""

from __future__ import annotations

import os
import sys
import threading
from functools import lru_cache
from typing import TextIO

_CLEAR = "\r\x1b[2K"
_NARROWEST = 20


class Terminal:
    """Writes text above the bottom line. As a stream it takes whole lines; for `logging` and `print`. Any thread."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._bottom = ""
        self._lock = threading.RLock()

    @property
    def width(self) -> int:
        """Columns that a line may fill."""
        try:
            return max(os.get_terminal_size(self._out.fileno()).columns - 1, _NARROWEST)
        except OSError:
            # Terminals in tests and in some editors have no size.
            return 79

    def draw(self, line: str) -> None:
        """Draw the bottom line anew. Raises `OSError` or `ValueError` where the terminal is gone."""
        with self._lock:
            self._bottom = line
            self._out.write(f"{_CLEAR}{line}\r")
            self._out.flush()

    def end_line(self) -> None:
        """Leave the bottom line where it is: what comes next stands below it."""
        with self._lock:
            if self._bottom:
                self._bottom = ""
                self._out.write("\n")
                self._out.flush()

    def write(self, text: str) -> int:
        """Write text that ends with a line break above the bottom line."""
        with self._lock:
            bottom = f"{self._bottom}\r" if self._bottom else ""
            self._out.write(f"{_CLEAR}{text}{bottom}" if bottom else text)
        return len(text)

    def flush(self) -> None:
        """See `io.TextIOBase.flush`."""
        self._out.flush()


def terminal_on_stderr() -> Terminal | None:
    """The one `Terminal` of this process; None where stderr is no terminal."""
    return _terminal_of(sys.stderr) if sys.stderr is not None and sys.stderr.isatty() else None


@lru_cache(maxsize=1)
def _terminal_of(stream: TextIO) -> Terminal:
    return Terminal(stream)
