"""`companion run` where parts are missing: it starts all the same, and its status says what it lacks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.paths import CONFIGS, ROOT
from tests.support.virtual_sound import VirtualSound, why_not

pytestmark = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))

LONGEST_S = 40.0


def test_without_a_recogniser_it_starts_and_says_so(tmp_path: Path) -> None:
    """A persona whose language nothing here understands, a voice that is not there, and an engine that fails."""
    device = tmp_path / "unit.toml"
    device.write_text(
        f'persona = "{CONFIGS / "personas" / "go_prodigy.toml"}"\n'
        '[character]\nemulator = "always"\n'
        f'[voice]\nengine = "piper"\nmodel = "{tmp_path / "none.onnx"}"\n'
        '[body]\noutputs = ["simulated", "nowhere:body"]\n',
        encoding="utf-8",
    )
    sound = VirtualSound(tmp_path / "sound")
    sound.start()
    environment = {
        **sound.environment,
        "XDG_RUNTIME_DIR": str(tmp_path),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "PYTHONPATH": str(ROOT),
    }
    companion = [sys.executable, "-m", "companion"]

    def command(*words: str) -> str:
        done = subprocess.run(
            [*companion, *words], env=environment, capture_output=True, text=True, timeout=LONGEST_S, check=False
        )
        return done.stdout

    process = subprocess.Popen(
        [*companion, "run", "--device", str(device), "--events", "/dev/stdout"],
        env=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    events: list[dict[str, Any]] = []

    def until(state: str) -> None:
        for line in process.stdout or ():
            events.append(json.loads(line))
            if events[-1]["kind"] == "state" and events[-1]["state"] == state:
                return
        raise AssertionError(f"it ended before {state}: {process.communicate()[1]}")

    try:
        until("idle")
        status = json.loads(command("status", "--json"))
        command("control", "wake")
        until("speaking")
        until("idle")
    finally:
        process.terminate()
        _, log = process.communicate(timeout=LONGEST_S)
        sound.stop()
    assert status["engines"] == {"transcriber": "none", "voice": "espeak", "body": "simulated, nowhere:body"}
    assert any("It cannot hear what is said." in problem for problem in status["problems"])
    assert any("nowhere:body" in problem for problem in status["problems"])
    assert "listening" not in [event.get("state") for event in events]
    for key in ("ears.transcriber.engine", "voice.engine", "body.outputs"):
        assert f"WARNING {device}" in log
        assert f" {key}: " in log
