"""How good a wake word is: what it misses of recordings of it, and what it mistakes for it in hours of other sound."""

from __future__ import annotations

import signal
import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, field
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from companion.errors import CompanionError
from companion.events import EAR_RATE, SAMPLE_BYTES
from studio.wakeword.hearing import OWN, SENSITIVITIES, Hearing, Word, frames, processor_time
from studio.wakeword.positives import AFTER_S, BEFORE_S, Sound, in_room, room
from studio.wakeword.rates import Point, at_most_per_hour, at_one_per_hour
from studio.wakeword.sound_files import Part, UnusableSound, blocks, length_s, sound_files

_LONGEST_POSITIVE_S = 30.0
_PIECE_S = 300.0
"""Sound of the negatives that is heard in one go, in one of the processes."""
_WARM_UP_S = 4.0
"""Sound before the middle of a file that is heard with it: more than an engine remembers."""
_MEASURED_S = 60.0
"""Sound over which the processor time is measured."""


@dataclass(frozen=True, slots=True)
class _Said:
    """A recording of the word, and the noise to mix in."""

    part: Part
    seed: int
    noise: Part | None
    snr_db: float


@dataclass(frozen=True, slots=True)
class _Talk:
    """Parts of the negatives that follow each other."""

    parts: tuple[Part, ...]
    warm_up_s: float
    """At the beginning of the first part; there is room noise in its place where that is 0."""
    is_end: bool
    """Whether the last part is the end of its file."""


@dataclass(slots=True)
class _Result:
    positives: list[list[float | None]] = field(default_factory=list)
    """For each recording, at each sensitivity, the delay in seconds; None where it was missed."""
    seconds: float = 0.0
    """Sound of the negatives."""
    alarms: list[int] = field(default_factory=lambda: [0] * len(SENSITIVITIES))
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was found."""

    word: str
    positives: int
    hours: float
    """Length of the negatives."""
    points: tuple[Point, ...]
    """From the lowest sensitivity to the highest."""
    cpu: float
    delay_ms: float | None
    snr_db: float | None
    second_look: bool
    skipped: tuple[str, ...]

    @property
    def own(self) -> Point:
        """The point at the word's own threshold."""
        return next(one for one in self.points if one.sensitivity == OWN)

    def as_json(self) -> dict[str, Any]:
        """What `--json` prints; the keys are a contract (docs/wake-words.md)."""
        own = self.own
        at_one, note = at_one_per_hour(self.points, self.hours)
        return {
            "word": self.word,
            "missed": own.missed,
            "false_alarms_per_hour": own.false_alarms_per_hour,
            "false_alarms_per_hour_at_most": None if own.false_alarms else at_most_per_hour(self.hours),
            "at_one_per_hour": at_one,
            "at_one_per_hour_note": note,
            "cpu": self.cpu,
            "delay_ms": self.delay_ms,
            "threshold": own.threshold,
            "positives": self.positives,
            "negatives_hours": self.hours,
            "snr_db": self.snr_db,
            "second_look": self.second_look,
            "curve": [asdict(one) for one in self.points],
            "skipped": list(self.skipped),
        }


def evaluate(
    word: Word,
    positives: Path,
    negatives: Path,
    *,
    noise: Path | None = None,
    snr_db: float = 10.0,
    jobs: int = 1,
    progress: Callable[[float], None] = lambda _: None,
) -> Evaluation:
    """Let the engine hear all recordings of these folders. `progress` hears the share that is done.

    Raises `CompanionError` where there is nothing to hear, or no engine.
    """
    skipped: list[str] = []
    noises = _usable(noise, skipped) if noise is not None else []
    said = list(_said(_usable(positives, skipped, _LONGEST_POSITIVE_S), noises, snr_db))
    talk = list(_talk(_usable(negatives, skipped)))
    hearing = Hearing(word)
    total = _Result()
    try:
        tasks: list[_Said | _Talk] = [*said, *talk]
        todo, done = sum(map(_seconds, tasks)), 0.0
        for task, result in zip(tasks, _results(tasks, word, hearing, jobs), strict=True):
            total.positives += result.positives
            total.seconds += result.seconds
            total.alarms = [one + more for one, more in zip(total.alarms, result.alarms, strict=True)]
            skipped += result.problems
            done += _seconds(task)
            progress(done / todo)
    finally:
        hearing.close()
    if not total.positives or not total.seconds:
        raise CompanionError(f"nothing could be heard: {skipped[0]}")
    hours = total.seconds / 3600
    points = tuple(
        Point(
            sensitivity,
            threshold,
            sum(delays[at] is None for delays in total.positives) / len(total.positives),
            total.alarms[at],
            total.alarms[at] / hours,
        )
        for at, (sensitivity, threshold) in enumerate(zip(SENSITIVITIES, hearing.thresholds, strict=True))
    )
    own = SENSITIVITIES.index(OWN)
    delays = [delay for one in total.positives if (delay := one[own]) is not None]
    return Evaluation(
        word=word.name,
        positives=len(total.positives),
        hours=hours,
        points=points,
        cpu=processor_time(word, _stretch(talk)),
        delay_ms=round(statistics.median(delays) * 1000) if delays else None,
        snr_db=snr_db if noise is not None else None,
        second_look=hearing.second_look,
        skipped=tuple(dict.fromkeys(skipped)),
    )


