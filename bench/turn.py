"""How long a person waits, over a real sound card path: from the end of their speech to the first sound of the answer.

    .venv/bin/python -m bench.turn [--turns 20] [--set KEY=VALUE]

The daemon is a process of its own with real PortAudio streams on a virtual card. The person is espeak-ng, the voice is
espeak-ng; the transcriber (100 ms) and the service (200 ms to the first token, 25 ms a token) have known speeds. All
else is as the product's settings are, unless `--set` says otherwise. Both channels are in one recording, so the figures
do not depend on any program's own clock. bench/interrupt.py measures talking over it.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.idle import cpu_seconds, tree
from bench.report import row, summary
from bench.scripted import FIRST_TOKEN_S, TOKEN_S, TRANSCRIBE_S, ScriptedService
from bench.sound_card import RATE, VirtualCard, channels
from bench.talk import call_and_question, play, unit, until

STAGES = (
    *("endpoint", "transcribe", "request", "first_token", "first_sentence"),
    *("ready", "allowed", "first_sound", "total", "first_cue"),
)
LOUD = 300
"""Samples above this are sound."""


def runs(sound: npt.NDArray[np.int16], gap_s: float) -> list[tuple[int, int]]:
    """Stretches of sound, in samples, that are at least `gap_s` apart."""
    loud = np.flatnonzero(np.abs(sound.astype(np.int32)) > LOUD)
    if not len(loud):
        return []
    breaks = np.flatnonzero(np.diff(loud) > gap_s * RATE)
    starts = [loud[0], *loud[breaks + 1]]
    ends = [*loud[breaks], loud[-1]]
    return [(int(a), int(b)) for a, b in zip(starts, ends, strict=True)]


def measure(turns: int, settings: Sequence[str], folder: Path) -> None:
    call, ask = call_and_question(folder)
    events, raw = folder / "events.jsonl", folder / "both.raw"
    with ScriptedService() as base_url, VirtualCard() as card:
        started = time.monotonic()
        with unit(card, base_url, events, folder, ["cues.channel=inferred", *settings]) as daemon:
            until(events, "state", 1)
            print(f"from the start of the process to listening: {(time.monotonic() - started) * 1000:.0f} ms")
            recorder = card.record(raw)
            time.sleep(1.0)
            before = sum(map(cpu_seconds, tree(daemon.pid)))
            for number in range(turns):
                play(card, call)
                time.sleep(0.5)
                play(card, ask)
                until(events, "turn", number + 1)
                time.sleep(0.6)
            recorder.terminate()
            used = sum(map(cpu_seconds, tree(daemon.pid))) - before
            print(f"processor time a turn: {used / turns:.2f} s")
    report(raw, events)


def report(raw: Path, events: Path) -> None:
    heard, said = channels(raw)
    user, device = runs(heard, 0.3), runs(said, 0.45)
    waits, answered = [], 0
    for start, _ in device:
        before = [end for _, end in user if answered < end <= start]
        # Without new words before it, it is a further sentence.
        if before:
            waits.append((start - before[-1]) / RATE * 1000)
            answered = start
    known = (TRANSCRIBE_S + FIRST_TOKEN_S + 8 * TOKEN_S) * 1000
    print(f"known parts: transcriber 100 + first token 200 + 8 tokens = {known:.0f} ms")
    print(row("end of speech -> first sound at the loudspeaker, ms", waits))
    noted = [json.loads(line) for line in events.read_text().split("\n")[:-1]]
    turns = [event["latency_ms"] for event in noted if event["kind"] == "turn"]
    stages = {name: [turn[name] for turn in turns if name in turn] for name in STAGES}
    for name, values in stages.items():
        print(row(f"  by the daemon: {name}", values))
    told = {name: summary(values) for name, values in stages.items()}
    print(json.dumps({"bench": "turn", "first_sound_ms": summary(waits), "stages_ms": told}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=20)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(options.turns, options.set, Path(folder))


if __name__ == "__main__":
    main()
