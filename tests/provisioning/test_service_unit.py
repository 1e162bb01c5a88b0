"""The systemd unit of provisioning, checked by systemd itself and against the command."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from companion.cli.provision import provision
from tests.support.paths import ROOT

UNIT = ROOT / "systemd" / "companion-provision.service"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_finds_nothing_to_say_about_it(tmp_path: Path) -> None:
    # The installed program is not there on this machine.
    copy = tmp_path / UNIT.name
    copy.write_text(re.sub(r"/opt/companion/\.venv/bin/companion", "/bin/true", UNIT.read_text()))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", copy],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stderr == ""
    assert done.returncode == 0


def test_it_calls_the_command_as_the_command_is(tmp_path: Path) -> None:
    line = next(line for line in UNIT.read_text().splitlines() if line.startswith("ExecStart="))
    program, name, *arguments = shlex.split(line.removeprefix("ExecStart="))
    assert program.endswith("/companion")
    assert name == "provision"
    here = [str(tmp_path / one.strip("/")) if one.startswith("/") else one for one in arguments]
    done = CliRunner().invoke(provision, [*here, "--dry-run"])
    assert done.exit_code == 78
    assert "cannot be read" in done.output
    assert "SuccessExitStatus=78" in UNIT.read_text()