def _usable(folder: Path, skipped: list[str], longest_s: float | None = None) -> list[Part]:
    """The whole of each recording in the folder that can be read. Raises `CompanionError` where there is none."""
    found = []
    for path in sound_files(folder):
        try:
            seconds = length_s(path)
            if longest_s is not None and seconds > longest_s:
                raise UnusableSound(f"{path}: lasts {seconds:.0f} s; a positive holds the word once and nothing else")
            found.append(Part(path, 0.0, seconds))
        except UnusableSound as error:
            skipped.append(str(error))
    if not found:
        raise CompanionError(f"{folder}: no file in it can be used; {skipped[-1]}")
    return found


def _said(recordings: Iterable[Part], noises: Sequence[Part], snr_db: float) -> Iterator[_Said]:
    for number, one in enumerate(recordings):
        if not noises:
            yield _Said(one, number, None, snr_db)
            continue
        noise = noises[number % len(noises)]
        wanted = one.stop + BEFORE_S + AFTER_S
        start = float(np.random.default_rng(number).uniform(0, max(noise.stop - wanted, 0.0)))
        yield _Said(one, number, Part(noise.path, start, min(start + wanted, noise.stop)), snr_db)


def _talk(recordings: Iterable[Part]) -> Iterator[_Talk]:
    """Short files together, long ones in pieces."""
    together: list[Part] = []
    for one in recordings:
        if together and sum(part.stop for part in together) + one.stop > _PIECE_S:
            yield _Talk(tuple(together), 0.0, is_end=True)
            together = []
        if one.stop <= _PIECE_S:
            together.append(one)
            continue
        start = 0.0
        while start < one.stop:
            stop = min(start + _PIECE_S, one.stop)
            warm_up = min(_WARM_UP_S, start)
            yield _Talk((Part(one.path, start - warm_up, stop),), warm_up, is_end=stop == one.stop)
            start = stop
    if together:
        yield _Talk(tuple(together), 0.0, is_end=True)


def _seconds(task: _Said | _Talk) -> float:
    parts = (task.part,) if isinstance(task, _Said) else task.parts
    return BEFORE_S + AFTER_S + sum(one.stop - one.start for one in parts)


def _stretch(talk: Sequence[_Talk]) -> Iterator[bytes]:
    """The beginning of the negatives."""
    left = round(_MEASURED_S * EAR_RATE) * SAMPLE_BYTES
    for block in chain.from_iterable(_read(one.parts, []) for one in talk):
        yield block[:left]
        left -= len(block)
        if left <= 0:
            return


def _results(tasks: Sequence[_Said | _Talk], word: Word, hearing: Hearing, jobs: int) -> Iterator[_Result]:
    if jobs == 1 or len(tasks) == 1:
        for task in tasks:
            yield _heard(hearing, task)
        return
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_begin, initargs=(word.given,))
    try:
        yield from pool.map(_hear, tasks)
    except BrokenProcessPool as error:
        raise CompanionError("one of the processes ended, perhaps for want of memory; try --jobs 1") from error
    finally:
        pool.shutdown(cancel_futures=True)


_hearing: Hearing
"""That of a process of the pool."""


def _begin(given: str) -> None:
    global _hearing
    # The parent handles Ctrl-C.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _hearing = Hearing(Word(given))


def _hear(task: _Said | _Talk) -> _Result:
    return _heard(_hearing, task)


def _heard(hearing: Hearing, task: _Said | _Talk) -> _Result:
    hearing.reset()
    return _hear_word(hearing, task) if isinstance(task, _Said) else _hear_talk(hearing, task)


def _hear_word(hearing: Hearing, task: _Said) -> _Result:
    try:
        noise = _sound(task.noise) if task.noise is not None else None
        pcm, end = in_room(_sound(task.part), task.seed, noise, task.snr_db)
    except UnusableSound as error:
        return _Result(problems=[str(error)])
    delays: list[float | None] = [None] * len(SENSITIVITIES)
    for frame in frames([pcm]):
        for at, is_heard in enumerate(hearing.detect(frame)):
            if is_heard and delays[at] is None:
                delays[at] = (frame.end - end) / EAR_RATE
    return _Result([delays])


def _hear_talk(hearing: Hearing, task: _Talk) -> _Result:
    result = _Result()
    before = b"" if task.warm_up_s else room(BEFORE_S)
    after = room(AFTER_S) if task.is_end else b""
    counted_from = len(before) // SAMPLE_BYTES or round(task.warm_up_s * EAR_RATE)
    end = 0
    for frame in frames(chain([before], _read(task.parts, result.problems), [after])):
        end = frame.end
        if end <= counted_from:
            hearing.detect(frame)
            continue
        result.alarms = [one + is_heard for one, is_heard in zip(result.alarms, hearing.detect(frame), strict=True)]
    result.seconds = max(end - counted_from - len(after) // SAMPLE_BYTES, 0) / EAR_RATE
    return result


def _read(parts: Iterable[Part], problems: list[str]) -> Iterator[bytes]:
    for part in parts:
        try:
            yield from blocks(part)
        except UnusableSound as error:
            problems.append(str(error))


def _sound(part: Part) -> Sound:
    sound: Sound = np.frombuffer(b"".join(blocks(part)), "<i2").astype(np.float32)
    return sound
