"""What an idle device costs: CPU seconds a second of audio, and memory, while it waits for its wake word.

    .venv/bin/python -m bench.idle [--seconds 30]

The daemon runs as a process of its own on a virtual sound card, on a microphone with quiet noise. Memory is the sum of
the proportional set size of the process and its children.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import wave
from pathlib import Path

import numpy as np

from bench.sound_card import VirtualCard

PROJECT = Path(__file__).resolve().parent.parent
SETTLING_S = 5.0


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and of its children that have ended, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def tree(pid: int) -> list[int]:
    """A process and its descendants."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(one for child in children for one in tree(int(child)))]


def memory_mb(pid: int, field: str) -> float:
    """`Pss` or `Rss` of one process in MB."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    raise ValueError(field)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, VirtualCard() as card:
        noise = Path(folder) / "noise.wav"
        with wave.open(str(noise), "wb") as file:
            file.setparams((1, 2, 16000, 0, "NONE", ""))
            samples = np.random.default_rng(1).normal(0, 40, round(16000 * (options.seconds + 30)))
            file.writeframes(samples.astype("<i2").tobytes())
        command = [sys.executable, "-m", "companion", "run"]
        for pair in options.set:
            command += ["--set", pair]
        environment = {**card.environment, "XDG_RUNTIME_DIR": folder, "XDG_STATE_HOME": folder}
        daemon = subprocess.Popen(command, env=environment, cwd=PROJECT)
        player = card.play(noise)
        try:
            time.sleep(SETTLING_S)
            processes = tree(daemon.pid)
            before, began = {pid: cpu_seconds(pid) for pid in processes}, time.monotonic()
            time.sleep(options.seconds)
            passed = time.monotonic() - began
            used = sum(cpu_seconds(pid) - before[pid] for pid in processes)
            print(f"{len(processes)} process(es), {passed:.0f} s idle")
            print(f"CPU seconds a second of audio: {used / passed:.4f}")
            memory = {field: round(sum(memory_mb(pid, field) for pid in processes), 1) for field in ("Rss", "Pss")}
            for field, mb in memory.items():
                print(f"{field}: {mb:.1f} MB")
            status = Path(f"/proc/{daemon.pid}/status").read_text().splitlines()
            print(next(line for line in status if line.startswith("VmHWM")))
            print(json.dumps({"bench": "idle", "cpu_s_per_s": round(used / passed, 4), "memory_mb": memory}))
        finally:
            daemon.terminate()
            daemon.wait()
            player.terminate()


if __name__ == "__main__":
    main()
