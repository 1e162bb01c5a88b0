"""How much sound the ears lose while other programs keep the processor busy.

    .venv/bin/python -m bench.listening_under_load [--seconds 60] [--loops 6] [--set KEY=VALUE]

The daemon runs as a process of its own on a virtual sound card, always listening, while somebody says a sentence every
five seconds; it transcribes each and answers with its own lines (no service is asked). `--loops` processes do nothing
but count. Printed is what `companion status` says of lost sound, and the turns: a sentence that was lost is no turn.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.idle import cpu_seconds, tree
from bench.sound_card import VirtualCard
from bench.talk import user_wav

PROJECT = Path(__file__).resolve().parent.parent
EAR_RATE = 16_000
EVERY_S = 5.0
STARTS_WITHIN_S = 60.0


def status(environment: dict[str, str]) -> dict[str, object]:
    """What the daemon says of itself; empty while it does not answer."""
    command = [sys.executable, "-m", "companion", "status", "--json"]
    asked = subprocess.run(command, env=environment, cwd=PROJECT, capture_output=True, check=False)
    answer: dict[str, object] = json.loads(asked.stdout) if asked.returncode in (0, 1) else {}
    return answer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--loops", type=int, default=6)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, VirtualCard() as card:
        environment = {**card.environment, "XDG_RUNTIME_DIR": folder, "DASHSCOPE_API_KEY": ""}
        sentence = Path(folder) / "sentence.wav"
        user_wav(sentence, "Good morning. Can you tell me what your name is?")
        command = [sys.executable, "-m", "companion", "run", "--set", "ears.wake=open"]
        for pair in options.set:
            command += ["--set", pair]
        daemon = subprocess.Popen(command, env=environment, cwd=PROJECT)
        busy: list[subprocess.Popen[bytes]] = []
        try:
            give_up = time.monotonic() + STARTS_WITHIN_S
            while status(environment).get("links", {}).get("microphone") != "well":  # type: ignore[attr-defined]
                if time.monotonic() > give_up:
                    raise RuntimeError("the daemon did not start to listen")
                time.sleep(0.5)
            before = status(environment)
            busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(options.loops)]
            used, began = cpu_seconds(daemon.pid), time.monotonic()
            while (passed := time.monotonic() - began) < options.seconds:
                card.play(sentence).wait()
                time.sleep(max(0.0, EVERY_S - (time.monotonic() - began - passed)))
            load = os.getloadavg()[0]
            used = (cpu_seconds(daemon.pid) - used) / passed
            threads = {os.getpriority(os.PRIO_PROCESS, pid) for pid in tree(daemon.pid)}
            for process in busy:
                process.terminate()
            time.sleep(3)
            after = status(environment)
            lost = (int(str(after["dropped_frames"])) - int(str(before["dropped_frames"]))) / EAR_RATE
            turns = int(str(after["turns"])) - int(str(before["turns"]))
            print(f"{passed:.0f} s with {options.loops} busy loops, load {load:.1f}, engine {after['engines']}")
            print(f"lost: {lost:.1f} s of sound; turns: {turns}; CPU {used:.2f} s a second; nice {sorted(threads)}")
        finally:
            for process in (*busy, daemon):
                process.terminate()
                process.wait()


if __name__ == "__main__":
    main()
