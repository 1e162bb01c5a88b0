"""Two products: the unit's package and the maker's, each with its own files only, at the same version."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import entry_points
from pathlib import Path

import companion
from studio.kit.wheels import build_unit_wheel
from tests.support.paths import ROOT

STUDIO = tomllib.loads((ROOT / "studio" / "pyproject.toml").read_text("utf-8"))["project"]


def files_in(folder: Path) -> set[str]:
    """The files of the only wheel in a folder, without its metadata."""
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as opened:
        return {name for name in opened.namelist() if ".dist-info/" not in name}


def top_folders(files: set[str]) -> set[str]:
    return {name.partition("/")[0] for name in files}


def run_without_studio(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line as it is on a unit, where no other package adds a command."""
    code = (
        "import importlib.metadata as metadata, sys\n"
        "metadata.entry_points = lambda **_: ()\n"
        "from companion.__main__ import main\n"
        f"sys.argv[1:] = {list(arguments)!r}\n"
        "main()\n"
    )
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_units_wheel_has_all_its_own_files_and_none_of_the_studio(tmp_path: Path) -> None:
    (tmp_path / "wheels").mkdir()
    build_unit_wheel(ROOT, tmp_path, tmp_path / "wheels")
    files = files_in(tmp_path / "wheels")
    assert top_folders(files) == {"companion", "firmware_bridge"}
    own = (file for kind in ("py", "toml", "json", "html") for file in (ROOT / "companion").rglob(f"*.{kind}"))
    assert {file.relative_to(ROOT).as_posix() for file in own} <= files


def test_the_studios_wheel_has_only_files_of_the_studio(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "studio", tmp_path / "studio", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    options = ["--no-deps", "--no-build-isolation", "--no-index", "-q", "--wheel-dir", str(tmp_path / "wheels")]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(tmp_path / "studio")], check=True)
    assert top_folders(files_in(tmp_path / "wheels")) == {"studio"}


def test_both_packages_have_the_same_version() -> None:
    assert STUDIO["version"] == companion.__version__
    assert f"companion=={companion.__version__}" in STUDIO["dependencies"]


def test_the_makers_commands_join_the_command_line() -> None:
    assert {one.name for one in entry_points(group="companion.commands")} == {"kit"}
    command = [sys.executable, "-m", "companion", "kit", "build", "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "wheels, Debian packages, models, personas and install.sh in one" in done.stdout


def test_on_a_unit_a_makers_command_says_how_to_get_it() -> None:
    done = run_without_studio("kit", "build")
    assert done.returncode == 2
    assert "belongs to the maker's tools" in done.stderr
    assert "make setup" in done.stderr
    assert "kit" not in run_without_studio("--help").stdout
    assert "No such command 'kid'" in run_without_studio("kid").stderr
