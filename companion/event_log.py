"""Records events: as JSON lines in the events file, and without spoken text in the log.

docs/events.md describes every kind. The file is written only where the owner names one (`--events`). It contains what
people say, which is its purpose, so only its owner may read it (mode 0600). The log never contains speech unless
`log_transcripts = true`.
"""

from __future__ import annotations

import json
import logging
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Literal, TextIO

from companion.errors import DeviceError
from companion.ports import Clock

log = logging.getLogger("companion")

Kind = Literal[
    "wake",
    "wake_yielded",
    "stop",
    "sound_lost",
    "speech_started",
    "partial",
    "utterance",
    "request",
    "first_token",
    "sentence",
    "blocked",
    "dropped",
    "aside",
    "filler",
    "cue",
    "body",
    "speaking",
    "heard",
    "turn",
    "state",
    "error",
]

_SPOKEN: Final = frozenset({"text"})
"""Fields that contain speech."""
_QUIET: Final = frozenset({"body", "partial"})
"""Kinds that are too frequent for the log."""


class EventLog:
    """Records events. `path` is the events file, or None for the log only.

    Raises `DeviceError` when the file cannot be opened. When writing fails later (a full disk), the file is closed with
    one line in the log, and the conversation goes on.
    """

    def __init__(
        self,
        clock: Clock,
        path: Path | None = None,
        *,
        log_transcripts: bool = False,
        on_event: Callable[[Kind, Mapping[str, Any]], None] = lambda _kind, _fields: None,
    ) -> None:
        """`on_event` gets every event with its fields, speech too: for whoever looks on, not for a log."""
        self.clean: Callable[[str], str] = str
        """Takes private details out of speech before it stands in the log."""
        self._on_event = on_event
        self._clock = clock
        self._log_transcripts = log_transcripts
        self._path = path
        self._file: TextIO | None = None
        if path is not None:
            try:
                # Line-buffered, so that everything up to a power cut can be read.
                self._file = os.fdopen(_open_private(path), "w", encoding="utf-8", buffering=1)
            except OSError as error:
                raise DeviceError(f"{path}: the events cannot be written there: {error.strerror}") from error

    def record(self, kind: Kind, *, t: float | None = None, **fields: Any) -> None:
        """Record one event at the audio time `t`: now, where none is given."""
        self._on_event(kind, fields)
        if self._file is not None:
            line = {"t": round(self._clock.now() if t is None else t, 4), "kind": kind, **fields}
            try:
                self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
            except OSError as error:
                log.error("%s: events are no longer written: %s", self._path, error.strerror)
                self._close_file()
        if kind not in _QUIET:
            speech = {k: self.clean(v) for k, v in fields.items() if k in _SPOKEN} if self._log_transcripts else {}
            shown = {k: speech.get(k, v) for k, v in fields.items() if k not in _SPOKEN or k in speech}
            level = logging.WARNING if kind == "error" else logging.DEBUG
            told = " ".join(f"{key}={value}" for key, value in shown.items())
            log.log(
                level,
                "%s",
                fields["sentence"] if kind == "error" else f"{kind} {told}",
                extra={"fields": {"kind": kind, **shown}},
            )

    def close(self) -> None:
        """Close the events file."""
        self._close_file()

    def _close_file(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            try:
                file.close()
            except OSError as error:
                log.error("%s: the last events are lost: %s", self._path, error.strerror)


def _open_private(path: Path) -> int:
    """For the owner alone, also where the file was there already. Pipes and terminals stay as they are."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    found = os.fstat(descriptor)
    if stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid():
        os.fchmod(descriptor, 0o600)
    return descriptor
