"""How many small faults of the main path the tests notice: mutation testing with mutmut, a room at a time.

    make mutants
    python -m bench.mutants --room spine --sample 2000    # one room, all of its mutants

The main path is looked at in eight areas, in each of which the same number of mutants is taken.

Each mutant is one function with one change (a number, a comparison, an argument, a string), run against those tests
of its own room that call that function. It counts as noticed when a test fails within `LIMIT_S`; one that runs longer
has noticed nothing. The sample depends on the seed and the code alone. What nobody noticed is written, as diffs, to
`build/mutants/survivors.diff`.

mutmut changes functions and methods; what stands outside of them (constants, fields' defaults) and properties it leaves
alone. It works on copies under `build/mutants`.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).parents[1]
COPIES = ROOT / "build" / "mutants"

LIMIT_S = 10.0
SAMPLE = 70
SEED = 9
_FAILED = (1, 3)
"""Exit codes of pytest where a test failed, and where it broke."""


@dataclass(frozen=True)
class Room:
    """What is broken together, and the tests that should notice."""

    areas: dict[str, str]
    """Name of an area -> its files, as a pattern."""
    tests: tuple[str, ...]


LANGUAGES = tuple(f"tests/languages/test_{name}.py" for name in ("golden_stage", "directions_data", "new_language"))

ROOMS = {
    "spine": Room(
        {name: f"companion/{name}.py" for name in ("conversation", "answers", "dialogue", "turn")}, ("tests/spine",)
    ),
    "ears": Room({name: f"companion/ears/{name}.py" for name in ("listener", "endpointing")}, ("tests/ears",)),
    "stage": Room({"stage": "companion/voice/stage/*.py"}, ("tests/voice", *LANGUAGES)),
    "limits": Room({"limits": "companion/body/*limit*.py"}, ("tests/body",)),
}


@dataclass(frozen=True)
class Outcome:
    """What became of one mutant."""

    area: str
    file: str
    mutant: str
    noticed: bool
    why: str


def main() -> None:
    """Print how many mutants were noticed, by file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--room", choices=ROOMS, action="append", help="only this one; may be given several times")
    parser.add_argument("--sample", type=int, default=SAMPLE, help="mutants in each area (%(default)s)")
    parser.add_argument("--seed", type=int, default=SEED, help="which ones (%(default)s)")
    options = parser.parse_args()
    copies = {name: _copy(name, ROOMS[name]) for name in options.room or ROOMS}
    outcomes = []
    for name, copy in copies.items():
        mutants = _mutants(copy)
        chosen: dict[str, str] = {}
        for area, files in ROOMS[name].areas.items():
            here = [mutant for mutant, file in mutants.items() if fnmatch(file, files)]
            picked = random.Random(f"{options.seed} {area}").sample(here, min(options.sample, len(here)))
            chosen |= dict.fromkeys(picked, area)
        print(f"{name}: {len(chosen)} of {len(mutants)} mutants, seed {options.seed}", flush=True)
        outcomes += _run(copy, chosen)
    _report(outcomes)
    survivors = sorted(one.mutant for one in outcomes if not one.noticed)
    diffs = "\n".join(_diffs(copy, survivors) for copy in copies.values())
    (COPIES / "survivors.diff").write_text(diffs, encoding="utf-8")


def _copy(name: str, room: Room) -> Path:
    """This project as it stands, with what mutmut is to do there."""
    copy = COPIES / name
    shutil.rmtree(copy, ignore_errors=True)
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    files = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    for file in filter(None, files):
        if (ROOT / file).is_file():
            (copy / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / file, copy / file)
    beside = sorted({file.split("/")[0] for file in files if file} - {"companion", "pyproject.toml"})
    settings: dict[str, str | tuple[str, ...]] = {
        "source_paths": "companion",
        "only_mutate": tuple(room.areas.values()),
        "also_copy": tuple(beside),
        "pytest_add_cli_args_test_selection": room.tests,
        # The same examples each time.
        "pytest_add_cli_args": ("--hypothesis-profile=repeatable", "-p", "bench.fresh_caches"),
        # mutmut's limit is (the tests' usual time + the constant) * the multiplier: hardly more than ours.
        "timeout_multiplier": "0.01",
        "timeout_constant": f"{LIMIT_S * 100:g}",
        # Each mutant begins in a process in which no test has run yet: what a test leaves behind would hide it.
        "process_isolation": "forkserver",
        "use_git_change_detection": "false",
    }
    lines = ["[mutmut]"]
    for key, value in settings.items():
        lines.append(f"{key} = {value}" if isinstance(value, str) else "\n  ".join([f"{key} =", *value]))
    (copy / "setup.cfg").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return copy


