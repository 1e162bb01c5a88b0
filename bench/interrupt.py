"""How long the character goes on speaking when somebody speaks over it, over a real sound card path.

    .venv/bin/python -m bench.interrupt [FOLDER] [--times 10] [--set KEY=VALUE]

The daemon is a process of its own on a virtual card, with engines of known speed (bench/scripted.py). Into its answers
somebody speaks: a recording from FOLDER, or espeak-ng. Measured in one recording of both sides: from the onset of the
speech to the last sound of the answer (`conversation.barge_in = "speech"`), and the same for the wake word, where that
alone stops it (`"wake"`): from its onset, and from its end, as it can be known only then.
"""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.report import row, summary
from bench.scripted import ScriptedService
from bench.sound_card import RATE, VirtualCard, channels
from bench.talk import call_and_question, play, unit, until, user_wav
from bench.turn import runs

INTO_S = 1.5
"""So long after its first sound the answer is interrupted: too late to take it back."""


def talk_over(barge_in: str, sounds: Sequence[Path], times: int, settings: Sequence[str], folder: Path) -> Path:
    """Let a daemon answer and be interrupted so many times; the recording of both sides."""
    call, ask = call_and_question(folder)
    events, raw = folder / f"{barge_in}.jsonl", folder / f"{barge_in}.raw"
    own = [f"conversation.barge_in={barge_in}", "memory.mode=off"]
    with ScriptedService() as base_url, VirtualCard() as card, unit(card, base_url, events, folder, [*own, *settings]):
        until(events, "state", 1)
        recorder = card.record(raw)
        time.sleep(1.0)
        answers = 0
        for sound in itertools.islice(itertools.cycle(sounds or [call]), times):
            play(card, call)
            time.sleep(0.5)
            play(card, ask)
            until(events, "speaking", answers + 1)
            time.sleep(INTO_S)
            play(card, sound)
            until(events, "turn", answers + 1)
            answers = settled(events)
        recorder.terminate()
        recorder.wait()
    return raw


def settled(events: Path, patience_s: float = 40.0) -> int:
    """Wait until nobody speaks or thinks any more; how many answers there were."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        noted = [json.loads(line) for line in events.read_text().split("\n")[:-1]]
        states = [one["state"] for one in noted if one["kind"] == "state"]
        if states[-1] == "idle":
            return sum(one["kind"] == "speaking" for one in noted)
        time.sleep(0.1)
    raise SystemExit("the daemon did not come to rest; its events so far:\n" + events.read_text()[-2000:])


def silences(raw: Path) -> tuple[list[float], list[float]]:
    """Of every sound that began amid an answer: ms from its onset, and from its end, to the end of the answer."""
    heard, said = channels(raw)
    user, device = runs(heard, 0.5), runs(said, 0.45)
    found = [(start, end, stopped) for began, stopped in device for start, end in user if began < start < stopped]
    from_onset = [(stopped - start) / RATE * 1000 for start, _, stopped in found]
    return from_onset, [(stopped - end) / RATE * 1000 for _, end, stopped in found]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        if options.folder:
            sounds = sorted(one for one in options.folder.iterdir() if one.suffix in (".flac", ".wav"))
        else:
            sounds = [folder / "wait.wav"]
            user_wav(sounds[0], "wait a moment please, I mean the other garden")
        by_speech, _ = silences(talk_over("speech", sounds, options.times, options.set, folder))
        by_wake, after_wake = silences(talk_over("wake", (), options.times, options.set, folder))
    print(row("onset of speech -> silence, ms", by_speech))
    print(row("onset of the wake word -> silence, ms", by_wake))
    print(row("end of the wake word -> silence, ms", after_wake))
    told = {"speech_ms": summary(by_speech), "wake_onset_ms": summary(by_wake), "wake_end_ms": summary(after_wake)}
    print(json.dumps({"bench": "interrupt", "times": options.times, **told}))


if __name__ == "__main__":
    main()
