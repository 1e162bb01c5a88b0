"""Make `companion/mind/api/logit_bias.json`: which tokens of the Qwen vocabulary open a stage direction.

    pip download dashscope==2.0.2 --no-deps -d /tmp/qwen
    python scripts/make_logit_bias.py /tmp/qwen/dashscope-2.0.2-py3-none-any.whl

Takes the wheel, or the vocabulary file that it holds (one `base64-token rank` a line; the rank is the token's id).
Prints the size of every set. With `--check bracket_tokens.json` it compares the sets with that analysis and fails on a
difference.
"""

from __future__ import annotations

import argparse
import base64
import json
import re
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

VOCABULARY = "dashscope/resources/qwen.tiktoken"
DATA = Path(__file__).parent.parent / "companion" / "mind" / "api" / "logit_bias.json"

CLOSING = (8, 873, 7552)
"""`)`, ` )` and `）`. The service's own role-play page bans them too, but a direction that begins with a token it
lacks, `(s`, must be able to close."""
DOCUMENTED = (7, 9909, 320, 42344, 58359, 96899, 6599, 10297, 91093, 12832)
"""The other ids of that page."""

SIGN = r"""[\s:_*\-!/".,?'~;“。]"""
"""What may stand before a bracket in prose without being a word."""

AFTER = r"""[\s"'!*.“~?]"""
"""What may follow a bracket in prose before the first word."""

PROSE_BRACKETS = (
    rf"{SIGN}*[(（]+",  # the bracket ends the token: " (", "...(", "。（"
    rf"{SIGN}*\(+{AFTER}+",  # a quotation mark, dots or white space follow: '("', "(..."
    r"[(（][^\W_]",  # one letter or Han sign follows: "(s", "（笑"
)
PROSE_ASTERISKS = (
    r"""[\s\-!".,?'~:]{0,2}[*＊]{1,4}""",  # " *", "**", "!*"
    r"""[\s"']?\*{1,4}["'.~?!]""",  # "*'", " *."
    r"\*{1,3}[^\W_]",  # "*s"
)

SEAM = (b"\xbc", b"\xef\xbc", b" \xef\xbc")
"""Parts from which （ (EF BC 88) and ＊ (EF BC 8A) could be spelled byte by byte; banning these cuts every way."""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("source", type=Path, help="the dashscope wheel or its qwen.tiktoken")
    arguments.add_argument("--out", type=Path, default=DATA)
    arguments.add_argument("--check", type=Path, help="bracket_tokens.json to compare with")
    given = arguments.parse_args()
    sets = make_sets(read_vocabulary(given.source))
    for name, (_, ids) in sets.items():
        print(f"{name}: {len(ids)}")
    if given.check:
        compare(sets, json.loads(given.check.read_text(encoding="utf-8")))
    lines = [
        f'    "{name}": {{\n      "meaning": {json.dumps(meaning)},\n      "ids": {json.dumps(ids)}\n    }}'
        for name, (meaning, ids) in sets.items()
    ]
    given.out.write_text(
        '{\n  "source": "qwen.tiktoken of pip dashscope 2.0.2, by scripts/make_logit_bias.py",\n  "sets": {\n'
        + ",\n".join(lines)
        + "\n  }\n}\n",
        encoding="utf-8",
    )


def read_vocabulary(path: Path) -> dict[int, bytes]:
    """Token id -> its bytes."""
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            lines = wheel.read(VOCABULARY).splitlines()
    else:
        lines = path.read_bytes().splitlines()
    return {int(rank): base64.b64decode(token) for token, rank in (line.split() for line in lines if line.strip())}


def make_sets(vocabulary: dict[int, bytes]) -> dict[str, tuple[str, list[int]]]:
    """Name -> (meaning, ids in order)."""
    brackets = [id_ for id_, token in vocabulary.items() if b"(" in token or "（".encode() in token]
    asterisks = [id_ for id_, token in vocabulary.items() if b"*" in token or "＊".encode() in token]
    seam = [id_ for id_, token in vocabulary.items() if token in SEAM]
    return {
        "documented": (
            "The service's own list without its closing brackets: directions that begin with other tokens can close.",
            sorted(DOCUMENTED),
        ),
        "prose": (
            "Every token with which prose can open a round bracket: after white space or a sign, before a sign, or "
            "with one letter. A bracket glued to a whole word is left.",
            matching(vocabulary, brackets, PROSE_BRACKETS),
        ),
        "complete": (
            "Every token that holds an opening round bracket of either width, and the bytes it could be joined from. "
            "The model cannot write one.",
            sorted({*brackets, *seam}),
        ),
        "prose_asterisks": (
            "Every token with which prose can open or close a direction between asterisks.",
            matching(vocabulary, asterisks, PROSE_ASTERISKS),
        ),
        "complete_asterisks": (
            "Every token that holds an asterisk of either width, and the bytes it could be joined from.",
            sorted({*asterisks, *seam}),
        ),
    }


def matching(vocabulary: dict[int, bytes], ids: Iterable[int], patterns: tuple[str, ...]) -> list[int]:
    """Those whose whole text matches one of the patterns."""
    any_of = re.compile("|".join(f"(?:{pattern})" for pattern in patterns))
    return sorted(id_ for id_ in ids if any_of.fullmatch(vocabulary[id_].decode("utf-8", "replace")))


def compare(sets: dict[str, tuple[str, list[int]]], analysis: dict[str, Any]) -> None:
    """Exit with status 1 where a set is not the analysis's."""
    tiers, bans = analysis["opening_paren_tiers"], analysis["ban_sets"]
    expected: dict[str, list[Iterable[str]]] = {
        "documented": [analysis["seed_13"].keys() - set(map(str, CLOSING))],
        "prose": [ids for tier, ids in tiers.items() if tier[:2] in ("T1", "T2", "T3")],
        "complete": [ids for name, ids in bans.items() if name.startswith("no_open_paren")],
        "complete_asterisks": [ids for name, ids in bans.items() if name.startswith("no_asterisk")],
    }
    for name, groups in expected.items():
        wanted = {int(id_) for group in groups for id_ in group}
        if wanted != set(sets[name][1]):
            sys.exit(f"{name}: {sorted(wanted ^ set(sets[name][1]))} are in only one of the two")


if __name__ == "__main__":
    main()