def _mutants(copy: Path) -> dict[str, str]:
    """All mutants of a copy, in order, and their files; mutmut learns on the way which test calls which function."""
    done = _mutmut(copy, "run", "none of them")  # it lists them before it looks for these
    found = _results(copy)
    if not found or not (copy / "mutants" / "mutmut-stats.json").exists():
        sys.exit(f"mutmut did not begin:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return {mutant: found[mutant][0] for mutant in sorted(found)}


def _run(copy: Path, mutants: dict[str, str]) -> list[Outcome]:
    """Break one thing after another, and run its tests. `mutants` are names, and the areas in which they are."""
    done = _mutmut(copy, "run", *mutants)
    results = _results(copy)
    if any(results[mutant][1] is None for mutant in mutants):
        sys.exit(f"mutmut stopped before the end:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    outcomes = []
    for mutant, area in mutants.items():
        file, code, took_s = results[mutant]
        noticed = code in _FAILED and took_s <= LIMIT_S
        why = "" if noticed else {0: "survived", 33: "no test"}.get(code or 0, "too slow")
        outcomes.append(Outcome(area, file, mutant, noticed, why))
    return outcomes


def _results(copy: Path) -> dict[str, tuple[str, int | None, float]]:
    """Mutant -> its file, the exit code of its tests (None: not run yet), and how long they took."""
    found = {}
    for meta in (copy / "mutants").rglob("*.meta"):
        data = json.loads(meta.read_text(encoding="utf-8"))
        file = str(meta.relative_to(copy / "mutants")).removesuffix(".meta")
        for mutant, code in data["exit_code_by_key"].items():
            found[mutant] = (file, code, data["durations_by_key"].get(mutant, 0.0))
    return found


def _diffs(copy: Path, mutants: list[str]) -> str:
    mine = sorted(set(mutants) & _results(copy).keys())
    work = "import sys; from mutmut.mutation.diff_apply import get_diff_for_mutant as diff\n"
    work += "for one in sys.argv[1:]: print(one, diff(one), sep='\\n')"
    return subprocess.run([sys.executable, "-c", work, *mine], cwd=copy, capture_output=True, text=True).stdout


def _mutmut(copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # Its parts start further processes by this name, so it is given as the path of a script.
    script = Path(sys.executable).with_name("mutmut")
    return subprocess.run([script, *arguments], cwd=copy, capture_output=True, text=True, check=False)


def _report(outcomes: list[Outcome]) -> None:
    print(f"\n| area, file | mutants | noticed within {LIMIT_S:g} s | survived | too slow | no test calls it |")
    print("|---|---|---|---|---|---|")
    for area in dict.fromkeys(one.area for one in outcomes):
        mine = [one for one in outcomes if one.area == area]
        _print_row(f"**{area}**", mine)
        files = sorted({one.file for one in mine})
        for file in files if len(files) > 1 else ():
            _print_row(file, [one for one in mine if one.file == file])
    _print_row("**all**", outcomes)


def _print_row(name: str, outcomes: list[Outcome]) -> None:
    why = Counter(one.why for one in outcomes)
    share = f"{why['']} ({why[''] / len(outcomes):.0%})"
    print(f"| {name} | {len(outcomes)} | {share} | {why['survived']} | {why['too slow']} | {why['no test']} |")


if __name__ == "__main__":
    main()
