"""Windows for the training: synthetic people in synthetic rooms, as the head will see them. In several processes.

A window is `context` embeddings (context * 96 float32). A piece of work depends on its own seed only, so the result is
the same with any number of processes.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import soxr  # type: ignore[import-untyped]  # has no stubs
from numpy.typing import NDArray

from companion.ears.wake_custom.embeddings import SPAN, STEP, Networks
from companion.ears.wake_custom.head import windows
from companion.events import EAR_RATE
from studio.wakeword.rooms import Rooms, placed

Sound = NDArray[np.float32]
Numbers = NDArray[np.float32]

CONTEXT = 9
"""Embeddings of a window: it sees 1.4 s."""

_AFTER = round(0.32 * EAR_RATE)
"""Samples after the end of the word in which a window may end that holds it."""
_PIECE = 2 * EAR_RATE
_LONG_PIECE = round(2.6 * EAR_RATE)
"""For other sounds, so that there are windows in which they have only begun: talk is full of those, and a head that
does not know them takes every beginning for the word."""
_TALK = 6 * EAR_RATE


@dataclass(frozen=True, slots=True)
class Work:
    """Sounds to be put into rooms: one by one (`word`, `near`), or in a row (`talk`)."""

    kind: str
    sounds: Sequence[Sound]
    seed: tuple[int, ...]


class Maker:
    """Makes the windows of pieces of work, in `processes` processes."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self._pool = pool

    def made(self, work: Sequence[Work]) -> Iterator[Numbers]:
        """The windows (n, CONTEXT * 96) of each piece of work, in their order."""
        yield from self._pool.map(_made, work)

    def pieces(self, work: Sequence[Work]) -> Iterator[list[tuple[Sound, Numbers]]]:
        """The sounds themselves, in rooms, with their embeddings: for choosing thresholds."""
        yield from self._pool.map(_pieces, work)


@contextmanager
def maker(talk: Sequence[Sound], seed: int, processes: int) -> Iterator[Maker]:
    """`talk`: what synthetic people say, for babble and for before and after the word."""
    # The processes inherit it. Networks and matrices are small: threads of their own would only wait for each other.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), _begin, (talk, seed)) as pool:
        yield Maker(pool)


class _Worker:
    """What a process keeps from one piece of work to the next."""

    networks: Networks
    rooms: Rooms
    talk: Sequence[Sound]


def _begin(talk: Sequence[Sound], seed: int) -> None:
    _Worker.networks = Networks()
    _Worker.talk = talk
    _Worker.rooms = Rooms(np.random.default_rng([seed, 0]), np.concatenate(talk))


def _made(work: Work) -> Numbers:
    found = []
    for sound, end in _in_rooms(work):
        embeddings = _Worker.networks.of(sound)
        seen = windows(embeddings, CONTEXT)
        # Where each window ends.
        ends = (np.arange(len(seen)) + CONTEXT - 1) * STEP + SPAN
        if work.kind == "word":
            seen = seen[(ends > end) & (ends < end + _AFTER)]
        found.append(seen)
    return np.concatenate(found) if found else np.zeros((0, CONTEXT * 96), np.float32)


def _pieces(work: Work) -> list[tuple[Sound, Numbers]]:
    return [(sound, _Worker.networks.of(sound)) for sound, _ in _in_rooms(work)]


def _in_rooms(work: Work) -> Iterator[tuple[Sound, int]]:
    """Each sound in a room, and where the word in it ends."""
    random = np.random.default_rng(work.seed)
    rooms, talk = _Worker.rooms, _Worker.talk
    if work.kind == "talk":
        row = np.concatenate([work.sounds[at] for at in random.permutation(len(work.sounds))])
        for at in range(0, len(row) - _TALK + 1, _TALK):
            yield rooms.heard(row[at : at + _TALK].copy(), random), 0
        return
    if work.kind == "noise":
        for _ in range(len(work.sounds)):
            noise = rooms.noise(_PIECE, random) * np.float32(10 ** random.uniform(1, 3.5))
            yield np.clip(noise, -32768, 32767), 0
        return
    for sound in work.sounds:
        spoken = sound
        if work.kind == "word" and random.random() < 0.7:
            # A larger or a smaller person.
            spoken = soxr.resample(sound, EAR_RATE, EAR_RATE * random.uniform(0.85, 1.15), quality="LQ")
        length = _PIECE if work.kind == "word" else _LONG_PIECE
        end = length - round(0.36 * EAR_RATE) - int(random.integers(STEP))
        yield rooms.heard(placed(spoken.astype(np.float32), end, length, talk, random), random), end
