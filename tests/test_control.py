"""The daemon's socket: its buttons, its manners, and who may press them."""

from __future__ import annotations

import asyncio
import os
import stat
import sys
from pathlib import Path

import pytest

from companion import control
from companion.errors import DeviceError


async def pressed_by(path: Path, *actions: str) -> tuple[list[str], list[str]]:
    """What the daemon was told, and what it answered."""
    told: list[str] = []
    async with await control.serve(told.append, path):
        answers = [await asyncio.to_thread(control.send, action, path) for action in actions]
    return told, answers


async def test_each_button_arrives(tmp_path: Path) -> None:
    assert await pressed_by(tmp_path / "s", "wake", "mute", "unmute", "stop") == (
        ["wake", "mute", "unmute", "stop"],
        ["ok"] * 4,
    )


async def test_an_unknown_action_is_answered_and_changes_nothing(tmp_path: Path) -> None:
    told, [answer] = await pressed_by(tmp_path / "s", "explode")
    assert told == []
    assert "wake, mute, unmute, stop" in answer


async def test_strangers_may_not_press(tmp_path: Path) -> None:
    async with await control.serve(lambda _: None, tmp_path / "s"):
        assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == 0o660


async def test_the_socket_of_a_daemon_that_was_killed_is_taken_over(tmp_path: Path) -> None:
    first = await control.serve(lambda _: None, tmp_path / "s")
    first.close()
    (tmp_path / "s").touch()
    assert (await pressed_by(tmp_path / "s", "wake"))[0] == ["wake"]


async def test_a_second_daemon_is_told_so(tmp_path: Path) -> None:
    async with await control.serve(lambda _: None, tmp_path / "s"):
        with pytest.raises(DeviceError, match="another companion"):
            await control.serve(lambda _: None, tmp_path / "s")


async def test_a_second_run_ends_with_a_sentence_instead_of_listening_too(tmp_path: Path) -> None:
    async with await control.serve(lambda _: None, tmp_path / "companion.sock"):
        second = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "companion", "run", env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
            cwd=Path(__file__).parent.parent, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        _, told = await second.communicate()
    assert second.returncode == 69
    assert b"another companion is running already" in told
    assert b"Traceback" not in told


def test_without_a_daemon_the_command_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="companion run"):
        control.send("wake", tmp_path / "none")
