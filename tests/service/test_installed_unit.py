"""Commands without `--device` look at the unit that is there, and never at another one."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from companion.config.persona import load_persona
from companion.service import control
from companion.service.installed_unit import InstalledUnit, find_unit
from tests.support.paths import CONFIGS, ROOT

NO_SOCKET = Path("/nonexistent/companion.sock")


def installed(root: Path, unit: str = "", variables: str | None = None) -> None:
    """A file system with the service as `systemd/install.sh` installs it, and `unit` as its drop-in."""
    place = root / "etc/systemd/system"
    (place / "companion.service.d").mkdir(parents=True)
    (place / "companion.service").write_text((ROOT / "systemd/companion.service").read_text("utf-8"), "utf-8")
    (place / "companion.service.d/own.conf").write_text(unit, "utf-8")
    if variables is not None:
        (root / "etc/companion").mkdir()
        (root / "etc/companion/companion.env").write_text(variables, "utf-8")


def test_where_no_service_is_installed_there_is_no_unit(tmp_path: Path) -> None:
    assert find_unit(NO_SOCKET, tmp_path) is None


@pytest.mark.parametrize(
    ("unit", "variables", "device"),
    [
        ("", None, "/opt/companion/configs/devices/desk.toml"),
        ("", "COMPANION_DEVICE=/etc/companion/my toy.toml\n", "/etc/companion/my toy.toml"),
        ("", "# COMPANION_DEVICE=/no\n\nCOMPANION_DEVICE='/etc/companion/my toy.toml'\n", "/etc/companion/my toy.toml"),
        ("", 'OTHER=1\nnonsense\nCOMPANION_DEVICE="/a.toml\n', '"/a.toml'),
        ('[Service]\nEnvironment=A=1 "COMPANION_DEVICE=/srv/a b.toml"\n', None, "/srv/a b.toml"),
        ("[Service]\nEnvironment=COMPANION_DEVICE=/srv/a.toml\n", "COMPANION_DEVICE=/b.toml", "/b.toml"),
    ],
)
def test_the_settings_of_the_service_name_the_device(
    tmp_path: Path, unit: str, variables: str | None, device: str
) -> None:
    installed(tmp_path, unit, variables)
    found = find_unit(NO_SOCKET, tmp_path)
    assert found == InstalledUnit(tmp_path / device.lstrip("/"), tmp_path / "var/lib/companion")


def test_what_the_card_made_comes_before_the_default_device(tmp_path: Path) -> None:
    installed(tmp_path, "[Service]\nStateDirectory=toy\n")
    made = tmp_path / "var/lib/toy/device.toml"
    made.parent.mkdir(parents=True)
    made.touch()
    assert find_unit(NO_SOCKET, tmp_path) == InstalledUnit(made, made.parent)


class Running:
    """A daemon that tells where its files are."""

    def __init__(self, files: dict[str, str]) -> None:
        self.files = files

    def status(self) -> dict[str, Any]:
        return {"state": "idle", "files": self.files}

    async def press(self, button: str) -> None: ...
    def set_volume(self, volume: float) -> None: ...
    def say(self, text: str) -> None: ...
    def reload(self, persona: str | None) -> str:
        return persona or ""


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(folder), "XDG_STATE_HOME": str(folder / "caller")}
    return subprocess.run(
        [sys.executable, "-m", "companion", *words],
        env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


async def test_commands_use_the_files_of_the_running_unit(tmp_path: Path) -> None:
    files = {
        "device": str(CONFIGS / "devices" / "desk.toml"),
        "persona": str(CONFIGS / "personas" / "go_prodigy.toml"),
        "state": str(tmp_path / "unit"),
        "memory": str(tmp_path / "unit" / "memories"),
    }
    async with await control.serve(Running(files), tmp_path / "companion.sock"):
        shown, forgot, own, used, checked = await asyncio.gather(
            asyncio.to_thread(run, tmp_path, "memory", "show", "--json"),
            asyncio.to_thread(run, tmp_path, "memory", "forget", "--all", "--yes"),
            asyncio.to_thread(run, tmp_path, "memory", "list", "--set", f"memory.folder={tmp_path / 'mine'}"),
            asyncio.to_thread(run, tmp_path, "usage"),
            asyncio.to_thread(run, tmp_path, "check"),
        )
    assert json.loads(shown.stdout)["persona"] == load_persona(CONFIGS / "personas" / "go_prodigy.toml").name
    memory = str(tmp_path / "unit" / "memories" / "companion.db")
    assert memory in shown.stderr
    assert memory in forgot.stderr
    assert memory in used.stderr
    assert str(tmp_path / "mine") in own.stdout
    assert files["device"] in checked.stderr
    assert "1 file checked" in checked.stdout


@pytest.mark.parametrize("files", [{}, {"device": "/a.toml"}, {"device": 1, "persona": None}])
async def test_a_daemon_that_does_not_tell_its_files_is_no_help(tmp_path: Path, files: dict[str, Any]) -> None:
    async with await control.serve(Running(files), tmp_path / "companion.sock"):
        assert await asyncio.to_thread(find_unit, tmp_path / "companion.sock", tmp_path) is None


@pytest.mark.skipif(os.getuid() == 0, reason="root may look everywhere")
def test_a_closed_folder_is_no_reason_to_look_at_another_unit(tmp_path: Path) -> None:
    installed(tmp_path)
    state = tmp_path / "var/lib/companion"
    state.mkdir(parents=True, mode=0o000)
    try:
        assert find_unit(NO_SOCKET, tmp_path) == InstalledUnit(state / "device.toml", state)
    finally:
        state.chmod(0o700)
