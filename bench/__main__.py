"""The product's figures, one bench after the other: `make bench`. Each prints a table and one line of JSON.

    .venv/bin/python -m bench [NAME ...]

Takes about half an hour. What they need (PulseAudio, espeak-ng, sox) stands in their files; a bench that fails does not
keep the others from running. On a busy machine only ratios of one run mean anything, so the load is told with each.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

BENCHES = ("turn", "interrupt", "idle", "start", "soak", "turn_taking")


def main() -> int:
    here = Path(__file__).parent
    failed = []
    for name in sys.argv[1:] or BENCHES:
        if not (here / f"{name}.py").exists():
            print(f"== {name}: there is no such bench", flush=True)
            continue
        print(f"== {name} (load {os.getloadavg()[0]:.1f})", flush=True)
        if subprocess.run([sys.executable, "-m", f"bench.{name}"], cwd=here.parent, check=False).returncode:
            failed.append(name)
    if failed:
        print(f"failed: {', '.join(failed)}")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
