"""`companion check` says what `companion run` would refuse."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import CliRunner

from companion.cli.check import check
from tests.support.paths import CONFIGS, ROOT


def checked(folder: Path, character: str) -> tuple[int, str]:
    (folder / "devices").mkdir()
    file = folder / "devices" / "own.toml"
    file.write_text(f"persona = '{CONFIGS / 'personas' / 'teddy.toml'}'\n[character]\n{character}\n")
    done = CliRunner().invoke(check, [str(file)])
    return done.exit_code, done.output


def test_a_key_that_would_go_out_unencrypted_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-here")
    status, told = checked(tmp_path, 'base_url = "http://character.example.com/v1"')
    assert status == 78
    assert "character.base_url: sends the key unencrypted" in told
    assert "write https://" in told


def test_without_a_key_it_is_a_note_and_on_this_machine_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DASHSCOPE_API_KEY", raising=False)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    status, told = checked(tmp_path / "a", 'base_url = "http://character.example.com/v1"')
    assert status == 0
    assert "note: " in told
    assert "a unit with a key refuses this address" in told
    monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-here")
    status, told = checked(tmp_path / "b", 'base_url = "http://127.0.0.1:8080/v1"')
    assert (status, "base_url" in told) == (0, False)


def test_the_package_alone_says_what_is_missing(tmp_path: Path) -> None:
    """Installed from a wheel: no `configs` beside the package."""
    shutil.copytree(ROOT / "companion", tmp_path / "companion", ignore=shutil.ignore_patterns("__pycache__"))
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}
    for words in (["run"], ["check"], ["chat"], ["demo"], ["body", "view"]):
        done = subprocess.run(
            [sys.executable, "-m", "companion", *words],
            cwd=tmp_path, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 78, (words, done.stderr)
        assert "This is the package alone" in done.stderr
        assert "site-packages" not in done.stderr


def test_an_echo_canceller_that_is_not_installed_is_told_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "livekit" else find_spec(name))
    status, told = checked(tmp_path, '[ears]\necho = "apm"')
    assert status == 0
    assert 'ears.echo: "apm" needs the package livekit: install it' in told
