"""`companion latency`, as a person at a terminal uses it."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from companion.cli.latency import latency
from companion.events import TurnEnded
from companion.mind.memory import turn_times
from companion.mind.memory.store import Store
from tests.support.paths import CONFIGS

DEVICE = CONFIGS / "devices" / "desk.toml"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path / "companion"


def fill(folder: Path, *tokens_ms: float) -> None:
    async def fill() -> None:
        store = await Store.open(folder, datetime.now)
        for ms in tokens_ms:
            took = {"endpoint": 170.0, "first_token": ms, "total": 170.0 + ms}
            turn_times.keep(store, TurnEnded("", "finished", latency_ms=took), datetime(2026, 11, 28, 14, 3, 12))
        await store.close()

    asyncio.run(fill())


def printed(*arguments: str) -> str:
    done = CliRunner().invoke(latency, ["--device", str(DEVICE), *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_before_the_first_answer(folder: Path) -> None:
    assert printed() == "Nobody was answered yet.\n"
    assert json.loads(printed("--json"))["turns"] == 0
    assert not folder.exists()


def test_a_table_and_what_held_the_slowest_back(folder: Path) -> None:
    fill(folder, 200.0, 210.0, 2100.0)
    told = printed()
    assert "The last 3 turns, in milliseconds." in told
    [row] = [line.split() for line in told.splitlines() if line.startswith("first_token")]
    assert row[-2:] == ["210", "2,100"]
    assert "Turn 14:03:12 took 2.3 s: the service's first token took 2.1 s of it." in told


def test_the_last_ones_only_and_as_json(folder: Path) -> None:
    fill(folder, 900.0, 200.0, 300.0)
    told = json.loads(printed("--json", "--last", "2"))
    assert set(told) == {"turns", "median_ms", "p95_ms", "dropped", "slowest"}
    assert (told["turns"], told["median_ms"]["first_token"], told["p95_ms"]["total"]) == (2, 250.0, 470.0)
    assert told["slowest"][0]["stage"] == "first_token"
