"""What `make check-files` finds before it is committed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT

KEY = "sk-" + "0123456789abcdef" * 2
PRIVATE = "-----BEGIN OPENSSH PRIVATE " + "KEY-----\n"


def check(folder: Path, name: str, data: bytes) -> subprocess.CompletedProcess[str]:
    """Run it in a repository that holds one file."""
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    subprocess.run(["git", "add", "-f", name], cwd=folder, check=True)
    command = [sys.executable, ROOT / "scripts" / "check_files.py"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("a.md", b"words", "a.md: must end in exactly one line break\n"),
        ("a.md", b"words\n\n", "a.md: must end in exactly one line break\n"),
        ("a.py", b"x = 1\n<<<<<<< HEAD\nx = 2\n", "a.py: holds a merge marker\n"),
        ("big.bin", bytes(600_000), "big.bin: is larger than 500 kB\n"),
        ("word.ww", bytes(1_100_000), "word.ww: is larger than 1000 kB\n"),
        ("id", PRIVATE.encode(), "id: holds a private key\n"),
        ("tests/data/id", PRIVATE.encode(), "tests/data/id: holds a private key\n"),
        ("a.toml", f'key = "{KEY}"\n'.encode(), "a.toml: holds a key of the character service\n"),
    ],
)
def test_what_should_not_be_committed_is_named(tmp_path: Path, name: str, data: bytes, told: str) -> None:
    done = check(tmp_path, name, data)
    assert (done.returncode, done.stdout) == (1, told)
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("name", "data"),
    [("a.md", b"A title\n=======\n"), ("empty", b""), ("a.png", b"\x89PNG\0"), ("tests/data/model", bytes(600_000))],
)
def test_what_may_be_committed_passes(tmp_path: Path, name: str, data: bytes) -> None:
    done = check(tmp_path, name, data)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_folder_without_git_passes(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "check_files.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")
