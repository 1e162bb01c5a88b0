"""A test that hangs is ended, named and shown; those behind it run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT

HANGING = """
import asyncio, subprocess, pytest

@pytest.mark.looptime
async def test_waits_on_virtual_time():
    async def for_what_never_comes():
        await asyncio.Event().wait()
    async with asyncio.TaskGroup() as group:
        group.create_task(for_what_never_comes())

@pytest.mark.looptime
@pytest.mark.time_limit(0.5)
async def test_waits_for_a_task_that_spins_and_refuses_to_be_cancelled():
    async def spin():
        while True:
            try:
                await asyncio.sleep(0)
            except asyncio.CancelledError:
                pass
    task = asyncio.create_task(spin())
    await asyncio.Event().wait()

@pytest.mark.time_limit(0.5)
def test_waits_for_a_process():
    subprocess.run(["sleep", "1000"])

@pytest.mark.time_limit(0.5)
async def test_never_lets_the_loop_run():
    while True: pass

@pytest.mark.time_limit(60, 0.5)
def test_spins():
    while True: pass

@pytest.mark.looptime
async def test_that_only_sleeps_long():
    await asyncio.sleep(1e6)
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What pytest says of a file of tests that hang, under this project's `conftest.py`."""
    folder: Path = tmp_path_factory.mktemp("hanging")
    (folder / "conftest.py").write_text((ROOT / "tests" / "conftest.py").read_text())
    (folder / "test_hanging.py").write_text(HANGING)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-c", ROOT / "pyproject.toml", "--rootdir", folder, folder],
        capture_output=True, text=True, timeout=50, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("test", "where"),
    [
        ("test_waits_on_virtual_time", "for_what_never_comes: await asyncio.Event().wait()"),
        ("test_waits_for_a_task_that_spins_and_refuses_to_be_cancelled", "spin: await asyncio.sleep(0)"),
        ("test_waits_for_a_process", 'subprocess.run(["sleep", "1000"])'),
        ("test_spins", "test_spins: while True: pass"),
        ("test_never_lets_the_loop_run", "test_never_lets_the_loop_run: while True: pass"),
    ],
)
def test_a_test_that_hangs_fails_by_name_and_shows_where(report: str, test: str, where: str) -> None:
    assert f"{test} hangs" in report
    assert where in report


def test_the_tests_behind_it_run(report: str) -> None:
    # The error: the task that refuses hangs at the end of its test again.
    assert "5 failed, 1 passed, 1 error" in report
