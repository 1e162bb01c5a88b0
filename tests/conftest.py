"""What all tests share."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import settings


def pytest_configure() -> None:
    """Say that there is no event loop outside of tests: looptime would make one for each run and never close it."""
    asyncio.set_event_loop(None)
    # No test is timed: on a busy machine an example may take long and be right.
    settings.register_profile("untimed", deadline=None)
    settings.load_profile("untimed")


@pytest.fixture(autouse=True)
def _state_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes what this machine's own companion remembers."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
