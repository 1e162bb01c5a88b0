"""What a person who sets up, ships or checks the project relies on."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from tests.support.paths import ROOT

LICENCES = (ROOT / "docs" / "licences.md").read_text("utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

LOCKED = re.compile(r"^([\w.-]+)==([^\s;\\]+)", re.MULTILINE)
ROW = re.compile(r"^\| ([\w.-]+) \| ([\w.]+) \| ([^|]+) \| ([^|]+) \| [\d.]+ \|$", re.MULTILINE)


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def locked(file: str) -> dict[str, str]:
    return {normal(name): version for name, version in LOCKED.findall((ROOT / file).read_text("utf-8"))}


RUN, DEV = locked("requirements.lock"), locked("requirements-dev.lock")


def test_every_python_package_stands_in_the_licences_with_its_version() -> None:
    told = {normal(name): (version, licence.strip()) for name, version, licence, _ in ROW.findall(LICENCES)}
    assert {name: version for name, (version, _) in told.items()} == DEV
    assert all(licence and licence != "UNKNOWN" for _, licence in told.values())


def test_what_runs_on_a_device_is_told_apart_from_what_does_not() -> None:
    device = LICENCES.partition("## Python packages on the device")[2].partition("## Python packages of developers")[0]
    assert {normal(name) for name, *_ in ROW.findall(device)} == set(RUN)


@pytest.mark.parametrize("name", sorted(RUN))
def test_what_is_installed_is_what_is_locked(name: str) -> None:
    try:
        installed = version(name)
    except PackageNotFoundError:
        pytest.skip(f"{name} has no package for this Python")
    if name == "setuptools":
        pytest.skip("only builds; an environment made by hand may have another")
    assert installed == RUN[name]


def test_the_locks_hold_what_the_project_asks_for() -> None:
    def asked(requirements: list[str]) -> set[tuple[str, str]]:
        found = (LOCKED.match(one.partition(";")[0].strip()) for one in requirements)
        return {(normal(one[1]), one[2]) for one in found if one}

    assert asked(PROJECT["dependencies"]) <= set(RUN.items())
    assert asked(PROJECT["optional-dependencies"]["dev"]) <= set(DEV.items())
    assert RUN.items() <= DEV.items()


@pytest.mark.parametrize("file", ["requirements.lock", "requirements-dev.lock"])
def test_every_locked_package_has_its_hashes(file: str) -> None:
    entries = re.split(r"\n(?=\S)", (ROOT / file).read_text("utf-8"))
    assert [one for one in entries if LOCKED.match(one) and "--hash=sha256:" not in one] == []


def test_every_debian_package_that_is_installed_stands_in_the_licences() -> None:
    script = (ROOT / "scripts" / "setup.sh").read_text("utf-8")
    packages = {word for line in re.findall(r"set -- (.+?)(?:;|\n)", script) for word in line.split() if word != '"$@"'}
    assert {"espeak-ng", "libportaudio2", "sox"} <= packages
    assert [one for one in packages if not re.search(rf"(?<![\w-]){re.escape(one)}(?![\w-])", LICENCES)] == []


def test_our_own_code_is_apache() -> None:
    assert PROJECT["license"] == "Apache-2.0"
    text = (ROOT / "LICENSE").read_text("utf-8")
    assert "Apache License" in text
    assert "9. Accepting Warranty or Additional Liability." in text


def setup_with(python: str, folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a copy of the set-up on a machine whose Pythons all behave like a script, and which has no apt."""
    (folder / "scripts").mkdir(parents=True)
    for name in ("scripts/setup.sh", "pyproject.toml", "requirements.lock", "requirements-dev.lock"):
        (folder / name).write_bytes((ROOT / name).read_bytes())
    programs = folder / "bin"
    programs.mkdir()
    for name in ("python3", "python3.11", "python3.12", "python3.13", "python3.14"):
        (programs / name).write_text(f"#!/bin/sh\n{python}\n")
        (programs / name).chmod(0o755)
    for name in ("sh", "cat", "dirname", "sha256sum", "rm", "awk", "id", "uname", "mkdir"):
        found = next(Path(place) / name for place in ("/usr/bin", "/bin") if (Path(place) / name).exists())
        (programs / name).symlink_to(found)
    return subprocess.run(
        ["sh", "scripts/setup.sh", *arguments],
        cwd=folder,
        env={**os.environ, "COMPANION_PYTHON": "", "PATH": str(programs), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_machine_with_an_old_python_is_told_so(tmp_path: Path) -> None:
    done = setup_with('[ "$1" = --version ] && echo "Python 3.9.2" && exit 0; exit 1', tmp_path / "a place", "run")
    assert done.returncode == 1
    assert "Python 3.11 to 3.14" in done.stderr.splitlines()[0]
    assert not (tmp_path / "a place" / ".venv").exists()


def test_an_environment_that_cannot_be_made_is_told_in_one_line(tmp_path: Path) -> None:
    python = 'case "$*" in *import*) exit 0;; --version) echo "Python 3.11.2";; *) exit 3;; esac'
    done = setup_with(python, tmp_path / "b", "run")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("setup: ")
    assert "could not make .venv" in done.stderr


def test_a_packages_failure_leaves_nothing_that_passes_for_finished(tmp_path: Path) -> None:
    """pip fails (no network): the next run must try again."""
    python = (
        'case "$*" in *import*) exit 0;; --version) echo "Python 3.11.2";; '
        '*venv*) mkdir -p .venv/bin; cat "$0" >.venv/bin/python; exit 0;; *) exit 1;; esac'
    )
    done = setup_with(python, tmp_path / "c", "test")
    assert done.returncode == 1
    assert "setup: " in done.stderr.splitlines()[-1]
    assert not [*(tmp_path / "c" / ".venv").glob("stamp-*"), *(tmp_path / "c" / ".venv").glob("made-in")]


CHOSEN = 'case "$0 $*" in *3.13*import*ensurepip*) exit 0;; *3.13*venv*) exit 3;; *--version) echo x;; esac; exit 1'
"""A machine on which only python3.13 can make an environment (and then fails to)."""


def test_the_python_can_be_chosen(tmp_path: Path) -> None:
    done = setup_with(CHOSEN, tmp_path / "e", "run", COMPANION_PYTHON="python3.13")
    assert "bin/python3.13 could not make .venv" in done.stderr


def test_a_chosen_python_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    for number, name in enumerate(("python3.12", "python2")):
        done = setup_with(CHOSEN, tmp_path / str(number), "run", COMPANION_PYTHON=name)
        assert done.returncode == 1
        assert done.stderr.splitlines() == [
            f"setup: COMPANION_PYTHON is {name}, which is not here or is not Python 3.11 to 3.14 with its venv module"
        ]


def test_an_environment_of_another_python_is_made_anew(tmp_path: Path) -> None:
    """The one that is there says nothing of its version, so it differs from the chosen one."""
    place = tmp_path / "f"
    (place / ".venv" / "bin").mkdir(parents=True)
    (place / ".venv" / "made-in").write_text(f"{place}\n")
    (place / ".venv" / "bin" / "python").write_text("#!/bin/sh\n")
    (place / ".venv" / "bin" / "python").chmod(0o755)
    python = CHOSEN.replace("import*ensurepip*) exit 0", "import*) echo 3.13; exit 0")
    done = setup_with(python, place, "run", COMPANION_PYTHON="python3.13")
    assert "bin/python3.13 could not make .venv" in done.stderr
    assert not (place / ".venv").exists()


def test_setup_asks_what_for(tmp_path: Path) -> None:
    done = setup_with("exit 0", tmp_path / "d")
    assert done.returncode == 1
    assert "setup.sh run" in done.stderr
