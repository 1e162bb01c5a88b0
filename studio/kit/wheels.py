"""The Python packages of an offline kit: wheels for the unit's processor, exactly those of the lock file.

pip downloads them (or they come from a folder) and verifies each against the lock's hashes. The kit's own requirements
file then lists the wheels in it with their hashes, because wheels that are built here (companion itself, and packages
published as source only) are in no lock. Nothing is compiled: a package without a wheel for the unit is refused.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from companion.errors import CompanionError

SOURCE_ONLY = ("srt",)
"""Published without a wheel, but pure Python, so that a wheel built here runs everywhere."""

_GLIBC = {"3.11": 36, "3.12": 39, "3.13": 41}
"""glibc version (2.N) of the oldest system with this Python: Debian 12, Ubuntu 24.04, Debian 13."""

_ENTRY = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]*)==(?P<version>[\w.!+-]+)(?:\s*;\s*(?P<marker>.*?))?")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Target:
    """The kind of unit that a kit is for."""

    machine: str
    """`aarch64` or `x86_64`."""
    python: str
    """`3.11`, for example."""

    @property
    def platforms(self) -> tuple[str, ...]:
        """The wheel platforms that run on it, newest first (PEP 600)."""
        oldest = 17 if self.machine == "aarch64" else 5
        newest = _GLIBC[self.python]
        tags = [f"manylinux_2_{minor}_{self.machine}" for minor in range(newest, oldest - 1, -1)]
        return (*tags, f"manylinux2014_{self.machine}")

    @property
    def marker_environment(self) -> dict[str, str]:
        """The variables of the lock's environment markers (PEP 508)."""
        return {
            "implementation_name": "cpython",
            "os_name": "posix",
            "platform_machine": self.machine,
            "platform_python_implementation": "CPython",
            "platform_system": "Linux",
            "python_full_version": f"{self.python}.2",
            "python_version": self.python,
            "sys_platform": "linux",
        }


@dataclass(frozen=True, slots=True)
class Requirement:
    """One package of the lock file."""

    name: str
    version: str
    hashes: frozenset[str]
    """SHA-256 of each acceptable file."""
    marker: str = ""
    """Environment marker; empty where the package is always needed."""


def read_lock(text: str) -> tuple[Requirement, ...]:
    """Parse a lock file (pip's format, one version and hashes per package). Raises `CompanionError`."""
    found = []
    for line in text.replace("\\\n", " ").splitlines():
        entry, *hashes = re.split(r"\s+(?=--hash=)", line.strip())
        if not entry or entry.startswith("#"):
            continue
        matched = _ENTRY.fullmatch(entry.strip())
        digests = frozenset(one[1] for each in hashes if (one := _HASH.fullmatch(each.strip())))
        if matched is None or len(digests) != len(set(hashes)) or not digests:
            raise CompanionError(
                f"The lock file has a line that is not understood: {line.strip()[:60]}. Run make lock."
            )
        name = re.sub(r"[-_.]+", "-", matched["name"]).lower()
        found.append(Requirement(name, matched["version"], digests, (matched["marker"] or "").strip()))
    return tuple(found)


def requirements_for(lock: Iterable[Requirement], target: Target) -> tuple[Requirement, ...]:
    """The packages that the target needs. Raises `CompanionError` for an invalid marker."""
    from packaging.markers import InvalidMarker, Marker

    def applies(requirement: Requirement) -> bool:
        try:
            return not requirement.marker or Marker(requirement.marker).evaluate(target.marker_environment)
        except InvalidMarker as error:
            raise CompanionError(
                f"The lock file gives {requirement.name} a condition that is none. Run make lock."
            ) from error

    return tuple(requirement for requirement in lock if applies(requirement))


