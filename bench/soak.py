"""Many talks in a row on one daemon: its descriptors, threads and memory must stay where they were.

    .venv/bin/python -m bench.soak [--minutes 5] [--set KEY=VALUE]

The daemon is a process of its own on a virtual card, with engines of known speed (bench/scripted.py) and its memory in
a folder of its own. Counted are the process and its children after each talk; the first talks, in which engines load
and caches fill, are left out. Exit status 1 where something grew.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.idle import memory_mb, tree
from bench.scripted import ScriptedService
from bench.sound_card import VirtualCard
from bench.talk import call_and_question, play, unit, until

WARM_TALKS = 5
MOST_MORE = {"descriptors": 2, "threads": 1, "memory_mb": 8.0}
"""How much the median of the last third may be above that of the first."""


@dataclass(frozen=True)
class Held:
    """What the daemon and its children hold."""

    descriptors: int
    threads: int
    memory_mb: float
    """Proportional set size."""


def held(pid: int) -> Held:
    descriptors = threads = 0
    memory = 0.0
    for one in tree(pid):
        # A spare voice process may end meanwhile.
        with suppress(FileNotFoundError, ProcessLookupError):
            descriptors += len(list(Path(f"/proc/{one}/fd").iterdir()))
            threads += len(list(Path(f"/proc/{one}/task").iterdir()))
            memory += memory_mb(one, "Pss")
    return Held(descriptors, threads, round(memory, 1))


def talks(minutes: float, settings: list[str], folder: Path) -> list[Held]:
    """Talk for so many minutes; what was held after each talk."""
    call, ask = call_and_question(folder)
    events = folder / "events.jsonl"
    found: list[Held] = []
    with (
        ScriptedService() as base_url,
        VirtualCard() as card,
        unit(card, base_url, events, folder, settings) as daemon,
    ):
        until(events, "state", 1, 60.0)
        began = time.monotonic()
        while time.monotonic() - began < minutes * 60:
            play(card, call)
            time.sleep(0.5)
            play(card, ask)
            until(events, "turn", len(found) + 1, 60.0)
            time.sleep(0.5)
            found.append(held(daemon.pid))
    return found


def middle(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = talks(options.minutes, options.set, Path(folder))
    counted = [asdict(one) for one in found[WARM_TALKS:]] or [asdict(found[-1])]
    third = max(1, len(counted) // 3)
    result: dict[str, object] = {"bench": "soak", "talks": len(found)}
    grew = False
    print(f"{len(found)} talks, the first {WARM_TALKS} left out")
    for name, more in MOST_MORE.items():
        first = middle([one[name] for one in counted[:third]])
        last = middle([one[name] for one in counted[-third:]])
        result[name] = {"first": first, "last": last, "most": max(one[name] for one in counted)}
        grew = grew or last - first > more
        print(f"  {name:12} first third {first:8.1f}   last third {last:8.1f}   (may grow by {more:g})")
    print(json.dumps({**result, "grew": grew}))
    return int(grew)


if __name__ == "__main__":
    sys.exit(main())
