"""The examples of CONTRIBUTING.md work as they stand."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import wave
from pathlib import Path
from typing import Any

from companion.config.device import Device
from tests.support.paths import CONFIGS, ROOT

PAGE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")


def test_the_smallest_engine_speaks(tmp_path: Path) -> None:
    (example,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    (tmp_path / "beeper.py").write_text(example)
    subprocess.run(
        [sys.executable, "-m", "companion", "say", "Hello there, my friend", "--out", tmp_path / "hello.wav",
         "--device", CONFIGS / "devices/desk.toml", "--set", "voice.engine=beeper:build"],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True, check=True,
    )  # fmt: skip
    with wave.open(str(tmp_path / "hello.wav")) as made:
        assert made.getnframes() >= 4 * 1920, "four words, each a beep"


def test_the_table_of_engines_names_keys_and_groups_that_exist() -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["entry-points"]
    rows = re.findall(r"^\| [\w ]+ \| `(\w+)` \| `([\w.]+)`.*? \| `([\w.]+)` \|$", PAGE, re.MULTILINE)
    assert {group for *_, group in rows} == set(groups)
    for port, key, _ in rows:
        assert f"class {port}(Protocol)" in (ROOT / "companion/ports.py").read_text("utf-8")
        settings: Any = Device
        for part in key.split("."):
            settings = settings.model_fields[part].annotation