def copy_wheels(requirements: Sequence[Requirement], source: Path, wheels: Path) -> None:
    """Copy the wheel of every requirement from `source` to `wheels`.

    Raises `CompanionError` with every wheel that is missing or not the one in the lock file.
    """
    problems = []
    offered = sorted(source.glob("*.whl"))
    for requirement in requirements:
        named = [file for file in offered if _is_wheel_of(file.name, requirement)]
        right = [file for file in named if requirement.name in SOURCE_ONLY or sha256_of(file) in requirement.hashes]
        if right:
            shutil.copyfile(right[0], wheels / right[0].name)
        else:
            known = f"{named[0].name} is not the file that the lock file means" if named else "is missing"
            problems.append(f"{requirement.name} {requirement.version}: {known}")
    if problems:
        raise CompanionError(f"The wheels in {source} do not make a kit: {'; '.join(problems)}.")


def download(requirements: Sequence[Requirement], target: Target, wheels: Path) -> None:
    """Download the wheel of every requirement with pip and verify it. Needs a network. Raises `CompanionError`."""
    ready = [one for one in requirements if one.name not in SOURCE_ONLY]
    options = ["--only-binary", ":all:", "--implementation", "cp", "--python-version", target.python]
    for abi in (f"cp{target.python.replace('.', '')}", "abi3", "none"):
        options += ["--abi", abi]
    for platform in target.platforms:
        options += ["--platform", platform]
    _run_pip_with_requirements("download", ready, wheels, [*options, "--no-deps", "--dest", str(wheels)])
    source_only = [one for one in requirements if one.name in SOURCE_ONLY]
    if source_only:
        options = ["--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels)]
        _run_pip_with_requirements("wheel", source_only, wheels, options)


def build_unit_wheel(project: Path, scratch: Path, wheels: Path) -> None:
    """Build the unit's own package (`companion`, without `studio`) from a checkout, which is not changed.

    Raises `CompanionError`.
    """
    copy = scratch / "project"
    for folder in ("companion", "firmware_bridge"):
        ignored = shutil.ignore_patterns("__pycache__", "*.pyc", "build", "*.egg-info")
        shutil.copytree(project / folder, copy / folder, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copyfile(project / name, copy / name)
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(wheels)]
    _run_pip(["wheel", *options, str(copy)], "companion's own wheel could not be built")


def requirements_of(wheels: Path) -> str:
    """The requirements file for `pip install --require-hashes`: exactly the wheels in the folder, sorted by name."""
    lines = []
    for file in sorted(wheels.glob("*.whl"), key=lambda one: one.name.lower()):
        name, version = file.name.split("-")[:2]
        lines.append(f"{name.replace('_', '-').lower()}=={version} --hash=sha256:{sha256_of(file)}")
    return "\n".join(lines) + "\n"


def reject_foreign_wheels(wheels: Path, target: Target) -> None:
    """Raise `CompanionError` for a wheel that does not run on the target."""
    machines = {"any", *(platform.rpartition(target.machine)[1] for platform in target.platforms)}
    for file in sorted(wheels.glob("*.whl")):
        tag = file.stem.rpartition("-")[2]
        if not any(tag.endswith(machine) for machine in machines):
            raise CompanionError(f"{file.name} is made for another machine than {target.machine}.")


def sha256_of(file: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _is_wheel_of(file_name: str, requirement: Requirement) -> bool:
    name, _, rest = file_name.partition("-")
    return re.sub(r"[-_.]+", "-", name).lower() == requirement.name and rest.startswith(f"{requirement.version}-")


def _run_pip_with_requirements(
    command: str, requirements: Sequence[Requirement], scratch: Path, options: Sequence[str]
) -> None:
    lines = [
        " ".join([f"{one.name}=={one.version}", *(f"--hash=sha256:{digest}" for digest in sorted(one.hashes))])
        for one in requirements
    ]
    listed = scratch / "requirements.fetch"
    listed.write_text("\n".join(lines) + "\n", "utf-8")
    try:
        _run_pip(
            [command, *options, "--require-hashes", "-r", str(listed)],
            "The Python packages could not be fetched; see that there is a network, or give a folder with --wheels",
        )
    finally:
        listed.unlink()


def _run_pip(arguments: Sequence[str], failing: str) -> None:
    environment: Mapping[str, str] = {"SOURCE_DATE_EPOCH": "1735689600", **os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "-q", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()
        raise CompanionError(f"{failing}. pip says: {' '.join(said[-3:])[:600] or 'nothing'}")
