"""How many stage directions the lexicon understands: the halves of the reference lists that it was not tuned on.

    .venv/bin/python -m bench.cue_coverage [--show 60] [--half kept|tuned] [--language en] [FILE ...]

Without files: `../shared/reference/directions_*.tsv` (count, tab, direction), each split in two by the hash of the
direction. Prints how many give a cue, by kind and weighted by count, and `--show` of them with their cues, to be judged
by eye. A file of one's own has one direction to a line.
"""

from __future__ import annotations

import argparse
import hashlib
import random
from pathlib import Path

from companion.languages.loader import language_codes
from companion.languages.understood import DEFAULT, Understood, understood
from companion.voice.stage.meaning import read_direction

REFERENCE = Path(__file__).resolve().parents[2] / "shared" / "reference"


def half(direction: str) -> str:
    """Which half of its list a direction belongs to, for ever."""
    return "kept" if hashlib.sha256(direction.encode()).digest()[0] & 1 else "tuned"


def rows(path: Path) -> list[tuple[int, str]]:
    """Count and text of every direction in the file."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        count, tab, text = line.partition("\t")
        found.append((int(count), text) if tab else (1, line))
    return [(count, text) for count, text in found if text.strip()]


def report(name: str, directions: list[tuple[int, str]], show: int, languages: Understood) -> None:
    cues = [
        (count, text, feeling) for count, text in directions if (feeling := read_direction(text, languages=languages))
    ]
    total, weighted = sum(count for count, _ in directions), sum(count for count, _, _ in cues)
    print(
        f"{name}: {len(directions)} directions, {len(cues)} give a cue ({len(cues) / len(directions):.0%}); "
        f"weighted {weighted} of {total} ({weighted / total:.0%})"
    )
    chosen = random.Random(1).sample(directions, min(show, len(directions)))
    for _, text in chosen:
        feeling = read_direction(text, languages=languages)
        print(f"  {text}  ->  {f'{feeling.emotion}, {feeling.gesture}, {feeling.intensity}' if feeling else '-'}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--show", type=int, default=0)
    parser.add_argument("--half", choices=("kept", "tuned"), default="kept")
    parser.add_argument("--language", choices=language_codes(), default=DEFAULT, help="that of the persona")
    options = parser.parse_args()
    languages = understood(options.language)
    for path in options.files:
        report(path.name, rows(path), options.show, languages)
    if options.files:
        return
    lists = sorted(REFERENCE.glob("directions_*.tsv"))
    if not lists:
        print(f"skipped: there are no lists in {REFERENCE}; name files of your own")
    for path in lists:
        report(
            f"{path.name}, {options.half} half",
            [row for row in rows(path) if half(row[1]) == options.half],
            options.show,
            languages,
        )


if __name__ == "__main__":
    main()
