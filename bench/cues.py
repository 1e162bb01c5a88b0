"""How exactly the body keeps time with the voice, on a real clock, with a core kept busy beside it.

    .venv/bin/python -m bench.cues [--cues 200] [--idle]

A loudspeaker that plays nothing counts samples by the monotonic clock. What is spoken lies on a timeline with a cue at
a chance sample about every quarter of a second, and with mouth openings that come from loudness (`mouth_openings`) of
noise in syllables. It is animated as a turn does it. Measured at a Body:

* from the moment in which a cue's sample leaves the loudspeaker to the first frame that shows it;
* the mouth against the loudness of the same sound: correlation, and the lag at which it is greatest;
* barge-in: from `relax` to the last frame that still moves.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import subprocess
import sys
import time
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from companion.animator import Animator
from companion.body.choreography import load_choreography
from companion.body.performer import Performer
from companion.body.timeline import Timeline
from companion.config.body import ChannelSettings
from companion.event_log import EventLog
from companion.events import EMOTIONS, MOUTH_STEP, BodyFrame, Cue, PlacedCue, SpeechChunk, SynthesizedSpeech
from companion.sound.card import MonotonicClock
from companion.voice.lipsync import mouth_openings

RATE = 22_050
CHANNELS = {
    "glow": ChannelSettings(kind="light"),
    "head": ChannelSettings(kind="servo", low=-60, high=60),
    "tilt": ChannelSettings(kind="servo", low=-25, high=25),
    "left_arm": ChannelSettings(kind="servo", low=-20, high=110),
    "right_arm": ChannelSettings(kind="servo", low=-20, high=110),
    "mouth": ChannelSettings.model_validate({"kind": "mouth"}),
}


class WatchingPerformer(Performer):
    """Knows how many cues the next frame will show."""

    cues = 0

    def play_cue(self, cue: Cue, t: float) -> None:
        super().play_cue(cue, t)
        self.cues += 1


class WatchingBody:
    """Notes when it was shown what."""

    def __init__(self, performer: WatchingPerformer) -> None:
        self._performer = performer
        self.frames: list[tuple[float, BodyFrame, int]] = []

    async def show(self, frame: BodyFrame) -> None:
        self.frames.append((time.monotonic(), frame, self._performer.cues))

    async def close(self) -> None:
        """Nothing to close."""


def speech(seconds: float, chance: random.Random) -> bytes:
    """Noise in syllables: about four a second, with pauses."""
    noise = np.random.default_rng(chance.randrange(2**32)).normal(0, 1, round(seconds * RATE))
    t = np.arange(len(noise)) / RATE
    loud = np.clip(np.sin(2 * np.pi * 2.1 * t) * (1 + 0.6 * np.sin(2 * np.pi * 0.37 * t)), 0, 1.6) / 1.6
    return (noise * loud * 6000).clip(-32768, 32767).astype("<i2").tobytes()


def loudness(pcm: bytes) -> npt.NDArray[np.float64]:
    """Root mean square of each mouth step."""
    samples = np.frombuffer(pcm, "<i2").astype(float)
    step = round(RATE * MOUTH_STEP)
    whole = samples[: len(samples) // step * step].reshape(-1, step)
    level: npt.NDArray[np.float64] = np.sqrt((whole**2).mean(axis=1))
    return level


async def measure(cues: int) -> None:
    chance = random.Random(1)
    places, at = [], 0.3
    for _ in range(cues):
        at += chance.uniform(0.12, 0.4)
        places.append(round(at * RATE))
    pcm = speech(at + 1.0, chance)
    names = [name for name in EMOTIONS if name != "neutral"]
    placed = tuple(
        PlacedCue(place, Cue(names[number % len(names)], None, 1.0, 0, "emoji")) for number, place in enumerate(places)
    )
    chunk = SpeechChunk(pcm, RATE, "", placed, mouth_openings(SynthesizedSpeech(pcm), RATE))
    timeline = Timeline()
    timeline.add(0, chunk)
    performer = WatchingPerformer(load_choreography(None), CHANNELS, seed=1)
    body = WatchingBody(performer)
    clock = MonotonicClock()
    animator = Animator(performer, [body], clock, EventLog(clock))
    animator.show_state("speaking")
    async with asyncio.TaskGroup() as group:
        running = group.create_task(animator.run())
        began = time.monotonic()
        while (position := round((time.monotonic() - began) * RATE)) < chunk.samples:
            for cue in timeline.due(position):
                animator.play_cue(cue)
            animator.set_mouth(timeline.mouth(position))
            await clock.sleep(timeline.next_check_s(position, RATE))
        interrupted = time.monotonic()
        animator.relax()
        animator.show_state("listening")
        await clock.sleep(1.5)
        running.cancel()
    report_cues(places, body, began)
    report_mouth(pcm, body, began, chunk.samples / RATE)
    report_barge_in(body, interrupted)


def report_cues(places: list[int], body: WatchingBody, began: float) -> None:
    late, seen = [], 0
    for shown, _, count in body.frames:
        while seen < count:
            late.append((shown - began - places[seen] / RATE) * 1000)
            seen += 1
    row = " ".join(
        f"{name} {np.percentile(late, share):.1f}" for name, share in (("p50", 50), ("p95", 95), ("p99", 99))
    )
    print(f"cue's sample -> frame at the body, ms: {row} max {max(late):.1f}  n {len(late)}")
    gaps = np.diff([shown for shown, _, _ in body.frames]) * 1000
    print(f"frames: {len(body.frames)}, least distance {gaps.min():.1f} ms, median {np.median(gaps):.1f} ms")


def report_mouth(pcm: bytes, body: WatchingBody, began: float, seconds: float) -> None:
    times = np.array([shown - began for shown, _, _ in body.frames])
    mouths = np.array([frame.positions["mouth"] for _, frame, _ in body.frames])
    heard = loudness(pcm)
    middle = (np.arange(len(heard)) + 0.5) * MOUTH_STEP
    grid = np.arange(0.5, seconds - 0.5, 0.005)
    loud = np.interp(grid, middle, heard)
    best = max(
        (float(np.corrcoef(loud, mouths[np.searchsorted(times, grid + lag, "right") - 1])[0, 1]), lag)
        for lag in np.arange(-0.05, 0.2, 0.005)
    )
    level = float(np.corrcoef(loud, mouths[np.searchsorted(times, grid, "right") - 1])[0, 1])
    print(f"mouth against loudness: correlation {best[0]:.3f} at a lag of {best[1] * 1000:.0f} ms, {level:.3f} at none")


def report_barge_in(body: WatchingBody, interrupted: float) -> None:
    behind = [(shown - interrupted, frame.positions) for shown, frame, _ in body.frames if shown >= interrupted]
    moved = [after[0] for before, after in pairwise(behind) if before[1] != after[1]]
    print(f"barge-in -> listening pose: {max(moved, default=0.0) * 1000:.0f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cues", type=int, default=200)
    parser.add_argument("--idle", action="store_true", help="without the process that burns a core")
    options = parser.parse_args()
    burner = None if options.idle else subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        asyncio.run(measure(options.cues))
    finally:
        if burner is not None:
            burner.kill()
            burner.wait()


if __name__ == "__main__":
    main()
