"""Looks through the files that git knows for what should never be committed: `make check-files`.

Merge markers, private keys and service keys, files of more than 500 kB (a model belongs into `companion models`),
text that does not end in exactly one line break. `tests/data` holds small models as they were published, so its files
may be large and end as they like. A folder without git (an unpacked archive) has nothing to commit and passes.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

LARGEST = 500_000
LARGEST_WORD = 1_000_000
"""A wake word of one's own (`.ww`) holds the windows from which a unit goes on learning."""
PUBLISHED_AS_IS = ("tests/data/",)

MERGE = re.compile(rb"^(?:<{7}|>{7}|\|{7}) ", re.MULTILINE)
SECRETS = {
    "a private key": re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "a key of the character service": re.compile(rb"\bsk-[0-9a-f]{32}\b"),
}


def problems(name: str, data: bytes) -> Iterator[str]:
    """What is wrong with one file, as `file: what`."""
    for secret, pattern in SECRETS.items():
        if pattern.search(data):
            yield f"{name}: holds {secret}"
    if name.startswith(PUBLISHED_AS_IS):
        return
    largest = LARGEST_WORD if name.endswith(".ww") else LARGEST
    if len(data) > largest:
        yield f"{name}: is larger than {largest // 1000} kB"
    if b"\0" in data:
        return
    if MERGE.search(data):
        yield f"{name}: holds a merge marker"
    if data and (not data.endswith(b"\n") or data.endswith(b"\n\n")):
        yield f"{name}: must end in exactly one line break"


def main() -> int:
    """Print every problem; the exit status says whether there was one."""
    if not Path(".git").exists():
        return 0
    listed = subprocess.run(["git", "ls-files", "-z"], capture_output=True, check=False)
    if listed.returncode:
        print(f"git cannot list the files: {listed.stderr.decode().strip()}")
        return 1
    names = [name for name in listed.stdout.decode().split("\0") if name and Path(name).is_file()]
    found = [problem for name in names for problem in problems(name, Path(name).read_bytes())]
    print(*found, sep="\n", end="\n" if found else "")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
