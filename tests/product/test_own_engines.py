"""An engine named `package.module:factory` is found in the folder where the person stands, by every way to start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import CONFIGS

COMMANDS = ([str(Path(sys.executable).with_name("companion"))], [sys.executable, "-m", "companion"])


@pytest.mark.parametrize("command", COMMANDS, ids=["installed", "module"])
def test_a_module_in_the_working_folder_is_found(tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "own_ears.py").write_text("def build(device, persona):\n    return None\n", encoding="utf-8")
    for engine in ("own_ears:build", "own_ears:none"):
        (tmp_path / f"{engine.partition(':')[2]}.toml").write_text(
            f'persona = "{CONFIGS / "personas" / "teddy.toml"}"\n[ears.endpoint]\nengine = "{engine}"\n',
            encoding="utf-8",
        )

    def check(file: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*command, "check", file], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert check("build.toml").returncode == 0
    wrong = check("none.toml")
    assert wrong.returncode == 78
    assert wrong.stderr.startswith("none.toml:3: ears.endpoint.engine: own_ears:none: cannot be loaded: ")
