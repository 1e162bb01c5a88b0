"""What all tests share."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import Phase, settings

from tests.support import time_limit

# Before numpy is imported: on a busy machine its threads wait for each other twenty times as long as they work.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def pytest_configure(config: pytest.Config) -> None:
    # There is no event loop outside of tests: looptime would make one for each run and never close it.
    asyncio.set_event_loop(None)
    time_limit.configure(config)
    # No test is timed: on a busy machine an example may take long and be right. What fails, fails at once, with the
    # example as it was found, which is kept; `--hypothesis-profile=small` makes it small, which may take minutes.
    at_once = (Phase.explicit, Phase.reuse, Phase.generate, Phase.target)
    settings.register_profile("small", deadline=None)
    settings.register_profile("quick", deadline=None, phases=at_once)
    settings.register_profile("repeatable", deadline=None, phases=at_once, derandomize=True)
    settings.load_profile(config.getoption("--hypothesis-profile") or "quick")


def pytest_make_parametrize_id(val: object) -> str | None:
    """A name by which the test can be asked for: pytest takes a name apart at each `::`."""
    return val.replace("::", ";;") if isinstance(val, str) and "::" in val else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None]:
    with time_limit.limited(item, "setup"):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    with time_limit.limited(item, "call"):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None]:
    with time_limit.limited(item, "teardown"):
        return (yield)


@pytest.fixture(autouse=True)
def _state_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes what this machine's own companion remembers."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
