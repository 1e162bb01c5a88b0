"""How long the guard takes to judge a sentence: `python -m bench.guard [LANGUAGE ...]`.

Each language's own test sentences (`tests/golden/guard`), with the rules of all languages that a unit of it
understands, under the policy `child`. Processor time, so that other work on the machine does not count.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from companion.config.policy import load_policy
from companion.guard.judge import Judge
from companion.languages.understood import understood

SENTENCES = Path(__file__).resolve().parents[1] / "tests" / "golden" / "guard"


def main() -> None:
    for code in sys.argv[1:] or sorted(file.stem for file in SENTENCES.glob("*.jsonl")):
        began = time.process_time()
        judge = Judge(load_policy("child"), understood(code))
        loaded_s = time.process_time() - began
        lines = (SENTENCES / f"{code}.jsonl").read_text("utf-8").splitlines()
        took = []
        for text in (json.loads(line)["text"] for line in lines):
            began = time.process_time()
            judge.verdict(text)
            took.append((time.process_time() - began) * 1000)
        took.sort()
        p50, p95 = took[len(took) // 2], took[int(len(took) * 0.95)]
        spread = f"p50 {p50:.2f}, p95 {p95:.2f}, most {took[-1]:.1f}"
        print(f"{code}: {len(took)} sentences, ms: {spread}; rules {loaded_s:.1f} s")


if __name__ == "__main__":
    main()
