"""Sets the access and change times of every file in an ext4 image: `python3 image/fixed_times.py IMAGE SECONDS`.

`mkfs.ext4 -d` copies access and inode change times. The latter cannot be set on a file system, so they would differ
between two builds. Modification times are kept, because Python compares its compiled files with them. debugfs writes
them, so that the checksums stay right.
"""

from __future__ import annotations

import re
import subprocess
import sys


def main(image: str, seconds: str) -> None:
    shown = subprocess.run(["dumpe2fs", image], capture_output=True, text=True, check=True).stdout
    count = int(_number(shown, r"Inode count:\s+(\d+)"))
    free: set[int] = set()
    for listed in re.findall(r"^  Free inodes: (.+)$", shown, re.MULTILINE):
        for part in listed.split(", "):
            low, _, high = part.partition("-")
            free.update(range(int(low), int(high or low) + 1))
    first = int(_number(shown, r"First inode:\s+(\d+)"))
    lines = []
    for inode in (2, *(one for one in range(first, count + 1) if one not in free)):
        for field in ("ctime", "atime", "crtime"):
            lines += [f"sif <{inode}> {field} @{seconds}", f"sif <{inode}> {field}_extra 0"]
    done = subprocess.run(
        ["debugfs", "-w", "-f", "/dev/stdin", image],
        input="\n".join(lines),
        text=True,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"debugfs could not write: {done.stderr[-300:]}")


def _number(shown: str, pattern: str) -> str:
    found = re.search(pattern, shown)
    if found is None:
        sys.exit("this is no ext4 image")
    return found[1]


if __name__ == "__main__":
    main(*sys.argv[1:])
