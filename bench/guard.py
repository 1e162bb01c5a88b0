"""How well and how fast the guard judges, under the policy `child`: `python -m bench.guard [LANGUAGE ...]`.

What it misses and blocks of `tests/data/guard_unseen`: sentences that no writer of rules had seen when they were first
measured, and that nothing learns from. And processor time for each of the language's own test sentences
(`tests/golden/guard`), with the rules of all languages that a unit understands.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from companion.cli.parse import parse_deltas
from companion.config.policy import load_policy
from companion.guard.judge import Judge
from companion.languages.understood import understood

TESTS = Path(__file__).resolve().parents[1] / "tests"
SENTENCES, UNSEEN = TESTS / "golden" / "guard", TESTS / "data" / "guard_unseen"


def main() -> None:
    for code in sys.argv[1:] or sorted(file.stem for file in SENTENCES.glob("*.jsonl")):
        began = time.process_time()
        judge = Judge(load_policy("child"), understood(code))
        loaded_s = time.process_time() - began
        spread = _spread(judge, _rows(SENTENCES / f"{code}.jsonl"))
        print(f"{code}: rules {loaded_s:.1f} s; ms {spread}")
        if (unseen := UNSEEN / f"{code}.jsonl").is_file():
            print(f"{code}: {_found(judge, code, _rows(unseen))}")


def _rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def _spread(judge: Judge, rows: Sequence[dict[str, Any]]) -> str:
    took = []
    for row in rows:
        began = time.process_time()
        judge.verdict(row["text"])
        took.append((time.process_time() - began) * 1000)
    took.sort()
    p50, p95 = took[len(took) // 2], took[int(len(took) * 0.95)]
    return f"p50 {p50:.2f}, p95 {p95:.2f}, most {took[-1]:.1f} of {len(took)} sentences"


def _found(judge: Judge, code: str, rows: Sequence[dict[str, Any]]) -> str:
    blocked = [bool(parse_deltas([row["text"]], None, code, judge)["blocked"]) for row in rows]
    bad = [is_blocked for is_blocked, row in zip(blocked, rows, strict=True) if row["category"] is not None]
    harmless = [is_blocked for is_blocked, row in zip(blocked, rows, strict=True) if row["category"] is None]
    return f"missed {bad.count(False)} of {len(bad)} unfit, blocked {harmless.count(True)} of {len(harmless)} harmless"


if __name__ == "__main__":
    main()
