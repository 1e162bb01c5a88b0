"""How long a person waits, over a real sound card path: from the end of their speech to the first sound of the answer.

    .venv/bin/python -m bench.turn [--turns 20] [--silence 0.2]

The daemon is a process of its own with real PortAudio streams on a virtual card. The person is espeak-ng, the voice is
espeak-ng; the transcriber (100 ms) and the service (200 ms to the first token, 25 ms a token)
have known speeds. Both channels are in one recording, so the figures do not depend on any program's own clock. Also
measured: from the end of a wake word said into an answer to silence (barge-in).
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.idle import cpu_seconds, tree
from bench.scripted import FIRST_TOKEN_S, TOKEN_S, TRANSCRIBE_S, ScriptedService
from bench.sound_card import RATE, VirtualCard, channels

PROJECT = Path(__file__).resolve().parent.parent
LOUD = 300
"""Samples above this are sound."""


def user_wav(path: Path, text: str, lead_s: float = 0.0) -> None:
    """The person: `text` by espeak-ng, with silence before it."""
    sound = subprocess.run(
        ["espeak-ng", "-v", "en-us", "-z", "--stdout", "--stdin"], input=text.encode(), capture_output=True, check=True
    ).stdout[44:]
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 22050, 0, "NONE", ""))
        file.writeframes(bytes(2) * round(lead_s * 22050) + sound)


def runs(sound: npt.NDArray[np.int16], gap_s: float) -> list[tuple[int, int]]:
    """Stretches of sound, in samples, that are at least `gap_s` apart."""
    loud = np.flatnonzero(np.abs(sound.astype(np.int32)) > LOUD)
    if not len(loud):
        return []
    breaks = np.flatnonzero(np.diff(loud) > gap_s * RATE)
    starts = [loud[0], *loud[breaks + 1]]
    ends = [*loud[breaks], loud[-1]]
    return [(int(a), int(b)) for a, b in zip(starts, ends, strict=True)]


def spread(name: str, values: list[float]) -> None:
    """One row: median, 90th percentile, least and most, in ms."""
    ranked = sorted(values)
    tenth = ranked[round(0.9 * (len(ranked) - 1))]
    row = f"median {statistics.median(ranked):6.0f}  p90 {tenth:6.0f}  min {ranked[0]:6.0f}  max {ranked[-1]:6.0f}"
    print(f"{name:48s} {row}  n {len(ranked)}")


def measure(turns: int, silence: float, folder: Path) -> None:
    ask, call = folder / "ask.wav", folder / "call.wav"
    user_wav(ask, "tell me something about the garden")
    user_wav(call, "okay nabu")
    events, raw = folder / "events.jsonl", folder / "both.raw"
    with ScriptedService() as base_url, VirtualCard() as card:
        command = [sys.executable, "-m", "companion", "run", "--events", str(events)]
        for pair in (
            "ears.transcriber.engine=bench.scripted:transcriber",
            f"ears.endpoint.silence_s={silence}",
            "voice.engine=espeak",
            f"character.base_url={base_url}",
            "cues.channel=inferred",
        ):
            command += ["--set", pair]
        environment = {**card.environment, "DASHSCOPE_API_KEY": "sk-bench", "XDG_RUNTIME_DIR": str(folder)}
        environment["XDG_STATE_HOME"] = str(folder)
        started = time.monotonic()
        daemon = subprocess.Popen(command, env=environment, cwd=PROJECT)
        try:
            until(events, "state", 1)
            print(f"from the start of the process to listening: {(time.monotonic() - started) * 1000:.0f} ms")
            recorder = card.record(raw)
            time.sleep(1.0)
            before = sum(map(cpu_seconds, tree(daemon.pid)))
            for number in range(turns):
                play(card, call)
                time.sleep(0.5)
                play(card, ask)
                until(events, "speaking", number + 1)
                if number % 2:
                    until(events, "turn", number + 1)
                else:
                    # Every other answer is interrupted in the middle.
                    time.sleep(1.2)
                    play(card, call)
                    until(events, "turn", number + 1)
                time.sleep(9.0 if not number % 2 else 0.6)
            recorder.terminate()
            used = sum(map(cpu_seconds, tree(daemon.pid))) - before
            print(f"processor time a turn, half of them interrupted: {used / turns:.2f} s")
        finally:
            daemon.terminate()
            daemon.wait()
    report(raw, events, silence)


def play(card: VirtualCard, wav: Path) -> None:
    card.play(wav).wait()


def until(events: Path, kind: str, count: int, patience_s: float = 30.0) -> None:
    """Wait until the daemon has noted `count` events of a kind."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if events.exists():
            lines = events.read_text().split("\n")[:-1]
            if sum(json.loads(line)["kind"] == kind for line in lines) >= count:
                return
        time.sleep(0.02)
    raise SystemExit("the daemon did not get there; its events so far:\n" + events.read_text()[-2000:])


def report(raw: Path, events: Path, silence: float) -> None:
    heard, said = channels(raw)
    user, device = runs(heard, 0.3), runs(said, 0.45)
    waits, cuts = [], []
    for start, end in device:
        before = [b for _, b in user if b <= start]
        if before:
            waits.append((start - before[-1]) / RATE * 1000)
        inside = [(a, b) for a, b in user if start < a < end]
        if inside:
            cuts.append((end - inside[0][1]) / RATE * 1000)
    known = (silence + TRANSCRIBE_S + FIRST_TOKEN_S + 8 * TOKEN_S) * 1000
    print(f"known parts: silence {silence * 1000:.0f} + transcriber 100 + first token 200 + 8 tokens = {known:.0f} ms")
    spread("end of speech -> first sound at the loudspeaker", waits)
    if cuts:
        spread("end of the wake word -> silence (barge-in)", cuts)
    noted = [json.loads(line) for line in events.read_text().split("\n")[:-1]]
    stages = "endpoint transcribe request first_token first_sentence ready allowed first_sound total"
    for stage in stages.split():
        spread(
            f"  by the daemon: {stage}",
            [e["latency_ms"][stage] for e in noted if e["kind"] == "turn" and stage in e["latency_ms"]],
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=20)
    parser.add_argument("--silence", type=float, default=0.2, help="seconds of silence that end an utterance")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(options.turns, options.silence, Path(folder))


if __name__ == "__main__":
    main()
