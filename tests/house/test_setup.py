"""`scripts/setup.sh` on systems that cannot run the project: a true sentence, a way out, and nothing installed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.paths import ROOT

TOOLS = ("sh", "cat", "sed", "grep", "flock", "dirname", "uname", "id", "env", "awk", "rm", "mkdir", "cut", "true")


class System:
    """A system of a few programs, in a copy of the project's set-up; what is installed is noted in `installed`."""

    def __init__(self, folder: Path) -> None:
        self.project, self.programs = folder / "project", folder / "bin"
        self.installed = folder / "installed"
        for place in (self.project / "scripts", self.project / "studio", self.programs):
            place.mkdir(parents=True)
        (self.project / "scripts/setup.sh").write_text((ROOT / "scripts/setup.sh").read_text("utf-8"), "utf-8")
        for name in ("pyproject.toml", "studio/pyproject.toml", "requirements.lock", "requirements-dev.lock"):
            (self.project / name).touch()
        for tool in TOOLS:
            found = next(Path(place) / tool for place in ("/usr/bin", "/bin") if (Path(place) / tool).exists())
            (self.programs / tool).symlink_to(found)

    def program(self, name: str, script: str) -> None:
        place = self.programs / name
        place.unlink(missing_ok=True)
        place.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
        place.chmod(0o755)

    def python(self, version: str, name: str = "python3", *, venv: bool = True) -> None:
        """A Python of that version; for questions of the set-up it answers as such a one would."""
        numbers = ", ".join(version.split(".")[:2])
        self.program(
            name,
            f'''[ "$1" = --version ] && {{ echo "Python {version}"; exit; }}
case "$2" in *ensurepip*) {":" if venv else "exit 1"} ;; esac
exec /usr/bin/env -i PATH=/usr/bin:/bin python3 -c "import sys; sys.version_info = ({numbers}, 0)
$(echo "$2" | sed "s/import ensurepip, sys, venv/import sys/")"''',
        )

    def debian(self, candidate: str) -> None:
        self.program("dpkg-query", "exit 1")
        self.program("apt-cache", f"printf 'python3:\\n  Installed: (none)\\n  Candidate: {candidate}\\n'")
        self.program("apt-get", f"echo installed >>{self.installed}")
        self.program("sudo", 'shift; exec "$@"')

    def set_up(self, purpose: str = "run") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", "scripts/setup.sh", purpose],
            cwd=self.project, env={"PATH": str(self.programs)}, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip


@pytest.fixture
def system(tmp_path: Path) -> System:
    return System(tmp_path)


def refused(system: System, purpose: str) -> str:
    done = system.set_up(purpose)
    assert done.returncode == 1
    assert not system.installed.exists()
    assert not (system.project / ".venv").exists()
    assert "not found" not in done.stderr
    for way_out in ("uv python install", "docker run"):
        assert way_out in done.stderr
    return done.stderr


@pytest.mark.parametrize("purpose", ["run", "test"])
@pytest.mark.parametrize("version", ["3.9.2", "3.10.12", "3.15.0", "4.0.1"])
def test_a_python_that_does_not_fit_is_told_before_anything_is_installed(
    system: System, version: str, purpose: str
) -> None:
    system.debian(version)
    system.python(version)
    assert f"3.11 to 3.14 with its venv module is needed, and this system has Python {version}." in refused(
        system, purpose
    )


def test_without_python_what_would_be_installed_counts(system: System) -> None:
    system.debian("3.9.2-3")
    assert "this system has no Python (its package is 3.9)" in refused(system, "test")


def test_a_system_without_debian_packages_is_told_the_same(system: System) -> None:
    assert "this system has no Python." in refused(system, "run")
    system.python("3.12.1", venv=False)
    assert "this system has Python 3.12.1 without its venv module." in refused(system, "run")


def test_another_system_than_linux_is_named(system: System) -> None:
    system.program("uname", "echo Darwin")
    system.python("3.12.1")
    assert "Darwin, where this was never tried" in refused(system, "run")


@pytest.mark.parametrize("user", ["0", "1000"])
@pytest.mark.parametrize("candidate", ["3.11.2-1+b1", "(none)"])
def test_a_python_that_debian_has_is_installed(system: System, candidate: str, user: str) -> None:
    """Where apt knows none yet it may after its update. As root, and through a sudo that asks nothing."""
    system.debian(candidate)
    system.program("id", f"echo {user}")
    system.program("sha256sum", "cat >/dev/null; echo 0 -")
    done = system.set_up()
    assert system.installed.exists()
    assert "python3 python3-venv" in done.stderr
    assert done.returncode == 1
    assert "not found" not in done.stderr


@pytest.mark.parametrize("sudo", ["echo sudo: a password is required >&2; exit 1", None])
def test_who_may_not_install_is_told_what_to_type(system: System, sudo: str | None) -> None:
    system.debian("3.11.2-1+b1")
    system.program("id", "echo 1000")
    if sudo is None:
        (system.programs / "sudo").unlink()
    else:
        system.program("sudo", sudo)
    system.program("sha256sum", "cat >/dev/null; echo 0 -")
    done = system.set_up()
    assert not system.installed.exists()
    assert "install them with: sudo apt-get install python3 python3-venv espeak-ng libportaudio2" in done.stderr
    assert "see above what is missing" in done.stderr
    assert "password" not in done.stderr
    assert "not found" not in done.stderr
    assert done.returncode == 1


def test_without_sha256sum_the_set_up_goes_on(system: System) -> None:
    system.python("3.12.1")
    system.program("shasum", 'cat >/dev/null; echo "$1 $2"')
    done = system.set_up()
    assert "not found" not in done.stderr
    assert "making .venv with Python 3.12.1" in done.stderr


def test_its_help_is_its_head(system: System) -> None:
    done = system.set_up("--help")
    assert done.returncode == 0
    assert "scripts/setup.sh run" in done.stdout
