"""Each language's `guard.toml` against sentences of its own: `tests/golden/guard/<code>.jsonl`, one answer a line.

`{"text": ..., "category": "violence" | ["violence", "weapons"] | null}`: what the policy `child` blocks of it, or null
where all may be said; one of a list is enough. `"policy": "teen"` asks another. Answers are cut into sentences as
for the voice.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from companion.config.policy import load_policy
from companion.guard.judge import Judge, Said
from companion.languages.understood import understood
from companion.voice.sentences import Sentences
from tests.support.paths import ROOT

FOLDER = ROOT / "tests" / "golden" / "guard"
CODES = sorted(file.stem for file in FOLDER.glob("*.jsonl"))


@cache
def judge_of(code: str, policy: str) -> Judge:
    return Judge(load_policy(policy), understood(code))


def blocked(code: str, text: str, policy: str = "child") -> Iterator[str]:
    """The categories for which sentences of this answer are not said."""
    cutter, said = Sentences(languages=understood(code)), Said()
    for sentence in [*cutter.feed(text), *cutter.close()]:
        category = judge_of(code, policy).verdict(sentence.text, said)
        said = said.then(sentence.text)
        if category is not None:
            yield category


def entries(code: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FOLDER / f"{code}.jsonl").read_text("utf-8").splitlines() if line.strip()]


@pytest.mark.parametrize("code", CODES)
def test_what_is_blocked(code: str) -> None:
    wrong = []
    for entry in entries(code):
        found = set(blocked(code, entry["text"], entry.get("policy", "child")))
        wanted = entry["category"]
        expected = set() if wanted is None else {wanted} if isinstance(wanted, str) else set(wanted)
        if not (found & expected if expected else not found):
            wrong.append((entry["text"], wanted, sorted(found)))
    assert wrong == []
