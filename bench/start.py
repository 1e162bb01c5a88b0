"""What a start costs: processor seconds and time on the clock, from the start of the process to "... listens.".

    .venv/bin/python -m bench.start [--runs 7]

The daemon is a process of its own on a virtual sound card. Processor seconds are user and system time of it and its
children, so a busy machine changes them little; `python -c "import numpy"` beside it is the yardstick of the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

from bench.idle import PROJECT, cpu_seconds, tree
from bench.scripted import ScriptedService
from bench.sound_card import VirtualCard

_PATIENCE_S = 60.0


def start(environment: dict[str, str], settings: list[str]) -> tuple[float, float]:
    """Processor seconds and seconds to the line that tells that it listens. Raises `SystemExit` if none comes."""
    command = [sys.executable, "-m", "companion", "run"]
    for pair in settings:
        command += ["--set", pair]
    began = time.monotonic()
    daemon = subprocess.Popen(command, env=environment, cwd=PROJECT, stderr=subprocess.PIPE, text=True)
    assert daemon.stderr is not None
    said = []
    try:
        for line in daemon.stderr:
            said.append(line)
            if line.rstrip().endswith(" listens."):
                return sum(map(cpu_seconds, tree(daemon.pid))), time.monotonic() - began
            if time.monotonic() - began > _PATIENCE_S:
                break
        raise SystemExit("it never listened; it said:\n" + "".join(said))
    finally:
        daemon.terminate()
        daemon.stderr.close()
        daemon.wait()


def yardstick() -> float:
    """Processor seconds of importing numpy in a process of its own."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", "import numpy"], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ScriptedService() as base_url, VirtualCard() as card:
        environment = {**card.environment, "XDG_RUNTIME_DIR": folder, "XDG_STATE_HOME": folder}
        environment["DASHSCOPE_API_KEY"] = "sk-bench"
        settings = [f"character.base_url={base_url}", *options.set]
        # The first run writes the byte code and fills the disk's cache.
        start(environment, settings)
        rows = [(*start(environment, settings), yardstick()) for _ in range(options.runs)]
    names = ("processor s", "clock s", "import numpy, processor s")
    keys = ("processor_s", "clock_s", "numpy_s")
    result: dict[str, object] = {"bench": "start", "runs": options.runs}
    for name, key, values in zip(names, keys, zip(*rows, strict=True), strict=True):
        ranked = sorted(values)
        print(f"{name:26s} median {statistics.median(ranked):.2f}  min {ranked[0]:.2f}  max {ranked[-1]:.2f}")
        result[key] = {
            "median": round(statistics.median(ranked), 3),
            "min": round(ranked[0], 3),
            "max": round(ranked[-1], 3),
        }
    print(f"{options.runs} runs, load {os.getloadavg()[0]:.1f}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
