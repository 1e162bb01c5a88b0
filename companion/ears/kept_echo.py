"""What the echo guard learned, kept in the state folder: after a restart it knows its own voice at once.

It says how the loudspeaker is heard by the microphone, and nothing of any person or of what was said. The guard tries
it before it relies on it, so what belongs to another card or room is harmless. A damaged file counts as none.
"""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path
from typing import Self

import numpy as np

from companion.ears.echo_guard import BANDS, EchoGuard, Known
from companion.storage import create_private_folder, read_plain_file, state_folder, write_atomically

log = logging.getLogger("companion")

FILE = "echo.json"

_LONGEST = 64_000
_MOST_FRAMES = 100
_EVERY_S = 60.0
_CHANGED = 0.25
"""The share of the echo that must be another for it to be worth a write to the card: 4.4 dB."""


class KeptEcho:
    """Of one unit. Used on the event loop; the file is read when it is made, and written on another thread."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._written = read(self._path)
        self._guard: EchoGuard | None = None
        self._complained = False

    @classmethod
    def of_unit(cls) -> Self | None:
        """In the unit's state folder; None for a user without a home folder."""
        try:
            return cls(state_folder())
        except RuntimeError:
            return None

    def new_guard(self, samples: int) -> EchoGuard:
        """A guard that begins with what is known, and whose learning is kept from here on."""
        self._guard = EchoGuard(samples, self._written)
        return self._guard

    async def run(self) -> None:
        """Write what was learned from time to time, and in the end: when this is cancelled."""
        try:
            while True:
                await asyncio.sleep(_EVERY_S)
                await self.save()
        finally:
            await self.save()

    async def save(self) -> None:
        """Write what the guard knows where that has changed."""
        known, before = None if self._guard is None else self._guard.known, self._written
        if known is None or (before is not None and known.change_from(before) < _CHANGED):
            return
        self._written = known
        try:
            await asyncio.to_thread(self._write, known)
        except OSError as error:
            if not self._complained:
                log.warning("What was learned of the echo cannot be kept in %s: %s", self._path, error.strerror)
            self._complained = True

    def _write(self, known: Known) -> None:
        create_private_folder(self._path.parent)
        write(self._path, known)


def write(path: Path, known: Known) -> None:
    """Write the file, into a folder that is there. Raises `OSError`."""
    gains = [[float(f"{one:.3g}") for one in row] for row in known.gains.tolist()]
    margin = [round(one, 2) for one in known.margin.tolist()]
    told = {"samples": known.samples, "gains": gains, "margin": margin}
    write_atomically(path, json.dumps(told).encode())


def read(path: Path) -> Known | None:
    """What the file says; None where there is none, or none that can be used."""
    try:
        told = json.loads(read_plain_file(path, _LONGEST) or b"null")
        gains, margin = np.array(told["gains"], np.float64), np.array(told["margin"], np.float64)
        known = Known(int(told["samples"]), gains, margin)
    except (OSError, ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None
    if gains.ndim != 2 or not 0 < len(gains) <= _MOST_FRAMES or gains.shape[1] != BANDS or margin.shape != (BANDS,):
        return None
    return known if np.isfinite(gains).all() and np.isfinite(margin).all() else None
